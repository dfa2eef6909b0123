//! How long a refused attempt waits.

use jiff::SignedDuration;

/// First ceiling, in seconds; it doubles with every attempt.
const BASE: u64 = 30;
/// Highest ceiling, in seconds.
const CAP: u64 = 3_600;

/// Exponential back-off with full jitter: a uniform share of `30 s × 2^attempts`, at most an hour, at least a second.
///
/// `random` is uniform over all of `u32`; the caller draws it, so that this stays pure. (Full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".)
pub fn backoff(attempts: u32, random: u32) -> SignedDuration {
    let ceiling = BASE.saturating_mul(1 << attempts.min(10)).min(CAP);
    let millis = ceiling * 1_000 * u64::from(random) / u64::from(u32::MAX);
    SignedDuration::from_millis(millis.max(1_000) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_stays_within_its_bounds() {
        assert_eq!(backoff(0, u32::MAX), SignedDuration::from_secs(30));
        assert_eq!(backoff(3, u32::MAX), SignedDuration::from_secs(240));
        assert_eq!(backoff(u32::MAX, u32::MAX), SignedDuration::from_secs(3_600));
        assert_eq!(backoff(5, 0), SignedDuration::from_secs(1));
    }
}
