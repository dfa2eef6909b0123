//! Decides who may be surveyed and when, and which steps a request takes. Describes and reads the
//! config table.
//!
//! **Invariant:** no I/O, no clock, no randomness, no HTTP and no DynamoDB. The caller passes in
//! the facts (items of the config table, the time, a random number) and carries out the decision.

mod admin_key;
mod after_refusal;
mod answering;
mod attribute;
mod backoff;
mod brand;
mod cancellation;
mod ceiling;
mod channel;
mod choice_values;
mod choices;
mod colour;
mod company;
pub mod config_table;
mod counterfactual;
mod due_checks;
mod employee;
mod evidence;
mod fault;
mod freed;
mod identity;
mod item;
mod key;
mod language_row;
mod mail_event;
mod mailbox;
mod number_values;
mod reason;
mod receipt_checks;
mod requested_via;
mod saturating_add;
mod sending;
mod settings;
mod slips;
mod status;
mod sweeping;
mod text_values;
mod ticket_status;
mod value_type;
mod waiting;

pub use admin_key::{AdminKey, Role};
pub use after_refusal::{AfterRefusal, Refusal, after_refusal};
pub use answering::{SurveyState, SurveyTimes, stores_input, survey_state};
pub use attribute::{Attribute, AttributeDescription, ItemId, Kind};
pub use backoff::{backoff, backoff_after};
pub use brand::{Brand, BrandingSettings};
pub use cancellation::Cancellation;
pub use ceiling::Ceiling;
pub use channel::Channel;
pub use choices::{ChannelMode, Choice, EmployeeStatus, KeyMode, KeyScope, Mode};
pub use colour::{Colour, web_url};
pub use company::Company;
pub use counterfactual::{
    Case, Counterfactual, Cure, Earlier, counterfactual, cure_of, may_send_again,
};
pub use due_checks::{DueFacts, declined, recheck, recheck_by_hand};
pub use employee::{Employee, Profile};
pub use evidence::{NEIGHBOURHOOD, SendEvents, Weighed, weigh};
pub use fault::{ConfigFault, Severity};
pub use freed::{EndedBy, Freed, freed};
pub use identity::{identity, ticket};
pub use item::Item;
pub use key::{Key, KeyItem};
pub use language_row::{HasTexts, LanguageRow};
pub use mail_event::{AddressEffect, MailEventKind};
pub use mailbox::Mailbox;
pub use reason::{Outcome, Reason};
pub use receipt_checks::{Approval, Facts, Verdict, Who, decide, decide_via, who};
pub use requested_via::RequestedVia;
pub use saturating_add::saturating_add;
pub use sending::{
    RowState, WINDOW_PAUSES, ends_unsent, held_until, lease, sends_in_flight, waits_for_window,
};
pub use settings::{Settings, Unknown};
pub use status::{Status, TRANSITIONS};
pub use sweeping::{DueStep, ReadyBudget, due_step, hours_to_count, unknown_since};
pub use ticket_status::{TicketStatus, closed_statuses};
pub use value_type::{Value, ValueType};
pub use waiting::WaitingFor;
