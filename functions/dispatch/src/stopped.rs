//! Why one of the steps towards a mail stopped.

use policy::{Reason, WaitingFor};
use store::StoreError;
use survey_mail::NoMail;

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

impl From<NoMail> for Stopped {
    fn from(no_mail: NoMail) -> Self {
        match no_mail {
            NoMail::Refused(reason) => Self::Refused(reason),
            NoMail::Held(waiting_for, why) => Self::Held(waiting_for, why),
        }
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
