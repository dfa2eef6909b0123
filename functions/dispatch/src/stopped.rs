//! Why one of the steps towards a mail stopped.

use policy::{Reason, WaitingFor};
use store::StoreError;

/// Why no mail is sent for a request now.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Another invocation has claimed it, or its row has changed: nothing is left to do.
    MovedOn,
    /// It ends, for this reason.
    Refused(Reason),
    /// It waits. The text is for the log: what has to happen first.
    Held(WaitingFor, String),
    /// A table could not be read or written. Lambda delivers the record again.
    Store(StoreError),
}

impl Stopped {
    /// It waits for what `waiting_for` says.
    pub(crate) fn held(waiting_for: WaitingFor) -> Self {
        Self::Held(waiting_for, waiting_for.sentence().to_owned())
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
