//! The types that values of the config table have.

use std::fmt;

use crate::fault::ConfigFault;
use crate::item::{Item, LONGEST_TEXT};

/// What an admin may write: for forms and for the documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A text of at most so many bytes.
    Text(usize),
    /// True or false.
    Switch,
    /// A whole number, from and to. A smaller one counts as the smallest.
    Count(u32, u32),
    /// Days, from and to.
    Days(u32, u32),
    /// Minutes, up to.
    Minutes(u32),
    /// Minutes for each source, up to.
    MinutesBySource(u32),
    /// `address` or `Name <address>`.
    Mailbox,
    /// Texts.
    List,
    /// Mail domains.
    Domains,
    /// One of these words.
    OneOf(Vec<&'static str>),
    /// Any of these words.
    AnyOf(Vec<&'static str>),
    /// A BCP 47 tag.
    Language,
    /// `#rrggbb`.
    Colour,
    /// A URL that starts with `https://`, or `http://`.
    WebUrl,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |names: &[&str]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        match self {
            ValueType::Text(LONGEST_TEXT) => write!(f, "text"),
            ValueType::Text(longest) => write!(f, "text, at most {longest} bytes"),
            ValueType::Switch => write!(f, "true or false"),
            ValueType::Count(least, most) => write!(f, "number, {least} to {most}"),
            ValueType::Days(least, most) => write!(f, "days, {least} to {most}"),
            ValueType::Minutes(most) => write!(f, "minutes, 0 to {most}"),
            ValueType::MinutesBySource(most) => write!(f, "map: source to minutes, 0 to {most}"),
            ValueType::Mailbox => write!(f, "`address` or `Name <address>`"),
            ValueType::List => write!(f, "list of texts"),
            ValueType::Domains => write!(f, "list of domains"),
            ValueType::OneOf(names) => write!(f, "one of {}", quoted(names)),
            ValueType::AnyOf(names) => write!(f, "list of {}", quoted(names)),
            ValueType::Language => write!(f, "BCP 47 tag"),
            ValueType::Colour => write!(f, "colour, `#rrggbb`"),
            ValueType::WebUrl => write!(f, "URL, http or https"),
        }
    }
}

/// How the values of an attribute are read.
pub trait Value: Sync {
    /// What a value becomes.
    type Read;

    /// Reads the attribute `name`; without it, gives the default.
    ///
    /// # Errors
    /// The fault, if the value cannot be understood, or if a required one is absent.
    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault>;

    /// What an admin may write.
    fn value_type(&self) -> ValueType;

    /// The default in Markdown, empty if there is none.
    fn default(&self) -> String;

    /// Whether an item is not complete without the attribute.
    fn required(&self) -> bool {
        false
    }

    /// Whether an empty value is another value than none at all: it means "none" where the default
    /// is something.
    fn may_be_empty(&self) -> bool {
        false
    }
}

/// A value type with a safe value, which is used in place of one that cannot be understood.
pub(crate) trait Fallback: Value {
    /// The safe value.
    fn fallback(&self) -> Self::Read;
}

/// A default as Markdown shows it; nothing for an empty one.
pub(crate) fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}
