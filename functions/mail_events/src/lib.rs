//! What SES says became of each mail: sent, delivered, bounced, complained of.
//!
//! Events come late, twice and out of order, and the outcome does not depend on it: outcomes only
//! ever get graver, and what an event does to the customer's address (a permanent bounce, a
//! complaint) is done again with each repetition, since it is the same each time. Nothing about the
//! address of a test mail is kept.

mod event;

use jiff::Timestamp;
use links::Subject;
use normalize::Address;
use policy::Mode;
use serde_json::Value;
use store::{Interaction, Outcome, OutcomeWritten, Store, StoreError};

pub use event::{Kind, MailEvent, Message, NotAnEvent, messages, read};

/// Attempts at an outcome whose row moves on in between.
const ATTEMPTS: usize = 4;

/// Why an invocation failed: its message comes again, for hours, and ends in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A table is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The poisonous one.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
}

/// Takes in every message of an envelope; the others go through though one fails. What SES or SNS
/// says about the topic itself is logged, and done with.
///
/// # Errors
/// The first message's that failed.
pub async fn handle(store: &Store, envelope: &Value, now: Timestamp) -> Result<(), EventError> {
    let mut outcome = Ok(());
    for message in messages(envelope) {
        let taken = async {
            let event = match message? {
                Message::Record(record) => read(&record)?,
                Message::AboutTopic(what) => {
                    tracing::info!(what, "no SES event, but word about the topic");
                    None
                }
            };
            match event {
                // Boxed: the compiler would run out of depth at the future of all these calls in
                // one another.
                Some(event) => Box::pin(take(store, &event, now)).await.map_err(EventError::from),
                None => Ok(()),
            }
        };
        if let Err(error) = taken.await {
            tracing::error!(%error, "SES event could not be taken in");
            outcome = outcome.and(Err(error));
        }
    }
    outcome
}

async fn take(store: &Store, event: &MailEvent, now: Timestamp) -> Result<(), StoreError> {
    let (applied, row) = write(store, event, now).await?;
    tracing::info!(request_id = %event.request_id, outcome = event.kind.outcome().as_str(), applied, "SES event");
    if event.kind == Kind::Send
        && let Some(claimed_at) = event.claimed_at
    {
        store.note_send_event(claimed_at).await?;
    }
    let live = row.as_ref().map_or(event.live, |row| row.mode == Mode::Live);
    let Some(subject) = subject(store, event, row.as_deref()).filter(|_| live) else {
        return Ok(());
    };
    match event.kind {
        Kind::HardBounce => {
            let window = store.settings(now).await?.company.bounce;
            store.bounced(&subject, window, now).await
        }
        Kind::Complaint => store.unsubscribe(&subject, None, "complaint", now).await,
        _ => Ok(()),
    }
}

/// Writes the outcome; whether the row has it now, and the row if there is one.
async fn write(
    store: &Store,
    event: &MailEvent,
    now: Timestamp,
) -> Result<(bool, Option<Box<Interaction>>), StoreError> {
    let outcome = Outcome {
        request_id: event.request_id,
        status: event.kind.outcome(),
        message_id: &event.message_id,
        at: event.at.unwrap_or(now),
    };
    for _ in 0..ATTEMPTS {
        let row = match store.outcome(&outcome).await? {
            OutcomeWritten::Applied(row) => return Ok((true, Some(row))),
            OutcomeWritten::Stale(row) => return Ok((false, Some(row))),
            OutcomeWritten::Gone => return Ok((false, None)),
            OutcomeWritten::Unexpected(row) => row,
        };
        // Suppression begins anew: the customer has got a mail after all.
        let window = store.settings(now).await?.company.suppression;
        if store.outcome_after_all(&row, &outcome, window).await? {
            tracing::warn!(request_id = %row.request_id, status = row.status.as_str(), "a mail had left after all");
            return Ok((true, Some(row)));
        }
    }
    Err(StoreError::Unavailable {
        operation: "outcome",
        cause: "the row moved on each time".into(),
    })
}

/// Whom the mail went to: by the row, or, when that is gone, by the event's own recipient.
fn subject(store: &Store, event: &MailEvent, row: Option<&Interaction>) -> Option<Subject> {
    let of_row = row.and_then(|row| row.subject.clone());
    of_row.or_else(|| {
        Some(store.secret().of_address(&Address::parse(event.recipient.as_deref()?)?.canonical()))
    })
}
