//! What happens to a request after SES refused its mail.

use jiff::SignedDuration;

use crate::backoff::{backoff, backoff_after};
use crate::reason::Reason;

/// How long a mail is retried whose refusal has nothing to do with the mail itself: throttling, no
/// connection, a sender that is not verified. Counted from when the request was due.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How much longer than usual a request waits if the sending quota is used up or the account is
/// paused: neither changes within minutes.
const PAUSED: SignedDuration = SignedDuration::from_mins(15);

/// Why SES did not take a mail. The mail was certainly not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// We send faster than SES allows.
    Throttled,
    /// The day's quota is used up, or the account is paused or suspended.
    QuotaOrPaused,
    /// SES does not deliver to this recipient. Another attempt would fail too.
    AddressRejected,
    /// The sender is not verified, the configuration set is missing, or a permission is. An
    /// operator has to correct it.
    Misconfigured,
    /// SES rejected the message itself.
    ThisMail,
    /// No connection to SES could be opened.
    Unreachable,
}

/// What happens to the request next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefusal {
    /// It goes back to the queue.
    Retry {
        /// Pause from now until the next attempt: 1 second to 75 minutes.
        pause: SignedDuration,
        /// Whether the refused attempt counts towards `send_attempts`.
        counts: bool,
    },
    /// It ends without a mail, for this reason.
    GiveUp(Reason),
}

/// Decides what follows a refusal.
///
/// If SES rejected the message itself, there are at most `max_attempts` attempts. If it rejected
/// the address, there is no other attempt. A used-up quota or a paused account is retried for as
/// long as the row exists. Every other cause is retried for 24 hours.
///
/// `attempts` counts the attempts before the refused one. `waited` is the time since the request
/// was due. `row_ends_before` says whether the row expires before a pause of this length is over:
/// then there is no retry. `random` is uniform over all of `u32`; the caller draws it.
pub fn after_refusal(
    refusal: Refusal,
    attempts: u32,
    max_attempts: u32,
    waited: SignedDuration,
    row_ends_before: impl Fn(SignedDuration) -> bool,
    random: u32,
) -> AfterRefusal {
    let uncounted = backoff_after(waited, random);
    let retry = match refusal {
        Refusal::AddressRejected => return AfterRefusal::GiveUp(Reason::Rejected),
        Refusal::ThisMail => {
            (attempts.saturating_add(1) < max_attempts).then(|| (backoff(attempts, random), true))
        }
        Refusal::QuotaOrPaused => Some((uncounted + PAUSED, false)),
        Refusal::Throttled | Refusal::Misconfigured | Refusal::Unreachable => {
            (waited < PATIENCE).then_some((uncounted, false))
        }
    };
    match retry.filter(|(pause, _)| !row_ends_before(*pause)) {
        Some((pause, counts)) => AfterRefusal::Retry { pause, counts },
        None => AfterRefusal::GiveUp(Reason::SendAttempts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn each_refusal_is_retried_for_as_long_as_its_cause_allows() {
        use Refusal::{
            AddressRejected, Misconfigured, QuotaOrPaused, ThisMail, Throttled, Unreachable,
        };
        let retry = |seconds, counts| AfterRefusal::Retry {
            pause: SignedDuration::from_secs(seconds),
            counts,
        };
        let give_up = AfterRefusal::GiveUp;
        // With `send_attempts` 6, and the largest random number, which gives the longest pause.
        for (refusal, attempts, waited, expected) in [
            (ThisMail, 0, 0, retry(30, true)),
            (ThisMail, 3, 0, retry(240, true)),
            (ThisMail, 4, 30 * DAY, retry(480, true)),
            (ThisMail, 5, 0, give_up(Reason::SendAttempts)),
            (ThisMail, u32::MAX, 0, give_up(Reason::SendAttempts)),
            (AddressRejected, 0, 0, give_up(Reason::Rejected)),
            (Throttled, 0, -5, retry(30, false)),
            (Throttled, 5, 100, retry(100, false)),
            (Throttled, 5, DAY - 1, retry(HOUR, false)),
            (Throttled, 5, DAY, give_up(Reason::SendAttempts)),
            (Misconfigured, 0, 600, retry(600, false)),
            (Misconfigured, 0, DAY, give_up(Reason::SendAttempts)),
            (Unreachable, 0, 600, retry(600, false)),
            (Unreachable, 0, DAY, give_up(Reason::SendAttempts)),
            (QuotaOrPaused, 0, 0, retry(900 + 30, false)),
            (QuotaOrPaused, 9, 30 * DAY, retry(900 + HOUR, false)),
        ] {
            let waited = SignedDuration::from_secs(waited);
            assert_eq!(
                after_refusal(refusal, attempts, 6, waited, |_| false, u32::MAX),
                expected,
                "{refusal:?}, {attempts} attempts, waited {waited:?}"
            );
        }
    }

    #[test]
    fn no_request_is_retried_after_its_row_ends() {
        for refusal in [Refusal::ThisMail, Refusal::Throttled, Refusal::QuotaOrPaused] {
            let after = |row_lives: i64| {
                let ends = |pause: SignedDuration| pause.as_secs() >= row_lives;
                after_refusal(refusal, 0, 6, SignedDuration::ZERO, ends, u32::MAX)
            };
            assert_eq!(after(30), AfterRefusal::GiveUp(Reason::SendAttempts), "{refusal:?}");
            assert!(matches!(after(HOUR), AfterRefusal::Retry { .. }), "{refusal:?}");
        }
    }

    #[test]
    fn the_pause_is_a_share_of_its_longest_by_the_random_number() {
        let after = |refusal, random| {
            after_refusal(refusal, 4, 6, SignedDuration::from_mins(20), |_| false, random)
        };
        for (refusal, random, seconds) in [
            (Refusal::ThisMail, 0, 1),
            (Refusal::ThisMail, u32::MAX / 2, 239),
            (Refusal::Throttled, 0, 1),
            (Refusal::Throttled, u32::MAX / 2, 599),
            (Refusal::QuotaOrPaused, 0, 901),
        ] {
            let AfterRefusal::Retry { pause, .. } = after(refusal, random) else {
                panic!("{refusal:?}: gave up");
            };
            assert_eq!(pause.as_secs(), seconds, "{refusal:?} {random}");
        }
    }
}
