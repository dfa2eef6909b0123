//! Gorgias' form as a list of pairs: `[{"key": "customer_name", "value": "Jane"}, …]`. Gorgias
//! sends it if the form was configured as a list (docs/facts.md, Gorgias 2).
//!
//! In: the items of the list. Out: one object with a property for each pair, so that the rest of
//! the parser sees only one shape. The rules of [`crate::template_body`] apply to pairs too: a key
//! that two pairs have is refused, and so is a pair with a reserved key inside another pair.

use crate::json::Node;
use crate::malformed::{Malformed, Place};
use crate::pointer::child;
use crate::template::ReservedKeys;

/// Turns the pairs into an object.
///
/// # Errors
/// An item is not a pair, a key stands twice, or a pair contains another one with a reserved key.
pub(crate) fn read(items: Vec<Node>, reserved: &ReservedKeys) -> Result<Node, Malformed> {
    let (mut entries, mut errors) = (Vec::<(String, Node)>::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        let key = item.get("key").and_then(Node::text).map(str::trim).unwrap_or_default();
        let problem = if key.is_empty() {
            "must be an object with `key` and `value`"
        } else if children(&item).any(|node| has_reserved_pair(node, reserved)) {
            "may not hold another pair: a value may have broken the template"
        } else {
            entries.push((key.to_owned(), item.get("value").cloned().unwrap_or(Node::Null)));
            continue;
        };
        if errors.len() < Malformed::MAX_PLACES {
            errors.push(Place::new(&child("", &index.to_string()), problem));
        }
    }
    if !errors.is_empty() {
        return Err(Malformed::invalid(errors));
    }
    let object = Node::Object(entries);
    object.unique()?;
    Ok(object)
}

/// The values of an object, or the items of a list.
fn children(node: &Node) -> impl Iterator<Item = &Node> {
    let (entries, items) = match node {
        Node::Object(entries) => (entries.as_slice(), &[][..]),
        Node::List(items) => (&[][..], items.as_slice()),
        _ => (&[][..], &[][..]),
    };
    entries.iter().map(|(_, value)| value).chain(items)
}

/// Whether the value is a pair with a reserved key, or contains one at any depth.
fn has_reserved_pair(node: &Node, reserved: &ReservedKeys) -> bool {
    let key = node.get("key").and_then(Node::text).map(str::trim);
    key.is_some_and(|key| reserved.contains(key))
        || children(node).any(|node| has_reserved_pair(node, reserved))
}
