//! The request that every source's body becomes.
//!
//! [`SurveyRequest`] and its parts are what this crate hands on. Their values are trimmed and
//! within the limits that stand here, so that no later step has to check them again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::malformed::Malformed;
use crate::pointer::MAX_POINTER;
use crate::{Address, LanguageTag, tag_search, text};

/// The system that says that an interaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Any system that calls `POST /v1/requests`.
    Requests,
    /// A Zendesk trigger.
    Zendesk,
    /// A Freshdesk automation rule, or `/v1/auth` without Zendesk's headers.
    Freshdesk,
    /// Gladly's webhook, which carries only ids.
    Gladly,
    /// A Gorgias HTTP integration.
    Gorgias,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 5] =
        [Self::Requests, Self::Zendesk, Self::Freshdesk, Self::Gladly, Self::Gorgias];

    /// The source with this name. `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// The name in rows, settings (`dedupe_minutes`) and replies.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Requests => "requests",
            Source::Zendesk => "zendesk",
            Source::Freshdesk => "freshdesk",
            Source::Gladly => "gladly",
            Source::Gorgias => "gorgias",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request to survey one customer about one interaction with one employee.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyRequest {
    /// The system that sent it.
    pub source: Source,
    /// The helpdesk's own id of the interaction. It need not be unique: it can be an order number.
    pub ext_interaction_id: Option<String>,
    /// The name of the channel as sent, trimmed and never empty. `policy` compares it with the
    /// channels and their aliases, without case.
    pub channel: String,
    /// Who is asked.
    pub customer: Customer,
    /// The employee whom the survey is about. `None` if the interaction had no agent.
    pub employee: Option<EmployeeRef>,
    /// Whether the sender wants no survey to be sent.
    pub do_not_send: bool,
    /// The brand's signifier or display name, as sent.
    pub brand: Option<Brand>,
    /// The language, as sent and as understood.
    pub language: Option<Language>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<Country>,
    /// Link to the ticket, with a scheme.
    pub external_url: Option<String>,
    /// At most [`SurveyRequest::MAX_TAGS`], each at most [`SurveyRequest::MAX_VALUE`] characters.
    pub tags: Vec<String>,
    /// Other texts in which a do-not-send tag counts: tags beyond a limit, the whole text of a tag
    /// that was cut, and texts that were split or could not be read. They are neither stored nor
    /// shown in the reply.
    pub surplus_tags: Vec<String>,
    /// The ticket's status as the helpdesk wrote it, trimmed. `None` if the body has none: then the
    /// helpdesk's rule has decided that the ticket is closed.
    pub status: Option<String>,
    /// One level of strings. A value has at most [`SurveyRequest::MAX_VALUE`] characters.
    pub custom_properties: BTreeMap<String, String>,
    /// What this crate changed. The reply lists it.
    pub notes: Vec<Note>,
}

impl SurveyRequest {
    /// The most tags that are kept (docs/facts.md, Vendor 1).
    pub const MAX_TAGS: usize = 20;
    /// The most characters (Unicode scalar values) that are kept of a value (docs/facts.md,
    /// Vendor 1).
    pub const MAX_VALUE: usize = 2_000;
    /// The most bytes that are kept of an identifier: channel, brand, language, status, the ids,
    /// the employee's e-mail. It is DynamoDB's limit of a sort key.
    pub const MAX_ID: usize = 1_024;
    /// The most that tags and custom properties may weigh together: the bytes of their names and
    /// values, and [`SurveyRequest::ENTRY_WEIGHT`] for each.
    pub const MAX_WEIGHT: usize = 96 * 1_024;
    /// Bytes that are counted for each tag or property besides its text. DynamoDB counts one for
    /// an entry of a list or map; the rest is reserve.
    pub const ENTRY_WEIGHT: usize = 8;
    /// The most notes that are kept.
    pub const MAX_NOTES: usize = Malformed::MAX_PLACES;
    /// The most bytes that a request can take in DynamoDB, in the form that `store` keeps of it
    /// (`store/tests/weight.rs`). DynamoDB counts the UTF-8 of names and values, 3 for a list or
    /// map and 1 for each of its entries. `status` is not kept.
    pub const MAX_STORED: usize = {
        // Channel, brand, language, the employee's e-mail, and the ids of the interaction, the
        // customer and the employee.
        let ids = 7 * Self::MAX_ID;
        // The customer's name and address, and the link. A character has up to four bytes.
        let values = 3 * 4 * Self::MAX_VALUE;
        // A note is a map with `note` and `pointer`.
        let notes = Self::MAX_NOTES * (MAX_POINTER + 48);
        // The names of the fields, the country, booleans, the scheme of the link.
        let fixed = 1_024;
        Self::MAX_WEIGHT + ids + values + notes + fixed
    };

