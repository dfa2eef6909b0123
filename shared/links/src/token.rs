//! Tokens: what they contain, and how they are sealed and opened.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use policy::Mode;
use sha2::Sha256;
use uuid::Uuid;

use crate::{Subject, hmac};

const SURVEY: u8 = b's';
const UNSUBSCRIBE: u8 = b'u';
const MAC: usize = 16;
/// Characters. No token of ours is as long; a longer text is refused before it is decoded.
const LONGEST: usize = 2_048;

/// The content of `/s/TOKEN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyToken {
    /// The request that the mail belongs to.
    pub request_id: Uuid,
}

/// The content of `/u/TOKEN`. It contains the subject itself, so that the link works after the
/// request's row has expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsubscribeToken {
    /// Who unsubscribes.
    pub subject: Subject,
    /// Whether a test key caused the mail: then the link stores nothing.
    pub mode: Mode,
    /// Language of the page.
    pub language: String,
    /// Signifier of the mail's brand, for unsubscribing from that brand alone. Empty if the mail
    /// has no brand.
    pub brand: String,
}

/// `TOKEN_SECRETS` could not be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "TOKEN_SECRETS must be like `v2:SECRET,v1:SECRET`, with versions from 1 to 255 and secrets of \
     at least 16 characters"
)]
pub struct SecretError;

/// The secrets of tokens: the newest signs, and each of them verifies.
#[derive(Clone)]
pub struct TokenSecrets {
    newest: Secret,
    older: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    version: u8,
    key: Vec<u8>,
}

impl TokenSecrets {
    /// Reads `v2:SECRET,v1:SECRET`, the newest first.
    ///
    /// # Errors
    /// If the text is empty, or a version or a secret in it cannot be used.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let one = |part: &str| {
            let (version, secret) = part.trim().strip_prefix('v')?.split_once(':')?;
            let version = version.parse::<u8>().ok().filter(|v| *v > 0)?;
            (secret.len() >= 16).then(|| Secret { version, key: secret.as_bytes().to_vec() })
        };
        let mut secrets = text.split(',').map(|part| one(part).ok_or(SecretError));
        let newest = secrets.next().ok_or(SecretError)??;
        Ok(Self { newest, older: secrets.collect::<Result<_, _>>()? })
    }

    fn all(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    pub(crate) fn seal_survey(&self, token: &SurveyToken) -> String {
        self.seal(SURVEY, token.request_id.as_bytes())
    }

    pub(crate) fn seal_unsubscribe(&self, token: &UnsubscribeToken) -> String {
        let mut payload = token.subject.as_bytes().to_vec();
        payload.push(match token.mode {
            Mode::Test => 0,
            Mode::Live => 1,
        });
        payload.extend_from_slice(token.language.as_bytes());
        payload.push(0);
        payload.extend_from_slice(token.brand.as_bytes());
        self.seal(UNSUBSCRIBE, &payload)
    }

    /// Opens the token of a survey link; `None` for a text that we did not seal.
    pub fn open_survey(&self, token: &str) -> Option<SurveyToken> {
        let payload = self.open(SURVEY, token)?;
        Some(SurveyToken { request_id: Uuid::from_slice(&payload).ok()? })
    }

    /// Opens the token of an unsubscribe link; `None` for a text that we did not seal.
    pub fn open_unsubscribe(&self, token: &str) -> Option<UnsubscribeToken> {
        let payload = self.open(UNSUBSCRIBE, token)?;
        let (subject, rest) = payload.split_first_chunk::<32>()?;
        let (mode, texts) = rest.split_first()?;
        let (language, brand) = std::str::from_utf8(texts).ok()?.split_once('\0')?;
        Some(UnsubscribeToken {
            subject: Subject::from_bytes(*subject),
            mode: if *mode == 1 { Mode::Live } else { Mode::Test },
            language: language.to_owned(),
            brand: brand.to_owned(),
        })
    }

    pub(crate) fn seal(&self, kind: u8, payload: &[u8]) -> String {
        let mut bytes = vec![self.newest.version, kind];
        bytes.extend_from_slice(payload);
        let mac: [u8; 32] = self.newest.mac(&bytes).finalize().into_bytes().into();
        bytes.extend_from_slice(&mac[..MAC]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn open(&self, kind: u8, token: &str) -> Option<Vec<u8>> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        let version = signed.first()?;
        let secret = self.all().find(|secret| secret.version == *version)?;
        // Compared in constant time. The MAC covers the kind, so that a survey token opens no
        // unsubscribe page, nor the reverse.
        secret.mac(signed).verify_truncated_left(mac).ok()?;
        let (head, payload) = signed.split_first_chunk::<2>()?;
        (head[1] == kind).then(|| payload.to_vec())
    }
}

impl Secret {
    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        hmac(&self.key).chain_update(signed)
    }
}

