//! Size and key: what every request has to pass before its body is looked at.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use lambda_http::http::HeaderMap;
use lambda_http::{Request, RequestExt};
use policy::{Key, KeyItem, Scope};
use sha2::{Digest, Sha256};

use crate::{Intake, Problem};

/// With or without padding: clients differ.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));
/// Bytes of a body at most; more is 413.
const LARGEST_BODY: usize = 256 * 1024;

/// A request whose size and key are good: the only way to its body.
#[derive(Debug)]
pub struct Entered<'a> {
    key: Key,
    request: &'a Request,
}

impl<'a> Entered<'a> {
    /// The key that it came with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The body, as sent.
    pub fn body(&self) -> &'a [u8] {
        self.request.body().as_ref()
    }

    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.request.headers()
    }

    /// A header as text, trimmed, if it says anything.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers().get(name)?.to_str().ok().map(str::trim).filter(|value| !value.is_empty())
    }
}

impl Intake {
    /// Lets a request in: its body is not too large, and it has a key, known, not revoked, with this scope.
    ///
    /// # Errors
    /// [`Problem::TooLarge`], [`Problem::Forbidden`], or trouble with the config table.
    pub async fn enter<'a>(&self, request: &'a Request, scope: Scope, now: Timestamp) -> Result<Entered<'a>, Problem> {
        if AsRef::<[u8]>::as_ref(request.body()).len() > LARGEST_BODY {
            return Err(Problem::TooLarge);
        }
        if key_in_query(request) {
            return Err(Problem::Forbidden(
                "a key in the query string ends up in logs: send it as x-api-key, or as the password of user connect",
            ));
        }
        let key = given_key(request.headers()).ok_or(Problem::Forbidden("a key is needed: x-api-key, or HTTP Basic with user connect"))?;
        // Found by its digest, so nothing is compared that an attacker could time.
        match self.store.key(&digest(key.as_bytes()), now).await? {
            Some(KeyItem::Good(key)) if key.may(scope) => Ok(Entered { key, request }),
            Some(KeyItem::Good(_)) => Err(Problem::Forbidden("the key lacks the scope for this")),
            _ => Err(Problem::Forbidden("the key is not known, or has been revoked")),
        }
    }
}

/// `x-api-key`, or the password of HTTP Basic with user `connect` (what the vendor's set-up pages have admins enter).
fn given_key(headers: &HeaderMap) -> Option<String> {
    // A form that sends the header empty means the other way.
    if let Some(key) = headers.get("x-api-key").filter(|key| !key.as_bytes().trim_ascii().is_empty()) {
        return Some(key.to_str().ok()?.trim().to_owned());
    }
    let (scheme, encoded) = headers.get("authorization")?.to_str().ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(LENIENT.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    (user == "connect").then(|| password.trim().to_owned())
}

fn key_in_query(request: &Request) -> bool {
    let parameters = request.query_string_parameters();
    parameters.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        value.starts_with("aw_test_") || value.starts_with("aw_live_") || ["x-api-key", "api_key", "apikey"].contains(&name.as_str())
    })
}

/// SHA-256 in hex: how keys are stored and found, and how bodies are told apart.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
