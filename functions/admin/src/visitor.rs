//! Who visits: by HTTP Basic, for scripts, or by the cookie of a session, for browsers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use links::{SessionToken, TokenSecrets};
use policy::{AdminKey, Item, KeyItem, Role};
use store::StoreError;

use crate::admin::Admin;
use crate::error::AdminError;
use crate::form::Form;

/// The session's cookie.
pub(crate) const COOKIE: &str = "afterword_admin";
/// How long a session lasts.
pub(crate) const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// The form field that carries the session's token.
pub(crate) const FORM_TOKEN: &str = "form_token";
/// Characters of a name in the audit trail at most.
const LONGEST_NAME: usize = 80;

/// A person with an admin key.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// As given at sign-in, for the audit trail.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// SHA-256 of the key, in hex.
    pub(crate) key: String,
    /// The last day on which the key's use was noted.
    pub(crate) last_used: Option<Date>,
    /// The session, if it is a browser's.
    session: Option<SessionToken>,
}

/// Why nobody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// None were sent, or a session that is over: a browser is led to the sign-in page.
    Missing,
    /// They are wrong.
    Wrong,
}

impl Visitor {
    /// Whether the key may change anything.
    pub(crate) fn may_change(&self) -> bool {
        self.role == Role::Admin
    }

    /// Ends the session, if it is a browser's: its cookie opens nothing any more.
    pub(crate) async fn sign_out(&self, admin: &Admin) -> Result<(), StoreError> {
        let Some(session) = &self.session else { return Ok(()) };
        let until = policy::saturating_add(session.signed_in_at, SESSION);
        admin.store.end_session(&session.digest(), until).await
    }

    /// What every form of this session carries; empty for HTTP Basic, which needs none.
    pub(crate) fn form_token(&self, secrets: &TokenSecrets) -> String {
        self.session.as_ref().map(|session| secrets.seal_form(session)).unwrap_or_default()
    }

    /// # Errors
    /// [`AdminError::FormToken`] if the form was not written for this session.
    pub(crate) fn require_form_token(
        &self,
        secrets: &TokenSecrets,
        form: &Form,
    ) -> Result<(), AdminError> {
        match &self.session {
            None => Ok(()),
            Some(session) if secrets.opens_form(form.text(FORM_TOKEN), session) => Ok(()),
            Some(_) => Err(AdminError::FormToken),
        }
    }
}

/// The visitor of a request. The key is read anew each time: one that was revoked opens nothing,
/// and its sessions end with it.
pub(crate) async fn find(
    admin: &Admin,
    request: &Request,
    now: Timestamp,
) -> Result<Result<Visitor, Credentials>, StoreError> {
    if let Some(authorization) = request.headers().get("authorization") {
        let Some((name, key)) = basic(authorization.as_bytes()) else {
            return Ok(Err(Credentials::Wrong));
        };
        let digest = intake::digest(key.as_bytes());
        return Ok(match key_of(admin, &digest).await? {
            Some((key, role)) => {
                let name = shown_name(&name);
                let last_used = key.last_used;
                Ok(Visitor { name, role, key: digest, last_used, session: None })
            }
            None => {
                tracing::warn!("an admin page was called with a wrong key");
                Err(Credentials::Wrong)
            }
        });
    }
    let Some(session) = cookie(request).and_then(|cookie| admin.secrets.open_session(&cookie))
    else {
        return Ok(Err(Credentials::Missing));
    };
    let age = now.duration_since(session.signed_in_at);
    if age.is_negative() && age.abs() > SignedDuration::from_mins(5) || age >= SESSION {
        return Ok(Err(Credentials::Missing));
    }
    let digest = session.digest();
    let ended = admin.store.session_was_ended(&digest);
    let (key, ended) = tokio::try_join!(key_of(admin, &session.key), ended)?;
    Ok(match key {
        Some((key, role)) if !ended => Ok(Visitor {
            name: session.name.clone(),
            role,
            key: session.key.clone(),
            last_used: key.last_used,
            session: Some(session),
        }),
        _ => Err(Credentials::Missing),
    })
}

/// The admin key with this digest, and what it may do on the pages; `None` if it is unknown,
/// revoked, or for something else.
pub(crate) async fn key_of(
    admin: &Admin,
    digest: &str,
) -> Result<Option<(AdminKey, Role)>, StoreError> {
    let item = admin.store.config_item("key", digest).await?;
    Ok(match item.map(|item| KeyItem::read(&Item::new(&item.attributes))) {
        Some(KeyItem::Admin(key)) => key.role.map(|role| (key, role)),
        _ => None,
    })
}

/// What a person may be called: one line, not too long.
pub(crate) fn shown_name(name: &str) -> String {
    let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    match line.as_str() {
        "" => "(no name)".to_owned(),
        // The name stands on pages and in the audit trail, where no key may stand.
        _ if looks_like_a_key(&line) => "(a key in place of a name)".to_owned(),
        _ => line,
    }
}

/// Whether a text that everybody may read holds a key.
pub(crate) fn looks_like_a_key(text: &str) -> bool {
    ["aw_test_", "aw_live_", "aw_admin_"].iter().any(|start| text.contains(start))
}

fn cookie(request: &Request) -> Option<String> {
    let cookies = request.headers().get_all("cookie").into_iter();
    let texts = cookies.filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';'));
    let found = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut ours = found.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
    ours.next()
}

pub(crate) fn basic(authorization: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(authorization).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, key) = decoded.split_once(':')?;
    Some((name.to_owned(), key.trim().to_owned()))
}
