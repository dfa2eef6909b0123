//! A key as the pages show it.

use jiff::Timestamp;
use jiff::civil::Date;
use policy::{Item, KeyItem};
use serde_json::Value;
use store::StoredItem;

use crate::stored_text;

pub(super) struct Row {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) prefix: String,
    pub(super) mode: String,
    pub(super) scopes: String,
    /// The sources that it is bound to.
    pub(super) sources: String,
    pub(super) revoked: bool,
    /// What is wrong with the item: it opens nothing then.
    pub(super) fault: Option<String>,
    /// RFC 3339, and for people.
    pub(super) made_at: Option<(String, String)>,
    pub(super) made_by: String,
    /// ISO 8601, and for people.
    pub(super) last_used: Option<(String, String)>,
    /// Whether the visitor came with it.
    pub(super) own: bool,
    /// The same as long as nobody but the note of its use changes it.
    pub(super) version: String,
}

impl Row {
    pub(super) fn of(item: &StoredItem, own: &str) -> Self {
        let read = KeyItem::read(&Item::new(&item.attributes));
        let words = |name: &str| stored_text::text(&item.attributes, name).unwrap_or_default();
        let list = |name: &str| stored_text::list(&item.attributes, name);
        let mode = words("mode").to_lowercase();
        let made_at = words("made_at").parse::<Timestamp>().ok();
        let last_used = words("last_used").parse::<Date>().ok();
        Self {
            id: item.id().to_owned(),
            label: words("label"),
            prefix: words("prefix"),
            scopes: list("scopes"),
            sources: list("sources"),
            revoked: read == KeyItem::Revoked,
            fault: fault(item, &read),
            made_at: made_at
                .map(|at| (at.to_string(), at.strftime("%-d %B %Y, %H:%M").to_string())),
            made_by: words("made_by"),
            last_used: last_used
                .map(|day| (day.to_string(), day.strftime("%-d %B %Y").to_string())),
            own: item.id() == own,
            version: version(item),
            mode,
        }
    }

    /// What it may be called in a sentence.
    pub(super) fn name(&self) -> &str {
        [&self.label, &self.prefix, &self.id]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("a key without a name", String::as_str)
    }
}

fn fault(item: &StoredItem, read: &KeyItem) -> Option<String> {
    let id = item.id();
    if id.len() != 64 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Some("Its id is no SHA-256 in lower-case hex: no key leads to it.".to_owned());
    }
    let KeyItem::Faulty(fault) = read else { return None };
    Some(match (fault.meant, &*fault.attribute) {
        (Some(meant), written) => format!("{written} is unknown: did you mean {meant}?"),
        (None, "scopes") => {
            "scopes cannot be understood. A test or live key may have send and read, an admin key \
             admin, viewer and erase."
                .to_owned()
        }
        (None, written) => format!("{written} cannot be understood."),
    })
}

/// As [`StoredItem::version`], without the note of its use, which nobody edits.
fn version(item: &StoredItem) -> String {
    let mut attributes: Vec<_> = item.attributes.iter().collect();
    attributes.retain(|(name, _)| *name != "last_used");
    attributes.sort_by_key(|(name, _)| *name);
    let pairs = attributes.into_iter().map(|(name, value)| serde_json::json!([name, value]));
    links::fingerprint(Value::Array(pairs.collect()).to_string().as_bytes())
}
