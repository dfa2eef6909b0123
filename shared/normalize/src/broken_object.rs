//! Reads an object that a template wrote and that is no longer JSON.
//!
//! In: the text of a body, and the [`Template`] of its source. Out: the body as a tree, and which
//! values were repaired. It exists because most broken bodies are harmless: a customer called
//! `José "Pepe" Núñez` breaks the JSON and should still get a survey.
//!
//! Inside values, quotation marks prove nothing. So the reader looks only for keys: `"key":` after
//! `{` or `,`. The text between one key and the next is a value with the punctuation around it. If
//! a value could be read in two ways, the body is refused; the reader never guesses. A key that
//! stands twice stays in the tree twice, so that the caller refuses it.
//!
//! The reader accepts any text and passes over it once.

use crate::broken_value;
use crate::json::Node;
use crate::malformed::Malformed;
use crate::pointer::child;
use crate::template::Template;

/// Reads the body `text`. Returns the tree and the pointers of the values that were repaired.
/// `json_error` is what the JSON parser said about the same text.
///
/// # Errors
/// `json_error`, if the body does not have the template's shape. Otherwise an error that names line
/// and column of the key whose value cannot be read.
pub(crate) fn read(
    text: &str,
    template: &Template,
    json_error: &Malformed,
) -> Result<(Node, Vec<String>), Malformed> {
    let body = Body { text, template, json_error };
    let keys = body.keys();
    let Some(first) = keys.first() else { return Err(json_error.clone()) };
    let end = text.trim_end().len();
    match template.wrapper {
        Some(wrapper) if first.key == wrapper => {
            let opened = body.slice(first.after, end).trim_start().starts_with('{');
            let inner = body
                .slice(0, end)
                .strip_suffix('}')
                .filter(|_| opened)
                .ok_or_else(|| json_error.clone())?;
            let open = first.after + body.slice(first.after, end).find('{').unwrap_or_default();
            let rest = keys.get(1..).unwrap_or_default();
            let (node, repaired) =
                body.object(rest, open, inner.trim_end().len(), &child("", wrapper))?;
            Ok((Node::Object(vec![(wrapper.to_owned(), node)]), repaired))
        }
        _ => body.object(&keys, 0, end, ""),
    }
}

/// One `"key":` in the text.
struct KeyPosition<'a> {
    /// Byte offset of its first quotation mark.
    start: usize,
    /// Byte offset behind its colon.
    after: usize,
    key: &'a str,
}

/// What all steps need: the body, its template, and the error for a body of another shape.
struct Body<'a> {
    text: &'a str,
    template: &'a Template,
    json_error: &'a Malformed,
}

type Entries = Vec<(String, Node)>;

/// What has been read of an object so far.
#[derive(Default)]
struct Progress {
    entries: Entries,
    /// The name and properties of the nested object that is being read, if any.
    open: Option<(String, Entries)>,
    /// Pointers of the values that were repaired.
    repaired: Vec<String>,
}

impl<'a> Body<'a> {
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn refuse(&self, offset: usize, what: &str) -> Malformed {
        Malformed::syntax(self.text.as_bytes(), offset, what)
    }

