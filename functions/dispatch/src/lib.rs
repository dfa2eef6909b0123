//! The one way out: every mail leaves through here, and nothing else sends.
//!
//! For each ready request on the stream: check once more, claim, one call to SES, note what became
//! of it. What SES refused was certainly not sent, and goes back to the queue. What is unknown
//! (time-out, reset, 5xx, a crash between two steps) stays `sending`: `sweep` looks for evidence
//! when the lease is over.

mod compose;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use links::{SurveyUrl, TokenSecrets};
use mail::{Refusal, SendError, Ses};
use normalize::Address;
use policy::{
    Brand, Ceiling, DueFacts, Employee, KeyItem, Mode, Reason, RequestedVia, Status, WaitingFor,
    backoff, backoff_after, recheck, recheck_by_hand, saturating_add,
};
use serde_json::Value;
use store::{Claim, Claimed, Interaction, Settings, Store, StoreError, each_interaction};
use uuid::Uuid;

/// How long a request waits whose configuration has to be mended first: as long as it has waited so
/// far, within these bounds.
const HELD: SignedDuration = SignedDuration::from_mins(1);
const HELD_AT_MOST: SignedDuration = SignedDuration::from_mins(15);
/// How long a request waits for a quota or a paused account.
const PAUSED: SignedDuration = SignedDuration::from_mins(15);
/// Mails a second for which each batch sends one more at once. A mail takes about a tenth of a
/// second, and a table's stream has four shards to begin with, each worked on by one batch: so a
/// backlog goes out at about the rate that SES allows rather than in bursts that it refuses.
const PACE: u32 = 40;
/// Mails of a batch under way at once, at most.
const MOST_AT_ONCE: u32 = 10;
/// How long what is no fault of the mail (throttled, not connected, a sender that is not verified)
/// is tried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How often a claim is tried again while the customer's window is held by a mail that is being
/// sent at this moment, and the first pause before that, which doubles: in all less than a second,
/// several times what a call to SES takes.
const WINDOW_TRIES: u32 = 3;
const WINDOW_PAUSE: Duration = Duration::from_millis(100);
/// A claim outlives the function that made it by so much.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// The function and what it needs.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The tables.
    pub store: Store,
    /// The way out.
    pub ses: Ses,
    /// What signs the links.
    pub secrets: TokenSecrets,
    /// Where the links lead.
    pub survey_url: SurveyUrl,
    /// Sender for a company that has set none.
    pub sender: Option<Address>,
    /// The function's own time-out.
    pub time_out: SignedDuration,
}

