//! Values that are texts: names, addresses, domains, tags, links.

use normalize::{Address, LanguageTag};

use crate::colour::{Colour, web_url};
use crate::fault::ConfigFault;
use crate::item::{Item, LONGEST_TEXT};
use crate::mailbox::Mailbox;
use crate::value_type::{Fallback, Value, ValueType, quoted};

/// Text that is not empty. Its default is described in words, since it comes from another item.
pub struct Words {
    /// Bytes at most, up to 4 KiB.
    pub longest: usize,
    /// What is used without it, in words.
    pub otherwise: &'static str,
    /// Whether an item is not complete without it.
    pub required: bool,
}

/// Any text, without a default.
pub(crate) const WORDS: Words = Words { longest: LONGEST_TEXT, otherwise: "", required: false };
/// Text that is copied into the row of every request.
pub(crate) const SHORT: Words = Words { longest: 1024, otherwise: "", required: false };

impl Value for Words {
    type Read = Option<String>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        match item.words(name)? {
            Some(text) if text.len() > self.longest => Err(item.fault(name)),
            text => Ok(text),
        }
    }

    fn value_type(&self) -> ValueType {
        ValueType::Text(self.longest)
    }

    fn default(&self) -> String {
        self.otherwise.to_owned()
    }

    fn required(&self) -> bool {
        self.required
    }
}

impl Fallback for Words {
    fn fallback(&self) -> Self::Read {
        None
    }
}

/// Text that may be empty, with a default.
pub struct Text(pub &'static str);

impl Value for Text {
    type Read = String;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        Ok(item.text(name)?.unwrap_or_else(|| self.0.to_owned()))
    }

    fn value_type(&self) -> ValueType {
        ValueType::Text(LONGEST_TEXT)
    }

    fn may_be_empty(&self) -> bool {
        true
    }

    fn default(&self) -> String {
        quoted(self.0)
    }
}

impl Fallback for Text {
    fn fallback(&self) -> Self::Read {
        self.0.to_owned()
    }
}

/// `address` or `Name <address>`. Its default is said in words.
pub struct MailboxText(pub &'static str);

impl Value for MailboxText {
    type Read = Option<Mailbox>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        item.mailbox(name)
    }

    fn value_type(&self) -> ValueType {
        ValueType::Mailbox
    }

    fn default(&self) -> String {
        self.0.to_owned()
    }
}

impl Fallback for MailboxText {
    fn fallback(&self) -> Self::Read {
        None
    }
}

/// Texts.
pub struct List;

impl Value for List {
    type Read = Vec<String>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        Ok(item.list(name)?.unwrap_or_default())
    }

    fn value_type(&self) -> ValueType {
        ValueType::List
    }

    fn default(&self) -> String {
        String::new()
    }
}

impl Fallback for List {
    fn fallback(&self) -> Self::Read {
        Vec::new()
    }
}

/// Tags: texts, each of which may hold several with commas between. The default is one tag.
pub struct Tags(pub &'static str);

impl Value for Tags {
    type Read = Vec<String>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        let Some(texts) = item.list(name)? else { return Ok(self.fallback()) };
        let parts = texts.iter().flat_map(|text| text.split(','));
        Ok(parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    }

    fn value_type(&self) -> ValueType {
        ValueType::List
    }

    fn default(&self) -> String {
        quoted(self.0)
    }

    fn may_be_empty(&self) -> bool {
        true
    }
}

impl Fallback for Tags {
    fn fallback(&self) -> Self::Read {
        vec![self.0.to_owned()]
    }
}

/// Mail domains, as customers' domains are compared. They may begin with `@` and end with a dot.
/// What is not a domain (a URL, an address, a pattern) is a fault: it would match nobody, and
/// colleagues would be surveyed.
pub struct Domains;

impl Value for Domains {
    type Read = Vec<String>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        let domain = |text: String| {
            let text = text.strip_prefix('@').unwrap_or(&text);
            let address = Address::parse(&format!("x@{}", text.strip_suffix('.').unwrap_or(text)));
            address.map(|address| address.domain().to_owned()).ok_or_else(|| item.fault(name))
        };
        item.list(name)?.unwrap_or_default().into_iter().map(domain).collect()
    }

    fn value_type(&self) -> ValueType {
        ValueType::Domains
    }

    fn default(&self) -> String {
        String::new()
    }
}

impl Fallback for Domains {
    fn fallback(&self) -> Self::Read {
        Vec::new()
    }
}

/// A BCP 47 tag, with a default. Empty text means no language.
pub struct Language(pub &'static str);

impl Value for Language {
    type Read = Option<LanguageTag>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        match item.text(name)?.as_deref() {
            None => Ok(self.fallback()),
            Some("") => Ok(None),
            Some(tag) => LanguageTag::parse(tag).map(Some).ok_or_else(|| item.fault(name)),
        }
    }

    fn value_type(&self) -> ValueType {
        ValueType::Language
    }

    fn may_be_empty(&self) -> bool {
        true
    }

    fn default(&self) -> String {
        quoted(self.0)
    }
}

impl Fallback for Language {
    fn fallback(&self) -> Self::Read {
        LanguageTag::parse(self.0)
    }
}

/// A colour of the branding. A text that is not a colour is a warning.
pub struct ColourText(pub &'static str);

impl Value for ColourText {
    type Read = Option<Colour>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        let text = item.words(name)?;
        text.map(|text| Colour::parse(&text).ok_or_else(|| item.warning(name))).transpose()
    }

    fn value_type(&self) -> ValueType {
        ValueType::Colour
    }

    fn default(&self) -> String {
        self.0.to_owned()
    }
}

impl Fallback for ColourText {
    fn fallback(&self) -> Self::Read {
        None
    }
}

/// The URL of a picture or page. A text that is not such a URL is a warning.
pub struct WebUrl(pub Words);

impl Value for WebUrl {
    type Read = Option<String>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        match self.0.read(item, name)? {
            Some(text) if web_url(&text).is_none() => Err(item.warning(name)),
            text => Ok(text),
        }
    }

    fn value_type(&self) -> ValueType {
        ValueType::WebUrl
    }

    fn default(&self) -> String {
        self.0.default()
    }
}

impl Fallback for WebUrl {
    fn fallback(&self) -> Self::Read {
        None
    }
}
