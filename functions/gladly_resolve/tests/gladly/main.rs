//! What a lookup at Gladly makes of a request, and what a failed lookup does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod batches;
mod closings;
pub mod common;
mod errors;
mod outcomes;
mod topics;
