//! The signed links of a survey mail, `/s/TOKEN` and `/u/TOKEN`, and the [`Subject`]: the pseudonym
//! of a customer that they and the suppression table share.
//!
//! A token is `base64url(version ‖ kind ‖ payload ‖ mac)`. It carries no address, and a changed,
//! guessed or foreign one is simply `None`: whoever holds it learns nothing about why. The `mac` is
//! HMAC-SHA-256 over everything before it, cut to 16 bytes; its secret is versioned
//! ([`TokenSecrets`]), so that it can be rotated while links in sent mails keep working.
//!
//! **Invariant:** no I/O; secrets have a redacting `Debug`.

mod session;
mod subject;
mod token;

pub use session::{SendBoxToken, SessionToken};
pub use subject::{Subject, SubjectSecret};
pub use token::{SecretError, SurveyToken, TokenSecrets, UnsubscribeToken};

use std::fmt;

use ::hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

/// A MAC under `key`. A substitute for one that failed would be the same for everybody: all
/// customers would share one subject, and anybody could sign a link.
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// SHA-256 in hex, cut to 128 bits: tells contents apart.
pub fn fingerprint(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Where the survey pages live, and the links into them.
#[derive(Clone, Debug)]
pub struct SurveyUrl(String);

impl SurveyUrl {
    /// `base` is the public URL of the API, with or without a slash at its end.
    pub fn new(base: &str) -> Self {
        Self(base.trim().trim_end_matches('/').to_owned())
    }

    /// The page that asks.
    pub fn survey(&self, secrets: &TokenSecrets, token: &SurveyToken) -> String {
        format!("{}/s/{}", self.0, secrets.seal_survey(token))
    }

    /// The page, and the one-click target, that unsubscribes.
    pub fn unsubscribe(&self, secrets: &TokenSecrets, token: &UnsubscribeToken) -> String {
        format!("{}/u/{}", self.0, secrets.seal_unsubscribe(token))
    }
}

impl fmt::Display for SurveyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
