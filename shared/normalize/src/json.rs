//! JSON as it was written: in order, and with every duplicate key still there.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::inbound::{Malformed, Place};

/// One JSON value. `serde_json::Value` would keep the last of two equal keys and say nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// In JSON's spelling.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Parses exactly one JSON document. Duplicate keys are left to its callers.
    pub(crate) fn parse(body: &str) -> Result<Self, Malformed> {
        serde_json::from_str(body).map_err(|e| {
            let what = e.to_string();
            // serde_json appends its own " at line 1 column 2".
            let what = what.split(" at line ").next().unwrap_or_default();
            // It counts a raw line break as column 0 of the line that follows.
            match (e.line(), e.column()) {
                (line @ 2.., 0) => {
                    let broken = body.split('\n').nth(line - 2).unwrap_or_default();
                    Malformed::at(line - 1, broken.len() + 1, what)
                }
                (line, column) => Malformed::at(line.max(1), column.max(1), what),
            }
        })
    }

    /// Parses what must be UTF-8, JSON and free of duplicate keys.
    pub(crate) fn parse_strict(body: &[u8]) -> Result<Self, Malformed> {
        let body = without_bom(body);
        let text = std::str::from_utf8(body).map_err(|e| Malformed::syntax(body, e.valid_up_to(), "invalid UTF-8"))?;
        let node = Self::parse(text)?;
        node.unique()?;
        Ok(node)
    }

    /// The first property of that name.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Object(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// No object, at any depth, has a key twice.
    pub(crate) fn unique(&self) -> Result<(), Malformed> {
        let mut places = Vec::new();
        self.walk("", &mut |pointer, _, first| {
            if !first {
                places.push(Place::new(pointer, "this key stands twice"));
            }
        });
        if places.is_empty() { Ok(()) } else { Err(Malformed::duplicates(places)) }
    }

    /// Calls `see` with the pointer and key of every property at any depth, and whether it is the first of that key.
    pub(crate) fn walk(&self, pointer: &str, see: &mut dyn FnMut(&str, &str, bool)) {
        match self {
            Node::Object(entries) => {
                let mut seen = HashSet::new();
                for (key, value) in entries {
                    let below = child(pointer, key);
                    see(&below, key, seen.insert(key));
                    value.walk(&below, see);
                }
            }
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if matches!(item, Node::Object(_) | Node::List(_)) {
                        item.walk(&format!("{pointer}/{index}"), see);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The pointer of `key` in the object at `pointer` (RFC 6901). Stops growing at 4 KiB: no body may make it quadratic.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    if pointer.len() > 4096 {
        return pointer.to_owned();
    }
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Some senders' text encoders put a byte order mark first.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsWritten)
    }
}

struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Object(entries))
    }
}
