//! Every minute: makes ready what is due, mends what stalled.
//!
//! - `unresolved` and `queued` rows whose `wake_at` has come are made ready, which the stream shows to the function that carries on; at most
//!   `send_rate × 60` of them a minute, so that what has piled up does not run into SES's rate.
//! - `sending` rows whose lease is over are weighed, all that are found on the way to those: a `Send` event would have made them `sent`. If
//!   `Send` events of mails claimed five minutes later have arrived, and ten minutes later this one's still has not, the mail never left,
//!   and is sent again, as often as a mail may be attempted (`failed: send_attempts`).
//!   Otherwise it is waited for, up to a day; then it is `failed: unconfirmed`, which the operator sees. One customer is never mailed twice
//!   for want of patience.
//!
//! Each row is one conditional write, so dying half-way loses nothing: the next minute finds the rest.

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use policy::{Reason, Status, later};
use serde::Serialize;
use store::{DUE_SHARDS, Due, Store, StoreError};

/// `Send` events of mails claimed this much later prove that an earlier one would have arrived.
const PROOF: SignedDuration = SignedDuration::from_mins(5);
/// But only if they still do after so long: events come unordered, and one that failed comes again minutes later (`template.yaml`,
/// `MailEventsQueue`), when those of later mails have long passed it.
const STRAGGLERS: SignedDuration = SignedDuration::from_mins(10);
/// How long an unknown is looked into.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How often an unknown is looked at.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Writes under way at once.
const AT_ONCE: usize = 32;
/// Minutes of an hour in which the hour before is counted too: its last requests still move.
const TALLY_EVERY_MINUTES: i64 = 5;

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
/// If the settings or the index cannot be read; single rows that cannot be written are counted, not errors.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<Swept, StoreError> {
    let settings = store.settings(now).await?;
    let budget = settings.company.send_rate.saturating_mul(60);
    let a_shard = budget.div_ceil(DUE_SHARDS as u32) as usize;
    let shards = futures::future::try_join_all((0..DUE_SHARDS).map(|shard| store.due(shard, now, a_shard))).await?;
    let (mut due, waiting): (Vec<Due>, Vec<Due>) = shards.into_iter().flatten().partition(|due| due.status == Status::Sending);
    due.extend(waiting.into_iter().take(budget as usize));
    let proof = match due.iter().any(|due| due.status == Status::Sending) {
        true => store.send_events_until().await?,
        false => None,
    };
    let most_attempts = settings.company.send_attempts;
    let steps: Vec<_> = due.iter().map(|due| async move { (due, step(store, due, proof, most_attempts, now).await) }).collect();
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
    tally(store, now).await?;
    tracing::info!(swept.due = due.len(), swept.woken, swept.sent_again, swept.unknown, swept.given_up, swept.failed, "swept");
    Ok(swept)
}

enum Step {
    Woken,
    SentAgain,
    Unknown,
    GivenUp,
    MovedOn,
}

async fn step(store: &Store, due: &Due, proof: Option<Timestamp>, most_attempts: u32, now: Timestamp) -> Result<Step, StoreError> {
    let claimed_at = match (due.status, due.claimed_at) {
        (Status::Sending, Some(claimed_at)) => claimed_at,
        _ => return Ok(if store.wake(due, now).await? { Step::Woken } else { Step::MovedOn }),
    };
    let never_left = proof.is_some_and(|until| until.duration_since(claimed_at) >= PROOF);
    let (step, done) = match due.doubted_at.filter(|_| never_left) {
        Some(doubted_at) if now.duration_since(doubted_at) >= STRAGGLERS => match store.send_again(due, most_attempts, now).await? {
            true => (Step::SentAgain, true),
            false => (Step::GivenUp, store.give_up_on(due, Reason::SendAttempts, now).await?),
        },
        None if never_left => (Step::Unknown, store.doubt(due, later(now, STRAGGLERS), now).await?),
        _ if now.duration_since(claimed_at) >= PATIENCE => (Step::GivenUp, store.give_up_on(due, Reason::Unconfirmed, now).await?),
        _ => (Step::Unknown, store.postpone(due, later(now, LOOK_AGAIN)).await?),
    };
    if done && matches!(step, Step::GivenUp) {
        tracing::error!(request_id = %due.request_id, "SES never said that it took the mail: given up");
    }
    Ok(if done { step } else { Step::MovedOn })
}

/// Counts this hour every five minutes, and the hour before in the first ten of the next.
async fn tally(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let minute = now.as_second().div_euclid(60).rem_euclid(60);
    if minute % TALLY_EVERY_MINUTES != 0 {
        return Ok(());
    }
    store.tally(now).await?;
    match now.checked_sub(SignedDuration::from_hours(1)) {
        Ok(before) if minute <= 2 * TALLY_EVERY_MINUTES => store.tally(before).await,
        _ => Ok(()),
    }
}
