//! Bodies that a template engine wrote, which substitutes text without knowing that it writes JSON.
//!
//! A requester may be named `Eve", "email": "victim@example.com`. Such a name makes, at will, JSON
//! that is broken, that has a key twice, or that is flawless and says something else. Hence these
//! rules:
//!
//! 1. A key that stands twice is refused.
//! 2. A *guarded* key (one that says who is mailed, about whom, or about which ticket) that stands
//!    anywhere but in its place is refused: the template's own `"email":` follows the name, and
//!    wherever injected text moves it, it remains a key somewhere.
//! 3. Nothing may stand beside a wrapper, and people are named in one shape only
//!    ([`crate::freshdesk`]): else a text could add the keys of the other shape, which the template
//!    does not have twice.
//! 4. The customer's id is left out where a text could have added it
//!    ([`crate::fields::FieldReader::customer_id`]).
//! 5. Broken JSON is read by the template's keys ([`crate::recover`], [`crate::pairs`]), under the
//!    same rules.
//!
//! So an address that is used always stood in the template's own slot for it, and so did the
//! employee.
//!
//! **What cannot be seen:** a key that the template itself does not have, added in its proper
//! place. To a template without any slot for `customer.email` a name can add one, and likewise
//! `employee` to one that names no agent (in Simple content and in Gorgias' form: the contact's or
//! the agent's address). Nor can a `brand`, `language`, `status` or custom property that was added
//! be told from the template's own. Hence the README asks for a slot for both people in every
//! template.

use crate::inbound::{Malformed, Place};
use crate::json::{Node, Step, child, pointer, without_bom};
use crate::{Note, pairs, recover};

/// What is known of the shape of a source's payload.
pub(crate) struct Template {
    /// An object that may stand around all the rest.
    pub(crate) wrapper: Option<&'static str>,
    /// Objects at the top.
    pub(crate) objects: &'static [&'static str],
    /// Keys that stand in those objects only.
    pub(crate) inner: &'static [&'static str],
    /// Keys of people's own words, which may hold quotes. No other value may, once the JSON is
    /// broken.
    pub(crate) prose: &'static [&'static str],
    /// Every other key at the top.
    pub(crate) top: &'static [&'static str],
    /// Whether a key that is not among these ends the value before it. Not where values hold
    /// JSON-like text.
    pub(crate) other_keys: bool,
    /// Whether the body may be a list of `{"key": …, "value": …}` instead of an object.
    pub(crate) pairs: bool,
    /// Keys that may stand at home only.
    pub(crate) guarded: Guarded,
}

/// Keys, each with the paths where it may stand.
pub(crate) type Guarded = &'static [(&'static str, &'static [&'static [&'static str]])];

/// A body as a tree, and what was mended to get it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The object that holds the properties, without its wrapper; a list of pairs as one.
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
        let top =
            self.top.contains(&key) || self.objects.contains(&key) || self.wrapper == Some(key);
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
                let listed = self.pairs && text.trim_start().starts_with('[');
                let (node, mended) = if listed {
                    pairs::mend(&text, self, &broken)?
                } else {
                    recover::read(&text, self, &broken)?
                };
                notes.extend(mended.into_iter().map(|pointer| Note::Repaired { pointer }));
                node
            }
        };
        node.unique()?;
        let node = match node {
            Node::List(items) if self.pairs => pairs::read(items, self)?,
            node => node,
        };
        let (root, pointer) = match (node, self.wrapper) {
            (Node::Object(entries), Some(wrapper)) if entries.iter().any(|(k, _)| k == wrapper) => {
                (alone(entries, wrapper)?, child("", wrapper))
            }
            (node, _) => (node, String::new()),
        };
        if !matches!(root, Node::Object(_)) {
            return Err(Malformed::invalid(vec![Place::new(&pointer, "must be a JSON object")]));
        }
        self.guard(&root, &pointer, self.guarded)?;
        Ok(Tree { root, pointer, notes })
    }

    /// Refuses every guarded key that stands elsewhere than at home; `root` stands at `base`.
    pub(crate) fn guard(&self, root: &Node, base: &str, guarded: Guarded) -> Result<(), Malformed> {
        let mut places = Vec::new();
        root.walk(&mut Vec::new(), &mut |path, _| {
            let Some(Step::Key(key)) = path.last() else { return };
            let Some((_, homes)) = guarded.iter().find(|(guarded, _)| guarded == key) else {
                return;
            };
            let at_home = homes.iter().any(|home| {
                path.len() == home.len()
                    && path.iter().zip(*home).all(|(step, key)| *step == Step::Key(key))
            });
            if !at_home && places.len() < Malformed::MAX_PLACES {
                places.push(Place::new(
                    &pointer(base, path),
                    "this key may not stand here: a value may have broken the template",
                ));
            }
        });
        if places.is_empty() { Ok(()) } else { Err(Malformed::invalid(places)) }
    }
}

/// What the wrapper holds. Nothing may stand beside it: a value that closed the wrapper would leave
/// the rest of the template there.
fn alone(entries: Vec<(String, Node)>, wrapper: &str) -> Result<Node, Malformed> {
    let (inside, beside): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key == wrapper);
    if !beside.is_empty() {
        let detail =
            format!("nothing may stand beside `{wrapper}`: a value may have broken the template");
        let places = beside
            .iter()
            .take(Malformed::MAX_PLACES)
            .map(|(key, _)| Place::new(&child("", key), &detail));
        return Err(Malformed::invalid(places.collect()));
    }
    Ok(inside.into_iter().next().map_or(Node::Null, |(_, inside)| inside))
}
