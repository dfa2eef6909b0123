//! Property values into trimmed, limited ones, with a note or an error for each that was not as it
//! should be.

use std::collections::BTreeMap;

use crate::inbound::{Malformed, Place};
use crate::json::{Node, child};
use crate::request::entry_weight;
use crate::{Address, Country, CustomerAddress, Language, LanguageTag, Note, SurveyRequest, text};

const TOO_HEAVY: &str = "does not fit: tags and custom properties may weigh 96 KiB together (names and values, and 8 bytes for each)";

/// Tags as they came.
#[derive(Default)]
pub(crate) struct Given {
    /// Each tag with its pointer.
    pub(crate) tags: Vec<(String, String)>,
    /// Texts that were split, or could not be read, as they came.
    pub(crate) unread: Vec<String>,
}

impl Given {
    /// Adds the pieces of `text`, and the text itself if it was cut up: a tag with blanks in it is
    /// whole only there.
    pub(crate) fn split(&mut self, text: &str, pieces: &[&str], pointer: &str) {
        if pieces != [text] {
            self.unread.push(text.to_owned());
        }
        self.tags.extend(pieces.iter().map(|piece| (pointer.to_owned(), (*piece).to_owned())));
    }
}

/// Tags as they are kept, see [`SurveyRequest::tags`] and [`SurveyRequest::surplus_tags`].
pub(crate) struct Tags {
    pub(crate) kept: Vec<String>,
    pub(crate) surplus: Vec<String>,
}

/// How a template's texts are cut into tags.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagStyle {
    /// Zendesk: a tag has neither blank nor comma in it. An item of a list may be the title of a
    /// field's option, and stays whole.
    Words,
    /// Freshdesk: a tag may have blanks in it. A text without a comma is cut at its blanks, as the
    /// vendor's template does.
    Phrases,
}

impl TagStyle {
    fn item(self, text: &str) -> Vec<&str> {
        match self {
            TagStyle::Words => vec![text],
            TagStyle::Phrases => text.split(',').collect(),
        }
    }

    fn list(self, text: &str) -> Vec<&str> {
        match self {
            TagStyle::Phrases if text.contains(',') => text.split(',').collect(),
            _ => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|tag| !tag.is_empty())
                .collect(),
        }
    }
}

/// Whose bodies these are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A program's: what is wrong is an error.
    Strict,
    /// A template's: what can be understood is, and the rest is left out with a note.
    Templated,
}

pub(crate) struct FieldReader {
    manner: Manner,
    notes: Vec<Note>,
    errors: Vec<Place>,
}

impl FieldReader {
    pub(crate) fn new(manner: Manner, mut notes: Vec<Note>) -> Self {
        notes.truncate(Malformed::MAX_PLACES);
        Self { manner, notes, errors: Vec::new() }
    }

    pub(crate) fn strict(&self) -> bool {
        self.manner == Manner::Strict
    }

    /// The notes, unless something was wrong.
    pub(crate) fn finish(self) -> Result<Vec<Note>, Malformed> {
        if self.errors.is_empty() { Ok(self.notes) } else { Err(Malformed::invalid(self.errors)) }
    }

    pub(crate) fn error(&mut self, pointer: &str, detail: &str) {
        // Counting on would cost memory for nothing: no more are shown.
        if self.errors.len() < Malformed::MAX_PLACES {
            self.errors.push(Place::new(pointer, detail));
        }
    }

    /// At most as many as errors are reported.
    pub(crate) fn note(&mut self, note: Note) {
        if self.notes.len() < Malformed::MAX_PLACES {
            self.notes.push(note);
        }
    }

    pub(crate) fn dropped(&mut self, pointer: &str) {
        self.note(Note::Dropped { pointer: pointer.to_owned() });
    }

    /// Wrong in a program's body, left out of a template's.
    fn unfit(&mut self, pointer: &str, detail: &str) {
        if self.strict() { self.error(pointer, detail) } else { self.dropped(pointer) }
    }

