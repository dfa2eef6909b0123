//! What dispatch decides about one mail: whether it is still wanted, how long its claim lasts, and
//! how long a request is held back that cannot be sent now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{Ceiling, Reason, Status, WaitingFor, saturating_add};

/// Shortest and longest time for which a request is held back whose configuration somebody has to
/// correct.
const HELD_AT_LEAST: SignedDuration = SignedDuration::from_mins(1);
const HELD_AT_MOST: SignedDuration = SignedDuration::from_mins(15);
/// Each batch keeps `ceil(send_rate / PACE)` sends in flight, and `MOST_IN_FLIGHT` at most. A mail
/// takes about a tenth of a second, and four batches run at once, one for each of the stream's
/// first shards. So a backlog leaves at about SES's rate, and not in bursts that SES refuses.
const PACE: u32 = 40;
const MOST_IN_FLIGHT: u32 = 10;
/// A lease outlasts the function that holds it by this long.
const LEASE_GRACE: SignedDuration = SignedDuration::from_secs(30);

/// The pauses before a claim is tried again whose customer's suppression window is held by a mail
/// that is being sent at this moment. Together they last 0.7 seconds, several times as long as a
/// call to SES.
pub const WINDOW_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(200), Duration::from_millis(400)];

/// How many mails of one batch are sent at the same time, 1 to 10. `send_rate` is in mails a
/// second.
pub fn sends_in_flight(send_rate: u32) -> usize {
    send_rate.div_ceil(PACE).clamp(1, MOST_IN_FLIGHT) as usize
}

/// How long a claim lasts that a function with this time-out makes.
pub fn lease(time_out: SignedDuration) -> SignedDuration {
    time_out + LEASE_GRACE
}

/// What the row of a queued request says about itself, before any configuration is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowState {
    /// Its `expires_at` is over.
    pub expired: bool,
    /// The sender said do-not-send in a repetition, while an earlier attempt was under way.
    pub declined: bool,
    /// The helpdesk opened the ticket again, while an earlier attempt was under way.
    pub reopened: bool,
}

/// Why a queued request ends before its configuration is read; `None` if it goes on.
pub fn ends_unsent(row: RowState) -> Option<Reason> {
    match row {
        RowState { expired: true, .. } => Some(Reason::Expired),
        RowState { declined: true, .. } => Some(Reason::DoNotSend),
        RowState { reopened: true, .. } => Some(Reason::Reopened),
        RowState { expired: false, declined: false, reopened: false } => None,
    }
}

/// Whether a request waits for the one that holds its customer's suppression window. `holder` is
/// the status of that request, `None` if its row is gone.
///
/// If not, the customer was mailed, and the waiting request is `not_sent: suppression_period`.
pub fn waits_for_window(holder: Option<Status>) -> bool {
    matches!(holder, Some(Status::Queued | Status::Sending))
}

/// When a request is looked at again that cannot be sent at `now`. `due_at` is when it was due.
///
/// One whose key has used up its mails of this hour waits for the next hour. Any other is rechecked
/// after one minute, then after as long as it has waited since it was due, at most 15 minutes.
pub fn held_until(waiting_for: WaitingFor, due_at: Timestamp, now: Timestamp) -> Timestamp {
    match waiting_for {
        WaitingFor::MailsPerHour => Ceiling::hour(now).1,
        WaitingFor::Configuration
        | WaitingFor::TestEmail
        | WaitingFor::Sender
        | WaitingFor::EarlierMail
        | WaitingFor::MailService => {
            saturating_add(now, now.duration_since(due_at).clamp(HELD_AT_LEAST, HELD_AT_MOST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_keeps_one_send_in_flight_for_each_40_mails_a_second() {
        let rates = [0, 1, 14, 40, 41, 400, 401, u32::MAX];
        assert_eq!(rates.map(sends_in_flight), [1, 1, 1, 1, 2, 10, 10, 10]);
    }

    #[test]
    fn a_lease_outlasts_its_function() {
        assert_eq!(lease(SignedDuration::from_secs(120)), SignedDuration::from_secs(150));
    }

    #[test]
    fn an_expired_row_ends_first_then_do_not_send_then_a_reopened_ticket() {
        for (expired, declined, reopened, expected) in [
            (false, false, false, None),
            (false, false, true, Some(Reason::Reopened)),
            (false, true, false, Some(Reason::DoNotSend)),
            (false, true, true, Some(Reason::DoNotSend)),
            (true, false, false, Some(Reason::Expired)),
            (true, true, true, Some(Reason::Expired)),
        ] {
            let row = RowState { expired, declined, reopened };
            assert_eq!(ends_unsent(row), expected, "{row:?}");
            let status = expected.map(|reason| reason.outcome().status());
            assert!(status.is_none_or(|status| Status::Queued.may_become(status)), "{row:?}");
        }
    }

    #[test]
    fn a_window_is_waited_for_only_while_its_holder_may_still_fail() {
        for status in Status::ALL {
            let expected = matches!(status, Status::Queued | Status::Sending);
            assert_eq!(waits_for_window(Some(status)), expected, "{status:?}");
        }
        assert!(!waits_for_window(None));
    }

    #[test]
    fn a_held_request_is_rechecked_after_a_minute_and_every_15_minutes_in_the_end() {
        let now: Timestamp = "2026-11-21T09:20:00Z".parse().expect("a time");
        let minutes = |waiting_for, waited| {
            let due_at = saturating_add(now, -SignedDuration::from_mins(waited));
            held_until(waiting_for, due_at, now).duration_since(now).as_mins()
        };
        for waiting_for in [
            WaitingFor::Configuration,
            WaitingFor::TestEmail,
            WaitingFor::Sender,
            WaitingFor::EarlierMail,
        ] {
            for (waited, expected) in [(-5, 1), (0, 1), (1, 1), (7, 7), (15, 15), (10_000, 15)] {
                assert_eq!(minutes(waiting_for, waited), expected, "{waiting_for:?} {waited}");
            }
        }
        for waited in [0, 10_000] {
            assert_eq!(minutes(WaitingFor::MailsPerHour, waited), 40, "until the next hour");
        }
    }
}
