//! Size and key: checked for every request before its body is read.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use lambda_http::http::{HeaderMap, HeaderName};
use lambda_http::{Request, RequestExt};
use normalize::Source;
use policy::{Ceiling, Key, KeyItem, KeyScope, Mode, RequestedVia};
use sha2::{Digest, Sha256};

use crate::intake::Intake;
use crate::problem::Problem;

/// Base64 with or without padding: clients differ.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Bytes of a body at most; more is 413.
const LARGEST_BODY: usize = 256 * 1024;
/// Characters of an `Idempotency-Key` at most; more is 400.
const LONGEST_IDEMPOTENCY_KEY: usize = 255;

/// A request whose size and key are good. Nothing else gives out the body.
#[derive(Debug)]
pub struct Entered<'a> {
    key: Key,
    via: RequestedVia,
    request: &'a Request,
}

impl<'a> Entered<'a> {
    /// The key that it came with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Lets in what an agent sends by hand. Whoever calls has opened the private link that permits
    /// it: here the link stands for the key, and `digest` for the link. It is live.
    ///
    /// `request` is what the send box makes of its form: a body of `/v1/requests`, and an
    /// `Idempotency-Key`.
    pub fn by_hand(digest: String, request: &'a Request) -> Self {
        let key = Key {
            digest,
            mode: Mode::Live,
            scopes: vec![KeyScope::Send],
            mails_per_hour: Ceiling::BY_HAND,
            sources: Vec::new(),
            last_used: None,
        };
        Self { key, via: RequestedVia::Manual, request }
    }

    /// By which way it came in.
    pub fn via(&self) -> RequestedVia {
        self.via
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

    /// The `Idempotency-Key`, if the header says anything.
    ///
    /// # Errors
    /// [`Problem::IdempotencyKey`] if it is too long, or holds anything but printable ASCII. If it
    /// were ignored, a customer could be asked twice although the sender has prevented that.
    pub fn idempotency_key(&self) -> Result<Option<&'a str>, Problem> {
        let Some(value) = self.headers().get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().map_err(|_| Problem::IdempotencyKey)?.trim();
        let fits = key.len() <= LONGEST_IDEMPOTENCY_KEY
            && key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if fits {
            Ok(Some(key).filter(|key| !key.is_empty()))
        } else {
            Err(Problem::IdempotencyKey)
        }
    }

    /// Requires that the key is for this source.
    ///
    /// # Errors
    /// [`Problem::Forbidden`].
    pub fn is_for(&self, source: Source) -> Result<(), Problem> {
        if self.key.is_for(source) {
            Ok(())
        } else {
            Err(Problem::Forbidden("the key is not for this source"))
        }
    }
}

impl Intake {
    /// Requires that the body is not too large, and that the key is known, is not revoked and has
    /// this scope.
    ///
    /// # Errors
    /// [`Problem::TooLarge`], [`Problem::Forbidden`], or trouble with the config table.
    pub async fn enter<'a>(
        &self,
        request: &'a Request,
        scope: KeyScope,
        now: Timestamp,
    ) -> Result<Entered<'a>, Problem> {
        if AsRef::<[u8]>::as_ref(request.body()).len() > LARGEST_BODY {
            return Err(Problem::TooLarge);
        }
        if key_in_query(request) {
            return Err(Problem::Forbidden(
                "a key in the query string ends up in logs: send it as x-api-key, or as the \
                 password of user connect",
            ));
        }
        // The key is looked up by its digest, so there is no comparison that an attacker could
        // time.
        match self.store.key(&given_key(request.headers())?, now).await? {
            Some(KeyItem::Good(key)) if key.may(scope) => {
                let entered = Entered { key, via: RequestedVia::Api, request };
                if scope == KeyScope::Read {
                    self.note_key_use(&entered, now).await;
                }
                Ok(entered)
            }
            Some(KeyItem::Good(_)) => Err(Problem::Forbidden("the key lacks the scope for this")),
            _ => Err(Problem::Forbidden("the key is not known, or has been revoked")),
        }
    }

    /// Notes on which day the key of a call was used that neither reads nor records.
    pub async fn note_key_use(&self, entered: &Entered<'_>, now: Timestamp) {
        let key = entered.key();
        self.store.note_key_use(&key.digest, key.last_used, now).await;
    }
}

/// The digest of the one key of a call: in `x-api-key`, or as the password of HTTP Basic with user
/// `connect`, as the vendor's set-up pages say. The same key may come in several places. Two
/// different keys are refused, since the sender could not know whether its request is test or live.
///
/// # Errors
/// [`Problem::Forbidden`] if there is no key, or if there are several.
fn given_key(headers: &HeaderMap) -> Result<String, Problem> {
    let plain = values(headers, HeaderName::from_static("x-api-key")).map(<[u8]>::to_vec);
    let basic = values(headers, lambda_http::http::header::AUTHORIZATION).filter_map(password);
    // Some forms send both headers, one of them empty.
    let keys = plain.chain(basic).filter(|key| !key.is_empty()).map(|key| digest(&key));
    let different: BTreeSet<String> = keys.collect();
    let mut different = different.into_iter();
    match (different.next(), different.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => {
            Err(Problem::Forbidden("a key is needed: x-api-key, or HTTP Basic with user connect"))
        }
        (Some(_), Some(_)) => {
            Err(Problem::Forbidden("two different keys came in one call: send one"))
        }
    }
}

/// Every value of a header, without the white space around it. API Gateway joins the values of
/// equal names by commas, and neither a key nor base64 holds a comma.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// The password of HTTP Basic with user `connect`.
fn password(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, encoded) = std::str::from_utf8(authorization).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = LENIENT.decode(encoded.trim()).ok()?;
    decoded.strip_prefix(b"connect:").map(|password| password.trim_ascii().to_vec())
}

fn key_in_query(request: &Request) -> bool {
    let parameters = request.query_string_parameters();
    parameters.iter().any(|(name, value)| {
        let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
        let is_key = |text: &str| {
            ["aw_test_", "aw_live_", "aw_admin_"].iter().any(|prefix| text.contains(prefix))
        };
        is_key(&name)
            || is_key(&value)
            || ["x-api-key", "api_key", "apikey"].contains(&name.as_str())
    })
}

/// SHA-256 in hex: how keys are stored and found, and how bodies are told apart.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
