//! Decides when a conversation is looked up again. Pure: times go in, a decision comes out.
//!
//! Two questions are answered here: what follows a failed lookup ([`after_failure`]), and whether a
//! delayed request must wait because its conversation was closed again ([`closing_event_wait`]).

use jiff::{SignedDuration, Timestamp};
use policy::{backoff, saturating_add};

use crate::error::LookupError;

/// After this time without a successful lookup a request fails. It counts from receipt, or from the
/// end of the channel's delay.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);
/// The wait before the next lookup while the configuration is wrong.
const MISCONFIGURED_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The most that `sweep` and the stream can delay a lookup beyond its `wake_at`.
const MAX_LATENESS: SignedDuration = SignedDuration::from_mins(5);
/// How long after a closing its event can still arrive: if the webhook fails, Gladly sends it again
/// after 30 s and after 5 min (docs/facts.md, Gladly 1).
const CLOSING_EVENT_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// The most by which Gladly's clock and ours may differ.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(1);

/// What the decision needs to know of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// When lookups began: at receipt, or at the end of the channel's delay.
    pub(crate) since: Timestamp,
    /// Attempts that have failed so far.
    pub(crate) attempts: u32,
    /// When the row expires, in seconds since 1970.
    pub(crate) expires_at: i64,
}

/// What follows a failed lookup.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AfterFailure {
    /// Look it up again at this time.
    LookUpAgain {
        at: Timestamp,
        /// Whether this one counts as an attempt, so that the next wait is longer.
        counts: bool,
    },
    /// The request ends as `failed: source_unreachable`.
    GiveUp,
}

/// What follows a lookup that failed at `now`. `random` is uniform over all of `u32`.
///
/// A temporary error is retried with exponential backoff, or later if Gladly asks for it. While the
/// configuration is wrong, a lookup every five minutes is enough, and none counts as an attempt.
/// The request ends while its row is still there to show why.
pub(crate) fn after_failure(
    error: &LookupError,
    request: Pending,
    random: u32,
    now: Timestamp,
) -> AfterFailure {
    let (wait, counts) = match error {
        LookupError::Misconfigured { .. } => (MISCONFIGURED_WAIT, false),
        LookupError::Temporary { retry_after, .. } => {
            (backoff(request.attempts, random).max(*retry_after), true)
        }
    };
    let at = saturating_add(now, wait);
    let expired_by_then = request.expires_at <= saturating_add(at, MAX_LATENESS).as_second();
    if now.duration_since(request.since) >= GIVE_UP_AFTER || expired_by_then {
        AfterFailure::GiveUp
    } else {
        AfterFailure::LookUpAgain { at, counts }
    }
}

/// How long a delayed request must wait because the event of a newer closing may still arrive.
/// `None` if it need not wait. `received` is when the request's own event came, and `closed_at` is
/// when Gladly says that the conversation was closed last.
///
/// Without the wait, both closings would ask for a survey, since neither request knows of the
/// other. If no event has come by the end of the wait, only this request can ask: a rule closed the
/// conversation with no agent assigned, or the event was lost. A time in the future proves nothing.
pub(crate) fn closing_event_wait(
    received: Timestamp,
    closed_at: Timestamp,
    now: Timestamp,
) -> Option<SignedDuration> {
    let closed_again = closed_at > saturating_add(received, MAX_CLOCK_DIFFERENCE)
        && closed_at <= saturating_add(now, MAX_CLOCK_DIFFERENCE);
    let wait = saturating_add(closed_at, CLOSING_EVENT_WAIT).duration_since(now);
    (closed_again && wait.is_positive()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn temporary(seconds: i64) -> LookupError {
        LookupError::Temporary {
            resource: "items",
            cause: "503".to_owned(),
            retry_after: SignedDuration::from_secs(seconds),
        }
    }

    /// The wait in seconds and whether it counts; `None` for giving up.
    fn after(
        error: &LookupError,
        attempts: u32,
        now: Timestamp,
        expires: Timestamp,
    ) -> Option<(i64, bool)> {
        let request = Pending { since: at(0), attempts, expires_at: expires.as_second() };
        match after_failure(error, request, u32::MAX, now) {
            AfterFailure::LookUpAgain { at, counts } => {
                Some((at.duration_since(now).as_secs(), counts))
            }
            AfterFailure::GiveUp => None,
        }
    }

    #[test]
    fn a_temporary_error_is_retried_with_backoff_for_48_hours() {
        let never = at(90 * 24 * 60);
        let two_days = 48 * 60;
        for (error, attempts, now, expected) in [
            (temporary(0), 0, at(0), Some((30, true))),
            (temporary(0), 3, at(0), Some((240, true))),
            (temporary(0), 99, at(0), Some((3_600, true))),
            (temporary(120), 0, at(0), Some((120, true))),
            (temporary(10), 3, at(0), Some((240, true))),
            (temporary(0), 0, at(two_days - 1), Some((30, true))),
            (temporary(0), 0, at(two_days), None),
            (LookupError::misconfigured("base_url", "is missing"), 7, at(0), Some((300, false))),
            (LookupError::misconfigured("base_url", "is missing"), 0, at(two_days), None),
        ] {
            assert_eq!(after(&error, attempts, now, never), expected, "{error:?} {attempts}");
        }
    }

    #[test]
    fn a_request_fails_while_its_row_can_still_show_why() {
        let error = temporary(600);
        // The next lookup is ten minutes away, and can come five minutes late.
        assert_eq!(after(&error, 0, at(0), at(16)), Some((600, true)));
        assert_eq!(after(&error, 0, at(0), at(15)), None);
    }

    #[test]
    fn a_newer_closing_is_waited_for_until_its_event_cannot_come_any_more() {
        for (closed_at, now, minutes) in [
            (at(59), at(60), Some(9)),
            (at(61), at(60), Some(11)),
            (at(51), at(60), Some(1)),
            // Ten minutes are over.
            (at(50), at(60), None),
            // The request's own closing, by clocks that differ.
            (at(1), at(2), None),
            (at(2), at(2), Some(10)),
            // A time in the future.
            (at(62), at(60), None),
        ] {
            let wait = closing_event_wait(at(0), closed_at, now).map(|wait| wait.as_mins());
            assert_eq!(wait, minutes, "{closed_at} {now}");
        }
    }
}
