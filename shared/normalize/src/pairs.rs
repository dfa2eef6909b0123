//! Gorgias' form as a list: `[{"key": "customer_name", "value": "Jane"}, …]`, which it sends when
//! the form was configured so.
//!
//! The rules of [`crate::templated`] hold here too. A key is a pair's `key`: one that stands twice
//! is refused, and a guarded one in anything but a pair of the list itself. A list that is no
//! longer JSON is read by the places where a pair begins.

use crate::inbound::{Malformed, Place};
use crate::json::{Node, child};
use crate::recover;
use crate::templated::Template;

/// The pairs as an object.
pub(crate) fn read(items: Vec<Node>, template: &Template) -> Result<Node, Malformed> {
    let (mut entries, mut errors) = (Vec::<(String, Node)>::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        let key = item.get("key").and_then(Node::text).map(str::trim).unwrap_or_default();
        let problem = if key.is_empty() {
            "must be an object with `key` and `value`"
        } else if inside(&item).any(|node| names_guarded(node, template)) {
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

/// What an object or a list holds.
fn inside(node: &Node) -> impl Iterator<Item = &Node> {
    let (entries, items) = match node {
        Node::Object(entries) => (entries.as_slice(), &[][..]),
        Node::List(items) => (&[][..], items.as_slice()),
        _ => (&[][..], &[][..]),
    };
    entries.iter().map(|(_, value)| value).chain(items)
}

/// Whether the node is, or holds at any depth, a pair of a guarded key.
fn names_guarded(node: &Node, template: &Template) -> bool {
    let key = node.get("key").and_then(Node::text).map(str::trim);
    key.is_some_and(|key| template.guarded.iter().any(|(guarded, _)| *guarded == key))
        || inside(node).any(|node| names_guarded(node, template))
}

/// A list that is no longer JSON, as an object; `broken` is what the JSON parser said. See
/// [`recover::read`].
pub(crate) fn mend(
    text: &str,
    template: &Template,
    broken: &Malformed,
) -> Result<(Node, Vec<String>), Malformed> {
    let begins = pairs(text);
    let head = begins.first().and_then(|first| text.get(..first.start));
    if head.map(str::trim) != Some("[") {
        return Err(broken.clone());
    }
    let (mut entries, mut mended) = (Vec::new(), Vec::new());
    for (index, pair) in begins.iter().enumerate() {
        let next = begins.get(index + 1).map(|next| next.start);
        let part = text.get(pair.after..next.unwrap_or(text.len())).unwrap_or_default().trim();
        let pointer = child("", pair.key);
        let value = closed(part, next.is_none());
        let Some(node) =
            value.and_then(|value| recover::mend(template, pair.key, value, &pointer, &mut mended))
        else {
            let what = format!("`{}` has a value whose end cannot be found", pair.key);
            return Err(Malformed::syntax(text.as_bytes(), pair.start, &what));
        };
        entries.push((pair.key.to_owned(), node));
    }
    if mended.is_empty() {
        // Only punctuation was wrong: a trailing comma.
        mended.push(String::new());
    }
    Ok((Node::Object(entries), mended))
}

/// One `{"key": "…", "value":`.
struct Pair<'a> {
    start: usize,
    after: usize,
    key: &'a str,
}

/// Every place where a pair could begin, in order: after `[` or `,`.
fn pairs(text: &str) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    let mut last = b' ';
    for (start, byte) in text.bytes().enumerate() {
        if byte == b'{' && matches!(last, b'[' | b',') {
            pairs.extend(pair(text, start));
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    pairs
}

fn pair(text: &str, start: usize) -> Option<Pair<'_>> {
    let after = |rest: &'_ str, token: &str| -> Option<usize> {
        rest.trim_start().strip_prefix(token).map(str::len)
    };
    let tail = |length: usize| text.get(text.len() - length..).unwrap_or_default();
    let mut rest = text.get(start..)?;
    for token in ["{", "\"key\"", ":", "\""] {
        rest = tail(after(rest, token)?);
    }
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'-';
    let key =
        rest.get(..rest.bytes().take(64).take_while(word).count()).filter(|key| !key.is_empty())?;
    rest = rest.get(key.len()..)?.strip_prefix('"')?;
    for token in [",", "\"value\"", ":"] {
        rest = tail(after(rest, token)?);
    }
    Some(Pair { start, after: text.len() - rest.len(), key })
}

/// The value without the end of its pair and what follows that: `,` before another pair, `]` at the
/// end of the list.
fn closed(part: &str, last: bool) -> Option<&str> {
    let part = if last {
        let list = part.strip_suffix(']')?.trim_end();
        list.strip_suffix(',').unwrap_or(list)
    } else {
        part.strip_suffix(',')?
    };
    part.trim_end().strip_suffix('}').map(str::trim_end)
}
