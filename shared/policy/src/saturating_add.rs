//! Time that goes on.

use jiff::{SignedDuration, Timestamp};

/// `by` after `at`; a time past the year 9999 is the last moment of it. Durations here come from
/// settings, so that sums may be any.
pub fn saturating_add(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