/// The environment lacks something.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// See [`links::TokenSecrets::parse`].
    #[error(transparent)]
    Secrets(#[from] links::SecretError),
    /// `SUBJECT_SECRET`.
    #[error(transparent)]
    Subject(#[from] store::MissingSecret),
    /// It has to be an address that SES takes.
    #[error("SENDER_ADDRESS is no e-mail address")]
    Sender,
    /// Without it a mail has nowhere to lead.
    #[error("SURVEY_URL must be set")]
    SurveyUrl,
}

impl Dispatch {
    /// From `TOKEN_SECRETS`, `SURVEY_URL`, `CONFIGURATION_SET` (none), `SENDER_ADDRESS` (none),
    /// `TIME_OUT_SECONDS` (60), and what [`Store::from_env`] reads.
    ///
    /// # Errors
    /// If one that has no default is absent or not understood.
    pub fn from_env(dynamodb: &SdkConfig, ses: &SdkConfig) -> Result<Self, SetUpError> {
        let given = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let seconds =
            given("TIME_OUT_SECONDS").and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(60);
        Ok(Self {
            store: Store::from_env(dynamodb)?,
            ses: Ses { client: mail::client(ses), configuration_set: given("CONFIGURATION_SET") },
            secrets: TokenSecrets::parse(&given("TOKEN_SECRETS").unwrap_or_default())?,
            survey_url: SurveyUrl::new(&given("SURVEY_URL").ok_or(SetUpError::SurveyUrl)?),
            sender: given("SENDER_ADDRESS").map(|sender| sender_address(&sender)).transpose()?,
            time_out: SignedDuration::from_secs(seconds),
        })
    }

    /// Works through a batch of the stream; returns Lambda's partial batch response. `now` is the
    /// invocation's start, from which leases count.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Value {
        let at_once = self
            .store
            .settings(now)
            .await
            .map_or(1, |settings| settings.company.send_rate.div_ceil(PACE));
        let started = Instant::now();
        // Leases count from the start; but a batch may take longer than the configuration may be
        // remembered.
        let reading =
            || saturating_add(now, SignedDuration::try_from(started.elapsed()).unwrap_or_default());
        let send = |row| async move { self.send(&row, now, reading()).await };
        each_interaction(event, at_once.clamp(1, MOST_AT_ONCE) as usize, send).await
    }

    async fn send(
        &self,
        row: &Interaction,
        now: Timestamp,
        reading: Timestamp,
    ) -> Result<(), StoreError> {
        if row.status != Status::Queued || row.ready.is_none() {
            return Ok(()); // an older image, or one that the filter should have kept
        }
        if row.expired(now) {
            return self.refuse(row, Reason::Expired, now).await;
        }
        if row.declined_at.is_some() {
            return self.refuse(row, Reason::DoNotSend, now).await;
        }
        if row.reopened_at.is_some() {
            return self.refuse(row, Reason::Reopened, now).await;
        }
        let mut known = self.known(row, reading).await?;
        if !matches!(known.recheck(row), Ok(None)) {
            // What is remembered may be older than the request, or than what an admin has just
            // corrected.
            self.store.forget_configuration();
            known = self.known(row, reading).await?;
        }
        match known.recheck(row) {
            Err(reason) => return self.refuse(row, reason, now).await,
            Ok(Some(fault)) => return self.hold(row, WaitingFor::Configuration, &fault, now).await,
            Ok(None) => {}
        }
        let (settings, brand) = (&known.settings, known.brand(row));
        let to = match row.mode {
            Mode::Test => settings.company.test_email.as_ref().map(Address::as_mailbox),
            Mode::Live => row.customer_email().map(str::to_owned),
        };
        let to = match (to, row.mode) {
            (Some(to), _) => to,
            // Nothing of ours records a live request without one.
            (None, Mode::Live) => return self.refuse(row, Reason::NoEmail, now).await,
            (None, Mode::Test) => {
                return self
                    .hold(row, WaitingFor::TestEmail, WaitingFor::TestEmail.sentence(), now)
                    .await;
            }
        };
        let from = compose::sender(&settings.company, brand, self.sender.as_ref());
        let Some(from) = from else {
            return self.hold(row, WaitingFor::Sender, WaitingFor::Sender.sentence(), now).await;
        };
        // Written before it is claimed: a mail that cannot be written holds no lease.
        let mail = match compose::survey_mail(self, row, &to, from, &settings.company, brand) {
            // The Send event brings it back: how far evidence has come is told by claims, which a
            // row may have had several of.
            Ok(mail) => mail.tagged("claimed_at", &now.as_millisecond().to_string()),
            Err(error) => {
                return self.hold(row, WaitingFor::Configuration, &error.to_string(), now).await;
            }
        };
        let ceiling = known.ceiling(row);
        let claim = Claim {
            id: Uuid::now_v7(),
            lease: self.time_out + GRACE,
            window: settings.company.suppression,
            open: settings.company.open,
            ceiling: ceiling.as_ref(),
        };
        match self.claim(row, &claim, now).await {
            Ok(Claimed::Yes) => {}
            Ok(Claimed::Lost) => return Ok(()),
            Ok(Claimed::No(reason)) => return self.refuse(row, reason, now).await,
            Ok(Claimed::WindowOf(_)) => {
                return self
                    .hold(row, WaitingFor::EarlierMail, WaitingFor::EarlierMail.sentence(), now)
                    .await;
            }
            Ok(Claimed::OverCeiling) => return self.wait_for_next_hour(row, now).await,
            // No repetition mends it, and nothing was sent.
            Err(StoreError::Invalid { operation, cause }) => {
                tracing::error!(request_id = %row.request_id, operation, cause, "a claim cannot be stored");
                return self.refuse(row, Reason::NotStorable, now).await;
            }
            Err(error) => return Err(error),
        }
        let sent = self.ses.send(&mail).await;
        self.note(row, claim.id, sent, settings.company.send_attempts, now).await
    }

    /// Claims. Where the customer's window is held by another request, that request decides: if its
    /// mail has left, this one is refused; if it is being sent at this moment, this one waits for
    /// it a little; if it is not known whether it left, the answer is [`Claimed::WindowOf`].
    async fn claim(
        &self,
        row: &Interaction,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let mut claimed = self.store.claim(row, claim, now).await?;
        for again in 0..WINDOW_TRIES {
            let Claimed::WindowOf(holder) = claimed else { break };
            match self.store.interaction(holder, now).await? {
                Some(holder) if matches!(holder.status, Status::Queued | Status::Sending) => {}
                _ => return Ok(Claimed::No(Reason::SuppressionPeriod)),
            }
            tokio::time::sleep(WINDOW_PAUSE * 2_u32.pow(again)).await;
            claimed = self.store.claim(row, claim, now).await?;
        }
        Ok(claimed)
    }

    /// What the checks need to know of the configuration, remembered or read.
    async fn known(&self, row: &Interaction, now: Timestamp) -> Result<Known, StoreError> {
        let employee = async {
            match row.employee.as_ref().filter(|_| row.mode == Mode::Live) {
                Some(profile) => self.store.employee_by_email(&profile.email, now).await,
                None => Ok(None),
            }
        };
        let key = async {
            match row.requested_via {
                RequestedVia::Api => self.store.key(&row.key, now).await,
                // The link of a send box stood for it.
                RequestedVia::Manual => Ok(None),
            }
        };
        let (settings, key, employee) = tokio::try_join!(self.store.settings(now), key, employee)?;
        Ok(Known { settings, key, employee })
    }

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

    /// Somebody has to mend something first; until then nothing is sent, nothing is lost, and no
    /// attempt is used up.
    async fn hold(
        &self,
        row: &Interaction,
        waiting_for: WaitingFor,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tracing::error!(request_id = %row.request_id, waiting_for = waiting_for.as_str(), why, "mail held back");
        let wake_at = saturating_add(now, waited(row, now).clamp(HELD, HELD_AT_MOST));
        self.store.hold(row, waiting_for, wake_at, now).await.map(drop)
    }

    /// The key's mails of this hour are used up.
    async fn wait_for_next_hour(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tracing::warn!(request_id = %row.request_id, key = row.key.get(..8), "the key's mails_per_hour are used up");
        let (_, next_hour) = Ceiling::hour(now);
        self.store.hold(row, WaitingFor::MailsPerHour, next_hour, now).await.map(drop)
    }

    /// Notes what became of the mail. If that fails, the request stays `sending`, and `sweep` finds
    /// out from SES's events.
    async fn note(
        &self,
        row: &Interaction,
        claim_id: Uuid,
        sent: Result<String, SendError>,
        most_attempts: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request_id = row.request_id;
        let (refusal, code) = match sent {
            Ok(message_id) => {
                tracing::info!(%request_id, message_id, "sent");
                return self.store.sent(request_id, claim_id, &message_id, now).await.map(drop);
            }
            Err(SendError::Unknown { code }) => {
                tracing::error!(%request_id, code, "unknown whether the mail left: sweep looks for evidence");
                return Ok(());
            }
            Err(SendError::Refused { refusal, code }) => (refusal, code),
        };
        tracing::warn!(%request_id, ?refusal, code, attempts = row.attempts, "refused");
        let random = fastrand::u32(..);
        let waited = waited(row, now);
        let again = saturating_add(now, backoff_after(waited, random));
        let next = match refusal {
            Refusal::AddressRejected => {
                return self.store.give_up(row, claim_id, Reason::Rejected, now).await.map(drop);
            }
            Refusal::ThisMail => (row.attempts + 1 < most_attempts)
                .then(|| (saturating_add(now, backoff(row.attempts, random)), true)),
            Refusal::QuotaOrPaused => Some((saturating_add(again, PAUSED), false)),
            Refusal::Throttled | Refusal::Misconfigured | Refusal::Unreachable => {
                (waited < PATIENCE).then_some((again, false))
            }
        };
        match next.filter(|(wake_at, _)| !row.ends_before(*wake_at)) {
            Some((wake_at, counts)) => self.store.release(row, claim_id, wake_at, counts).await,
            None => self.store.give_up(row, claim_id, Reason::SendAttempts, now).await,
        }
        .map(drop)
    }
}

