//! Whether a request can still be cancelled.

use crate::reason::Reason;
use crate::status::Status::{self, *};

/// Whether a request can still be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// The request is waiting, and can be cancelled.
    Possible,
    /// The request has ended without a mail: there is nothing to cancel.
    Needless,
    /// The mail is being sent, or has left, or may have left.
    TooLate,
}

impl Status {
    /// Whether a request with this status and this reason can be cancelled.
    pub fn cancellation(self, reason: Option<Reason>) -> Cancellation {
        match self {
            Unresolved | Queued => Cancellation::Possible,
            NotSent | Invalid => Cancellation::Needless,
            // With these two reasons it is certain that no mail left. With any other one it is not.
            Failed if matches!(reason, Some(Reason::SendAttempts | Reason::SourceUnreachable)) => {
                Cancellation::Needless
            }
            Sending | Sent | Delivered | SoftBounce | HardBounce | Complained | Failed => {
                Cancellation::TooLate
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_waiting_request_can_be_cancelled_and_after_a_possible_mail_it_is_too_late() {
        for status in Status::ALL {
            let expected = match status {
                Unresolved | Queued => Cancellation::Possible,
                NotSent | Invalid => Cancellation::Needless,
                _ => Cancellation::TooLate,
            };
            assert_eq!(status.cancellation(None), expected, "{status:?}");
            assert!(expected != Cancellation::Possible || status.may_become(NotSent), "{status:?}");
        }
        for (reason, expected) in [
            (Reason::SendAttempts, Cancellation::Needless),
            (Reason::SourceUnreachable, Cancellation::Needless),
            (Reason::Unconfirmed, Cancellation::TooLate),
        ] {
            assert_eq!(Failed.cancellation(Some(reason)), expected, "{reason:?}");
        }
    }
}
