//! Sends every mail. Nothing else sends.
//!
//! Each ready request on the stream goes through five steps: **check** it against the current
//! configuration, **compose** its mail, **claim** it, **send** the mail with one call to SES, and
//! **note** the result.
//!
//! - If SES refuses, the mail was certainly not sent, and the request goes back to the queue.
//! - If the result is unknown (time-out, reset, 5xx, a crash between two steps), the request stays
//!   `sending`. When the lease is over, `sweep` looks for evidence.
//!
//! A notice ([`Interaction::notice`]) goes through the same steps. It is checked less, since it
//! concerns no customer.
//!
//! What follows from each check, refusal or wait is decided in `policy`; this crate carries it out.

mod configuration;
mod environment;
mod notices;
mod stopped;

pub use environment::{Environment, SetUpError};

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use links::Links;
use mail::{SendError, Ses};
use normalize::Address;
use policy::{
    AfterRefusal, Reason, RowState, Status, WINDOW_PAUSES, WaitingFor, after_refusal, ends_unsent,
    held_until, lease, saturating_add, sends_in_flight, waits_for_window,
};
use serde_json::Value;
use store::{Claim, Claimed, Interaction, Lease, Store, StoreError};
use stream_events::each_interaction;
use survey_mail::compose;
use uuid::Uuid;

use configuration::ConfigurationFor;
use stopped::Stopped;

/// The function and what it needs.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The tables.
    pub store: Store,
    /// Amazon SES.
    pub ses: Ses,
    /// Makes the links in a mail.
    pub links: Links,
    /// Sender for a company that has set none.
    pub sender: Option<Address>,
    /// The function's own time-out: a claim's lease outlasts it.
    pub time_out: SignedDuration,
}

impl Dispatch {
    /// From the variables of [`Environment`], and those that [`Store::from_env`] reads.
    ///
    /// # Errors
    /// If a variable without a default is absent, or any value cannot be used.
    pub fn from_env(dynamodb: &SdkConfig, ses: &SdkConfig) -> Result<Self, SetUpError> {
        let store = Store::from_env(dynamodb)?;
        let Environment { links, sender, configuration_set, time_out } =
            Environment::read(|name| std::env::var(name).ok())?;
        let ses = Ses { client: mail::client(ses), configuration_set };
        Ok(Self { store, ses, links, sender, time_out })
    }

    /// Works through a batch of the stream and returns Lambda's partial batch response: the
    /// records that failed. `clock` tells the time; each mail asks it once.
    pub async fn handle(&self, event: &Value, clock: impl Fn() -> Timestamp + Sync) -> Value {
        // If the settings cannot be read, each record meets the same error and reports it.
        let settings = self.store.settings(clock()).await;
        let in_flight = settings.map_or(1, |settings| sends_in_flight(settings.company.send_rate));
        let clock = &clock;
        let send = |row| async move { self.send(&row, clock()).await };
        each_interaction(event, in_flight, send).await
    }

    /// Sends the mail of one request, or writes down why there is none.
    async fn send(&self, row: &Interaction, now: Timestamp) -> Result<(), StoreError> {
        if row.status != Status::Queued || row.ready.is_none() {
            return Ok(()); // an older image, or one that the stream's filter should have kept out
        }
        let mailed = match &row.notice {
            None => self.mail(row, now).await,
            Some(notice) => self.mail_notice(row, notice, now).await,
        };
        match mailed {
            Ok(()) | Err(Stopped::MovedOn) => Ok(()),
            Err(Stopped::Refused(reason)) => self.refuse(row, reason, now).await,
            Err(Stopped::Held(waiting_for, why)) => self.hold(row, waiting_for, &why, now).await,
            Err(Stopped::Store(error)) => Err(error),
        }
    }

    async fn mail(&self, row: &Interaction, now: Timestamp) -> Result<(), Stopped> {
        let configuration = self.check(row, now).await?;
        if let Some(key) = configuration.key() {
            self.store.note_key_use(&key.digest, key.last_used, row.created_at).await;
        }
        // Composed before the claim, so that a mail that cannot be composed holds no lease.
        let mail = compose(&self.links, self.sender.as_ref(), row, &configuration.settings, now)?;
        let company = &configuration.settings.company;
        let ceiling = configuration.ceiling(row);
        let claim = Claim {
            id: Uuid::now_v7(),
            lease: lease(self.time_out),
            window: company.suppression,
            open: company.open,
            ceiling: ceiling.as_ref(),
        };
        let lease = self.claim(row, &claim, now).await?;
        let sent = self.ses.send(&mail).await;
        Ok(self.note(lease, sent, company.send_attempts, now).await?)
    }

