//! Afterword as a whole in one process, on loopback: the API, an embedded DynamoDB with its
//! streams,
//! SES with a mailbox, and Gladly.
//!
//! Each module stands for one AWS service and behaves as that service does: [`gateway`] is API
//! Gateway, with its connections and, at `/`, a [`front_page`] that production does not have;
//! [`streams`] and [`filter`] are Lambda's event source mapping, [`schedule`] is EventBridge,
//! [`database`] is DynamoDB. SES, the mailbox and Gladly are in the crate `fakes`. [`template`]
//! reads
//! from `template.yaml` how they are connected. They invoke the functions through
//! [`functions::Functions`], and [`bundle`] has the real functions. [`stack`] starts and connects
//! everything, [`seed`] puts the sample company, [`history`] its last three weeks, [`samples`] posts
//! the requests of `events/`, and [`command`] is `cargo run`. [`faults`] breaks calls in tests. The gallery shows every mail and
//! page.

pub mod bundle;
pub mod command;
mod connections;
pub mod database;
mod error;
pub mod faults;
pub mod filter;
pub mod flags;
pub mod front_page;
pub mod functions;
mod gallery;
mod gallery_states;
pub mod gateway;
pub mod history;
mod history_plan;
pub mod listen;
pub mod samples;
pub mod schedule;
pub mod seed;
pub mod stack;
pub mod streams;
pub mod template;

pub use error::{Error, Result};