    /// Every place where a key of the template could stand, in the order of the text.
    fn keys(&self) -> Vec<KeyPosition<'a>> {
        let bytes = self.text.as_bytes();
        let mut keys = Vec::new();
        let mut last = b' ';
        for (start, &byte) in bytes.iter().enumerate() {
            if byte == b'"' && matches!(last, b'{' | b',') {
                keys.extend(self.key_at(start));
            }
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
        }
        keys
    }

    /// The key whose first quotation mark is at `start`. Keys of more than 64 bytes are not found.
    fn key_at(&self, start: usize) -> Option<KeyPosition<'a>> {
        let rest = self.text.get(start + 1..)?;
        let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'-';
        let length = rest.bytes().take(64).take_while(word).count();
        let (key, rest) = (rest.get(..length)?, rest.get(length..)?.strip_prefix('"')?);
        let rest = rest.trim_start().strip_prefix(':')?;
        let wanted = !key.is_empty() && (self.template.unknown_keys || self.template.knows(key));
        wanted.then_some(KeyPosition { start, after: self.text.len() - rest.len(), key })
    }

    /// Reads the object that begins at byte `from` and ends before byte `end`; `base` is its
    /// pointer.
    fn object(
        &self,
        keys: &[KeyPosition<'a>],
        from: usize,
        end: usize,
        base: &str,
    ) -> Result<(Node, Vec<String>), Malformed> {
        let first = keys.first().ok_or_else(|| self.json_error.clone())?;
        if self.slice(from, first.start).trim() != "{" {
            return Err(self.json_error.clone());
        }
        let mut progress = Progress::default();
        for (index, position) in keys.iter().enumerate() {
            let next = keys.get(index + 1).map(|next| next.start);
            let part = self.slice(position.after, next.unwrap_or(end)).trim();
            self.property(position, part, next.is_none(), base, &mut progress)?;
        }
        if progress.open.is_some() {
            return Err(self.json_error.clone());
        }
        if progress.repaired.is_empty() {
            // No value was broken, so only the punctuation was: a trailing comma.
            progress.repaired.push(base.to_owned());
        }
        Ok((Node::Object(progress.entries), progress.repaired))
    }

    /// Reads one property. `part` is all text between its key and the next key, or the end of the
    /// object if this key is the `last` one.
    fn property(
        &self,
        position: &KeyPosition<'a>,
        part: &'a str,
        last: bool,
        base: &str,
        progress: &mut Progress,
    ) -> Result<(), Malformed> {
        let key = position.key;
        let refused = |what: &str| Err(self.refuse(position.start, &format!("`{key}` {what}")));
        let nested = progress.open.is_some();
        if nested && self.template.is_top_level_only(key)
            || !nested && self.template.object_keys.contains(&key)
        {
            return refused("stands where the template has no such key");
        }
        if self.template.objects.contains(&key) {
            if part == "{" {
                progress.open = Some((key.to_owned(), Vec::new()));
                return Ok(());
            }
            let empty = without_punctuation(part, last, nested)
                .and_then(|(value, _)| Node::parse(value).ok());
            let Some(node) = empty
                .filter(|node| matches!(node, Node::Null) || *node == Node::Object(Vec::new()))
            else {
                return refused("must be an object");
            };
            progress.entries.push((key.to_owned(), node));
            return Ok(());
        }
        let Some((value, closes)) = without_punctuation(part, last, nested) else {
            return refused("has a value whose end cannot be found");
        };
        let pointer = match &progress.open {
            Some((object, _)) => child(&child(base, object), key),
            None => child(base, key),
        };
        let Some(node) =
            broken_value::read(self.template, key, value, &pointer, &mut progress.repaired)
        else {
            return refused("has a value that cannot be told from the template");
        };
        match &mut progress.open {
            Some((_, inner)) => inner.push((key.to_owned(), node)),
            None => progress.entries.push((key.to_owned(), node)),
        }
        if closes && let Some((object, inner)) = progress.open.take() {
            progress.entries.push((object, Node::Object(inner)));
        }
        Ok(())
    }
}

/// The value without the punctuation behind it (`,` before another key, `}` at the end of an
/// object), and whether the value is the last one of a nested object. Trailing commas are accepted.
/// `None` if the punctuation is missing.
fn without_punctuation(part: &str, last: bool, nested: bool) -> Option<(&str, bool)> {
    let close = |text: &'_ str| -> Option<usize> {
        let text = text.strip_suffix('}')?.trim_end();
        Some(text.strip_suffix(',').unwrap_or(text).trim_end().len())
    };
    let end = if last { close(part)? } else { part.strip_suffix(',')?.trim_end().len() };
    let value = part.get(..end)?;
    match close(value).filter(|_| nested) {
        Some(end) => Some((value.get(..end)?, true)),
        None if nested && last => None,
        None => Some((value, false)),
    }
}
