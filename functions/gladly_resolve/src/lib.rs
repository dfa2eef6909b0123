//! Asks Gladly who and how. Its webhook carries ids only (docs/facts.md, Gladly 1), so a closed
//! conversation is recorded as `unresolved`, and this function, on the table's stream, turns it
//! into `queued`, `not_sent` or `invalid`.
//!
//! - One look asks for the conversation, its items, the customer and the agent at once, and for the
//!   topics when the conversation has any that are not known yet. Then `policy` decides, as it does
//!   for every other source.
//! - A channel with a delay is looked at twice: the first look finds out when the survey is due,
//!   and the last, when it is, whether the conversation is still closed, and whether this closing
//!   was its last: of several, the newest asks. A request that has a `due_at` is never delayed
//!   again.
//! - Gladly's trouble (429, 5xx, time-out, an answer that is none) goes back to the table with a
//!   later `wake_at`, and so does what an admin has to mend; neither fails the batch. After two
//!   days, or when the row would expire before the next look, it is `failed: source_unreachable`.

mod account;
mod channel;
mod client;
mod lookup;
mod payloads;
mod trouble;

use jiff::{SignedDuration, Timestamp};
use policy::{Reason, Status, Verdict, backoff, saturating_add};
use serde_json::Value;
use store::{Interaction, Resolution, Settings, Store, StoreError};
use stream_events::each_interaction;

pub use account::AllowedHosts;
pub use client::{Gladly, SetUpError};

use account::Account;
use lookup::Told;
use trouble::Trouble;

/// How long Gladly is asked, counted from receipt, or from the end of the delay.
const PATIENCE: SignedDuration = SignedDuration::from_hours(48);
/// Conversations that are asked about at once.
const AT_ONCE: usize = 10;
/// How long a request waits for what an admin has to mend.
const UNMENDED: SignedDuration = SignedDuration::from_mins(5);
/// How late `sweep` and the stream may be with a look.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// How long the event of another closing is waited for: Gladly sends it again after 30 s and 5 min
/// (docs/facts.md, Gladly 1).
const EVENT_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How far Gladly's clock and ours may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(1);

/// The function and what it needs.
#[derive(Debug)]
pub struct Resolver {
    /// The tables.
    pub store: Store,
    /// The way to Gladly.
    pub gladly: Gladly,
}

impl Resolver {
    /// A resolver with Gladly's API token, and the hosts that may be called
    /// ([`AllowedHosts::new`]).
    ///
    /// # Errors
    /// As [`Gladly::new`].
    pub fn new(store: Store, token: &str, allowed_hosts: &str) -> Result<Self, SetUpError> {
        Ok(Self { store, gladly: Gladly::new(token, AllowedHosts::new(allowed_hosts))? })
    }

    /// Resolves the rows of one batch of the stream; returns Lambda's partial batch response,
    /// `{"batchItemFailures": […]}`, which lists records that cannot be read and rows that cannot
    /// be written.
    pub async fn handle(&self, event: &Value, now: Timestamp) -> Value {
        each_interaction(event, AT_ONCE, |row| self.step(row, now)).await
    }

    async fn step(&self, row: Interaction, now: Timestamp) -> Result<(), StoreError> {
        if row.status != Status::Unresolved || row.ready.is_none() || row.expired(now) {
            return Ok(());
        }
        if let Some(due) = row.due_at.filter(|due| now < *due) {
            return self.store.delay(&row, due).await.map(drop); // woken early, by a clock that is ahead
        }
        let settings = self.store.settings(now).await?;
        match self.ask(&row, &settings, now).await {
            Ok(told) => self.decide(&row, &settings, told, now).await,
            Err(trouble) => self.put_back(&row, &trouble, now).await,
        }
    }

