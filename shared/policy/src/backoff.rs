//! How long a request waits before its next attempt.

use jiff::SignedDuration;

/// The smallest upper limit of a wait, in seconds.
const BASE: u64 = 30;
/// The largest upper limit of a wait, in seconds.
const CAP: u64 = 3_600;

/// Exponential back-off with full jitter: a random share of `30 s × 2^attempts`, from one second
/// to one hour.
///
/// `attempts` counts the attempts before this one. `random` is uniform over all of `u32`; the
/// caller draws it. (Full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter".)
pub fn backoff(attempts: u32, random: u32) -> SignedDuration {
    share(BASE.saturating_mul(1 << attempts.min(10)), random)
}

/// The same if attempts are not counted: a random share of the time that the request has waited so
/// far, from one second to one hour. So the waits grow exponentially too.
pub fn backoff_after(waited: SignedDuration, random: u32) -> SignedDuration {
    share(u64::try_from(waited.as_secs()).unwrap_or_default(), random)
}

fn share(ceiling: u64, random: u32) -> SignedDuration {
    let millis = ceiling.clamp(BASE, CAP) * 1_000 * u64::from(random) / u64::from(u32::MAX);
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
        let waited =
            |seconds| backoff_after(SignedDuration::from_secs(seconds), u32::MAX).as_secs();
        assert_eq!([-5, 0, 100, 86_400].map(waited), [30, 30, 100, 3_600]);
    }
}
