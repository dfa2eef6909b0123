//! Who may be surveyed, when, and why not; and the life of a request. Pure: `now` is an argument.
//!
//! **Invariant:** no I/O, no clock, no randomness, no HTTP and no DynamoDB. Whoever calls brings
//! the facts (configuration, time, a random number) and carries out what is decided here.

mod admin_key;
mod attributes;
mod backoff;
mod ceiling;
mod config;
mod due_checks;
mod evidence;
mod identity;
mod item;
mod key;
mod mailbox;
mod reason;
mod receipt_checks;
mod requested_via;
mod saturating_add;
mod status;
mod ticket_status;
mod waiting;

pub use admin_key::{AdminKey, Role};
pub use backoff::{backoff, backoff_after};
pub use ceiling::Ceiling;
pub use config::{
    Brand, BrandingSettings, Channel, ChannelMode, Company, Employee, EmployeeStatus, LanguageRow,
    Profile,
};
pub use due_checks::{DueFacts, declined, recheck, recheck_by_hand};
pub use evidence::{NEIGHBOURHOOD, SendEvents, Weighed, weigh};
pub use identity::{identity, ticket};
pub use item::{ConfigFault, Item};
pub use key::{Key, KeyItem, KeyScope, Mode};
pub use mailbox::Mailbox;
pub use reason::{Outcome, Reason};
pub use receipt_checks::{Approval, Facts, Verdict, Who, decide, decide_via, who};
pub use requested_via::RequestedVia;
pub use saturating_add::saturating_add;
pub use status::{Cancellation, Status, TRANSITIONS};
pub use ticket_status::{TicketStatus, closed_statuses};
pub use waiting::WaitingFor;
