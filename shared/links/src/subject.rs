//! The pseudonym under which the suppression table keeps what it knows about a customer.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;

use crate::hmac;

/// HMAC-SHA-256 of something that identifies a person or a delivery, under the secret that is never
/// rotated.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject([u8; 32]);

impl Subject {
    /// 43 characters of base64url: the partition key in the suppression table.
    pub fn as_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads [`Subject::as_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Shows the first 8 characters: enough to tell rows apart in a log.
impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({}…)", self.as_text().get(..8).unwrap_or_default())
    }
}

/// `SUBJECT_SECRET`: never rotated, and retained with the tables, since every suppression row is
/// keyed by it.
#[derive(Clone)]
pub struct SubjectSecret(Vec<u8>);

impl SubjectSecret {
    /// Any text; the template generates 64 characters.
    pub fn new(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }

    /// The subject of a normalised address (`normalize::Address::canonical`).
    pub fn of_address(&self, canonical: &str) -> Subject {
        self.keyed("address", &[canonical])
    }

    /// The partition of a de-duplication marker. Each part is hashed with its length, so that two
    /// different lists of parts never give the same subject.
    pub fn of_marker(&self, parts: &[&str]) -> Subject {
        self.keyed("marker", parts)
    }

    /// 16 hexadecimal digits that tell two secrets apart and reveal neither: the beginning of the
    /// HMAC of nothing, in a domain of its own.
    pub fn fingerprint(&self) -> String {
        let Subject(mac) = self.keyed("fingerprint", &[]);
        mac.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn keyed(&self, domain: &str, parts: &[&str]) -> Subject {
        let mut mac = hmac(&self.0);
        for part in std::iter::once(&domain).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Subject(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for SubjectSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // HMAC pads secrets shorter than 64 bytes and hashes longer ones: both lengths occur.
        #[test]
        fn two_customers_have_two_subjects_under_any_secret(
            secret in ".{0,200}",
            one in ".{0,40}",
            other in ".{0,40}",
        ) {
            let secret = SubjectSecret::new(&secret);
            prop_assert_eq!(secret.of_address(&one) == secret.of_address(&other), one == other);
            prop_assert_ne!(secret.of_address(&one), secret.of_marker(&[&one]));
            prop_assert_ne!(secret.of_address(&one), Subject([0; 32]));
        }

        #[test]
        fn two_secrets_have_two_fingerprints(one in ".{0,100}", other in ".{0,100}") {
            let of = |secret: &str| SubjectSecret::new(secret).fingerprint();
            // HMAC pads short keys with zeros.
            let [bare, other_bare] = [&one, &other].map(|text| text.trim_end_matches('\0'));
            prop_assert_eq!(of(&one) == of(&other), bare == other_bare);
            prop_assert_eq!(of(&one).len(), 16);
        }
    }
}
