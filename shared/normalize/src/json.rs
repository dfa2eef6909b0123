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
            // A form, XML or nothing at all: where the parser stopped in it would help nobody.
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
        let text = std::str::from_utf8(body)
            .map_err(|e| Malformed::syntax(body, e.valid_up_to(), "invalid UTF-8"))?;
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
        self.walk(&mut Vec::new(), &mut |path, first| {
            if !first && places.len() < Malformed::MAX_PLACES {
                places.push(Place::new(&pointer("", path), "this key stands twice"));
            }
        });
        if places.is_empty() { Ok(()) } else { Err(Malformed::duplicates(places)) }
    }

    /// Calls `see` with the path of every property at any depth, and whether it is the first of its
    /// key in its object. Paths are lent, not built: no body makes this more than linear in its
    /// length.
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

    /// Every text in it, property names too.
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

/// One step down into a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'n> {
    /// To the property of that name.
    Key(&'n str),
    /// To that item of a list.
    Item(usize),
}

/// Bytes of a pointer at most: pointers are stored in notes, and a property's name may be as long
/// as the body.
pub(crate) const MAX_POINTER: usize = 256;

/// The pointer of `key` in the object at `pointer` (RFC 6901), cut at [`MAX_POINTER`] bytes, never
/// within an escape.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    let mut pointer = pointer.to_owned();
    let mut push = |piece: &str| {
        let fits = pointer.len() + piece.len() <= MAX_POINTER;
        if fits {
            pointer.push_str(piece);
        }
        fits
    };
    let mut more = push("/");
    let mut chars = key.chars();
    while more {
        more = match chars.next() {
            Some('~') => push("~0"),
            Some('/') => push("~1"),
            Some(c) => push(c.encode_utf8(&mut [0; 4])),
            None => false,
        };
    }
    pointer
}

/// The pointer of what lies at `path` below `base`.
pub(crate) fn pointer(base: &str, path: &[Step<'_>]) -> String {
    path.iter().fold(base.to_owned(), |pointer, step| match step {
        Step::Key(key) => child(&pointer, key),
        Step::Item(index) => child(&pointer, &index.to_string()),
    })
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
