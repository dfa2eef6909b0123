//! One item of the config table: its attributes by type, and what is wrong with them.

use serde_json::{Map, Value};

use crate::fault::{ConfigFault, Severity};
use crate::mailbox::Mailbox;
use crate::slips;

/// The longest text, in bytes, and so the longest entry of a list.
pub(crate) const LONGEST_TEXT: usize = 4 * 1024;
/// The most entries of a list.
const LONGEST_LIST: usize = 200;

/// One item of the config table, as plain JSON.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    kind: &'a str,
    id: &'a str,
    /// The names that its attributes can have. Empty for a kind that the config table does not
    /// have: then every name may be right.
    known: &'static [&'static str],
    /// The map attribute that these attributes are in, if they are not the item's own.
    within: Option<&'static str>,
    attributes: &'a Map<String, Value>,
}

impl<'a> Item<'a> {
    /// `attributes` is the whole item with its key. `known` names the attributes of its kind.
    pub(crate) fn with_names(
        attributes: &'a Map<String, Value>,
        known: &'static [&'static str],
    ) -> Self {
        let key = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: key("kind"), id: key("id"), known, within: None, attributes }
    }

    /// The entries of a map attribute, read as attributes are. `known` names its entries.
    pub(crate) fn within(
        self,
        attribute: &'static str,
        entries: &'a Map<String, Value>,
        known: &'static [&'static str],
    ) -> Self {
        Self { known, within: Some(attribute), attributes: entries, ..self }
    }

    /// The item's partition key.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// The item's sort key.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The fault that this attribute has a value that cannot be understood.
    pub fn fault(&self, attribute: &str) -> ConfigFault {
        self.blame(attribute, None, Severity::StopsMail)
    }

    /// The same for a value without which mails can be sent.
    pub(crate) fn warning(&self, attribute: &str) -> ConfigFault {
        self.blame(attribute, None, Severity::Warning)
    }

    pub(crate) fn blame(
        &self,
        attribute: &str,
        meant: Option<&'static str>,
        severity: Severity,
    ) -> ConfigFault {
        let attribute = match self.within {
            Some(map) => format!("{map}.{}", slips::shown(attribute)),
            None => slips::shown(attribute),
        };
        ConfigFault { item: self.name(), attribute, meant, severity }
    }

    /// `kind/id`, as a log may show it. The id of a person, and that of an unknown kind, may be an
    /// address, and is left out.
    pub fn name(&self) -> String {
        match self.kind {
            "employee" | "employee_id" => format!("{}/…", self.kind),
            kind if self.known.is_empty() => format!("{}/…", slips::shown(kind)),
            kind => format!("{kind}/{}", self.id),
        }
    }

    /// Names of attributes that its kind does not have, shortened for a log.
    pub fn unknown(&self) -> Vec<String> {
        self.strangers().map(slips::shown).collect()
    }

    fn strangers(&self) -> impl Iterator<Item = &'a str> {
        let known = self.known;
        let names = self.attributes.keys().map(String::as_str);
        names.filter(move |name| {
            !known.is_empty() && !["kind", "id"].contains(name) && !known.contains(name)
        })
    }

    fn present(&self, name: &str) -> Option<&'a Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }

    /// The value. A misspelled name is a fault of the attribute that was meant: `enabld: false`
    /// must not leave a channel on.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a Value>, ConfigFault> {
        if let Some(value) = self.present(name) {
            return Ok(Some(value));
        }
        let lacking = || self.known.iter().copied().filter(|known| self.present(known).is_none());
        let mut slips = self
            .strangers()
            .filter_map(|written| Some((written, slips::meant(written, lacking())?)));
        match slips.find(|(_, meant)| *meant == name) {
            Some((written, meant)) => Err(self.blame(written, Some(meant), Severity::StopsMail)),
            None => Ok(None),
        }
    }

    /// A text, trimmed; a number counts as its digits. Empty text is present. A text of more than
    /// 4 KiB is a fault.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ConfigFault> {
        match self.get(name)? {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= LONGEST_TEXT => {
                Ok(Some(text.trim().to_owned()))
            }
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.fault(name)),
        }
    }

    /// A text that is not empty.
    pub(crate) fn words(&self, name: &str) -> Result<Option<String>, ConfigFault> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// `address` or `Name <address>`.
    pub(crate) fn mailbox(&self, name: &str) -> Result<Option<Mailbox>, ConfigFault> {
        let text = self.words(name)?;
        text.map(|text| Mailbox::parse(&text).ok_or_else(|| self.fault(name))).transpose()
    }

    /// true/1/yes/on, false/0/no/off/empty, or a boolean.
    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>, ConfigFault> {
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

    /// A whole number from 0 to `most`. A larger one, a fraction or a word is a fault.
    pub(crate) fn number(&self, name: &str, most: u32) -> Result<Option<u32>, ConfigFault> {
        match self.words(name)? {
            None => Ok(None),
            Some(text) => {
                text.parse().ok().filter(|n| *n <= most).map(Some).ok_or_else(|| self.fault(name))
            }
        }
    }

    /// A list or set of texts, or one text with commas between; trimmed, without empty ones. More
    /// than 200 texts, or one of more than 4 KiB, are a fault.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, ConfigFault> {
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