    /// The weight of tags and custom properties, see [`SurveyRequest::MAX_WEIGHT`].
    pub fn weight(&self) -> usize {
        let tags = self.tags.iter().map(|tag| entry_weight("", tag));
        let properties =
            self.custom_properties.iter().map(|(name, value)| entry_weight(name, value));
        tags.chain(properties).sum()
    }

    /// Whether the interaction has this tag: whether one of the texts that came for tags contains
    /// it as a whole word. Case does not matter.
    ///
    /// A longer word is another tag: `…-send-2` is not `…-send`. The search covers whole texts,
    /// since templates render tags in more shapes than can be told apart. A wrong yes only leaves
    /// out a survey, while a wrong no would send one that the customer declined.
    pub fn has_tag(&self, tag: &str) -> bool {
        tag_search::has_tag(self.tags.iter().chain(&self.surplus_tags).map(String::as_str), tag)
    }
}

/// The weight of one custom property, or of one tag with an empty `name`.
pub(crate) fn entry_weight(name: &str, value: &str) -> usize {
    name.len() + value.len() + SurveyRequest::ENTRY_WEIGHT
}

/// A brand as the sender names it: its signifier or its display name.
pub type Brand = String;
/// ISO 3166-1 alpha-2 code in upper case.
pub type Country = String;

/// The person who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Display name: untrusted text of at most [`SurveyRequest::MAX_VALUE`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sender's own id of the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Where the mail goes.
    pub address: CustomerAddress,
}

/// What the sender gave as the customer's address.
///
/// Serde names the case (`"missing"`, `{"malformed": text}`, `{"valid": text}`), so that a text
/// that was malformed when it arrived is never read back as an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerAddress {
    /// No address: absent, empty, `"no_email"`, `"None"` or `"null"`.
    Missing,
    /// A text that a mail cannot be sent to: one line of at most [`SurveyRequest::MAX_VALUE`]
    /// characters.
    Malformed(String),
    /// An address that a mail can be sent to.
    Valid(Address),
}

impl CustomerAddress {
    /// The address, if a mail can be sent to it.
    pub fn valid(&self) -> Option<&Address> {
        match self {
            CustomerAddress::Valid(address) => Some(address),
            _ => None,
        }
    }
}

/// How to find the employee: by e-mail, by custom id, or by both, the e-mail first.
///
/// Serde reads it through [`EmployeeRef::new`]: one that names nobody is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct EmployeeRef {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<String>,
}

/// The fields of an [`EmployeeRef`] as they were stored.
#[derive(Deserialize)]
struct Unchecked {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    custom_id: Option<String>,
}

impl TryFrom<Unchecked> for EmployeeRef {
    type Error = &'static str;

    fn try_from(stored: Unchecked) -> Result<Self, Self::Error> {
        Self::new(stored.email.as_deref(), stored.custom_id.as_deref())
            .ok_or("an employee needs an email or a custom_id")
    }
}

impl EmployeeRef {
    /// Trims both texts, puts the e-mail into lower case, and cuts both at
    /// [`SurveyRequest::MAX_ID`] bytes, since a letter may take more bytes in lower case. `None` if
    /// both are empty.
    pub fn new(email: Option<&str>, custom_id: Option<&str>) -> Option<Self> {
        let present =
            |s: Option<&str>| s.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
        let cut =
            |s: String| text::cut_bytes(&s, SurveyRequest::MAX_ID).map(str::to_owned).unwrap_or(s);
        let (email, custom_id) =
            (present(email).map(|e| cut(e.to_lowercase())), present(custom_id).map(cut));
        (email.is_some() || custom_id.is_some()).then_some(Self { email, custom_id })
    }

    /// The e-mail in lower case. It need not be well-formed, since it is only compared.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The company's own id of the employee.
    pub fn custom_id(&self) -> Option<&str> {
        self.custom_id.as_deref()
    }
}

/// A language as sent, and as understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// The text that was sent, trimmed.
    pub given: String,
    /// The BCP 47 tag that it means. `None` if the text is not a spelling that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<LanguageTag>,
}

/// A change that this crate made to a body. The reply lists it. Pointers are RFC 6901.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A value was cut at [`SurveyRequest::MAX_VALUE`] characters, an identifier at
    /// [`SurveyRequest::MAX_ID`] bytes.
    Truncated {
        /// Which value.
        pointer: String,
    },
    /// A value was left out: a nested property, a link that is not a web link, or a value beyond
    /// [`SurveyRequest::MAX_WEIGHT`]. If the pointer names a tag, that tag and perhaps later ones;
    /// if it names the list of tags, some at its end.
    Dropped {
        /// Which value.
        pointer: String,
    },
    /// A value was neither yes nor no, and the safer of the two was assumed.
    Assumed {
        /// Which value.
        pointer: String,
    },
    /// A value that the template engine had broken was repaired.
    Repaired {
        /// Which value was repaired. The root of the object if only punctuation was wrong.
        pointer: String,
    },
}
