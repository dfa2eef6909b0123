//! The whole bundle in one process, on loopback: the API, an embedded DynamoDB with its streams,
//! and SES with a mailbox.
//!
//! Each module stands for one AWS service and does what that service does, no more: [`gateway`] is
//! API Gateway (with its connections), [`streams`] and [`filter`] are Lambda's event source
//! mapping, [`database`] is DynamoDB, [`ses`] and [`mailbox`] are SES and whoever reads the mail.
//! What connects them to each other is read from `template.yaml` by [`template`]. They reach the
//! functions through one seam, [`functions::Functions`]. [`bundle`] is the real functions behind
//! it, [`stack`] starts and connects everything, and [`samples`] plays `events/`. [`faults`] breaks
//! calls for the tests. The gallery shows every mail and page to whoever designs or translates.

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
pub mod listen;
pub mod samples;
pub mod schedule;
pub mod seed;
pub mod stack;
pub mod streams;
pub mod template;

pub use error::{Error, Result};
