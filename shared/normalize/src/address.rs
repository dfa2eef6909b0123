//! Addresses that a survey mail can go to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An e-mail address that Amazon SES accepts: 7-bit local part, host name (kept as sent, and in
/// punycode for sending and comparing).
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
    /// Parses one bare address (no display name, no comment). `None` if a mail could not go there.
    ///
    /// The domain is lower-cased and put into punycode; the local part is kept as it is.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // Far beyond what any address has: encoding a long domain takes the square of its length.
        if text.len() > 1_024 {
            return None;
        }
        let (local, domain) = text.rsplit_once('@')?;
        let domain = idna::domain_to_ascii_strict(domain).ok()?.to_ascii_lowercase();
        // SES: local part 7-bit only, no SMTPUTF8. Quoted local parts are legal and never a
        // customer's.
        let plain = local.is_ascii() && !local.contains('"') && domain.contains('.');
        let whole = format!("{local}@{domain}");
        (plain && email_address::EmailAddress::is_valid(&whole))
            .then(|| Self { local: local.to_owned(), domain })
    }

    /// The address to hand to SES: local part as sent, domain in punycode.
    pub fn as_mailbox(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The form that suppression and de-duplication compare: lower case, punycode domain, no other
    /// folding.
    pub fn canonical(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// Domain in lower case and punycode.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `j***@e***.com`, for logs: the first letter of each part and the last label.
    pub fn masked(&self) -> String {
        let first = |s: &str| s.chars().next().map(String::from).unwrap_or_default();
        let last = self.domain.rsplit('.').next().unwrap_or_default();
        format!("{}***@{}***.{last}", first(&self.local), first(&self.domain))
    }
}

/// Masked: an address never reaches a log line by accident.
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
