//! The one shape that every source is normalised into.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::MAX_POINTER;
use crate::{Address, LanguageTag, Malformed, text};

/// Who told us that an interaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Any system, over `POST /v1/requests`.
    Requests,
    /// A Zendesk trigger.
    Zendesk,
    /// A Freshdesk automation rule, or `/v1/auth` without Zendesk's headers.
    Freshdesk,
    /// Gladly, whose webhook carries ids only.
    Gladly,
    /// A Gorgias HTTP integration.
    Gorgias,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 5] =
        [Self::Requests, Self::Zendesk, Self::Freshdesk, Self::Gladly, Self::Gorgias];

    /// The source with this name.
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
    /// Who sent it.
    pub source: Source,
    /// The helpdesk's own id of the interaction. Need not be unique (an order number, say).
    pub ext_interaction_id: Option<String>,
    /// Channel name as sent, trimmed, never empty; compared without case, and against aliases, in
    /// `policy`.
    pub channel: String,
    /// Whom to ask.
    pub customer: Customer,
    /// About whom to ask; `None` when the interaction had no agent.
    pub employee: Option<EmployeeRef>,
    /// The sender's own wish that no mail goes out.
    pub do_not_send: bool,
    /// Brand signifier or display name, as sent.
    pub brand: Option<Brand>,
    /// Language, as sent and as understood.
    pub language: Option<Language>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<Country>,
    /// Deep link to the ticket, with a scheme.
    pub external_url: Option<String>,
    /// At most [`SurveyRequest::MAX_TAGS`], each at most [`SurveyRequest::MAX_VALUE`] characters.
    pub tags: Vec<String>,
    /// Texts beyond those, neither stored nor told back, in which a do-not-send tag still counts:
    /// tags beyond a limit, the whole of one that was cut, and what was split or could not be read,
    /// as it came.
    pub surplus_tags: Vec<String>,
    /// The ticket's status as the helpdesk wrote it, trimmed. `None` if it sent none: then its own
    /// rule has decided that the ticket is closed.
    pub status: Option<String>,
    /// One level of strings, values at most [`SurveyRequest::MAX_VALUE`] characters.
    pub custom_properties: BTreeMap<String, String>,
    /// What was changed on the way in, to be told in the reply.
    pub notes: Vec<Note>,
}

impl SurveyRequest {
    /// Tags kept of a request (vendor's contract: docs/facts.md, Vendor 1).
    pub const MAX_TAGS: usize = 20;
    /// Characters (Unicode scalar values) kept of a long value (same place).
    pub const MAX_VALUE: usize = 2_000;
    /// Bytes kept of an identifier: channel, brand, language, status, the ids, the employee's
    /// e-mail. DynamoDB's limit of a sort key.
    pub const MAX_ID: usize = 1_024;
    /// What tags and custom properties may weigh together: bytes of names and values, and
    /// [`SurveyRequest::ENTRY_WEIGHT`] for each.
    pub const MAX_WEIGHT: usize = 96 * 1_024;
    /// What DynamoDB asks for an entry of a list or map besides its bytes (one byte), and some
    /// room.
    pub const ENTRY_WEIGHT: usize = 8;
    /// Notes kept at most.
    pub const MAX_NOTES: usize = Malformed::MAX_PLACES;
    /// Bytes that [`crate::echo()`] of a request can take in DynamoDB at most, as it counts them:
    /// UTF-8 of names and values, 3 for a list or map and 1 for each of its entries. `status` is
    /// not in the echo; it takes [`SurveyRequest::MAX_ID`] at most.
    pub const MAX_STORED: usize = {
        // Channel, brand, language, and the ids: of the interaction, the customer, the employee
        // (and their e-mail).
        let ids = 7 * Self::MAX_ID;
        // The customer's name, what they have for an address, and the link: characters of up to
        // four bytes.
        let values = 3 * 4 * Self::MAX_VALUE;
        // A note is a map of `note` and `pointer`.
        let notes = Self::MAX_NOTES * (MAX_POINTER + 48);
        // Names of the fields, country, booleans, a link's scheme.
        let fixed = 1_024;
        Self::MAX_WEIGHT + ids + values + notes + fixed
    };

