//! What surrounds every page, and how the visitor called it.

use lambda_http::Request;

use crate::faults::Faults;
use crate::reply::Style;

/// The menu: path and name.
pub(crate) const MENU: [(&str, &str); 12] = [
    ("/admin", "Status"),
    ("/admin/requests", "Requests"),
    ("/admin/channels", "Channels"),
    ("/admin/settings", "Settings"),
    ("/admin/brands", "Brands"),
    ("/admin/languages", "Languages"),
    ("/admin/people", "People"),
    ("/admin/send-links", "Send links"),
    ("/admin/keys", "Keys"),
    ("/admin/set-up", "Set-up"),
    ("/admin/suppression", "Suppression"),
    ("/admin/audit", "Audit"),
];

/// What surrounds the page of somebody who is signed in; templates extend `base.html` and have it
/// as `frame`.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) company: String,
    /// The menu's entry that this page belongs to.
    pub(crate) here: &'static str,
    /// Who is signed in.
    pub(crate) name: String,
    /// Whether forms are shown at all.
    pub(crate) may_change: bool,
    /// Goes into every form as `form_token`.
    pub(crate) form_token: String,
    /// What cannot be understood in the config table.
    pub(crate) faults: Faults,
    /// What the last change did.
    pub(crate) done: Option<String>,
}

impl Frame {
    pub(crate) fn menu(&self) -> &'static [(&'static str, &'static str)] {
        &MENU
    }

    pub(crate) fn style(&self) -> Style {
        Style
    }
}

/// Whether the sender reads HTML: a browser.
pub(crate) fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether the API was called by a loopback name, where there is no TLS.
pub(crate) fn is_loopback(request: &Request) -> bool {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    let host = host.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name.starts_with("127.")
}

/// The public address of the API as the visitor called it, without a slash at its end; empty if the
/// call does not say it, which leaves paths.
pub(crate) fn base_url(request: &Request) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let plain = |host: &&str| {
        let mut bytes = host.bytes();
        !host.is_empty()
            && bytes
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
    };
    let Some(host) = header("host").filter(plain) else { return String::new() };
    // API Gateway knows no other scheme; on loopback there is no TLS.
    let scheme = if is_loopback(request) { "http" } else { "https" };
    format!("{scheme}://{host}")
}

/// What `?done=` says after a change: only sentences of ours.
pub(crate) fn done_sentence(done: &str) -> Option<String> {
    let sentence = match done {
        "saved" => "Saved.",
        "unchanged" => "Nothing was changed: the form said what stood there already.",
        "integrated" => "Saved. From now on Afterword sends the surveys of this channel.",
        "manual" => "Saved. From now on agents send the surveys of this channel by hand.",
        "added" => "Added.",
        "removed" => "Removed.",
        "sent" => "Recorded: it is sent by the one road, as soon as it is due.",
        "revoked" => "Revoked. It opens nothing any more.",
        "renewed" => "There is a new link. The old one opens nothing any more.",
        "released" => "Released.",
        "unsubscribed" => "Unsubscribed.",
        "erased" => "Erased. The receipt is below.",
        "erasing" => "The erasure goes on by itself, and takes some minutes.",
        "imported" => "Imported.",
        "renamed" => "Renamed.",
        "as-it-was" => "Nothing was changed: the agent is here already.",
        _ => return None,
    };
    Some(sentence.to_owned())
}
