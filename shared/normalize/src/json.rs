//! JSON exactly as the sender wrote it.
//!
//! In: the text of a body. Out: a [`Node`], whose objects keep their properties in order and keep
//! duplicate keys. The injection rules need both (see [`crate::template_body`]), and
//! `serde_json::Value` keeps neither.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::malformed::{Malformed, Place};
use crate::pointer::{Step, pointer};

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// As text, in JSON's spelling.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Parses exactly one JSON document. It does not look for duplicate keys: call
    /// [`Node::unique`].
    ///
    /// # Errors
    /// The text is not JSON. The error names line and column.
    pub(crate) fn parse(body: &str) -> Result<Self, Malformed> {
        serde_json::from_str(body).map_err(|e| {
            // A form, XML or an empty body: the place where the JSON parser stopped would not help.
            let begins = body.trim_start();
            if begins.is_empty() {
                return Malformed::not_json("the body is empty: send JSON");
            }
            if !begins.starts_with(['{', '[']) {
                return Malformed::syntax(
                    body.as_bytes(),
                    body.len() - begins.len(),
                    "this is not JSON: send JSON, not what begins",
                );
            }
            let what = e.to_string();
            // serde_json's text ends with " at line 1 column 2", which `Malformed` adds itself.
            let what = what.split(" at line ").next().unwrap_or_default();
            // serde_json reports a raw line break as column 0 of the next line.
            match (e.line(), e.column()) {
                (line @ 2.., 0) => {
                    let broken = body.split('\n').nth(line - 2).unwrap_or_default();
                    Malformed::at(line - 1, broken.len() + 1, what)
                }
                (line, column) => Malformed::at(line.max(1), column.max(1), what),
            }
        })
    }

    /// Parses a body that must be UTF-8 and JSON and must have no duplicate key.
    ///
    /// # Errors
    /// One of these does not hold. The error names the place.
    pub(crate) fn parse_strict(body: &[u8]) -> Result<Self, Malformed> {
        let body = without_bom(body);
        let text = std::str::from_utf8(body)
            .map_err(|e| Malformed::syntax(body, e.valid_up_to(), "invalid UTF-8"))?;
        let node = Self::parse(text)?;
        node.unique()?;
        Ok(node)
    }

    /// The first property of this name. `None` if there is none, or if this is not an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Object(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text. `None` if this is not a text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Checks that no object, at any depth, has the same key twice.
    ///
    /// # Errors
    /// Every duplicate key with its pointer.
    pub(crate) fn unique(&self) -> Result<(), Malformed> {
        let mut places = Vec::new();
        self.walk(&mut Vec::new(), &mut |path, first| {
            if !first && places.len() < Malformed::MAX_PLACES {
                places.push(Place::new(&pointer("", path), "this key stands twice"));
            }
        });
        if places.is_empty() { Ok(()) } else { Err(Malformed::duplicates(places)) }
    }

    /// Calls `see` for every property at any depth, with its path and whether its key occurs for
    /// the first time in its object. One path is reused for all calls, so that the time stays
    /// linear in the length of the body.
    pub(crate) fn walk<'n>(
        &'n self,
        path: &mut Vec<Step<'n>>,
        see: &mut dyn FnMut(&[Step<'n>], bool),
    ) {
        match self {
            Node::Object(entries) => {
                let mut seen = HashSet::new();
                for (key, value) in entries {
                    path.push(Step::Key(key));
                    see(path, seen.insert(key));
                    value.walk(path, see);
                    path.pop();
                }
            }
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Item(index));
                    item.walk(path, see);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Appends every text and number in this value, and the name of every property.
    pub(crate) fn texts(&self, into: &mut Vec<String>) {
        match self {
            Node::Text(text) | Node::Number(text) => into.push(text.clone()),
            Node::List(items) => items.iter().for_each(|item| item.texts(into)),
            Node::Object(entries) => {
                for (key, value) in entries {
                    into.push(key.clone());
                    value.texts(into);
                }
            }
            Node::Null | Node::Bool(_) => {}
        }
    }
}

/// The body without the byte order mark that the text encoders of some senders write first.
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