    async fn ask(
        &self,
        row: &Interaction,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Told, Trouble> {
        // With a setting that cannot be understood the topic that means do-not-send may be unknown.
        if let Some(fault) = settings.company.faults.first() {
            return Err(fault.clone().into());
        }
        let conversation = row
            .conversation
            .as_ref()
            .ok_or_else(|| Trouble::retry_later("conversation", "the row names none"))?;
        let account =
            Account::read(settings.integrations.get("gladly"), self.gladly.allowed_hosts())?;
        lookup::look_up(
            &self.gladly,
            &account,
            conversation,
            &settings.company.do_not_send_topic,
            now,
        )
        .await
    }

    async fn decide(
        &self,
        row: &Interaction,
        settings: &Settings,
        told: Told,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (request, closed_at) = match told {
            Told::Reopened => return self.store.refuse(row, Reason::Reopened, now).await.map(drop),
            Told::Closed { request, at } => (request, at),
        };
        let employee = match &request.employee {
            Some(who) => self.store.employee(who, now).await?,
            None => None,
        };
        let facts = settings.facts(employee.as_ref());
        // The delay counts from receipt.
        let verdict = policy::decide(&request, row.mode, &facts, row.created_at);
        if let Verdict::Send(plan) = &verdict
            && row.due_at.is_none()
            && plan.due > now
        {
            tracing::info!(request_id = %row.request_id, "conversation is asked about once more when its delay is over");
            return self.store.delay(row, plan.due).await.map(drop);
        }
        // With a delay, the conversation may have been reopened and closed again meanwhile: the
        // newest closing asks.
        if row.due_at.is_some()
            || matches!(&verdict, Verdict::Send(plan) if plan.due > row.created_at)
        {
            if self.store.has_newer_closing(row, now).await? {
                return self.store.refuse(row, Reason::Reopened, now).await.map(drop);
            }
            if let Some(trouble) = closed_at.and_then(|at| closed_again_lately(row, at, now)) {
                return self.put_back(row, &trouble, now).await;
            }
        }
        let resolution = Resolution::of(&request, verdict, self.store.secret());
        let reason = resolution.reason().map(Reason::code);
        let written = self.store.resolve(row, &resolution, now).await?;
        tracing::info!(request_id = %row.request_id, reason, moved_on = !written, "conversation resolved");
        Ok(())
    }

    async fn put_back(
        &self,
        row: &Interaction,
        trouble: &Trouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (wait, counts) = match trouble {
            Trouble::SetUp { .. } => (UNMENDED, false),
            Trouble::Later { not_before, .. } => {
                (backoff(row.attempts, fastrand::u32(..)).max(*not_before), true)
            }
        };
        let next = saturating_add(now, wait);
        let patience_over = now.duration_since(row.due_at.unwrap_or(row.created_at)) >= PATIENCE;
        if patience_over || row.expired(saturating_add(next, LATE)) {
            tracing::error!(request_id = %row.request_id, %trouble, patience_over, "Gladly could not be asked in time: given up");
            return self.store.refuse(row, Reason::SourceUnreachable, now).await.map(drop);
        }
        match trouble {
            Trouble::SetUp { item, attribute, .. } => {
                tracing::error!(request_id = %row.request_id, config.item = item, config.attribute = attribute, %trouble, "Gladly cannot be asked until this is mended");
            }
            Trouble::Later { .. } => {
                tracing::warn!(request_id = %row.request_id, %trouble, wait_s = wait.as_secs(), "Gladly is asked again later");
            }
        }
        self.store.ask_again(row, next, counts).await.map(drop)
    }
}

/// Trouble if the conversation was closed again so lately that the event of it may still be on its
/// way: two requests that do not know of each other would both ask. If none has come by then,
/// nothing else asks (Gladly's rule closed it unassigned, or the event was lost), and this request
/// does. A time that lies ahead says nothing.
fn closed_again_lately(row: &Interaction, closed_at: Timestamp, now: Timestamp) -> Option<Trouble> {
    let again = closed_at > saturating_add(row.created_at, CLOCKS_APART)
        && closed_at <= saturating_add(now, CLOCKS_APART);
    let not_before = saturating_add(closed_at, EVENT_WAIT).duration_since(now);
    let cause = "closed again lately, and the event of it has not come yet";
    (again && not_before.is_positive()).then(|| Trouble::Later {
        resource: "conversation",
        cause: cause.into(),
        not_before,
    })
}