    /// Any properties but these are errors (strict only).
    pub(crate) fn only(&mut self, node: &Node, pointer: &str, known: &[&str]) {
        let Node::Object(entries) = node else { return };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            self.error(&child(pointer, key), "unknown property");
        }
    }

    /// The object at `key`; absent if null or missing.
    pub(crate) fn object<'n>(
        &mut self,
        node: &'n Node,
        pointer: &str,
        key: &str,
    ) -> Option<&'n Node> {
        match node.get(key)? {
            object @ Node::Object(_) => Some(object),
            Node::Null => None,
            Node::Text(text) if !self.strict() && text::nothing(text.trim()) => None,
            _ => {
                self.error(&child(pointer, key), "must be an object");
                None
            }
        }
    }

    /// The value as text, before trimming.
    fn raw(&mut self, node: &Node, pointer: &str) -> Option<String> {
        match node {
            Node::Text(text) => Some(text.clone()),
            Node::Null => None,
            Node::Number(text) if !self.strict() => Some(text.clone()),
            Node::Bool(value) if !self.strict() => Some(value.to_string()),
            _ => {
                self.error(pointer, "must be a string");
                None
            }
        }
    }

    fn absent(&self, text: &str) -> bool {
        text.is_empty() || !self.strict() && text::nothing(text)
    }

    /// An identifier: one line, at most [`SurveyRequest::MAX_ID`] bytes.
    pub(crate) fn id(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let line = text::line(&raw);
        (!self.absent(&line)).then(|| self.cut_id(line, &pointer))
    }

    /// The same where its absence is an error.
    pub(crate) fn required(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let (errors, value) = (self.errors.len(), self.id(node, pointer, key));
        if value.is_none() && self.errors.len() == errors {
            self.error(&child(pointer, key), "is required");
        }
        value
    }

    /// The sender's id of the customer. A template's is left out where one of the `texts` stands
    /// before it and none of the template's `own` keys between the two: there a customer's name
    /// could have added it.
    pub(crate) fn customer_id(
        &mut self,
        node: &Node,
        pointer: &str,
        key: &str,
        texts: &[&str],
        own: &[&str],
    ) -> Option<String> {
        let id = self.id(node, pointer, key)?;
        let Node::Object(entries) = node else { return None };
        let before = entries.iter().map(|(k, _)| k.as_str()).take_while(|k| *k != key);
        let last = before.filter(|k| texts.contains(k) || own.contains(k)).last();
        if !self.strict() && last.is_some_and(|last| texts.contains(&last)) {
            self.dropped(&child(pointer, key));
            return None;
        }
        Some(id)
    }

    fn cut_id(&mut self, line: String, pointer: &str) -> String {
        match text::cut_bytes(&line, SurveyRequest::MAX_ID) {
            Some(kept) => {
                self.note(Note::Truncated { pointer: pointer.to_owned() });
                kept.trim_end().to_owned()
            }
            None => line,
        }
    }

    fn cut_value(&mut self, value: String, pointer: &str) -> String {
        match text::cut_chars(&value, SurveyRequest::MAX_VALUE) {
            Some(kept) => {
                self.note(Note::Truncated { pointer: pointer.to_owned() });
                kept.trim_end().to_owned()
            }
            None => value,
        }
    }

    pub(crate) fn name(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let name = text::name(&raw);
        (!self.absent(&name)).then(|| self.cut_value(name, &pointer))
    }

    pub(crate) fn address(&mut self, node: &Node, pointer: &str, key: &str) -> CustomerAddress {
        let pointer = child(pointer, key);
        let Some(raw) = node.get(key).and_then(|value| self.raw(value, &pointer)) else {
            return CustomerAddress::Missing;
        };
        let line = text::line(&raw);
        // The vendor's templates write `no_email` for an empty one. A line break inside is no
        // address: it is not folded.
        if self.absent(&line) || line.eq_ignore_ascii_case("no_email") {
            return CustomerAddress::Missing;
        }
        match Address::parse(&raw) {
            Some(address) => CustomerAddress::Valid(address),
            None => CustomerAddress::Malformed(self.cut_value(line, &pointer)),
        }
    }

    /// The employee's e-mail: only ever compared, so anything goes but nothing.
    pub(crate) fn employee_email(
        &mut self,
        node: &Node,
        pointer: &str,
        key: &str,
    ) -> Option<String> {
        self.id(node, pointer, key).filter(|email| !email.eq_ignore_ascii_case("no_email"))
    }

    pub(crate) fn language(&mut self, node: &Node, pointer: &str, key: &str) -> Option<Language> {
        let given = self.id(node, pointer, key)?;
        let tag = LanguageTag::parse(&given);
        Some(Language { given, tag })
    }

    pub(crate) fn country(&mut self, node: &Node, pointer: &str, key: &str) -> Option<Country> {
        let country = self.id(node, pointer, key)?;
        if country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Some(country.to_ascii_uppercase());
        }
        self.unfit(&child(pointer, key), "must be an ISO 3166-1 alpha-2 code, two letters");
        None
    }

    pub(crate) fn link(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let raw = raw.trim();
        if self.absent(raw) {
            return None;
        }
        let link = text::link(raw);
        if link.is_none() {
            self.dropped(&pointer);
        }
        link
    }

    /// The sender's wish that nothing be sent. In a template's body a blank, and a placeholder that
    /// nobody filled in, wish nothing: else a typo in the set-up would stop every survey. Any other
    /// text that says neither yes nor no (a field's label, "nicht senden") is taken as the wish,
    /// with a note: a survey too few is better than one that was declined.
    pub(crate) fn do_not_send(&mut self, node: &Node, pointer: &str, key: &str) -> bool {
        let pointer = child(pointer, key);
        let spelling = match node.get(key) {
            None | Some(Node::Null) => return false,
            Some(Node::Bool(value)) => return *value,
            Some(Node::Text(spelling) | Node::Number(spelling)) => spelling.trim().to_lowercase(),
            Some(Node::List(_) | Node::Object(_)) => {
                self.error(&pointer, "must be a boolean");
                return false;
            }
        };
        match spelling.as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" | "" => false,
            _ if self.strict() => {
                self.error(&pointer, "must be a boolean");
                false
            }
            "none" => false,
            spelling if text::nothing(spelling) => false,
            _ => {
                self.note(Note::Assumed { pointer });
                true
            }
        }
    }

    /// Keeps [`SurveyRequest::MAX_TAGS`] tags; all that came besides is surplus.
    pub(crate) fn tags(&mut self, given: Given) -> Tags {
        let (mut tags, mut surplus) = (Vec::new(), given.unread);
        let mut beyond = false;
        for (pointer, tag) in given.tags {
            let tag = text::line(&tag);
            // An unselected Zendesk field makes a tag of `-`.
            if tag == "-" || self.absent(&tag) {
                if self.strict() {
                    self.dropped(&pointer);
                }
            } else if tags.len() < SurveyRequest::MAX_TAGS {
                if text::cut_chars(&tag, SurveyRequest::MAX_VALUE).is_some() {
                    surplus.push(tag.clone());
                }
                tags.push(self.cut_value(tag, &pointer));
            } else {
                if !beyond {
                    self.dropped(&pointer);
                }
                beyond = true;
                surplus.push(tag);
            }
        }
        Tags { kept: tags, surplus }
    }

    /// Takes tags from the end until they and the properties weigh no more than
    /// [`SurveyRequest::MAX_WEIGHT`].
    pub(crate) fn fit(
        &mut self,
        tags: &mut Tags,
        properties: &BTreeMap<String, String>,
        pointer: &str,
    ) {
        let mut weight: usize =
            properties.iter().map(|(name, value)| entry_weight(name, value)).sum();
        let fitting = tags.kept.iter().take_while(|tag| {
            weight += entry_weight("", tag);
            weight <= SurveyRequest::MAX_WEIGHT
        });
        let fitting = fitting.count();
        if fitting < tags.kept.len() {
            self.unfit(pointer, TOO_HEAVY);
            tags.surplus.extend(tags.kept.split_off(fitting));
        }
    }

    /// A list's strings, or a template's text for it.
    pub(crate) fn tag_list(
        &mut self,
        node: Option<&Node>,
        pointer: &str,
        style: TagStyle,
    ) -> Given {
        let strict = self.strict();
        let mut given = Given::default();
        match node {
            None | Some(Node::Null) => {}
            Some(Node::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    match item {
                        Node::Text(tag) if strict => given.tags.push((pointer, tag.clone())),
                        Node::Text(tag) => given.split(tag, &style.item(tag), &pointer),
                        Node::Number(tag) if !strict => given.tags.push((pointer, tag.clone())),
                        Node::Null if !strict => {}
                        unreadable => {
                            self.unfit(&pointer, "must be a string");
                            unreadable.texts(&mut given.unread);
                        }
                    }
                }
            }
            Some(Node::Text(text)) if !strict => given.split(text, &style.list(text), pointer),
            Some(unreadable) => {
                self.unfit(pointer, "must be a list of strings");
                unreadable.texts(&mut given.unread);
            }
        }
        given
    }

    pub(crate) fn properties(
        &mut self,
        node: Option<&Node>,
        pointer: &str,
    ) -> BTreeMap<String, String> {
        let entries = match node {
            None | Some(Node::Null) => return BTreeMap::new(),
            Some(Node::Object(entries)) => entries,
            Some(Node::Text(text)) if self.absent(text.trim()) => return BTreeMap::new(),
            Some(_) => {
                self.unfit(pointer, "must be an object of strings");
                return BTreeMap::new();
            }
        };
        let mut properties = BTreeMap::new();
        let mut weight = 0;
        for (key, value) in entries {
            let pointer = child(pointer, key);
            let value = match value {
                Node::Text(value) => value.clone(),
                Node::Number(value) if !self.strict() => value.clone(),
                Node::Bool(value) if !self.strict() => value.to_string(),
                Node::Null if !self.strict() => continue,
                Node::List(_) | Node::Object(_) => {
                    self.unfit(&pointer, "must be a string: properties are one level deep");
                    continue;
                }
                _ => {
                    self.unfit(&pointer, "must be a string");
                    continue;
                }
            };
            let key = text::line(key);
            if key.is_empty() || text::cut_bytes(&key, SurveyRequest::MAX_ID).is_some() {
                self.unfit(&pointer, "must have a name of 1 to 1024 bytes");
                continue;
            }
            let value = self.cut_value(text::lines(&value), &pointer);
            let entry = entry_weight(&key, &value);
            if weight + entry > SurveyRequest::MAX_WEIGHT {
                self.unfit(&pointer, TOO_HEAVY);
                continue;
            }
            weight += entry;
            properties.insert(key, value);
        }
        properties
    }
}
