//! Takes in SES's events: sent, delivered, bounced, complained.
//!
//! Events come late, twice and out of order, and the result does not depend on it. A request's
//! outcome only ever becomes more severe. What an event does to the customer's address (a permanent
//! bounce, a complaint) has the same result each time. Nothing is stored about the address of a
//! test mail, or of one that told a notice.

mod event;

use jiff::Timestamp;
use links::Subject;
use normalize::Address;
use policy::{AddressEffect, MailEventKind};
use serde_json::Value;
use store::{Interaction, Outcome, OutcomeWritten, Store, StoreError};

pub use event::{MailEvent, Message, NotAnEvent, messages, read};

/// How often an outcome is written whose row changes in between.
const ATTEMPTS: usize = 4;

/// Why an invocation failed. Its messages come again, for hours, and then go to the dead-letter
/// queue.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message cannot be read; another attempt would fail too.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
}

/// Takes in every message of an envelope. If one fails, the others are taken in all the same. A
/// notice about the topic itself is only logged.
///
/// # Errors
/// The error of the first message that failed.
pub async fn handle(store: &Store, envelope: &Value, now: Timestamp) -> Result<(), EventError> {
    let mut outcome = Ok(());
    for message in messages(envelope) {
        let taken = async {
            let event = match message? {
                Message::Record(record) => read(&record)?,
                Message::AboutTopic(what) => {
                    tracing::info!(what, "a notice about the topic");
                    None
                }
            };
            match event {
                // Boxed: these calls nest deeply, and the compiler limits the depth of a future's
                // type.
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
    let (request_id, outcome) = (event.request_id, event.kind.status().as_str());
    tracing::info!(%request_id, outcome, applied, "SES event");
    if event.kind == MailEventKind::Send
        && let Some(claimed_at) = event.claimed_at
    {
        store.note_send_event(claimed_at).await?;
    }
    if event.of_notice {
        // The team's own address. Nobody asked it anything, and it may be told again.
        if event.kind.is_trouble() {
            tracing::error!(%request_id, outcome, "a notice did not reach its recipient");
        }
        return Ok(());
    }
    let mode = row.as_ref().map_or(event.mode, |row| row.mode);
    let Some(subject) = subject(store, event, row.as_deref()) else { return Ok(()) };
    match event.kind.address_effect(mode) {
        AddressEffect::Bounced => {
            let window = store.settings(now).await?.company.bounce;
            store.bounced(&subject, window, now).await
        }
        AddressEffect::Unsubscribed => store.unsubscribe(&subject, None, "complaint", now).await,
        AddressEffect::None => Ok(()),
    }
}

/// Writes the outcome. Returns whether this write changed the row, and the row if there is one.
async fn write(
    store: &Store,
    event: &MailEvent,
    now: Timestamp,
) -> Result<(bool, Option<Box<Interaction>>), StoreError> {
    let outcome = Outcome {
        request_id: event.request_id,
        mode: event.mode,
        of_notice: event.of_notice,
        status: event.kind.status(),
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
        // The customer got a mail after all, so the suppression window is taken again.
        let window = store.settings(now).await?.company.suppression;
        if store.outcome_after_all(&row, &outcome, window).await? {
            let (request_id, status) = (row.request_id, row.status.as_str());
            tracing::warn!(%request_id, status, "the mail had left after all");
            return Ok((true, Some(row)));
        }
    }
    Err(StoreError::Unavailable {
        operation: "outcome",
        cause: "the row changed between each read and write".into(),
    })
}

/// The subject of the customer: from the row, or, if that is gone, from the event's recipient.
fn subject(store: &Store, event: &MailEvent, row: Option<&Interaction>) -> Option<Subject> {
    let of_row = row.and_then(|row| row.subject.clone());
    of_row.or_else(|| {
        Some(store.secret().of_address(&Address::parse(event.recipient.as_deref()?)?.canonical()))
    })
}