impl fmt::Debug for TokenSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|secret| format!("v{}:…", secret.version))).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BaseUrlError, Links, SubjectSecret};

    fn secrets(text: &str) -> TokenSecrets {
        TokenSecrets::parse(text).unwrap()
    }

    fn survey() -> SurveyToken {
        SurveyToken { request_id: Uuid::from_u128(7) }
    }

    fn unsubscribe() -> UnsubscribeToken {
        let subject = SubjectSecret::new("secret").of_address("jane@example.com");
        UnsubscribeToken {
            subject,
            mode: Mode::Live,
            language: "pt-BR".into(),
            brand: "blancakids".into(),
        }
    }

    #[test]
    fn a_sealed_token_opens_for_its_own_page_only() {
        let secrets = secrets("v1:0123456789abcdef");
        let (s, u) = (secrets.seal_survey(&survey()), secrets.seal_unsubscribe(&unsubscribe()));
        assert_eq!(secrets.open_survey(&s), Some(survey()));
        assert_eq!(secrets.open_unsubscribe(&u), Some(unsubscribe()));
        assert_eq!((secrets.open_survey(&u), secrets.open_unsubscribe(&s)), (None, None));
        assert!(s.len() < 64 && u.len() < 128);
    }

    #[test]
    fn old_links_work_after_a_rotation_until_their_secret_is_removed() {
        let old = secrets("v1:0123456789abcdef").seal_survey(&survey());
        assert_eq!(
            secrets("v2:fedcba9876543210,v1:0123456789abcdef").open_survey(&old),
            Some(survey())
        );
        assert_eq!(secrets("v2:fedcba9876543210").open_survey(&old), None);
        assert_eq!(secrets("v1:fedcba9876543210").open_survey(&old), None);
    }

    #[test]
    fn secrets_that_cannot_be_read_are_an_error() {
        for bad in [
            "",
            "v1:short",
            "1:0123456789abcdef",
            "v0:0123456789abcdef",
            "v256:0123456789abcdef",
            "v1:0123456789abcdef,",
        ] {
            assert_eq!(TokenSecrets::parse(bad).err(), Some(SecretError), "{bad}");
        }
        assert_eq!(format!("{:?}", secrets("v1:0123456789abcdef")), r#"["v1:…"]"#);
    }

    #[test]
    fn a_base_url_may_end_in_a_slash() {
        let secrets = secrets("v1:0123456789abcdef");
        let sealed = secrets.seal_survey(&survey());
        for base in ["https://x.example", "https://x.example/ ", "https://x.example//"] {
            let links = Links::new(base, secrets.clone()).unwrap();
            assert_eq!(links.survey(&survey()), format!("https://x.example/s/{sealed}"), "{base}");
        }
    }

    #[test]
    fn a_base_url_that_no_mail_can_carry_is_an_error() {
        for bad in [
            "",
            "x.example",
            "https://",
            "https:///path",
            "ftp://x.example",
            "https://x.example?a=b",
            "https://x.example/a b",
            "https://x.example,y.example",
            "https://käse.example",
        ] {
            let links = Links::new(bad, secrets("v1:0123456789abcdef"));
            assert_eq!(links.err(), Some(BaseUrlError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_guessed_or_changed_token_opens_nothing(text in ".{0,200}", flip in 0usize..64) {
            let secrets = secrets("v1:0123456789abcdef");
            prop_assert_eq!(secrets.open_survey(&text), None);
            prop_assert_eq!(secrets.open_unsubscribe(&text), None);
            let sealed = secrets.seal_unsubscribe(&unsubscribe());
            let mut bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();
            let at = flip % bytes.len();
            bytes[at] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(secrets.open_unsubscribe(&changed), None);
        }
    }
}
