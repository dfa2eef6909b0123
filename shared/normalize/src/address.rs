//! E-mail addresses of customers.
//!
//! In: a text. Out: an [`Address`] that Amazon SES accepts, in the forms that sending, comparing
//! and logging need.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An e-mail address that Amazon SES accepts: an ASCII local part, and a host name in lower case
/// and punycode.
///
/// Serde writes it as one text, [`Address::as_mailbox`], and reads a text through
/// [`Address::parse`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// Parses one address without display name or comment. `None` if a mail cannot be sent to it.
    ///
    /// The domain is put into lower case and punycode. The local part is kept as it is.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // No address is that long, and the time to encode a domain grows with the square of its
        // length.
        if text.len() > 1_024 {
            return None;
        }
        let (local, domain) = text.rsplit_once('@')?;
        let domain = idna::domain_to_ascii_strict(domain).ok()?.to_ascii_lowercase();
        // SES does not support SMTPUTF8, so the local part must be ASCII. Quoted local parts are
        // legal, but no customer has one.
        let plain = local.is_ascii() && !local.contains('"') && domain.contains('.');
        let whole = format!("{local}@{domain}");
        (plain && email_address::EmailAddress::is_valid(&whole))
            .then(|| Self { local: local.to_owned(), domain })
    }

    /// The address as SES takes it: the local part as sent, the domain in punycode.
    pub fn as_mailbox(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The form that suppression and de-duplication compare: in lower case, the domain in punycode,
    /// nothing else changed.
    pub fn canonical(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// The domain in lower case and punycode.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The address for logs, `j***@e***.com`: the first letter of both parts, and the last label.
    pub fn masked(&self) -> String {
        let first = |s: &str| s.chars().next().map(String::from).unwrap_or_default();
        let last = self.domain.rsplit('.').next().unwrap_or_default();
        format!("{}***@{}***.{last}", first(&self.local), first(&self.domain))
    }
}

/// Shows the masked form, so that no address gets into a log by accident.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.as_mailbox()
    }
}

/// The text is not an address that a mail could go to. The text itself is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnAddress;

impl TryFrom<String> for Address {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::parse(&text).ok_or(NotAnAddress)
    }
}
