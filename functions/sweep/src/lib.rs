//! Every minute: makes ready what is due, mends what stalled.
//!
//! - `unresolved` and `queued` rows whose `wake_at` has come are made ready, which the stream shows
//!   to the function that carries on; at most `send_rate × 60` of them a minute, so that what has
//!   piled up does not run into SES's rate.
//! - `sending` rows whose lease is over are weighed ([`policy::weigh`]), all that are found on the
//!   way to those: a `Send` event would have made them `sent`. A mail that evidently never left is
//!   sent again, as often as a mail may be attempted (`failed: send_attempts`). Without evidence it
//!   is waited for, up to a day; then it is `failed: unconfirmed`, which the operator sees.
//! - Hours are counted for alerts and charts.
//!
//! Each row is one conditional write, so dying half-way loses nothing: the next minute finds the
//! rest.

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use policy::{Reason, SendEvents, Status, Weighed, weigh};
use serde::Serialize;
use store::{DUE_SHARDS, Due, Store, StoreError, Woken};

/// Writes under way at once.
const AT_ONCE: usize = 32;
/// How often this hour and the one before are counted.
const TALLY_EVERY_MINUTES: i64 = 5;
/// How far back hours are counted again once an hour: a request moves for as long as it is delayed,
/// and its mail may bounce days later.
const HOURLY: i64 = 60;

/// What one sweep did: the function's reply, and its log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Made ready.
    pub woken: u32,
    /// Sent again, since evidence shows that no mail left.
    pub sent_again: u32,
    /// Still without evidence.
    pub unknown: u32,
    /// Given up on: a day without evidence, or every attempt used up.
    pub given_up: u32,
    /// Moved on by somebody else in between.
    pub moved_on: u32,
    /// Could not be written; the next sweep finds them.
    pub failed: u32,
}

/// Sweeps once.
///
/// # Errors
/// If the settings or the index cannot be read; single rows that cannot be written are counted, not
/// errors.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<Swept, StoreError> {
    let settings = store.settings(now).await?;
    let budget = settings.company.send_rate.saturating_mul(60);
    let a_shard = budget.div_ceil(DUE_SHARDS as u32) as usize;
    let shards =
        futures::future::try_join_all((0..DUE_SHARDS).map(|shard| store.due(shard, now, a_shard)))
            .await?;
    let (mut due, waiting): (Vec<Due>, Vec<Due>) =
        shards.into_iter().flatten().partition(|due| due.status == Status::Sending);
    due.extend(waiting.into_iter().take(budget as usize));
    let heard = store.send_events_around(due.iter().filter_map(claim)).await?;
    let heard = &heard;
    let most_attempts = settings.company.send_attempts;
    let steps: Vec<_> = due
        .iter()
        .map(|due| async move { (due, step(store, due, heard, most_attempts, now).await) })
        .collect();
    let swept = futures::stream::iter(steps)
        .buffer_unordered(AT_ONCE)
        .fold(Swept::default(), |mut swept, (due, step)| async move {
            match step {
                Ok(Step::Woken) => swept.woken += 1,
                Ok(Step::SentAgain) => swept.sent_again += 1,
                Ok(Step::Unknown) => swept.unknown += 1,
                Ok(Step::GivenUp) => swept.given_up += 1,
                Ok(Step::MovedOn) => swept.moved_on += 1,
                Err(error) => {
                    tracing::error!(request_id = %due.request_id, %error, "row could not be swept; the next sweep tries again");
                    swept.failed += 1;
                }
            }
            swept
        })
        .await;
    tally(store, settings.company.kept(), now).await?;
    tracing::info!(
        swept.due = due.len(),
        swept.woken,
        swept.sent_again,
        swept.unknown,
        swept.given_up,
        swept.failed,
        "swept"
    );
    Ok(swept)
}

enum Step {
    Woken,
    SentAgain,
    Unknown,
    GivenUp,
    MovedOn,
}

/// When a row was claimed whose mail may be under way.
fn claim(due: &Due) -> Option<Timestamp> {
    due.claimed_at.filter(|_| due.status == Status::Sending)
}

async fn step(
    store: &Store,
    due: &Due,
    heard: &SendEvents,
    most_attempts: u32,
    now: Timestamp,
) -> Result<Step, StoreError> {
    match carry_out(store, due, heard, most_attempts, now).await {
        // No repetition mends it: the row ends, where it would be woken for ever.
        Err(StoreError::Invalid { operation, cause }) => {
            tracing::error!(request_id = %due.request_id, operation, cause, "a row cannot be written: given up");
            give_up(store, due, Reason::NotStorable, now).await
        }
        other => other,
    }
}

async fn carry_out(
    store: &Store,
    due: &Due,
    heard: &SendEvents,
    most_attempts: u32,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let Some(claimed_at) = claim(due) else {
        return match store.wake(due, now).await? {
            Woken::Ready => Ok(Step::Woken),
            Woken::MovedOn => Ok(Step::MovedOn),
            Woken::InVain => give_up(store, due, Reason::Stalled, now).await,
        };
    };
    let (step, done) = match weigh(claimed_at, due.doubted_at, heard, now) {
        Weighed::Wait(until) => (Step::Unknown, store.postpone(due, until).await?),
        Weighed::Doubt(until) => (Step::Unknown, store.doubt(due, until, now).await?),
        Weighed::NeverLeft => match store.send_again(due, most_attempts, now).await? {
            true => (Step::SentAgain, true),
            false => return give_up(store, due, Reason::SendAttempts, now).await,
        },
        Weighed::Unconfirmed => return give_up(store, due, Reason::Unconfirmed, now).await,
    };
    Ok(if done { step } else { Step::MovedOn })
}

async fn give_up(
    store: &Store,
    due: &Due,
    reason: Reason,
    now: Timestamp,
) -> Result<Step, StoreError> {
    if !store.give_up_on(due, reason, now).await? {
        return Ok(Step::MovedOn);
    }
    tracing::error!(request_id = %due.request_id, reason = reason.code(), "given up");
    Ok(Step::GivenUp)
}

/// Counts this hour and the one before every five minutes. Requests of earlier hours still move:
/// each of the last 60 hours is counted again once an hour, and each of the 60 days before once a
/// day, as long as its rows are kept.
async fn tally(store: &Store, kept: SignedDuration, now: Timestamp) -> Result<(), StoreError> {
    let minute_of_day = SendEvents::minute(now).rem_euclid(24 * 60);
    let minute = minute_of_day % 60;
    // Rows that expire leave an hour one by one: it is not counted any more shortly before.
    let oldest = kept.as_hours() - 24;
    let mut back: Vec<i64> = if minute % TALLY_EVERY_MINUTES == 0 { vec![0, 1] } else { vec![] };
    back.extend(
        [2 + minute, 2 + HOURLY + minute_of_day].into_iter().filter(|hours| *hours < oldest),
    );
    for hours in back {
        if let Ok(at) = now.checked_sub(SignedDuration::from_hours(hours)) {
            store.tally(at).await?;
        }
    }
    Ok(())
}
