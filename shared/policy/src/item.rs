//! One item of the config table: its attributes by type, and what is wrong with them.

use std::fmt;

use serde_json::{Map, Value};

use crate::{Mailbox, attributes};

/// The longest text, in bytes, and so the longest entry of a list.
const LONGEST_TEXT: usize = 4 * 1024;
/// The longest text that is copied into the row of every request, in bytes.
const LONGEST_SHORT: usize = 1024;
/// The most entries of a list.
const LONGEST_LIST: usize = 200;

/// An attribute of a config item that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// `kind/id`; a key's id is a digest, an employee's is left out, being an address.
    pub item: String,
    /// The attribute, as it is written in the item.
    pub attribute: String,
    /// The attribute that was probably meant, if `attribute` is a misspelled name.
    pub meant: Option<&'static str>,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, attribute, meant } = self;
        match meant {
            None => write!(f, "{item} has a value of `{attribute}` that cannot be understood"),
            Some(meant) => {
                write!(f, "{item} has an unknown attribute `{attribute}`: did you mean `{meant}`?")
            }
        }
    }
}

/// One item of the config table, as plain JSON.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    kind: &'a str,
    id: &'a str,
    /// The map attribute that these attributes are in, if they are not the item's own.
    within: Option<&'static str>,
    attributes: &'a Map<String, Value>,
}

impl<'a> Item<'a> {
    /// `attributes` is the whole item; `kind` and `id` are its key.
    pub fn new(attributes: &'a Map<String, Value>) -> Self {
        let key = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: key("kind"), id: key("id"), within: None, attributes }
    }

    /// The entries of a map attribute, read as attributes are.
    pub(crate) fn within(self, attribute: &'static str, entries: &'a Map<String, Value>) -> Self {
        Self { within: Some(attribute), attributes: entries, ..self }
    }

    /// The item's sort key.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Blames the value of an attribute.
    pub fn fault(&self, attribute: &str) -> ConfigFault {
        self.blame(attribute, None)
    }

    fn blame(&self, attribute: &str, meant: Option<&'static str>) -> ConfigFault {
        let attribute = match self.within {
            Some(map) => format!("{map}.{}", attributes::shown(attribute)),
            None => attributes::shown(attribute),
        };
        ConfigFault { item: self.name(), attribute, meant }
    }

    /// `kind/id`, as a log may show it.
    pub fn name(&self) -> String {
        match self.kind {
            "employee" | "employee_id" => format!("{}/…", self.kind),
            kind => format!("{kind}/{}", self.id),
        }
    }

    /// Names of attributes that this kind of item does not have, shortened for a log.
    pub fn unknown(&self) -> Vec<String> {
        self.strangers().map(attributes::shown).collect()
    }

    fn known(&self) -> &'static [&'static str] {
        attributes::known(self.within.unwrap_or(self.kind))
    }

    /// Of a kind that we do not know, every name may be right.
    fn strangers(&self) -> impl Iterator<Item = &'a str> {
        let known = self.known();
        let names = self.attributes.keys().map(String::as_str);
        names.filter(move |name| {
            !known.is_empty() && !["kind", "id"].contains(name) && !known.contains(name)
        })
    }

    fn present(&self, name: &str) -> Option<&'a Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }

    /// The value. An attribute that is absent, while another is there whose name is a slip of the
    /// pen away, is a fault: `enabld` must not leave a channel on.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a Value>, ConfigFault> {
        if let Some(value) = self.present(name) {
            return Ok(Some(value));
        }
        let lacking = || self.known().iter().copied().filter(|known| self.present(known).is_none());
        let mut slips = self
            .strangers()
            .filter_map(|written| Some((written, attributes::meant(written, lacking())?)));
        match slips.find(|(_, meant)| *meant == name) {
            Some((written, meant)) => Err(self.blame(written, Some(meant))),
            None => Ok(None),
        }
    }

    /// Text, trimmed; numbers too. Empty text is present. Text of more than 4 KiB is a fault.
    pub fn text(&self, name: &str) -> Result<Option<String>, ConfigFault> {
        match self.get(name)? {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST_TEXT => {
                Ok(Some(text.trim().to_owned()))
            }
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.fault(name)),
        }
    }

    /// Text that says something.
    pub fn words(&self, name: &str) -> Result<Option<String>, ConfigFault> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// As [`words`](Self::words), at most 1 KiB: every request carries a copy.
    pub(crate) fn short(&self, name: &str) -> Result<Option<String>, ConfigFault> {
        let text = self.words(name)?;
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_SHORT) {
            Err(self.fault(name))
        } else {
            Ok(text)
        }
    }

    /// `address` or `Name <address>`.
    pub(crate) fn mailbox(&self, name: &str) -> Result<Option<Mailbox>, ConfigFault> {
        let text = self.words(name)?;
        text.map(|text| Mailbox::parse(&text).ok_or_else(|| self.fault(name))).transpose()
    }

    /// true/1/yes/on, false/0/no/off/empty, or a boolean.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, ConfigFault> {
        if let Some(Value::Bool(value)) = self.present(name) {
            return Ok(Some(*value));
        }
        match self.text(name)?.map(|text| text.to_lowercase()).as_deref() {
            None => Ok(None),
            Some("true" | "1" | "yes" | "on") => Ok(Some(true)),
            Some("false" | "0" | "no" | "off" | "") => Ok(Some(false)),
            Some(_) => Err(self.fault(name)),
        }
    }

    /// A whole number from 0 to `most`; larger ones, fractions and words are faults.
    pub fn number(&self, name: &str, most: u32) -> Result<Option<u32>, ConfigFault> {
        match self.words(name)? {
            None => Ok(None),
            Some(text) => {
                text.parse().ok().filter(|n| *n <= most).map(Some).ok_or_else(|| self.fault(name))
            }
        }
    }

    /// A list or set of texts, or one comma-separated text; trimmed, without empty ones. At most
    /// 200 of at most 4 KiB each.
    pub fn list(&self, name: &str) -> Result<Option<Vec<String>>, ConfigFault> {
        let texts: Vec<&str> = match self.get(name)? {
            None => return Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or_else(|| self.fault(name))?,
            Some(Value::String(text)) => text.split(',').collect(),
            Some(_) => return Err(self.fault(name)),
        };
        let texts: Vec<&str> =
            texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
        let fits =
            texts.len() <= LONGEST_LIST && texts.iter().all(|text| text.len() <= LONGEST_TEXT);
        fits.then(|| Some(texts.into_iter().map(str::to_owned).collect()))
            .ok_or_else(|| self.fault(name))
    }
}

/// Collects faults while the defaults stand in.
#[derive(Default)]
pub(crate) struct ConfigFaults(Vec<ConfigFault>);

impl ConfigFaults {
    pub(crate) fn or<T>(&mut self, read: Result<Option<T>, ConfigFault>, default: T) -> T {
        self.option(read).unwrap_or(default)
    }

    pub(crate) fn option<T>(&mut self, read: Result<Option<T>, ConfigFault>) -> Option<T> {
        read.unwrap_or_else(|fault| {
            self.0.push(fault);
            None
        })
    }

    /// What was found.
    pub(crate) fn found(self) -> Vec<ConfigFault> {
        self.0
    }
}
