//! Looks up at Gladly who is asked about whom. Gladly's webhook carries only ids (docs/facts.md,
//! Gladly 1), so that a closed conversation is recorded as `unresolved`. This function, on the
//! table's stream, makes it `queued`, `not_sent` or `invalid`.
//!
//! - A lookup asks for the conversation, its items, the customer and the agent at once, and for the
//!   topics if the conversation has any that are not known yet. Then `policy` decides, as for every
//!   other source.
//! - If the channel has a delay, there are two lookups. The first one finds out when the survey is
//!   due. The second one, when it is due, finds out whether the conversation is still closed, and
//!   whether it was closed again: only the newest closing asks for a survey. A request that has a
//!   `due_at` is never delayed again.
//! - If Gladly cannot answer (429, 5xx, a time-out, a response that cannot be read), or an admin
//!   must correct the configuration, the request waits in the table with a later `wake_at`. Neither
//!   fails the batch. After 48 hours, or if the row would expire before the next lookup, the
//!   request ends as `failed: source_unreachable`.

mod account;
mod channel;
mod client;
mod error;
mod lookup;
mod payloads;
mod retry;
mod topics;

use jiff::{SignedDuration, Timestamp};
use metrics::Measure;
use policy::{Reason, Status, Verdict};
use serde_json::Value;
use store::{Interaction, Resolution, Settings, Store, StoreError};
use stream_events::each_interaction;

pub use account::AllowedHosts;
pub use client::ClientError;
pub use lookup::Gladly;

use account::Account;
use error::LookupError;
use lookup::Lookup;
use retry::{AfterFailure, Pending, after_failure, closing_event_wait};

/// The most requests of a batch that are looked up at the same time.
const CONCURRENT_LOOKUPS: usize = 10;

/// The function, with the clients that it needs.
#[derive(Debug)]
pub struct Resolver {
    /// The tables.
    pub store: Store,
    /// The way to Gladly.
    pub gladly: Gladly,
}

impl Resolver {
    /// With Gladly's API token, and the hosts that may be called, as [`AllowedHosts::new`] takes
    /// them.
    ///
    /// # Errors
    /// As [`Gladly::new`].
    pub fn new(store: Store, token: &str, allowed_hosts: &str) -> Result<Self, ClientError> {
        Ok(Self { store, gladly: Gladly::new(token, AllowedHosts::new(allowed_hosts))? })
    }

