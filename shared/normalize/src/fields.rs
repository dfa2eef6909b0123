//! Reads the properties of a request.
//!
//! In: a property's value as it was sent. Out: the value trimmed and within its limit. If a value
//! is not as it should be, a program gets an error, while a template's value is left out or
//! changed, with a note. [`crate::tags`] adds what reads tags.

use std::collections::BTreeMap;

use crate::json::Node;
use crate::malformed::{Malformed, Place};
use crate::pointer::child;
use crate::request::entry_weight;
use crate::template::{Keys, contains};
use crate::{
    Address, Country, CustomerAddress, Language, LanguageTag, Note, SurveyRequest, text, web_link,
};

/// Why tags and properties beyond [`SurveyRequest::MAX_WEIGHT`] are left out or refused.
pub(crate) const TOO_HEAVY: &str = "does not fit: tags and custom properties may weigh 96 KiB \
    together (names and values, and 8 bytes for each)";

/// What happens to a value that is not as it should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// For bodies that programs send: an error.
    Strict,
    /// For bodies that templates write: the value is left out or changed, with a note.
    Lenient,
}

/// Reads properties one by one, and collects notes and errors.
pub(crate) struct FieldReader {
    strictness: Strictness,
    notes: Vec<Note>,
    errors: Vec<Place>,
}

impl FieldReader {
    /// A reader that starts with the notes of earlier steps.
    pub(crate) fn new(strictness: Strictness, mut notes: Vec<Note>) -> Self {
        notes.truncate(SurveyRequest::MAX_NOTES);
        Self { strictness, notes, errors: Vec::new() }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.strictness == Strictness::Strict
    }

    /// All notes.
    ///
    /// # Errors
    /// All errors, if there were any.
    pub(crate) fn finish(self) -> Result<Vec<Note>, Malformed> {
        if self.errors.is_empty() { Ok(self.notes) } else { Err(Malformed::invalid(self.errors)) }
    }

    /// Adds an error, up to [`Malformed::MAX_PLACES`]: the reply shows no more.
    pub(crate) fn error(&mut self, pointer: &str, detail: &str) {
        if self.errors.len() < Malformed::MAX_PLACES {
            self.errors.push(Place::new(pointer, detail));
        }
    }

    /// Adds a note, up to [`SurveyRequest::MAX_NOTES`].
    pub(crate) fn note(&mut self, note: Note) {
        if self.notes.len() < SurveyRequest::MAX_NOTES {
            self.notes.push(note);
        }
    }

    /// Adds the note that the value at `pointer` was left out.
    pub(crate) fn dropped(&mut self, pointer: &str) {
        self.note(Note::Dropped { pointer: pointer.to_owned() });
    }

    /// The value at `pointer` cannot be used: an error if strict, otherwise a note.
    pub(crate) fn unusable(&mut self, pointer: &str, detail: &str) {
        if self.is_strict() { self.error(pointer, detail) } else { self.dropped(pointer) }
    }

    /// Adds an error for every property of the object that is not among the `known` ones.
    pub(crate) fn only(&mut self, node: &Node, pointer: &str, known: Keys) {
        let Node::Object(entries) = node else { return };
        for (key, _) in entries.iter().filter(|(key, _)| !contains(known, key)) {
            self.error(&child(pointer, key), "unknown property");
        }
    }

