//! Reads a body that is no longer JSON by the keys of the template that wrote it.
//!
//! Quotes inside values prove nothing, so this looks for keys only: `"key":` after `{` or `,`. What
//! lies between one key and the next is a value and the punctuation around it. Whatever could be
//! read in two ways is refused, never guessed at; a key that stands twice is kept twice, for the
//! caller to refuse. One pass, total, linear in the body's length.

use crate::inbound::Malformed;
use crate::json::{Node, child};
use crate::templated::Template;

/// The tree and the pointers of mended values, or a refusal that names line and column.
/// `broken` is what the JSON parser said, for a body that has none of the template's shape.
pub(crate) fn read(
    text: &str,
    template: &Template,
    broken: &Malformed,
) -> Result<(Node, Vec<String>), Malformed> {
    let body = Body { text, template, broken };
    let anchors = body.anchors();
    let Some(first) = anchors.first() else { return Err(broken.clone()) };
    let end = text.trim_end().len();
    match template.wrapper {
        Some(wrapper) if first.key == wrapper => {
            let opened = body.slice(first.after, end).trim_start().starts_with('{');
            let inner = body
                .slice(0, end)
                .strip_suffix('}')
                .filter(|_| opened)
                .ok_or_else(|| broken.clone())?;
            let open = first.after + body.slice(first.after, end).find('{').unwrap_or_default();
            let rest = anchors.get(1..).unwrap_or_default();
            let (node, mended) =
                body.object(rest, open, inner.trim_end().len(), &child("", wrapper))?;
            Ok((Node::Object(vec![(wrapper.to_owned(), node)]), mended))
        }
        _ => body.object(&anchors, 0, end, ""),
    }
}

/// One `"key":`.
struct Anchor<'a> {
    start: usize,
    after: usize,
    key: &'a str,
}

struct Body<'a> {
    text: &'a str,
    template: &'a Template,
    broken: &'a Malformed,
}

type Entries = Vec<(String, Node)>;

/// What has been read so far.
#[derive(Default)]
struct Filled {
    entries: Entries,
    /// The object that is being filled, if one is open.
    open: Option<(String, Entries)>,
    /// Pointers of the values that were mended.
    mended: Vec<String>,
}

impl<'a> Body<'a> {
    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn refuse(&self, offset: usize, what: &str) -> Malformed {
        Malformed::syntax(self.text.as_bytes(), offset, what)
    }