    /// Checks the request against the configuration, which may have changed since receipt.
    async fn check(&self, row: &Interaction, now: Timestamp) -> Result<ConfigurationFor, Stopped> {
        still_wanted(row, now)?;
        let cached = ConfigurationFor::read(&self.store, row, now).await?;
        if cached.check(row).is_ok() {
            return Ok(cached);
        }
        // The cached configuration may be older than the request, or than an admin's correction:
        // only what the table says now may stop a request.
        self.store.forget_configuration();
        let current = ConfigurationFor::read(&self.store, row, now).await?;
        current.check(row)?;
        Ok(current)
    }

    /// Claims the request and returns the lease that allows to send.
    ///
    /// If another request holds the customer's suppression window, that request decides. If its
    /// mail has left, this request is refused. While its mail is being sent, the claim is tried
    /// again after a short pause. If the outcome is still open after that, this request is held.
    async fn claim<'a>(
        &self,
        row: &'a Interaction,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<Lease<'a>, Stopped> {
        let mut pauses = WINDOW_PAUSES.into_iter();
        loop {
            let holder = match self.store.claim(row, claim, now).await {
                Ok(Claimed::Yes(lease)) => return Ok(lease),
                Ok(Claimed::Lost) => return Err(Stopped::MovedOn),
                Ok(Claimed::No(reason)) => return Err(Stopped::Refused(reason)),
                Ok(Claimed::OverCeiling) => return Err(Stopped::held(WaitingFor::MailsPerHour)),
                Ok(Claimed::WindowOf(holder)) => holder,
                // Nothing was sent, and another attempt would fail in the same way.
                Err(StoreError::Invalid { operation, cause }) => {
                    let request_id = row.request_id;
                    tracing::error!(%request_id, operation, cause, "the claim cannot be stored");
                    return Err(Stopped::Refused(Reason::NotStorable));
                }
                Err(error) => return Err(error.into()),
            };
            let Some(pause) = pauses.next() else {
                return Err(Stopped::held(WaitingFor::EarlierMail));
            };
            let holder = self.store.interaction(holder, now).await?;
            if !waits_for_window(holder.map(|holder| holder.status)) {
                return Err(Stopped::Refused(Reason::SuppressionPeriod));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Ends the request without a mail.
    async fn refuse(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let refused = self.store.refuse(row, reason, now).await?;
        tracing::info!(request_id = %row.request_id, reason = reason.code(), refused, "no mail");
        Ok(())
    }

    /// Holds the request back. It uses up no attempt, and goes on by itself.
    async fn hold(
        &self,
        row: &Interaction,
        waiting_for: WaitingFor,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request_id = row.request_id;
        let (waits_for, key) = (waiting_for.as_str(), row.key.get(..8));
        if waiting_for == WaitingFor::MailsPerHour {
            tracing::warn!(%request_id, waiting_for = waits_for, key, why, "mail held back");
        } else {
            tracing::error!(%request_id, waiting_for = waits_for, why, "mail held back");
        }
        let wake_at = held_until(waiting_for, due_at(row), now);
        self.store.hold(row, waiting_for, wake_at, now).await.map(drop)
    }

    /// Writes down what SES said. If the write fails, the request stays `sending`, and `sweep`
    /// learns the outcome from SES's events.
    async fn note(
        &self,
        lease: Lease<'_>,
        sent: Result<String, SendError>,
        max_attempts: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = lease.row();
        let request_id = row.request_id;
        let (refusal, code) = match sent {
            Ok(message_id) => {
                tracing::info!(%request_id, message_id, "sent");
                return self.store.sent(lease, &message_id, now).await.map(drop);
            }
            Err(SendError::Unknown { code }) => {
                tracing::error!(%request_id, code, "SES did not say whether it took the mail");
                return Ok(());
            }
            Err(SendError::Refused { refusal, code }) => (refusal, code),
        };
        tracing::warn!(%request_id, ?refusal, code, attempts = row.attempts, "refused");
        let waited = now.duration_since(due_at(row));
        let row_ends_before = |pause: SignedDuration| row.ends_before(saturating_add(now, pause));
        let random = fastrand::u32(..);
        let next =
            after_refusal(refusal, row.attempts, max_attempts, waited, row_ends_before, random);
        match next {
            AfterRefusal::Retry { pause, counts } => {
                self.store.release(lease, saturating_add(now, pause), counts).await
            }
            AfterRefusal::GiveUp(reason) => self.store.give_up(lease, reason, now).await,
        }
        .map(drop)
    }
}

/// Whether the row still asks for a mail.
fn still_wanted(row: &Interaction, now: Timestamp) -> Result<(), Stopped> {
    let state = RowState {
        expired: row.expired(now),
        declined: row.declined_at.is_some(),
        reopened: row.reopened_at.is_some(),
    };
    ends_unsent(state).map_or(Ok(()), |reason| Err(Stopped::Refused(reason)))
}

/// When the request was due: at receipt, or at the end of its delay.
fn due_at(row: &Interaction) -> Timestamp {
    row.due_at.unwrap_or(row.created_at)
}
