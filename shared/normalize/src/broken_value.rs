//! Reads one value of a body that is no longer JSON.
//!
//! In: the text between the place where a value begins and the place where it ends, which
//! [`crate::broken_object`] or [`crate::broken_pairs`] has found. Out: the value, or `None` if the
//! text could also contain a part of the template.
//!
//! Only free text ([`Template::free_text`]) and values of keys that the template does not have may
//! contain quotation marks. In any other value, a quotation mark could be the end of that value.

use crate::json::Node;
use crate::template::Template;

/// Reads the text `value` as the value of `key`. If the text is not JSON, the value is repaired and
/// its `pointer` is added to `repaired`. `None` if the text cannot be told from the template, or is
/// an object.
pub(crate) fn read(
    template: &Template,
    key: &str,
    value: &str,
    pointer: &str,
    repaired: &mut Vec<String>,
) -> Option<Node> {
    if let Ok(node) = Node::parse(value) {
        return (!matches!(node, Node::Object(_))).then_some(node);
    }
    repaired.push(pointer.to_owned());
    let items = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    if let Some(items) = items {
        let items = items.trim();
        let items = items.strip_suffix(',').unwrap_or(items).trim_end();
        return strings(items).map(Node::List);
    }
    let Some(inner) = quoted(value) else {
        // The template has no quotation marks around this value: a word, such as `Jane`.
        let is_word = value.chars().all(|c| !c.is_control() && !"\"{}[],\\".contains(c));
        return is_word.then(|| Node::Text(value.to_owned()));
    };
    let may_have_quotes = template.is_free_text(key) || !template.knows(key);
    (may_have_quotes || !inner.contains('"')).then(|| Node::Text(inner.to_owned()))
}

/// The text between two quotation marks.
fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The items of a broken list of strings. An item ends where `"`, `,` and `"` follow each other.
fn strings(items: &str) -> Option<Vec<Node>> {
    if items.is_empty() {
        return Some(Vec::new());
    }
    let mut rest = quoted(items)?;
    let mut nodes = Vec::new();
    let mut from = 0;
    while let Some(quote) = rest.get(from..)?.find('"').map(|at| from + at) {
        let after = rest.get(quote + 1..)?.trim_start().strip_prefix(',').map(str::trim_start);
        match after.and_then(|after| after.strip_prefix('"')) {
            Some(next) => {
                nodes.push(item(rest.get(..quote)?));
                (rest, from) = (next, 0);
            }
            None => from = quote + 1,
        }
    }
    nodes.push(item(rest));
    Some(nodes)
}

/// One item, with its JSON escapes undone if they are valid.
fn item(raw: &str) -> Node {
    match Node::parse(&format!("\"{raw}\"")) {
        Ok(node @ Node::Text(_)) => node,
        _ => Node::Text(raw.to_owned()),
    }
}
