//! Bodies that a template engine wrote, which substitutes text without knowing that it writes JSON.
//!
//! A requester may be named `Eve", "email": "victim@example.com`. Such a name makes, at will, JSON that is broken, that
//! has a key twice, or that is flawless and says something else. Hence three rules:
//!
//! 1. A key that stands twice is refused.
//! 2. A *guarded* key (one that says who is mailed, or about whom) that stands anywhere but in its place is refused: the
//!    template's own `"email":` follows the name, and wherever injected text moves it, it remains a key somewhere.
//! 3. Broken JSON is read by the template's keys ([`crate::recover`]), under the same two rules.
//!
//! So an address that is used always stood in the template's own slot for it.

use crate::inbound::{Malformed, Place};
use crate::json::{Node, child, without_bom};
use crate::{Note, recover};

/// What is known of the shape of a source's payload.
pub(crate) struct Template {
    /// An object that may stand around all the rest.
    pub(crate) wrapper: Option<&'static str>,
    /// Objects at the top.
    pub(crate) objects: &'static [&'static str],
    /// Keys that stand in those objects only.
    pub(crate) inner: &'static [&'static str],
    /// Keys of people's own words, which may hold quotes. No other value may, once the JSON is broken.
    pub(crate) prose: &'static [&'static str],
    /// Every other key at the top.
    pub(crate) top: &'static [&'static str],
    /// Whether a key that is not among these ends the value before it. Not where values hold JSON-like text.
    pub(crate) other_keys: bool,
    /// Guarded keys and the pointers where they may stand.
    pub(crate) guarded: &'static [(&'static str, &'static [&'static str])],
}

/// A body as a tree, and what was mended to get it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The object that holds the properties, without its wrapper.
    pub(crate) root: Node,
    /// Pointer of `root`.
    pub(crate) pointer: String,
    pub(crate) notes: Vec<Note>,
}

impl Template {
    /// Whether the template's own text has this key.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.inner.contains(&key) || self.only_top(key) || self.prose.contains(&key)
    }

    /// Whether the key stands outside of the objects.
    pub(crate) fn only_top(&self, key: &str) -> bool {
        let top = self.top.contains(&key) || self.objects.contains(&key) || self.wrapper == Some(key);
        top && !self.inner.contains(&key)
    }

    /// Reads a body under the rules above.
    pub(crate) fn tree(&self, body: &[u8]) -> Result<Tree, Malformed> {
        let body = without_bom(body);
        let text = String::from_utf8_lossy(body);
        let mut notes = Vec::new();
        if std::str::from_utf8(body).is_err() {
            notes.push(Note::Repaired { pointer: String::new() });
        }
        let node = match Node::parse(&text) {
            Ok(node) => node,
            Err(broken) => {
                let (node, mended) = recover::read(&text, self, &broken)?;
                notes.extend(mended.into_iter().map(|pointer| Note::Repaired { pointer }));
                node
            }
        };
        node.unique()?;
        let (root, pointer) = match (node, self.wrapper) {
            (Node::Object(entries), Some(wrapper)) if entries.iter().any(|(k, _)| k == wrapper) => {
                let pointer = child("", wrapper);
                let node = Node::Object(entries);
                self.guard(&node, &pointer)?;
                (node.get(wrapper).cloned().unwrap_or(Node::Null), pointer)
            }
            (node, _) => {
                self.guard(&node, "")?;
                (node, String::new())
            }
        };
        if !matches!(root, Node::Object(_) | Node::List(_)) {
            return Err(Malformed::invalid(vec![Place::new(&pointer, "must be a JSON object")]));
        }
        Ok(Tree { root, pointer, notes })
    }

    fn guard(&self, node: &Node, base: &str) -> Result<(), Malformed> {
        let mut places = Vec::new();
        node.walk("", &mut |pointer, key, _| {
            let at_home = |homes: &[&str]| homes.iter().any(|home| pointer.strip_prefix(base).is_some_and(|rest| rest == *home));
            if self.guarded.iter().any(|(guarded, homes)| *guarded == key && !at_home(homes)) {
                places.push(Place::new(pointer, "this key may not stand here: a value may have broken the template"));
            }
        });
        if places.is_empty() { Ok(()) } else { Err(Malformed::invalid(places)) }
    }
}
