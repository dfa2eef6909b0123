//! Each source's payload becomes one [`SurveyRequest`]: pure functions over bytes.
//!
//! **Invariant:** no I/O, no clock, no environment, no AWS. Past this crate an illegal request
//! cannot be represented: strings are trimmed and within their limits, an address is an
//! [`Address`], a language is a [`LanguageTag`], an employee reference names at least one way to
//! find the employee, and the whole takes no more room than [`SurveyRequest::MAX_STORED`].
//!
//! Every parser takes any bytes, and its work is linear in their number. `serde_json` reads once,
//! at most 128 levels deep. Paths of keys are lent while walking, and a pointer, made for few of
//! them, ends at 256 bytes. The two recovery readers look at each byte for a key, at most 64 bytes
//! and the white space after it ahead, and cut the text between two keys once. The reader of Python
//! ends at 32 levels. Domains are encoded, which takes the square of their length, up to 1 KiB
//! only.

mod address;
mod echo;
mod fields;
mod inbound;
mod json;
mod language;
mod mask;
mod names;
mod pairs;
mod python;
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

pub use address::{Address, NotAnAddress};
pub use echo::echo;
pub use inbound::{ClosedConversation, Ignored, Inbound, Malformed, Place};
pub use language::LanguageTag;
pub use mask::masked_body;
pub use request::{
    Brand, Country, Customer, CustomerAddress, EmployeeRef, Language, Note, Source, SurveyRequest,
    has_tag,
};
