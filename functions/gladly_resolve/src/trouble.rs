//! Why Gladly did not say who and how, and how long it asks to be left alone.

use jiff::{SignedDuration, Timestamp};
use policy::ConfigFault;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

/// A longer wait is not believed.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// Of the drafts of RateLimit headers (draft-ietf-httpapi-ratelimit-headers), in seconds. Gladly
/// documents only its limit of each second (docs/facts.md, Gladly 3), which is over by the time
/// that anything is asked again.
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Texts name places, never values: they are logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It passes by itself.
    #[error("{resource}: {cause}")]
    Later { resource: &'static str, cause: String, not_before: SignedDuration },
    /// An admin has to mend it.
    #[error("{item} {attribute}: {cause}")]
    SetUp { item: String, attribute: String, cause: &'static str },
}

impl Trouble {
    pub(crate) fn retry_later(resource: &'static str, cause: impl Into<String>) -> Self {
        Self::Later { resource, cause: cause.into(), not_before: SignedDuration::ZERO }
    }

    pub(crate) fn set_up(attribute: &str, cause: &'static str) -> Self {
        Self::SetUp { item: "integration/gladly".into(), attribute: attribute.into(), cause }
    }
}

impl From<ConfigFault> for Trouble {
    fn from(fault: ConfigFault) -> Self {
        Self::SetUp { item: fault.item, attribute: fault.attribute, cause: "cannot be understood" }
    }
}

/// What the headers ask for: `Retry-After` (seconds or a date, RFC 9110), else `RateLimit-Reset`;
/// from none up to an hour.
pub(crate) fn not_before(headers: &HeaderMap, now: Timestamp) -> SignedDuration {
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
    wait.unwrap_or_default().clamp(SignedDuration::ZERO, LONGEST)
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
            not_before(&headers.collect(), now).as_secs()
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
