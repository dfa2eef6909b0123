//! Who may be surveyed, when, and why not; and the life of a request. Pure: `now` is an argument.
//!
//! **Invariant:** no I/O, no clock, no randomness, no HTTP and no DynamoDB. Whoever calls brings
//! the facts (configuration, time, a random number) and carries out what is decided here.

mod after_refusal;
mod answering;
mod attributes;
mod backoff;
mod ceiling;
mod config;
mod due_checks;
mod evidence;
mod identity;
mod item;
mod key;
mod mail_event;
mod mailbox;
mod reason;
mod receipt_checks;
mod saturating_add;
mod sending;
mod status;
mod sweeping;
mod ticket_status;
mod waiting;

pub use after_refusal::{AfterRefusal, Refusal, after_refusal};
pub use answering::{SurveyState, SurveyTimes, stores_input, survey_state};
pub use backoff::{backoff, backoff_after};
pub use ceiling::Ceiling;
pub use config::{
    Brand, BrandingSettings, Channel, ChannelMode, Company, Employee, EmployeeStatus, LanguageRow,
    Profile,
};
pub use due_checks::{DueFacts, declined, recheck};
pub use evidence::{NEIGHBOURHOOD, SendEvents, Weighed, weigh};
pub use identity::{identity, ticket};
pub use item::{ConfigFault, Item};
pub use key::{Key, KeyItem, KeyScope, Mode};
pub use mail_event::{AddressEffect, MailEventKind};
pub use mailbox::Mailbox;
pub use reason::{Outcome, Reason};
pub use receipt_checks::{Approval, Facts, Verdict, Who, decide, who};
pub use saturating_add::saturating_add;
pub use sending::{
    RowState, WINDOW_PAUSES, ends_unsent, held_until, lease, sends_in_flight, waits_for_window,
};
pub use status::{Cancellation, Status, TRANSITIONS};
pub use sweeping::{DueStep, ReadyBudget, due_step, hours_to_count, unknown_since};
pub use ticket_status::{TicketStatus, closed_statuses};
pub use waiting::WaitingFor;
