//! What is wrong with an item of the config table.

use std::fmt;

/// What a fault does to mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No mail that depends on the item is sent until somebody corrects it.
    StopsMail,
    /// Mails are sent, with the default in place of the value.
    Warning,
}

/// Something in a config item that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// `kind/id`; a key's id is a digest. An employee's id is left out, because it is an address.
    pub item: String,
    /// The attribute, as it is written in the item; `kind` or `id` if the item's key is misspelled.
    pub attribute: String,
    /// The name that was probably meant, if `attribute` is a misspelled name.
    pub meant: Option<&'static str>,
    /// What the fault does to mails.
    pub severity: Severity,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, attribute, meant, .. } = self;
        match meant {
            None => write!(f, "{item} has a value of `{attribute}` that cannot be understood"),
            Some(meant) if attribute == "kind" || attribute == "id" => {
                write!(
                    f,
                    "{item} is not an item that is read: did you mean the {attribute} `{meant}`?"
                )
            }
            Some(meant) => {
                write!(f, "{item} has an unknown attribute `{attribute}`: did you mean `{meant}`?")
            }
        }
    }
}

/// The faults of one item, by what they do to mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFaults {
    pub(crate) stopping: Vec<ConfigFault>,
    pub(crate) warnings: Vec<ConfigFault>,
}

impl ConfigFaults {
    /// The value, or nothing after a fault, which is kept.
    pub(crate) fn keep<T>(&mut self, read: Result<T, ConfigFault>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(fault) => {
                self.push(fault);
                None
            }
        }
    }

    pub(crate) fn push(&mut self, fault: ConfigFault) {
        match fault.severity {
            Severity::StopsMail => self.stopping.push(fault),
            Severity::Warning => self.warnings.push(fault),
        }
    }
}
