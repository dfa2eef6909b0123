//! The four tables: items, keys and conditional writes. Each condition is explained where it
//! stands, clause by clause.
//!
//! **Invariant:** decides nothing about eligibility (`policy` does), scans nothing, and never
//! updates a row without requiring that it exists: a late event cannot revive what was erased.
//! DynamoDB deletes expired items late. So code that reads a row to act on it, and code that takes
//! a window or a marker, compares the stored `expires_at` with `now`. Exception: writes that only
//! end something (the outcome of a mail, an expired lease, the marker of a reopened ticket) do not
//! check `expires_at`.
//!
//! A row of the interactions table may be a notice ([`Interaction::notice`]). It is claimed and
//! mailed like a request, and is none: [`Store::interaction`] and the lists do not find it.
//!
//! Modules import downwards only: `error` and `ground` (attribute values, keys, names), then types
//! (`details`, `marker`, `interaction`, …), then [`Store`] in `store`, then one module for each
//! thing that is done with the tables.

mod again;
mod alerts;
mod answering;
mod audit;
mod cache;
mod channel_counts;
mod claiming;
mod config;
mod config_log;
mod config_reading;
mod conversations;
mod details;
mod due;
mod editing;
mod ending;
mod erased;
mod erasing;
mod erasing_rows;
mod error;
mod evidence;
mod ground;
mod interaction;
mod key_use;
mod listing;
mod looking_back;
mod marker;
mod new_interaction;
mod notices;
mod outcome_month;
mod outcomes;
mod paging;
mod reading;
mod recording;
mod resolution;
mod resolving;
mod responses;
mod sessions;
mod shards;
mod step;
mod store;
mod subject_secret;
mod suppression;
mod tally;
mod withdrawing;

pub use again::SentAgain;
pub use alerts::Alert;
pub use answering::Answered;
pub use audit::AuditEntry;
pub use channel_counts::ByChannel;
pub use claiming::{Claim, Claimed, Lease};
pub use config::config_items;
pub use details::RequestDetails;
pub use due::{Due, Woken};
pub use editing::{Change, Changed, MOST_CHANGES, StoredItem};
pub use erased::{ErasedAnswers, ErasedRecords};
pub use erasing::Erasure;
pub use error::StoreError;
pub use interaction::{AnswerKey, Conversation, Interaction};
pub use listing::{Filter, ListBounds, Page};
pub use looking_back::{Recent, Standing, Tallied};
pub use marker::{First, Marker, MarkerKey};
pub use new_interaction::{Arrival, NewInteraction};
pub use outcomes::{Outcome, OutcomeWritten};
pub use policy::Settings;
pub use reading::{Found, ROWS_AT_ONCE, Unreadable};
pub use recording::Recorded;
pub use resolution::Resolution;
pub use responses::{Answer, ResponsePage, ResponseRow};
pub use shards::DUE_SHARDS;
pub use store::{MissingSecret, Store, Tables};
pub use subject_secret::SUBJECT_SECRET_ITEM;
pub use suppression::{Suppression, SuppressionKind, Unsubscribed};
pub use withdrawing::{Ticket, Withdrawn};
