//! Runs every minute: makes ready what is due, and settles what stalled.
//!
//! - `unresolved` and `queued` rows whose `wake_at` has come are made ready. The stream shows them
//!   to the function that carries on. At most `send_rate × 60` become ready in a minute, so that a
//!   backlog stays below SES's rate.
//! - A `sending` row whose lease is over has a mail of which nobody knows whether it left. All that
//!   are found on the way to the others are judged by SES's `Send` events ([`policy::weigh`]). If
//!   the mail never left, it is sent again, as often as a mail may be attempted. Without evidence
//!   the row waits for a day, and then ends `failed: unconfirmed`, which the operator sees.
//! - Erasures of persons that could not be finished at once are carried on.
//! - Hours are counted for charts.
//! - If too many requests of the last hour went wrong, a notice says so ([`policy::alert_step`]).
//!
//! [`policy::due_step`] decides about each row; this crate carries it out. Each row is one
//! conditional write, so that a sweep that dies half-way loses nothing: the next one finds the
//! rest.

mod alert;

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use metrics::Measure;
use policy::{
    DueStep, ReadyBudget, Reason, SendEvents, Status, due_step, hours_to_count, unknown_since,
};
use serde::Serialize;
use store::{DUE_SHARDS, Due, Store, StoreError, Woken};

/// Writes in flight at once.
const AT_ONCE: usize = 32;
/// Requests of erased persons that a sweep erases at most.
const ERASED_A_SWEEP: usize = 1_000;

/// What one sweep did: the function's reply, and its log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Made ready.
    pub woken: u32,
    /// For how many seconds the oldest of these has been due.
    pub oldest_seconds: u64,
    /// Sent again, since evidence shows that no mail left.
    pub sent_again: u32,
    /// Still without evidence.
    pub unknown: u32,
    /// Ended: a day without evidence, or every attempt used up.
    pub given_up: u32,
    /// Changed by another function in between.
    pub moved_on: u32,
    /// Requests of persons whose erasure goes on.
    pub erased: u32,
    /// Notices to the company's own people.
    pub notices: u32,
    /// Could not be written; the next sweep finds them.
    pub failed: u32,
}

impl Swept {
    fn count(&mut self, done: Done) {
        match done {
            Done::Woken { waited } => {
                self.woken += 1;
                let seconds = u64::try_from(waited.as_secs()).unwrap_or_default();
                self.oldest_seconds = self.oldest_seconds.max(seconds);
            }
            Done::SentAgain => self.sent_again += 1,
            Done::Unknown => self.unknown += 1,
            Done::GivenUp => self.given_up += 1,
            Done::MovedOn => self.moved_on += 1,
        }
    }

    /// Rows that this sweep has changed.
    fn changed(&self) -> u64 {
        let Self { woken, sent_again, unknown, given_up, erased, .. } = self;
        [woken, sent_again, unknown, given_up, erased].into_iter().copied().map(u64::from).sum()
    }
}

/// What was done with one row.
enum Done {
    Woken { waited: SignedDuration },
    SentAgain,
    Unknown,
    GivenUp,
    MovedOn,
}

/// Sweeps once.
///
/// # Errors
/// If the settings or the index cannot be read. A row that cannot be written is counted
/// ([`Swept::failed`]), and is not an error.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<Swept, StoreError> {
    let settings = store.settings(now).await?;
    let due = find(store, settings.company.send_rate, now).await?;
    let claims = due.iter().filter_map(|due| unknown_since(due.status, due.claimed_at));
    let heard = &store.send_events_around(claims).await?;
    let max_attempts = settings.company.send_attempts;
    let rows: Vec<_> = due
        .iter()
        .map(|due| async move { (due, settle(store, due, heard, max_attempts, now).await) })
        .collect();
    let mut swept = futures::stream::iter(rows)
        .buffer_unordered(AT_ONCE)
        .fold(Swept::default(), |mut swept, (due, done)| async move {
            match done {
                Ok(done) => swept.count(done),
                Err(error) => {
                    let request_id = due.request_id;
                    tracing::error!(%request_id, %error, "row not swept: the next sweep retries");
                    swept.failed += 1;
                }
            }
            swept
        })
        .await;
    match store.sweep_erasures(ERASED_A_SWEEP, settings.company.kept(), now).await {
        Ok(erased) => swept.erased = u32::try_from(erased).unwrap_or(u32::MAX),
        Err(error) => {
            tracing::error!(%error, "an erasure could not go on: the next sweep retries");
            swept.failed += 1;
        }
    }
    match alert::watch(store, &settings.alert, now).await {
        Ok(told) => swept.notices = u32::from(told),
        Err(error) => {
            tracing::error!(%error, "the alert could not be judged: the next sweep retries");
            swept.failed += 1;
        }
    }
    tally(store, settings.company.kept(), now).await?;
    let measured = metrics::of(&[
        Measure::Sweeps,
        Measure::SweptRows(swept.changed()),
        Measure::OldestDueSeconds(swept.oldest_seconds),
    ]);
    tracing::info!(
        swept.due = due.len(),
        swept.woken,
        swept.sent_again,
        swept.unknown,
        swept.given_up,
        swept.erased,
        swept.notices,
        swept.failed,
        metrics = %measured,
        "swept"
    );
    Ok(swept)
}