    /// Looks up the requests of one batch of the stream. Returns Lambda's partial batch response,
    /// `{"batchItemFailures": […]}`: the records that cannot be read, and the rows that cannot be
    /// written.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Value {
        each_interaction(event, CONCURRENT_LOOKUPS, |row| self.resolve(row, now)).await
    }

    /// Looks up one request and writes what follows.
    async fn resolve(&self, row: Interaction, now: Timestamp) -> Result<(), StoreError> {
        if row.status != Status::Unresolved || row.ready.is_none() || row.expired(now) {
            return Ok(());
        }
        if let Some(due) = row.due_at.filter(|due| now < *due) {
            // A clock that is ahead of ours has made the row ready too early.
            return self.store.delay(&row, due).await.map(drop);
        }
        let settings = self.store.settings(now).await?;
        // Gladly need not be asked if the answer could not be written.
        self.store.secret(now).await?;
        match self.look_up(&row, &settings, now).await {
            Ok(lookup) => self.decide(&row, &settings, lookup, now).await,
            Err(error) => self.retry_later(&row, &error, now).await,
        }
    }

    /// Looks the request's conversation up at Gladly.
    async fn look_up(
        &self,
        row: &Interaction,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Lookup, LookupError> {
        // A company setting that cannot be understood may be the topic that means do-not-send.
        if let Some(fault) = settings.company.faults.first() {
            return Err(fault.clone().into());
        }
        let conversation = row
            .conversation
            .as_ref()
            .ok_or_else(|| LookupError::temporary("conversation", "the row names none"))?;
        let account =
            Account::read(settings.integrations.get("gladly"), self.gladly.allowed_hosts())?;
        self.gladly.look_up(&account, conversation, &settings.company.do_not_send_topic, now).await
    }

    /// Has `policy` decide about the conversation, and writes the decision.
    async fn decide(
        &self,
        row: &Interaction,
        settings: &Settings,
        lookup: Lookup,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (request, closed_at) = match lookup {
            Lookup::Reopened => {
                return self.store.refuse(row, Reason::Reopened, now).await.map(drop);
            }
            Lookup::Closed { request, closed_at } => (request, closed_at),
        };
        let employee = match &request.employee {
            Some(who) => self.store.employee(who, now).await?,
            None => None,
        };
        let facts = settings.facts(employee.as_ref());
        // The delay counts from receipt.
        let verdict = policy::decide(&request, row.mode, &facts, row.created_at);
        if let Verdict::Send(approval) = &verdict
            && row.due_at.is_none()
            && approval.due > now
        {
            tracing::info!(
                request_id = %row.request_id,
                "conversation will be looked up again at the end of its delay"
            );
            return self.store.delay(row, approval.due).await.map(drop);
        }
        // During a delay the conversation can be reopened and closed again. Only the newest closing
        // asks for a survey.
        if row.due_at.is_some()
            || matches!(&verdict, Verdict::Send(approval) if approval.due > row.created_at)
        {
            if self.store.has_newer_closing(row, now).await? {
                return self.store.refuse(row, Reason::Reopened, now).await.map(drop);
            }
            let wait = closed_at.and_then(|at| closing_event_wait(row.created_at, at, now));
            if let Some(retry_after) = wait {
                let error = LookupError::Temporary {
                    resource: "conversation",
                    cause: "closed again just now, and the event has not arrived yet".into(),
                    retry_after,
                };
                return self.retry_later(row, &error, now).await;
            }
        }
        let resolution = Resolution::of(&request, verdict, self.store.secret(now).await?);
        let reason = resolution.reason().map(Reason::code);
        let written = self.store.resolve(row, &resolution, now).await?;
        tracing::info!(
            request_id = %row.request_id,
            reason,
            moved_on = !written,
            "conversation resolved"
        );
        Ok(())
    }

    /// Writes when the request is looked up again, or that it has failed.
    async fn retry_later(
        &self,
        row: &Interaction,
        error: &LookupError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let pending = Pending {
            since: row.due_at.unwrap_or(row.created_at),
            attempts: row.attempts,
            expires_at: row.expires_at,
        };
        match after_failure(error, pending, fastrand::u32(..), now) {
            AfterFailure::GiveUp => {
                tracing::error!(
                    request_id = %row.request_id,
                    %error,
                    metrics = %metrics::of(&[Measure::GivenUp]),
                    "lookup at Gladly failed for too long: given up"
                );
                self.store.refuse(row, Reason::SourceUnreachable, now).await.map(drop)
            }
            AfterFailure::LookUpAgain { at, counts } => {
                log_retry(row, error, at.duration_since(now));
                self.store.ask_again(row, at, counts).await.map(drop)
            }
        }
    }
}

/// Logs that a lookup has failed and will be tried again. What an admin must correct is an error.
fn log_retry(row: &Interaction, error: &LookupError, wait: SignedDuration) {
    let wait_s = wait.as_secs();
    match error {
        LookupError::Misconfigured { item, attribute, .. } => tracing::error!(
            request_id = %row.request_id,
            config.item = item,
            config.attribute = attribute,
            %error,
            wait_s,
            metrics = %metrics::of(&[Measure::ConfigurationFaults]),
            "no lookup at Gladly until this is corrected"
        ),
        LookupError::Temporary { .. } => tracing::warn!(
            request_id = %row.request_id,
            %error,
            wait_s,
            "lookup at Gladly failed, will be retried"
        ),
    }
}
