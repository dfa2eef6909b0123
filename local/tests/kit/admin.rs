//! The admin pages, as a browser and a script call them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use local::seed;
use serde_json::Value;

use super::{Reply, World};

/// HTTP Basic of the local admin key.
pub(crate) fn ann() -> String {
    format!("Basic {}", STANDARD.encode("ann:aw_admin_local"))
}

/// A form's body.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A text in a query or a form.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What a browser makes of HTML's text.
pub(crate) fn unescaped(html: &str) -> String {
    let mut text = html.to_owned();
    for (entity, meant) in
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
    {
        text = text.replace(entity, meant);
    }
    text
}

/// The value of a hidden field, or of the first other one whose name stands before its value.
pub(crate) fn hidden(page: &Reply, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) =
        page.text.split_once(&mark).unwrap_or_else(|| panic!("no {name}: {}", page.text));
    rest.split('"').next().unwrap().to_owned()
}

/// Where a reply leads.
pub(crate) fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

/// An item of the config table, as DynamoDB has it.
pub(crate) fn stored(world: &World, kind: &str, id: &str) -> Value {
    seed::get(&world.stack.database, kind, id).unwrap()
}

impl World {
    /// GETs a page as Ann.
    pub(crate) async fn page(&self, path: &str) -> Reply {
        let headers = [("authorization", &*ann()), ("accept", "text/html")];
        self.call("GET", path, &headers, "").await
    }

    /// POSTs a form as Ann.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let headers = [("authorization", &*ann()), ("accept", "text/html"), FORM];
        self.call("POST", path, &headers, form(fields)).await
    }
}

/// The content type of a form.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
