//! The signed links of a survey mail, `/s/TOKEN` and `/u/TOKEN`, and the [`Subject`]: the pseudonym
//! of a customer that both the tokens and the suppression table use.
//!
//! A token is `base64url(version ‖ kind ‖ payload ‖ mac)`. It contains no address. Opening a token
//! that was changed, guessed or made elsewhere gives `None` and no reason, so that its holder
//! learns nothing. The `mac` is HMAC-SHA-256 over everything before it, cut to 16 bytes. Its secret
//! is versioned ([`TokenSecrets`]): it can be rotated, and links in mails that were sent before
//! keep working.
//!
//! **Invariant:** no I/O; secrets have a redacting `Debug`.

mod session;
mod subject;
mod token;

pub use session::{SendBoxToken, SessionToken};
pub use subject::{Subject, SubjectSecret};
pub use token::{SecretError, SurveyToken, TokenSecrets, UnsubscribeToken};

use ::hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

/// Starts a MAC under `key`.
///
/// It panics rather than go on with a substitute key: under that, all customers would share one
/// subject, and anybody could sign a link. HMAC takes keys of any length, so it never does.
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// SHA-256 in hex, cut to 128 bits: tells contents apart.
pub fn fingerprint(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the links of a mail: the public URL of the survey pages, and the secrets that sign.
#[derive(Clone, Debug)]
pub struct Links {
    base: String,
    secrets: TokenSecrets,
}

/// The base URL of the links cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("SURVEY_URL must be an http or https URL without `?`, `#`, comma, quote or angle bracket")]
pub struct BaseUrlError;

impl Links {
    /// `base` is the public URL of the API, with or without slashes at its end.
    ///
    /// # Errors
    /// If a link that starts with `base` could not stand in a mail and its headers.
    pub fn new(base: &str, secrets: TokenSecrets) -> Result<Self, BaseUrlError> {
        let base = base.trim().trim_end_matches('/');
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let usable = |rest: &str| {
            !rest.is_empty()
                && !rest.starts_with(['/', ':'])
                && rest.bytes().all(|b| b.is_ascii_graphic() && !b"?#,<>\"'".contains(&b))
        };
        rest.filter(|rest| usable(rest)).ok_or(BaseUrlError)?;
        Ok(Self { base: base.to_owned(), secrets })
    }

    /// The link to a page of the admin pages: `path` starts with `/admin`, and is ASCII.
    pub fn admin(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The link to the survey of a request.
    pub fn survey(&self, token: &SurveyToken) -> String {
        format!("{}/s/{}", self.base, self.secrets.seal_survey(token))
    }

    /// The link to the page that unsubscribes, which is also the target of RFC 8058's one-click.
    pub fn unsubscribe(&self, token: &UnsubscribeToken) -> String {
        format!("{}/u/{}", self.base, self.secrets.seal_unsubscribe(token))
    }
}
