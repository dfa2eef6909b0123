//! What a parser makes of a body.

use jiff::Timestamp;

use crate::SurveyRequest;

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// Somebody is to be surveyed.
    Survey(Box<SurveyRequest>),
    /// Gorgias: an update that shows the ticket open again.
    Reopened {
        /// The ticket's id, as in the request that its closing made.
        ext_interaction_id: String,
    },
    /// Gorgias: a closed ticket that is snoozed. It is surveyed if that time is over when it
    /// arrives.
    Snoozed {
        /// Until when; `None` if that could not be read.
        until: Option<Timestamp>,
        /// What is asked for once it is over.
        request: Box<SurveyRequest>,
    },
    /// Gladly: a closed conversation, ids only.
    Conversation(ClosedConversation),
    /// Nothing to do: answered 200 `{"status": "ignored", "reason": code}`, and nothing is
    /// recorded.
    Ignored(Ignored),
}

/// A `CONVERSATION/CLOSED` event of Gladly. Every id is 1 to [`SurveyRequest::MAX_ID`] bytes long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedConversation {
    /// The event's own id, the same in each resending.
    pub event_id: String,
    /// Which conversation.
    pub conversation_id: String,
    /// Whose conversation.
    pub customer_id: String,
    /// Who was assigned just before the closing, if anybody was.
    pub agent_id: Option<String>,
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Gladly tries whether the URL answers.
    Ping,
    /// The ticket is neither closed nor open: pending, waiting.
    NotClosed,
    /// Gorgias: closed only until it comes back.
    Snoozed,
    /// An event that nothing here listens to.
    UnknownEvent,
    /// Gladly: closed by a rule or over the API, with no agent assigned.
    NoAgent,
}

impl Ignored {
    /// The `reason` of the reply.
    pub fn code(self) -> &'static str {
        match self {
            Ignored::Ping => "ping",
            Ignored::NotClosed => "ticket_not_closed",
            Ignored::Snoozed => "snoozed",
            Ignored::UnknownEvent => "unknown_event",
            Ignored::NoAgent => "no_agent",
        }
    }

    /// The same for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Ignored::Ping => "The webhook works",
            Ignored::NotClosed => "The ticket is not closed",
            Ignored::Snoozed => "The ticket is snoozed",
            Ignored::UnknownEvent => "This event asks for no survey",
            Ignored::NoAgent => "Closed automatically, without an agent",
        }
    }
}

/// A body that was not understood: HTTP 400.
///
/// Texts name places, never values: only property names of the sender's own body appear in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Malformed {
    /// `malformed_json`, `duplicate_key` or `invalid_body`.
    pub code: &'static str,
    /// One sentence. Syntax errors name line and column (both from 1; columns in bytes).
    pub detail: String,
    /// Every place that is wrong, at most [`Malformed::MAX_PLACES`]; never empty.
    pub errors: Vec<Place>,
}

/// One wrong place in a body.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// RFC 6901, cut at 256 bytes; `""` is the whole body.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Malformed {
    /// Places reported at once.
    pub const MAX_PLACES: usize = 50;

    /// The text is not JSON, first seen at byte `offset`.
    pub(crate) fn syntax(text: &[u8], offset: usize, what: &str) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count() + 1;
        Self::at(line, column, what)
    }

    pub(crate) fn at(line: usize, column: usize, what: &str) -> Self {
        Self::not_json(&format!("{what} at line {line} column {column}"))
    }

    /// The body as a whole is not JSON.
    pub(crate) fn not_json(detail: &str) -> Self {
        let detail = detail.to_owned();
        let place = Place::new("", &detail);
        Self { code: "malformed_json", detail, errors: vec![place] }
    }

    pub(crate) fn duplicates(errors: Vec<Place>) -> Self {
        Self::listing("duplicate_key", "stands twice", errors)
    }

    pub(crate) fn invalid(errors: Vec<Place>) -> Self {
        Self::listing("invalid_body", "is not understood", errors)
    }

    fn listing(code: &'static str, verb: &str, mut errors: Vec<Place>) -> Self {
        errors.truncate(Self::MAX_PLACES);
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.name(), only.detail),
            [first, rest @ ..] => {
                format!("{} and {} more: one property or more {verb}", first.name(), rest.len())
            }
            [] => format!("the body {verb}"),
        };
        Self { code, detail, errors }
    }
}

impl Place {
    pub(crate) fn new(pointer: &str, detail: &str) -> Self {
        Self { pointer: pointer.to_owned(), detail: detail.to_owned() }
    }

    fn name(&self) -> &str {
        if self.pointer.is_empty() { "the body" } else { &self.pointer }
    }
}