/// The configuration as far as a request depends on it.
struct Known {
    settings: Arc<Settings>,
    key: Option<KeyItem>,
    /// Of a test request nobody is asked about.
    employee: Option<Employee>,
}

impl Known {
    fn brand(&self, row: &Interaction) -> Option<&Brand> {
        row.brand.as_deref().and_then(|brand| Brand::find(&self.settings.brands, brand))
    }

    /// Whether the request may be claimed: `Ok(None)`; not until something is corrected: the fault;
    /// or never.
    fn recheck(&self, row: &Interaction) -> Result<Option<String>, Reason> {
        let facts = DueFacts {
            company: &self.settings.company,
            channels: &self.settings.channels,
            brand: self.brand(row),
            key: self.key.as_ref(),
            employee: self.employee.as_ref(),
        };
        let channel = row.channel.as_deref().unwrap_or_default();
        let language = row.language.as_deref();
        let of_language = self
            .settings
            .language_faults
            .iter()
            .find(|(tag, _)| Some(tag.as_str()) == language)
            .map(|(_, fault)| fault);
        let fault = match row.requested_via {
            RequestedVia::Api => recheck(row.mode, channel, &facts)?,
            RequestedVia::Manual => recheck_by_hand(channel, &facts)?,
        };
        if let Some(fault) = fault.or(of_language) {
            return Ok(Some(fault.to_string()));
        }
        let customer = row.customer_email().and_then(Address::parse);
        match policy::declined(&self.settings.company, &row.tags(), customer.as_ref()) {
            Some(reason) => Err(reason),
            None => Ok(None),
        }
    }

    fn ceiling(&self, row: &Interaction) -> Option<Ceiling> {
        match &self.key {
            Some(KeyItem::Good(key)) => key.ceiling(),
            _ if row.requested_via == RequestedVia::Manual => {
                Ceiling::new(&row.key, Ceiling::BY_HAND)
            }
            // A test request whose key is gone or cannot be understood.
            _ => Ceiling::new(&row.key, Ceiling::default_of(row.mode)),
        }
    }
}

fn sender_address(text: &str) -> Result<Address, SetUpError> {
    policy::Mailbox::parse(text).map(|mailbox| mailbox.address).ok_or(SetUpError::Sender)
}

/// Since the request was due.
fn waited(row: &Interaction, now: Timestamp) -> SignedDuration {
    now.duration_since(row.due_at.unwrap_or(row.created_at))
}