    /// The object at `key`. `None` if it is missing or null. In a template's body an empty value
    /// counts as missing.
    pub(crate) fn object<'n>(
        &mut self,
        node: &'n Node,
        pointer: &str,
        key: &str,
    ) -> Option<&'n Node> {
        match node.get(key)? {
            object @ Node::Object(_) => Some(object),
            Node::Null => None,
            Node::Text(text) if !self.is_strict() && text::is_empty_value(text.trim()) => None,
            _ => {
                self.error(&child(pointer, key), "must be an object");
                None
            }
        }
    }

    /// The value as text, untrimmed. Numbers and booleans are text in a template's body only.
    fn raw(&mut self, node: &Node, pointer: &str) -> Option<String> {
        match node {
            Node::Text(text) => Some(text.clone()),
            Node::Null => None,
            Node::Number(text) if !self.is_strict() => Some(text.clone()),
            Node::Bool(value) if !self.is_strict() => Some(value.to_string()),
            _ => {
                self.error(pointer, "must be a string");
                None
            }
        }
    }

    /// Whether the text counts as no value.
    pub(crate) fn is_absent(&self, text: &str) -> bool {
        text.is_empty() || !self.is_strict() && text::is_empty_value(text)
    }

    /// An identifier: one line of at most [`SurveyRequest::MAX_ID`] bytes. A longer one is cut.
    pub(crate) fn id(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let line = text::line(&raw);
        (!self.is_absent(&line)).then(|| self.cut_id(line, &pointer))
    }

    /// An identifier that must be there: without it, an error is added.
    pub(crate) fn required(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let (errors, value) = (self.errors.len(), self.id(node, pointer, key));
        if value.is_none() && self.errors.len() == errors {
            self.error(&child(pointer, key), "is required");
        }
        value
    }

    /// The sender's id of the customer.
    ///
    /// In a template's body, the id is left out if a free text could have injected it: if one of
    /// the `free_text` keys stands before it, and none of the `other` keys that every such template
    /// has stands between the two.
    pub(crate) fn customer_id(
        &mut self,
        node: &Node,
        pointer: &str,
        key: &str,
        free_text: &[&str],
        other: &[&str],
    ) -> Option<String> {
        let id = self.id(node, pointer, key)?;
        let Node::Object(entries) = node else { return None };
        let before = entries.iter().map(|(k, _)| k.as_str()).take_while(|k| *k != key);
        let last = before.filter(|k| free_text.contains(k) || other.contains(k)).last();
        if !self.is_strict() && last.is_some_and(|last| free_text.contains(&last)) {
            self.dropped(&child(pointer, key));
            return None;
        }
        Some(id)
    }

    /// The identifier, cut at [`SurveyRequest::MAX_ID`] bytes with a note.
    fn cut_id(&mut self, line: String, pointer: &str) -> String {
        match text::cut_bytes(&line, SurveyRequest::MAX_ID) {
            Some(kept) => {
                self.note(Note::Truncated { pointer: pointer.to_owned() });
                kept.trim_end().to_owned()
            }
            None => line,
        }
    }

    /// The value, cut at [`SurveyRequest::MAX_VALUE`] characters with a note.
    pub(crate) fn cut_value(&mut self, value: String, pointer: &str) -> String {
        match text::cut_chars(&value, SurveyRequest::MAX_VALUE) {
            Some(kept) => {
                self.note(Note::Truncated { pointer: pointer.to_owned() });
                kept.trim_end().to_owned()
            }
            None => value,
        }
    }

    /// A person's name: one line with single spaces.
    pub(crate) fn name(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let name = text::name(&raw);
        (!self.is_absent(&name)).then(|| self.cut_value(name, &pointer))
    }

    /// The customer's address.
    pub(crate) fn address(&mut self, node: &Node, pointer: &str, key: &str) -> CustomerAddress {
        let pointer = child(pointer, key);
        let Some(raw) = node.get(key).and_then(|value| self.raw(value, &pointer)) else {
            return CustomerAddress::Missing;
        };
        let line = text::line(&raw);
        // The vendor's templates write `no_email` for an empty one (docs/facts.md, Vendor 8). The
        // address is parsed from the raw value, so that a line break inside makes it malformed.
        if self.is_absent(&line) || line.eq_ignore_ascii_case("no_email") {
            return CustomerAddress::Missing;
        }
        match Address::parse(&raw) {
            Some(address) => CustomerAddress::Valid(address),
            None => CustomerAddress::Malformed(self.cut_value(line, &pointer)),
        }
    }

    /// The employee's e-mail. It is only compared with profiles, so that it need not be
    /// well-formed.
    pub(crate) fn employee_email(
        &mut self,
        node: &Node,
        pointer: &str,
        key: &str,
    ) -> Option<String> {
        self.id(node, pointer, key).filter(|email| !email.eq_ignore_ascii_case("no_email"))
    }

    /// The language, as sent and as understood.
    pub(crate) fn language(&mut self, node: &Node, pointer: &str, key: &str) -> Option<Language> {
        let given = self.id(node, pointer, key)?;
        let tag = LanguageTag::parse(&given);
        Some(Language { given, tag })
    }

    /// The country: two letters.
    pub(crate) fn country(&mut self, node: &Node, pointer: &str, key: &str) -> Option<Country> {
        let country = self.id(node, pointer, key)?;
        if country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Some(country.to_ascii_uppercase());
        }
        self.unusable(&child(pointer, key), "must be an ISO 3166-1 alpha-2 code, two letters");
        None
    }

    /// A web link. Anything else is left out with a note, in a program's body too.
    pub(crate) fn link(&mut self, node: &Node, pointer: &str, key: &str) -> Option<String> {
        let pointer = child(pointer, key);
        let raw = self.raw(node.get(key)?, &pointer)?;
        let raw = raw.trim();
        if self.is_absent(raw) {
            return None;
        }
        let link = web_link::parse(raw);
        if link.is_none() {
            self.dropped(&pointer);
        }
        link
    }

    /// Whether the sender wants no survey to be sent.
    ///
    /// In a template's body, a blank value or a placeholder that was not filled in counts as no:
    /// otherwise a typo in the set-up would stop every survey. Any other text that is neither yes
    /// nor no, such as the label of a field, counts as yes, with a note: to leave out a survey is
    /// better than to send one that the customer declined.
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
            _ if self.is_strict() => {
                self.error(&pointer, "must be a boolean");
                false
            }
            "none" => false,
            spelling if text::is_empty_value(spelling) => false,
            _ => {
                self.note(Note::Assumed { pointer });
                true
            }
        }
    }

    /// The custom properties: one level of texts. What cannot be used, or is beyond
    /// [`SurveyRequest::MAX_WEIGHT`], is left out or refused.
    pub(crate) fn properties(
        &mut self,
        node: Option<&Node>,
        pointer: &str,
    ) -> BTreeMap<String, String> {
        let entries = match node {
            None | Some(Node::Null) => return BTreeMap::new(),
            Some(Node::Object(entries)) => entries,
            Some(Node::Text(text)) if self.is_absent(text.trim()) => return BTreeMap::new(),
            Some(_) => {
                self.unusable(pointer, "must be an object of strings");
                return BTreeMap::new();
            }
        };
        let mut properties = BTreeMap::new();
        let mut weight = 0;
        for (key, value) in entries {
            let pointer = child(pointer, key);
            let value = match value {
                Node::Text(value) => value.clone(),
                Node::Number(value) if !self.is_strict() => value.clone(),
                Node::Bool(value) if !self.is_strict() => value.to_string(),
                Node::Null if !self.is_strict() => continue,
                Node::List(_) | Node::Object(_) => {
                    self.unusable(&pointer, "must be a string: properties are one level deep");
                    continue;
                }
                _ => {
                    self.unusable(&pointer, "must be a string");
                    continue;
                }
            };
            let key = text::line(key);
            if key.is_empty() || text::cut_bytes(&key, SurveyRequest::MAX_ID).is_some() {
                self.unusable(&pointer, "must have a name of 1 to 1024 bytes");
                continue;
            }
            let value = self.cut_value(text::lines(&value), &pointer);
            let entry = entry_weight(&key, &value);
            if weight + entry > SurveyRequest::MAX_WEIGHT {
                self.unusable(&pointer, TOO_HEAVY);
                continue;
            }
            weight += entry;
            properties.insert(key, value);
        }
        properties
    }
}
