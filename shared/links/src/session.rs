//! The tokens of the admin pages: a session's cookie, the token of its forms, and the link of a
//! send box.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::TokenSecrets;

const SESSION: u8 = b'a';
const FORM: u8 = b'f';
const SEND_BOX: u8 = b'b';

/// Who is signed in, by which key, and since when. It is signed, not encrypted: it holds the digest
/// of the key, not the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken {
    /// As typed at sign-in, for the audit trail.
    pub name: String,
    /// SHA-256 of the admin key, in hex.
    pub key: String,
    /// When the session began.
    pub signed_in_at: Timestamp,
}

/// The link of an agent's send box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendBoxToken {
    /// The agent's e-mail, in lower case.
    pub employee: String,
    /// How often the link was renewed: an older number opens nothing.
    pub renewed: u32,
}

impl SessionToken {
    /// By what a session is remembered that was ended: SHA-256, in hex.
    pub fn digest(&self) -> String {
        Sha256::digest(self.payload()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn payload(&self) -> Vec<u8> {
        let at = self.signed_in_at.as_millisecond();
        format!("{at}\n{}\n{}", self.key, self.name).into_bytes()
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(payload).ok()?.splitn(3, '\n');
        let signed_in_at = Timestamp::from_millisecond(lines.next()?.parse().ok()?).ok()?;
        let (key, name) = (lines.next()?.to_owned(), lines.next()?.to_owned());
        Some(Self { name, key, signed_in_at })
    }
}

impl TokenSecrets {
    /// The cookie of a session.
    pub fn seal_session(&self, session: &SessionToken) -> String {
        self.seal(SESSION, &session.payload())
    }

    /// Opens a session's cookie; `None` for anything that we did not make. Whoever opens it still
    /// has to look at the time and at the key.
    pub fn open_session(&self, token: &str) -> Option<SessionToken> {
        SessionToken::read(&self.open(SESSION, token)?)
    }

    /// What the forms of this session carry. It opens no session by itself.
    pub fn seal_form(&self, session: &SessionToken) -> String {
        self.seal(FORM, &Sha256::digest(session.payload()))
    }

    /// Whether a form was written for this session.
    pub fn opens_form(&self, token: &str, session: &SessionToken) -> bool {
        self.open(FORM, token)
            .is_some_and(|payload| payload == Sha256::digest(session.payload()).as_slice())
    }

    /// The last part of `/send/TOKEN`.
    pub fn seal_send_box(&self, token: &SendBoxToken) -> String {
        self.seal(SEND_BOX, format!("{}\n{}", token.renewed, token.employee).as_bytes())
    }

    /// Opens the link of a send box; `None` for anything that we did not make.
    pub fn open_send_box(&self, token: &str) -> Option<SendBoxToken> {
        let payload = self.open(SEND_BOX, token)?;
        let (renewed, employee) = std::str::from_utf8(&payload).ok()?.split_once('\n')?;
        Some(SendBoxToken { employee: employee.to_owned(), renewed: renewed.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_opens_its_own_and_nothing_else() {
        let secrets = TokenSecrets::parse("v1:0123456789abcdef").unwrap();
        let signed_in_at = Timestamp::from_millisecond(1_770_000_000_123).unwrap();
        let session = SessionToken { name: "Ann\nB".into(), key: "ab12".into(), signed_in_at };
        let cookie = secrets.seal_session(&session);
        assert_eq!(secrets.open_session(&cookie), Some(session.clone()));
        let form = secrets.seal_form(&session);
        assert!(secrets.opens_form(&form, &session));
        let other = SessionToken { name: "Eve".into(), ..session.clone() };
        assert!(!secrets.opens_form(&form, &other) && !secrets.opens_form(&cookie, &session));
        assert_eq!(secrets.open_session(&form), None);
        let mut changed = cookie.into_bytes();
        changed[9] ^= 1;
        assert_eq!(secrets.open_session(&String::from_utf8(changed).unwrap()), None);
        let send_box = SendBoxToken { employee: "paul@a.example".into(), renewed: 2 };
        let link = secrets.seal_send_box(&send_box);
        assert_eq!(secrets.open_send_box(&link), Some(send_box));
        assert_eq!(secrets.open_session(&link), None);
    }
}
