//! What `sweep` decides: how many rows it makes ready in a minute, what it does with each row that
//! is due, and which hours it counts again.

use jiff::{SignedDuration, Timestamp};

use crate::{Reason, SendEvents, Status, Weighed, weigh};

/// Sweep runs once a minute, and `send_rate` counts mails a second.
const SECONDS: u32 = 60;
/// How often the current hour and the one before are counted, in minutes.
const TALLY_EVERY: i64 = 5;
/// How many hours, beyond those two, are counted again once an hour. A request changes for as long
/// as it is delayed, and its mail may bounce days later.
const COUNTED_HOURLY: i64 = 60;
/// Rows of an hour start to expire when they are as old as the retention. An hour that is closer to
/// that than this is not counted any more.
const EXPIRING: SignedDuration = SignedDuration::from_hours(24);

/// How many rows one sweep makes ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyBudget {
    /// In all: `send_rate` × 60.
    pub rows: usize,
    /// From each shard of the index at most, so that one shard's backlog leaves room for the
    /// others.
    pub of_a_shard: usize,
}

impl ReadyBudget {
    /// `send_rate` is in mails a second; `shards` is at least 1.
    pub fn new(send_rate: u32, shards: u32) -> Self {
        let rows = send_rate.saturating_mul(SECONDS);
        Self { rows: rows as usize, of_a_shard: rows.div_ceil(shards.max(1)) as usize }
    }
}

/// When the mail was claimed whose outcome is unknown; `None` for a row that simply waits.
pub fn unknown_since(status: Status, claimed_at: Option<Timestamp>) -> Option<Timestamp> {
    claimed_at.filter(|_| status == Status::Sending)
}

/// What is done with a row whose `wake_at` has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueStep {
    /// Make it ready: the stream shows it to the function that carries on.
    MakeReady,
    /// Nothing is known yet about its mail: look again then.
    LookAgain(Timestamp),
    /// Its mail has probably not left. Note that, and look again then.
    Doubt(Timestamp),
    /// Its mail never left: send it again, if an attempt is left.
    SendAgain,
    /// It ends, for this reason.
    GiveUp(Reason),
}

/// Decides what is done with a row whose `wake_at` has come.
///
/// `claimed_at` and `doubted_at` are the row's; `heard` are the `Send` events around `claimed_at`
/// (see [`weigh`]).
pub fn due_step(
    status: Status,
    claimed_at: Option<Timestamp>,
    doubted_at: Option<Timestamp>,
    heard: &SendEvents,
    now: Timestamp,
) -> DueStep {
    let Some(claimed_at) = unknown_since(status, claimed_at) else { return DueStep::MakeReady };
    match weigh(claimed_at, doubted_at, heard, now) {
        Weighed::Wait(until) => DueStep::LookAgain(until),
        Weighed::Doubt(until) => DueStep::Doubt(until),
        Weighed::NeverLeft => DueStep::SendAgain,
        Weighed::Unconfirmed => DueStep::GiveUp(Reason::Unconfirmed),
    }
}

/// The hours that the sweep at `now` counts, as hours before the current one.
///
/// Every five minutes: this hour and the one before. Requests of earlier hours still change: each
/// of the 60 hours before is counted once an hour, and each of the 60 days before those once a day,
/// for as long as its rows are kept (`retention`).
pub fn hours_to_count(retention: SignedDuration, now: Timestamp) -> Vec<i64> {
    let minute_of_day = SendEvents::minute(now).rem_euclid(24 * 60);
    let minute = minute_of_day % 60;
    let oldest = (retention - EXPIRING).as_hours();
    let mut hours = if minute % TALLY_EVERY == 0 { vec![0, 1] } else { vec![] };
    let earlier = [2 + minute, 2 + COUNTED_HOURLY + minute_of_day];
    hours.extend(earlier.into_iter().filter(|hours| *hours < oldest));
    hours
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("a time of this century")
    }

    #[test]
    fn a_sweep_makes_a_minutes_mails_ready() {
        for (send_rate, rows, of_a_shard) in [(0, 0, 0), (1, 60, 8), (14, 840, 105)] {
            assert_eq!(ReadyBudget::new(send_rate, 8), ReadyBudget { rows, of_a_shard });
        }
        assert_eq!(ReadyBudget::new(u32::MAX, 8).rows, u32::MAX as usize);
    }

    #[test]
    fn each_row_that_is_due_gets_the_step_that_its_status_and_the_evidence_allow() {
        let silence = SendEvents::default();
        let around: SendEvents =
            [-2, 3].map(|minute| SendEvents::minute(at(minute))).into_iter().collect();
        for (what, status, claimed, doubted, heard, now, expected) in [
            ("waits", Status::Queued, None, None, &silence, 10, DueStep::MakeReady),
            ("is put back", Status::Queued, Some(0), None, &around, 10, DueStep::MakeReady),
            (
                "is to be asked about",
                Status::Unresolved,
                None,
                None,
                &silence,
                10,
                DueStep::MakeReady,
            ),
            (
                "no evidence",
                Status::Sending,
                Some(0),
                None,
                &silence,
                10,
                DueStep::LookAgain(at(15)),
            ),
            ("first doubt", Status::Sending, Some(0), None, &around, 10, DueStep::Doubt(at(70))),
            (
                "young doubt",
                Status::Sending,
                Some(0),
                Some(10),
                &around,
                20,
                DueStep::LookAgain(at(70)),
            ),
            ("old doubt", Status::Sending, Some(0), Some(10), &around, 70, DueStep::SendAgain),
            (
                "a day",
                Status::Sending,
                Some(0),
                None,
                &silence,
                1_440,
                DueStep::GiveUp(Reason::Unconfirmed),
            ),
        ] {
            let step = due_step(status, claimed.map(at), doubted.map(at), heard, at(now));
            assert_eq!(step, expected, "{what}");
            let next = match step {
                DueStep::MakeReady | DueStep::LookAgain(_) | DueStep::Doubt(_) => status,
                DueStep::SendAgain => Status::Queued,
                DueStep::GiveUp(reason) => reason.outcome().status(),
            };
            assert!(status.may_become(next), "{what}: {status:?} to {next:?}");
        }
    }

    #[test]
    fn hours_are_counted_again_for_as_long_as_their_rows_are_kept() {
        let midnight: Timestamp = "2026-11-21T00:00:00Z".parse().expect("a time");
        let after = |minutes| crate::saturating_add(midnight, SignedDuration::from_mins(minutes));
        let hours = SignedDuration::from_hours;
        for (minutes, retention, expected) in [
            (0, hours(90 * 24), &[0, 1, 2, 62][..]),
            (5, hours(90 * 24), &[0, 1, 7, 67]),
            (59, hours(90 * 24), &[61, 121]),
            (23 * 60 + 59, hours(90 * 24), &[61, 62 + 1_439]),
            (59, hours(60), &[]),
            (0, hours(24), &[0, 1]),
        ] {
            assert_eq!(hours_to_count(retention, after(minutes)), expected, "{minutes}");
        }
        let counted: BTreeSet<i64> =
            (0..24 * 60).flat_map(|minute| hours_to_count(hours(90 * 24), after(minute))).collect();
        assert_eq!(counted, (0..62 + 1_440).collect(), "in a day, each hour of the last 62 days");
    }
}
