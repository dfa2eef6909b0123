//! What the company's own people are told by mail.
//!
//! A notice is a row of work like a request: `dispatch` claims it and mails it once. It holds facts
//! and no texts, so that its mail can be written in any language.

use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// How long the row of a notice is kept. A day before that it is too old to be told, and ends as
/// `failed: expired` if no mail has left.
pub const NOTICE_KEPT: SignedDuration = SignedDuration::from_hours(48);

/// What is told, by its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// More requests than usual went wrong: `alert/errors`.
    Errors(ErrorsNotice),
}

impl Notice {
    /// The name of its kind, for logs and for tags of mails.
    pub fn kind(&self) -> &'static str {
        match self {
            Notice::Errors(_) => "errors",
        }
    }
}

/// More than a share of an hour's live requests went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorsNotice {
    /// The start of the first minute that was counted.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub from: Timestamp,
    /// Up to when was counted.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
    /// How many came.
    pub requests: u64,
    /// How many of them are `invalid` or `failed`.
    pub wrong: u64,
    /// The limit, in per cent.
    pub percent: u32,
    /// What went wrong, the most frequent first; not all of it.
    pub reasons: Vec<WrongRequests>,
}

/// Requests that went wrong in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongRequests {
    /// Who sent them.
    pub source: Source,
    /// Why there is no mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}
