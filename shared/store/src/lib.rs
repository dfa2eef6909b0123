//! The four tables: items, keys and conditional writes. Every condition is explained where it
//! stands, clause by clause.
//!
//! **Invariant:** decides nothing about eligibility (that is `policy`'s), scans nothing, and never
//! updates an item that it has not required to exist: a late event revives nothing that was erased.
//! DynamoDB deletes expired items late, so whoever reads a row to act on it, and whoever takes a
//! window or a marker, compares the stored `expires_at` with `now`. Not so what only ends something
//! that still stands: the outcome of a mail, a lease that is over, the marker of a ticket that is
//! open again.

mod audit;
mod batch;
mod config;
mod conversations;
mod editing;
mod error;
mod evidence;
mod image;
mod interaction;
mod listing;
mod paging;
mod record;
mod resolving;
mod responses;
mod sending;
mod suppression;
mod waking;
mod withdrawing;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use links::SubjectSecret;

pub use audit::AuditEntry;
pub use batch::each_interaction;
pub use config::{Settings, config_items};
pub use editing::{Change, Changed, MOST_CHANGES, StoredItem};
pub use error::StoreError;
pub use evidence::{Outcome, OutcomeWritten};
pub use image::interaction_from_image;
pub use interaction::{AnswerKey, Conversation, Interaction, NewInteraction};
pub use listing::{Filter, Found, Page, ROWS_AT_ONCE};
pub use record::{First, Marker, Recorded};
pub use resolving::Resolution;
pub use responses::{Answer, Answered, ResponseRow};
pub use sending::{Claim, Claimed};
pub use suppression::Unsubscribed;
pub use waking::{DUE_SHARDS, Due, Woken};
pub use withdrawing::Ticket;

/// Names of the four tables.
#[derive(Clone, Debug)]
pub struct Tables {
    /// What admins edit.
    pub config: String,
    /// One row a request.
    pub interactions: String,
    /// Windows, unsubscribes, bounces and de-duplication markers.
    pub suppression: String,
    /// Answers.
    pub responses: String,
    /// Who changed what on the admin pages.
    pub audit: String,
}

impl Tables {
    /// From `CONFIG_TABLE`, `INTERACTIONS_TABLE`, `SUPPRESSION_TABLE` and `RESPONSES_TABLE`; each
    /// defaults to its local name (`config`, `interactions`, `suppression`, `responses`).
    pub fn from_env() -> Self {
        let name = |variable: &str, default: &str| {
            std::env::var(variable)
                .ok()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| default.to_owned())
        };
        Self {
            config: name("CONFIG_TABLE", "config"),
            interactions: name("INTERACTIONS_TABLE", "interactions"),
            suppression: name("SUPPRESSION_TABLE", "suppression"),
            responses: name("RESPONSES_TABLE", "responses"),
            audit: name("AUDIT_TABLE", "audit"),
        }
    }
}

/// `SUBJECT_SECRET` is absent or empty.
#[derive(Debug, thiserror::Error)]
#[error("SUBJECT_SECRET must be set")]
pub struct MissingSecret;

/// The tables, through one client, with the configuration cache of this process.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    secret: SubjectSecret,
    cache: Arc<config::Cache>,
}

impl Store {
    /// A store on the given AWS configuration. No network call is made.
    ///
    /// The SDK retries throttling, conflicts, 5xx and broken connections twice, soon: a helpdesk
    /// waits 5 s (docs/facts.md, Gorgias 3 and Zendesk 2), so an attempt may take 2 s and all of
    /// them 5 s.
    pub fn new(aws: &aws_config::SdkConfig, tables: Tables, secret: SubjectSecret) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(50));
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(aws)
            .retry_config(retries)
            .timeout_config(timeouts);
        let config = config.retry_classifier(error::SingleWriteConflicts).build();
        Self { client: Client::from_conf(config), tables, secret, cache: Arc::default() }
    }

    /// As [`Store::new`], with the tables' names and `SUBJECT_SECRET` from the environment.
    ///
    /// # Errors
    /// If `SUBJECT_SECRET` is absent or empty: without it nobody could be recognised.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, MissingSecret> {
        let secret = std::env::var("SUBJECT_SECRET")
            .ok()
            .filter(|secret| !secret.is_empty())
            .ok_or(MissingSecret)?;
        Ok(Self::new(aws, Tables::from_env(), SubjectSecret::new(&secret)))
    }

    /// The secret under which addresses and markers become subjects.
    pub fn secret(&self) -> &SubjectSecret {
        &self.secret
    }
}
