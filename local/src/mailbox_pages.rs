//! The mailbox's pages for people.

use crate::mailbox::Message;

const STYLE: &str = "<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:52rem;margin:2rem auto;padding:0 1rem;background:Canvas}\
    table{border-collapse:collapse;width:100%}td,th{text-align:start;vertical-align:top;padding:.3rem .6rem .3rem 0}td,h1{overflow-wrap:anywhere}\
    iframe{width:100%;height:44rem;border:1px solid #8888;background:#fff}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style>";

/// All mails, newest first.
pub(crate) fn list(messages: &[Message]) -> String {
    let rows: String = messages
        .iter()
        .rev()
        .map(|message| {
            format!(
                "<tr><td><time>{}</time></td><td>{}</td><td><a href=\"/messages/{}\">{}</a></td></tr>",
                message.at.strftime("%H:%M:%S"),
                escaped(&message.to.join(", ")),
                escaped(&message.id),
                escaped(&message.subject),
            )
        })
        .collect();
    let body = if rows.is_empty() {
        "<p>No mail yet.</p>".to_owned()
    } else {
        format!("<table><tr><th>At (UTC)</th><th>To</th><th>Subject</th></tr>{rows}</table>")
    };
    page(
        "Mailbox",
        &format!(
            "<h1>Mailbox</h1>{body}<p><a href=\"/gallery\">Gallery of every mail and page</a></p>"
        ),
    )
}

/// One mail: how it looks, its text, its headers and tags.
pub(crate) fn view(message: &Message) -> String {
    let id = escaped(&message.id);
    let rows = |fields: &std::collections::BTreeMap<String, String>| -> String {
        fields
            .iter()
            .map(|(name, value)| {
                format!("<tr><th>{}</th><td>{}</td></tr>", escaped(name), escaped(value))
            })
            .collect()
    };
    let body = format!(
        "<p><a href=\"/\">Mailbox</a></p><h1>{subject}</h1><p>To {to} · <a href=\"/messages/{id}.html\">mail alone</a> · \
         <a href=\"/messages/{id}.eml\">as .eml</a> · HTML of {size} bytes</p>\
         <iframe title=\"Mail\" src=\"/messages/{id}.html\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe>\
         <h2>Text</h2><pre>{text}</pre><h2>Headers</h2><table>{headers}</table><h2>Tags</h2><table>{tags}</table>",
        subject = escaped(&message.subject),
        to = escaped(&message.to.join(", ")),
        size = message.html.len(),
        text = escaped(&message.text),
        headers = rows(&message.headers),
        tags = rows(&message.tags),
    );
    page(&message.subject, &body)
}

/// The mail's HTML, whose links open a window of their own, as they do from a mail program.
pub(crate) fn frame(message: &Message) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let html = &message.html;
    let lower = html.to_ascii_lowercase();
    let after_head =
        lower.find("<head").and_then(|start| Some(start + lower.get(start..)?.find('>')? + 1));
    match after_head.and_then(|at| html.split_at_checked(at)) {
        Some((before, after)) => format!("{before}{BASE}{after}"),
        None => format!("{BASE}{html}"),
    }
}

pub(crate) fn not_found() -> String {
    page("No such mail", "<h1>No such mail</h1><p><a href=\"/\">Mailbox</a></p>")
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title>{STYLE}</head><body><main>{body}</main></body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
