//! The result of reading a body: what the sender asks for.
//!
//! Every source's parser returns one [`Inbound`], so that `shared/intake` can treat all sources
//! alike.

use jiff::Timestamp;

use crate::SurveyRequest;

/// What the sender of a body asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// A survey.
    Survey(Box<SurveyRequest>),
    /// Gorgias: the ticket is open. If it was closed before, it is open again.
    Reopened {
        /// The ticket's id, the same as in the request that was made when it was closed.
        ext_interaction_id: String,
    },
    /// Gorgias: the ticket is closed and snoozed. It gets a survey only if the snooze has ended
    /// when the body arrives.
    Snoozed {
        /// When the snooze ends. `None` if the time could not be read.
        until: Option<Timestamp>,
        /// The survey to record if the snooze has ended.
        request: Box<SurveyRequest>,
    },
    /// Gladly: a conversation was closed. The body carries only ids.
    Conversation(ClosedConversation),
    /// Nothing to do. The reply is 200 `{"status": "ignored", "reason": code}`, and no request is
    /// recorded.
    Ignored(Ignored),
}

/// A `CONVERSATION/CLOSED` event of Gladly (docs/facts.md, Gladly 1). Every id has 1 to
/// [`SurveyRequest::MAX_ID`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedConversation {
    /// The id of the event. It is the same when Gladly sends the event again.
    pub event_id: String,
    /// The id of the conversation.
    pub conversation_id: String,
    /// The id of the customer.
    pub customer_id: String,
    /// The id of the agent who was assigned when the conversation was closed. `None` if nobody
    /// was.
    pub agent_id: Option<String>,
}

/// Why there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Gladly tests whether the URL answers.
    Ping,
    /// The ticket is neither closed nor open, for example pending or waiting.
    NotClosed,
    /// Gorgias: the ticket is closed and snoozed, so it will open again by itself.
    Snoozed,
    /// An event of a kind that asks for no survey.
    UnknownEvent,
    /// Gladly: a rule or the API closed the conversation, and no agent was assigned.
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

    /// One sentence for people.
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
