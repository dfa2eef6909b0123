//! Adding a duration to a time.

use jiff::{SignedDuration, Timestamp};

/// The time `by` after `at`, but at most the last moment of the year 9999. Settings may be so large
/// that the sum does not fit.
pub fn saturating_add(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
