//! Why a lookup at Gladly failed, and how long Gladly wants us to wait.

use jiff::{SignedDuration, Timestamp};
use policy::ConfigFault;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

/// The longest wait that we accept from a header.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// A header of the drafts of RateLimit headers (draft-ietf-httpapi-ratelimit-headers), in seconds.
/// Gladly documents only headers for its limit per second (docs/facts.md, Gladly 3), which is over
/// by the time of any retry.
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// A lookup failed. The texts name places and never values, since they are logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// The cause passes by itself: throttling, a time-out, a 5xx, a response that cannot be read.
    #[error("{resource}: {cause}")]
    Temporary {
        /// What was asked for.
        resource: &'static str,
        cause: String,
        /// The shortest wait before the next attempt.
        retry_after: SignedDuration,
    },
    /// An admin must correct the configuration.
    #[error("{item} {attribute}: {cause}")]
    Misconfigured { item: String, attribute: String, cause: &'static str },
}

impl LookupError {
    /// A temporary error without a wait of its own.
    pub(crate) fn temporary(resource: &'static str, cause: impl Into<String>) -> Self {
        Self::Temporary { resource, cause: cause.into(), retry_after: SignedDuration::ZERO }
    }

    /// An error in `integration/gladly`.
    pub(crate) fn misconfigured(attribute: &str, cause: &'static str) -> Self {
        Self::Misconfigured {
            item: "integration/gladly".into(),
            attribute: attribute.into(),
            cause,
        }
    }
}

impl From<ConfigFault> for LookupError {
    fn from(fault: ConfigFault) -> Self {
        let ConfigFault { item, attribute, .. } = fault;
        Self::Misconfigured { item, attribute, cause: "cannot be understood" }
    }
}

/// How long the headers ask us to wait: `Retry-After` (seconds or a date, RFC 9110), otherwise
/// `RateLimit-Reset`, otherwise not at all. At most an hour.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> SignedDuration {
    let text =
        |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |text: &str| {
        text.parse::<u32>().ok().map(|seconds| SignedDuration::from_secs(i64::from(seconds)))
    };
    let date = |text: &str| {
        jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().duration_since(now))
    };
    let retry_after = text(&RETRY_AFTER).and_then(|text| seconds(text).or_else(|| date(text)));
    let wait = retry_after.or_else(|| text(&RATELIMIT_RESET).and_then(seconds));
    wait.unwrap_or_default().clamp(SignedDuration::ZERO, MAX_RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_long_as_the_headers_say() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let wait = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            retry_after(&headers.collect(), now).as_secs()
        };
        assert_eq!(wait(&[("retry-after", "120")]), 120);
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), 30);
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), 0);
        assert_eq!(wait(&[("retry-after", "soon"), ("ratelimit-reset", "7")]), 7);
        assert_eq!(wait(&[("retry-after", "4000000000")]), 3_600);
        assert_eq!(wait(&[("retry-after", "99999999999999")]), 0);
        assert_eq!(wait(&[("ratelimit-remaining-second", "0")]), 0);
    }
}
