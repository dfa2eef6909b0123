//! What Gladly's answers make of a request, and what its trouble does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "gladly/batches.rs"]
mod batches;
#[path = "gladly/closings.rs"]
mod closings;
#[path = "common/mod.rs"]
pub mod common;
#[path = "gladly/outcomes.rs"]
mod outcomes;
#[path = "gladly/topics.rs"]
mod topics;
#[path = "gladly/trouble.rs"]
mod trouble;
