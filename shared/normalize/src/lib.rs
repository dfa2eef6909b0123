//! Each source's payload becomes one [`SurveyRequest`].
//!
//! **Invariant:** pure functions over bytes: no I/O, no clock, no environment, no AWS. No later
//! crate can be given an illegal request: strings are trimmed and within their limits, an address
//! is an [`Address`], a language is a [`LanguageTag`], an employee reference names at least one way
//! to find the employee, and the whole takes at most [`SurveyRequest::MAX_STORED`] bytes.
//!
//! **Time.** Every parser accepts any bytes, and its time is linear in their number:
//!
//! - `serde_json` reads the body once, at most 128 levels deep.
//! - A walk over the tree reuses one path. Pointers are made for few places and end at 256 bytes.
//! - The readers of broken JSON look at each byte once, at each possible key at most 64 bytes and
//!   the white space after it ahead, and take the text between two keys once.
//! - The Python parser stops at 32 levels.
//! - The time to encode a domain grows with the square of its length, so that an address of more
//!   than 1 KiB is not read.

mod address;
mod broken_object;
mod broken_pairs;
mod broken_value;
mod fields;
mod inbound;
mod json;
mod language;
mod language_names;
mod malformed;
mod masked_body;
mod pairs;
mod pointer;
mod python_literal;
mod request;
mod snooze_time;
mod tag_search;
mod tags;
mod template;
mod template_body;
mod text;
mod vendor_schema;
mod web_link;

pub mod freshdesk;
pub mod gladly;
pub mod gorgias;
pub mod requests;
pub mod zendesk;

pub use address::{Address, NotAnAddress};
pub use inbound::{ClosedConversation, Ignored, Inbound};
pub use language::LanguageTag;
pub use malformed::{Malformed, Place};
pub use masked_body::masked_body;
pub use request::{
    Brand, Country, Customer, CustomerAddress, EmployeeRef, Language, Note, Source, SurveyRequest,
};
pub use tag_search::has_tag;