/// The rows of this sweep: every `sending` one that is found, and as many others as may become
/// ready in a minute.
async fn find(store: &Store, send_rate: u32, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let budget = ReadyBudget::new(send_rate, DUE_SHARDS as u32);
    let shards = (0..DUE_SHARDS).map(|shard| store.due(shard, now, budget.of_a_shard));
    let found = futures::future::try_join_all(shards).await?.into_iter().flatten();
    let (mut due, waiting): (Vec<Due>, Vec<Due>) =
        found.partition(|due| due.status == Status::Sending);
    due.extend(waiting.into_iter().take(budget.rows));
    Ok(due)
}

async fn settle(
    store: &Store,
    due: &Due,
    heard: &SendEvents,
    max_attempts: u32,
    now: Timestamp,
) -> Result<Done, StoreError> {
    let step = due_step(due.status, due.claimed_at, due.doubted_at, heard, now);
    match carry_out(store, due, step, max_attempts, now).await {
        // Each sweep would fail at this row in the same way, so it ends.
        Err(StoreError::Invalid { operation, cause }) => {
            let request_id = due.request_id;
            tracing::error!(%request_id, operation, cause, "row cannot be written");
            give_up(store, due, Reason::NotStorable, now).await
        }
        other => other,
    }
}

async fn carry_out(
    store: &Store,
    due: &Due,
    step: DueStep,
    max_attempts: u32,
    now: Timestamp,
) -> Result<Done, StoreError> {
    let or_moved_on = |written: bool, done: Done| if written { done } else { Done::MovedOn };
    match step {
        DueStep::MakeReady => match store.wake(due, now).await? {
            Woken::Ready { waited } => Ok(Done::Woken { waited }),
            Woken::MovedOn => Ok(Done::MovedOn),
            Woken::InVain => give_up(store, due, Reason::Stalled, now).await,
        },
        DueStep::LookAgain(until) => {
            Ok(or_moved_on(store.postpone(due, until).await?, Done::Unknown))
        }
        DueStep::Doubt(until) => {
            Ok(or_moved_on(store.doubt(due, until, now).await?, Done::Unknown))
        }
        DueStep::SendAgain => match store.send_again(due, max_attempts, now).await? {
            true => Ok(Done::SentAgain),
            // Either no attempt is left, or the row has changed: the next write tells which.
            false => give_up(store, due, Reason::SendAttempts, now).await,
        },
        DueStep::GiveUp(reason) => give_up(store, due, reason, now).await,
    }
}

async fn give_up(
    store: &Store,
    due: &Due,
    reason: Reason,
    now: Timestamp,
) -> Result<Done, StoreError> {
    if !store.give_up_on(due, reason, now).await? {
        return Ok(Done::MovedOn);
    }
    let (request_id, measured) = (due.request_id, metrics::of(&[Measure::GivenUp]));
    tracing::error!(%request_id, reason = reason.code(), metrics = %measured, "request failed");
    Ok(Done::GivenUp)
}

/// Counts the hours that [`hours_to_count`] names.
async fn tally(store: &Store, retention: SignedDuration, now: Timestamp) -> Result<(), StoreError> {
    for hours in hours_to_count(retention, now) {
        if let Ok(at) = now.checked_sub(SignedDuration::from_hours(hours)) {
            store.tally(at).await?;
        }
    }
    Ok(())
}