    /// Every place where a key of the template could stand, in order.
    fn anchors(&self) -> Vec<Anchor<'a>> {
        let bytes = self.text.as_bytes();
        let mut anchors = Vec::new();
        let mut last = b' ';
        for (start, &byte) in bytes.iter().enumerate() {
            if byte == b'"' && matches!(last, b'{' | b',') {
                anchors.extend(self.anchor(start));
            }
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
        }
        anchors
    }

    fn anchor(&self, start: usize) -> Option<Anchor<'a>> {
        let rest = self.text.get(start + 1..)?;
        let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'-';
        let length = rest.bytes().take(64).take_while(word).count();
        let (key, rest) = (rest.get(..length)?, rest.get(length..)?.strip_prefix('"')?);
        let rest = rest.trim_start().strip_prefix(':')?;
        let wanted = !key.is_empty() && (self.template.other_keys || self.template.knows(key));
        wanted.then_some(Anchor { start, after: self.text.len() - rest.len(), key })
    }

    /// The object that begins at `from` and ends before `end`.
    fn object(
        &self,
        anchors: &[Anchor<'a>],
        from: usize,
        end: usize,
        base: &str,
    ) -> Result<(Node, Vec<String>), Malformed> {
        let first = anchors.first().ok_or_else(|| self.broken.clone())?;
        if self.slice(from, first.start).trim() != "{" {
            return Err(self.broken.clone());
        }
        let mut filled = Filled::default();
        for (index, anchor) in anchors.iter().enumerate() {
            let next = anchors.get(index + 1).map(|next| next.start);
            let part = self.slice(anchor.after, next.unwrap_or(end)).trim();
            self.property(anchor, part, next.is_none(), base, &mut filled)?;
        }
        if filled.open.is_some() {
            return Err(self.broken.clone());
        }
        if filled.mended.is_empty() {
            // Only punctuation was wrong: a trailing comma.
            filled.mended.push(base.to_owned());
        }
        Ok((Node::Object(filled.entries), filled.mended))
    }

    /// One property: `part` is all that stands between its key and the next one, or the end.
    fn property(
        &self,
        anchor: &Anchor<'a>,
        part: &'a str,
        last: bool,
        base: &str,
        filled: &mut Filled,
    ) -> Result<(), Malformed> {
        let key = anchor.key;
        let refused = |what: &str| Err(self.refuse(anchor.start, &format!("`{key}` {what}")));
        let nested = filled.open.is_some();
        if nested && self.template.only_top(key) || !nested && self.template.inner.contains(&key) {
            return refused("stands where the template has no such key");
        }
        if self.template.objects.contains(&key) {
            if part == "{" {
                filled.open = Some((key.to_owned(), Vec::new()));
                return Ok(());
            }
            let empty =
                unpunctuated(part, last, nested).and_then(|(value, _)| Node::parse(value).ok());
            let Some(node) = empty
                .filter(|node| matches!(node, Node::Null) || *node == Node::Object(Vec::new()))
            else {
                return refused("must be an object");
            };
            filled.entries.push((key.to_owned(), node));
            return Ok(());
        }
        let Some((value, closes)) = unpunctuated(part, last, nested) else {
            return refused("has a value whose end cannot be found");
        };
        let pointer = match &filled.open {
            Some((object, _)) => child(&child(base, object), key),
            None => child(base, key),
        };
        let Some(node) = mend(self.template, key, value, &pointer, &mut filled.mended) else {
            return refused("has a value that cannot be told from the template");
        };
        match &mut filled.open {
            Some((_, inner)) => inner.push((key.to_owned(), node)),
            None => filled.entries.push((key.to_owned(), node)),
        }
        if closes && let Some((object, inner)) = filled.open.take() {
            filled.entries.push((object, Node::Object(inner)));
        }
        Ok(())
    }
}

/// The value of `key` from what stands in its place; `None` if it cannot be told from the template.
pub(crate) fn mend(
    template: &Template,
    key: &str,
    value: &str,
    pointer: &str,
    mended: &mut Vec<String>,
) -> Option<Node> {
    if let Ok(node) = Node::parse(value) {
        return (!matches!(node, Node::Object(_))).then_some(node);
    }
    mended.push(pointer.to_owned());
    let items = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    if let Some(items) = items {
        let items = items.trim();
        let items = items.strip_suffix(',').unwrap_or(items).trim_end();
        return strings(items).map(Node::List);
    }
    let Some(inner) = quoted(value) else {
        // Not quoted by the template: a bare word.
        let bare = value.chars().all(|c| !c.is_control() && !"\"{}[],\\".contains(c));
        return bare.then(|| Node::Text(value.to_owned()));
    };
    let own_words = template.prose.contains(&key) || !template.knows(key);
    (own_words || !inner.contains('"')).then(|| Node::Text(inner.to_owned()))
}

/// The value without what follows it (`,` before another key, `}` at the end of the object), and
/// whether it was the last one of a nested object. Trailing commas are let pass.
fn unpunctuated(part: &str, last: bool, nested: bool) -> Option<(&str, bool)> {
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

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The items of a broken list of strings: `"` `,` `"` stands between two.
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

fn item(raw: &str) -> Node {
    match Node::parse(&format!("\"{raw}\"")) {
        Ok(node @ Node::Text(_)) => node,
        _ => Node::Text(raw.to_owned()),
    }
}
