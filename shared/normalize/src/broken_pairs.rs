//! Reads a list of pairs ([`crate::pairs`]) that Gorgias' template wrote and that is no longer
//! JSON.
//!
//! In: the text of a body, and the [`Template`] of its source. Out: one object, and which values
//! were repaired. Like [`crate::broken_object`] it looks only for the places where a pair begins,
//! takes the text between two of them as a value, and refuses what can be read in two ways.

use crate::broken_value;
use crate::json::Node;
use crate::malformed::Malformed;
use crate::pointer::child;
use crate::template::Template;

/// Reads the list `text` as an object. Returns it and the pointers of the values that were
/// repaired. `json_error` is what the JSON parser said about the same text.
///
/// # Errors
/// `json_error`, if no pair stands at the beginning of the list. Otherwise an error that names line
/// and column of the pair whose value cannot be read.
pub(crate) fn read(
    text: &str,
    template: &Template,
    json_error: &Malformed,
) -> Result<(Node, Vec<String>), Malformed> {
    let pairs = pairs(text);
    let head = pairs.first().and_then(|first| text.get(..first.start));
    if head.map(str::trim) != Some("[") {
        return Err(json_error.clone());
    }
    let (mut entries, mut repaired) = (Vec::new(), Vec::new());
    for (index, pair) in pairs.iter().enumerate() {
        let next = pairs.get(index + 1).map(|next| next.start);
        let part = text.get(pair.after..next.unwrap_or(text.len())).unwrap_or_default().trim();
        let pointer = child("", pair.key);
        let value = without_punctuation(part, next.is_none());
        let Some(node) = value.and_then(|value| {
            broken_value::read(template, pair.key, value, &pointer, &mut repaired)
        }) else {
            let what = format!("`{}` has a value whose end cannot be found", pair.key);
            return Err(Malformed::syntax(text.as_bytes(), pair.start, &what));
        };
        entries.push((pair.key.to_owned(), node));
    }
    if repaired.is_empty() {
        // No value was broken, so only the punctuation was: a trailing comma.
        repaired.push(String::new());
    }
    Ok((Node::Object(entries), repaired))
}

/// One `{"key": "…", "value":` in the text.
struct Pair<'a> {
    /// Byte offset of its brace.
    start: usize,
    /// Byte offset behind the last colon.
    after: usize,
    key: &'a str,
}

/// Every place after `[` or `,` where a pair could begin, in the order of the text.
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

/// The pair whose brace is at `start`. Keys of more than 64 bytes are not found.
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

/// The value without the brace that ends its pair and the punctuation behind that: `,` before
/// another pair, `]` after the `last` one. `None` if the punctuation is missing.
fn without_punctuation(part: &str, last: bool) -> Option<&str> {
    let part = if last {
        let list = part.strip_suffix(']')?.trim_end();
        list.strip_suffix(',').unwrap_or(list)
    } else {
        part.strip_suffix(',')?
    };
    part.trim_end().strip_suffix('}').map(str::trim_end)
}
