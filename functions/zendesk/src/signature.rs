//! Zendesk's webhook signature: `base64(HMAC-SHA256(secret, timestamp + raw body))`, docs/facts.md,
//! Zendesk 1.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use intake::{Entered, Problem};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

pub(crate) const SIGNATURE: &str = "x-zendesk-webhook-signature";
const TIMESTAMP: &str = "x-zendesk-webhook-signature-timestamp";
/// Largest difference between Zendesk's clock and ours, in either direction.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The signing secret of the company's Zendesk webhooks.
#[derive(Clone, Default)]
pub struct Signature(Vec<String>);

impl Signature {
    /// From `ZENDESK_SIGNING_SECRET`; several, separated by commas, while one is being rotated.
    /// Absent or empty: none.
    pub fn from_env() -> Self {
        Self::new(&std::env::var("ZENDESK_SIGNING_SECRET").unwrap_or_default())
    }

    /// The secrets in a comma-separated text.
    pub fn new(secrets: &str) -> Self {
        Self(
            secrets
                .split(',')
                .map(str::trim)
                .filter(|secret| !secret.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether there is a secret to verify with.
    pub fn is_configured(&self) -> bool {
        !self.0.is_empty()
    }

    /// Requires that the delivery was signed with one of the secrets within `TOLERANCE`.
    ///
    /// # Errors
    /// [`Problem::Forbidden`], saying what is missing or wrong.
    pub fn verify(&self, entered: &Entered<'_>, now: Timestamp) -> Result<(), Problem> {
        let signature = entered
            .header(SIGNATURE)
            .ok_or(Problem::Forbidden("the webhook's signature is missing"))?;
        let timestamp = entered
            .header(TIMESTAMP)
            .ok_or(Problem::Forbidden("the webhook's signature timestamp is missing"))?;
        let signed_at: Timestamp = timestamp
            .parse()
            .map_err(|_| Problem::Forbidden("the signature timestamp is not a valid date-time"))?;
        if now.duration_since(signed_at).abs() > TOLERANCE {
            return Err(Problem::Forbidden(
                "the webhook was signed more than five minutes ago or ahead",
            ));
        }
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| Problem::Forbidden("the webhook's signature is not base64"))?;
        let genuine = self.0.iter().any(|secret| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                .expect("HMAC takes keys of any length");
            // Compares in constant time.
            mac.chain_update(timestamp)
                .chain_update(entered.body())
                .verify_slice(&signature)
                .is_ok()
        });
        if genuine { Ok(()) } else { Err(Problem::Forbidden("the webhook's signature is wrong")) }
    }
}

/// Secrets are not shown.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} secrets)", self.0.len())
    }
}