    /// What tags and custom properties weigh, see [`SurveyRequest::MAX_WEIGHT`].
    pub fn weight(&self) -> usize {
        let tags = self.tags.iter().map(|tag| entry_weight("", tag));
        let properties =
            self.custom_properties.iter().map(|(name, value)| entry_weight(name, value));
        tags.chain(properties).sum()
    }

    /// Whether the interaction has this tag: as a word of its own, without case, anywhere in the
    /// texts that came for tags.
    ///
    /// Templates render tags in more shapes than can be told apart (one text of words, a list of
    /// one text, HTML-escaped Python), and a survey too few is better than one that was declined. A
    /// longer word is another tag: `…-send-2` is not `…-send`.
    pub fn has_tag(&self, tag: &str) -> bool {
        has_tag(self.tags.iter().chain(&self.surplus_tags).map(String::as_str), tag)
    }
}

/// Whether one of these texts holds the tag as a word: see [`SurveyRequest::has_tag`].
pub fn has_tag<'a>(texts: impl IntoIterator<Item = &'a str>, tag: &str) -> bool {
    let tag = text::lower(tag.trim());
    !tag.is_empty()
        && texts.into_iter().any(|given| {
            let escaped = given.contains(['&', '\\']);
            text::has_word(&text::lower(given), &tag)
                || escaped && text::has_word(&text::lower(&text::unescaped(given)), &tag)
        })
}

/// What one tag (without a name) or custom property weighs.
pub(crate) fn entry_weight(name: &str, value: &str) -> usize {
    name.len() + value.len() + SurveyRequest::ENTRY_WEIGHT
}

/// A brand as the sender names it: signifier or display name.
pub type Brand = String;
/// ISO 3166-1 alpha-2 code in upper case.
pub type Country = String;

/// The person to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Display name; untrusted text of at most [`SurveyRequest::MAX_VALUE`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sender's own id of the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Where to ask.
    pub address: CustomerAddress,
}

/// What the sender gave as the customer's address.
///
/// Serde names the case (`"missing"`, `{"malformed": text}`, `{"valid": text}`), so that a text that
/// was malformed when it arrived is never read back as an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerAddress {
    /// None: absent, empty, `"no_email"`, `"None"`, `"null"`.
    Missing,
    /// Something that is no address a mail could go to, as sent.
    Malformed(String),
    /// An address.
    Valid(Address),
}

impl CustomerAddress {
    /// The address, if there is one to mail.
    pub fn valid(&self) -> Option<&Address> {
        match self {
            CustomerAddress::Valid(address) => Some(address),
            _ => None,
        }
    }
}

/// How to find the employee: by e-mail, by custom id, or both (e-mail first).
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
    /// Trims both, lower-cases the e-mail, and cuts both at [`SurveyRequest::MAX_ID`] bytes: a
    /// letter may take more of them in lower case. `None` if neither says anything.
    pub fn new(email: Option<&str>, custom_id: Option<&str>) -> Option<Self> {
        let present =
            |s: Option<&str>| s.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
        let cut =
            |s: String| text::cut_bytes(&s, SurveyRequest::MAX_ID).map(str::to_owned).unwrap_or(s);
        let (email, custom_id) =
            (present(email).map(|e| cut(e.to_lowercase())), present(custom_id).map(cut));
        (email.is_some() || custom_id.is_some()).then_some(Self { email, custom_id })
    }

    /// E-mail in lower case. Not necessarily well-formed: it is only compared.
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
    /// What the sender wrote, trimmed.
    pub given: String,
    /// The BCP 47 tag meant; `None` if nothing that we know spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<LanguageTag>,
}

/// Something that normalisation changed, so that the reply can say so. Pointers are RFC 6901.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A value was cut at [`SurveyRequest::MAX_VALUE`] characters, an identifier at
    /// [`SurveyRequest::MAX_ID`] bytes.
    Truncated {
        /// Which value.
        pointer: String,
    },
    /// A value was left out (a nested property, a link that is none, what is beyond
    /// [`SurveyRequest::MAX_WEIGHT`]). Of tags, this one and all that follow; at the list's own
    /// place, some at its end.
    Dropped {
        /// Which value.
        pointer: String,
    },
    /// A value that says neither yes nor no was taken for the safer of the two.
    Assumed {
        /// Which value.
        pointer: String,
    },
    /// A body that the template engine had broken was mended here.
    Repaired {
        /// Which value was mended.
        pointer: String,
    },
}
