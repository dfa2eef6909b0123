//! Each source's payload becomes one [`SurveyRequest`]: pure functions over bytes.
//!
//! **Invariant:** no I/O, no clock, no environment, no AWS. Past this crate an illegal request cannot be
//! represented: strings are trimmed and within their limits, an address is an [`Address`], a language is a
//! [`LanguageTag`], and an employee reference names at least one way to find the employee.

mod address;
mod echo;
mod inbound;
mod json;
mod language;
mod mask;
mod names;
mod pairs;
mod python;
mod reader;
mod recover;
mod request;
mod snooze;
mod templated;
mod text;
mod vendor;

pub mod freshdesk;
pub mod gladly;
pub mod gorgias;
pub mod requests;
pub mod zendesk;

pub use address::Address;
pub use echo::echo;
pub use inbound::{ClosedConversation, Ignored, Inbound, Malformed, Place};
pub use language::LanguageTag;
pub use mask::masked_body;
pub use request::{Brand, Country, Customer, CustomerAddress, EmployeeRef, Language, Note, Source, SurveyRequest};
