//! What the inbound functions share: the size limit, keys, the way from a body to a recorded
//! request, and replies.
//!
//! The order is the contract's: size → key → body → checks → record. The types enforce it: only
//! an [`Entered`] gives out the body of a request, and only [`Intake::enter`], which checks the
//! size and the key, makes one.
//!
//! **Invariant:** nothing here is particular to one helpdesk. `normalize` knows its payload, its
//! function knows its headers.

mod accept;
mod admission;
mod delivery;
mod echo;
mod entry;
mod intake;
mod json_reply;
mod measured;
mod problem;
mod query;
mod recording;
mod reply;
mod room;
mod surveying;

pub use delivery::{Delivery, Parse, Style};
pub use echo::{address_as_sent, echo};
pub use entry::{Entered, digest};
pub use intake::Intake;
pub use json_reply::json_reply;
pub use problem::Problem;
pub use query::Query;
pub use reply::{in_time, respond, respond_to};
pub use room::Room;
