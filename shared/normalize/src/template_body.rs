//! Reads bodies that a template engine wrote.
//!
//! In: the bytes of a webhook body, and the [`Template`] of its source. Out: a [`TemplateBody`],
//! which is safe to read people and ticket from, or a refusal that names the place.
//!
//! A template engine substitutes text without knowing that it writes JSON. A customer may be named
//! `Eve", "email": "victim@example.com`. With such a name the sender of the ticket can make the
//! body broken JSON, JSON with a key twice, or valid JSON that says something else. Hence these
//! rules:
//!
//! 1. A key that stands twice in one object is refused.
//! 2. A *reserved* key (one that says who is mailed, about whom, or about which ticket) is refused
//!    anywhere but in its own place. The reason: the template's own `"email":` comes after the
//!    customer's name, and wherever injected text moves it, it remains a key in the body.
//! 3. Nothing may stand beside a wrapper, and a body may name people in one shape only
//!    ([`crate::freshdesk`]). Otherwise a text could add the keys of the other shape, which the
//!    template does not have, so that no key would stand twice.
//! 4. The customer's id is left out where a free text could have added it
//!    ([`crate::fields::FieldReader::customer_id`]).
//! 5. Broken JSON is cut at the template's keys ([`crate::broken_object`],
//!    [`crate::broken_pairs`]). The result must follow the same rules.
//!
//! It follows that a customer's address that we use always stood in the template's own slot for
//! it. The same holds for the employee.
//!
//! **What these rules cannot detect:** a key that the template itself does not have, injected in
//! its correct place. If a template has no slot for `customer.email`, a name can add one. If a
//! template names no agent, a name can add `employee` (in Freshdesk's *Simple* content and in
//! Gorgias' form: the contact's or the agent's address). An injected `brand`, `language`, `status`
//! or custom property also looks like the template's own. The documents therefore tell admins to
//! keep a slot for both people in every template.

use crate::json::{Node, without_bom};
use crate::malformed::{Malformed, Place};
use crate::pointer::{child, pointer};
use crate::template::{ReservedKeys, Template};
use crate::{Note, broken_object, broken_pairs, pairs};

const RESERVED_KEY: &str = "this key is reserved and may not stand here, since a value could have \
    injected it: give your property another name";

/// A body as a tree.
#[derive(Debug)]
pub(crate) struct TemplateBody {
    /// The object that holds the properties: the wrapper's content if there is a wrapper. A list
    /// of pairs is already an object here.
    pub(crate) root: Node,
    /// Pointer of `root` in the body.
    pub(crate) pointer: String,
    /// Which values were repaired.
    pub(crate) notes: Vec<Note>,
}

/// Reads a body under the rules above.
///
/// # Errors
/// The body breaks one of the rules, or it is broken JSON that can be read in more than one way.
pub(crate) fn read(body: &[u8], template: &Template) -> Result<TemplateBody, Malformed> {
    let body = without_bom(body);
    let text = String::from_utf8_lossy(body);
    let mut notes = Vec::new();
    if std::str::from_utf8(body).is_err() {
        notes.push(Note::Repaired { pointer: String::new() });
    }
    let node = match Node::parse(&text) {
        Ok(node) => node,
        Err(error) => {
            let is_list = template.pairs && text.trim_start().starts_with('[');
            let (node, repaired) = if is_list {
                broken_pairs::read(&text, template, &error)?
            } else {
                broken_object::read(&text, template, &error)?
            };
            notes.extend(repaired.into_iter().map(|pointer| Note::Repaired { pointer }));
            node
        }
    };
    node.unique()?;
    let node = match node {
        Node::List(items) if template.pairs => pairs::read(items, &template.reserved)?,
        node => node,
    };
    let (root, pointer) = match (node, template.wrapper) {
        (Node::Object(entries), Some(wrapper)) if entries.iter().any(|(k, _)| k == wrapper) => {
            (unwrap(entries, wrapper)?, child("", wrapper))
        }
        (node, _) => (node, String::new()),
    };
    if !matches!(root, Node::Object(_)) {
        return Err(Malformed::invalid(vec![Place::new(&pointer, "must be a JSON object")]));
    }
    check_reserved(&root, &pointer, &template.reserved)?;
    Ok(TemplateBody { root, pointer, notes })
}

/// Checks that every reserved key stands in its own place. `base` is the pointer of `root`.
///
/// # Errors
/// Every reserved key that stands elsewhere.
pub(crate) fn check_reserved(
    root: &Node,
    base: &str,
    reserved: &ReservedKeys,
) -> Result<(), Malformed> {
    let mut places = Vec::new();
    root.walk(&mut Vec::new(), &mut |path, _| {
        if !reserved.allow(path) && places.len() < Malformed::MAX_PLACES {
            places.push(Place::new(&pointer(base, path), RESERVED_KEY));
        }
    });
    if places.is_empty() { Ok(()) } else { Err(Malformed::invalid(places)) }
}

/// The content of the wrapper.
///
/// # Errors
/// Something stands beside the wrapper. A value that closed the wrapper would leave the rest of
/// the template there.
fn unwrap(entries: Vec<(String, Node)>, wrapper: &str) -> Result<Node, Malformed> {
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
