//! What the inbound functions share: size, keys, the one road from a body to a recorded request,
//! and replies.
//!
//! The order is the contract's: size → key → body → checks → record. It is kept by types: the body
//! of a request can only be had from an [`Entered`], and that only from [`Intake::enter`], which
//! has checked the size and the key.
//!
//! **Invariant:** no source's quirks. What is particular to a helpdesk is in `normalize` (its
//! payload) or in its function (its headers).

mod accept;
mod entry;
mod problem;
mod query;
mod reply;

pub use accept::{Delivery, Parse, Style};
pub use entry::{Entered, digest};
pub use problem::Problem;
pub use query::Query;
pub use reply::{Room, in_time, json_reply, respond};

use store::Store;

/// The way in.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The tables.
    pub store: Store,
}

impl Intake {
    /// An intake on these tables.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}
