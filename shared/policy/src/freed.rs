//! What a request lets go of when it ends, or goes back to the queue, without a mail.

use crate::{Outcome, Reason, Status};

/// Who ends the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The holder of the claim: SES certainly took no mail.
    Claimant,
    /// A check that found a reason against the mail, before a claim.
    Check,
    /// The helpdesk or the sender, who takes the request back while it waits. `was_claimed`: a
    /// claim was made on it at some time.
    Withdrawal {
        /// Only a claim takes the suppression window.
        was_claimed: bool,
    },
    /// `sweep`, which has waited long enough.
    Sweep,
}

/// What is released, in the same transaction as the end, if it still belongs to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freed {
    /// The customer's suppression window: other requests may mail the customer.
    pub window: bool,
    /// The marker of the interaction: the next delivery about it is a new request.
    pub marker: bool,
}

/// What a request in status `from` lets go of when it ends for `reason`.
///
/// The counter of the key's hourly ceiling is never released: it counts attempts, and an hour is
/// short.
pub fn freed(from: Status, reason: Reason, by: EndedBy) -> Freed {
    match by {
        EndedBy::Claimant => Freed { window: true, marker: false },
        EndedBy::Check => {
            // Only what is queued can hold a window, of an attempt whose outcome was unknown. One
            // that is refused because of the window does not hold it.
            let queued = from == Status::Queued;
            // An admin mends what was invalid, and a reopened interaction ends again: then the same
            // interaction may come again.
            let may_return = reason.outcome() == Outcome::Invalid || reason == Reason::Reopened;
            Freed {
                window: queued && reason != Reason::SuppressionPeriod,
                marker: queued && may_return,
            }
        }
        // After do-not-send the marker stays: no repetition may start the survey anew.
        EndedBy::Withdrawal { was_claimed } => {
            Freed { window: was_claimed, marker: reason != Reason::DoNotSend }
        }
        EndedBy::Sweep => {
            // A mail may have left, which nobody saw refused: the customer is left alone.
            let may_have_left = from == Status::Sending && reason != Reason::SendAttempts;
            Freed { window: !may_have_left, marker: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status::{Queued, Sending, Unresolved};

    #[test]
    fn what_each_end_frees() {
        let withdrawn = |was_claimed| EndedBy::Withdrawal { was_claimed };
        for (from, reason, by, window, marker) in [
            (Sending, Reason::SendAttempts, EndedBy::Claimant, true, false),
            (Sending, Reason::Rejected, EndedBy::Claimant, true, false),
            (Queued, Reason::ChannelManual, EndedBy::Check, true, true),
            (Queued, Reason::Reopened, EndedBy::Check, true, true),
            (Queued, Reason::DoNotSend, EndedBy::Check, true, false),
            (Queued, Reason::Expired, EndedBy::Check, true, false),
            (Queued, Reason::SuppressionPeriod, EndedBy::Check, false, false),
            (Unresolved, Reason::Reopened, EndedBy::Check, false, false),
            (Unresolved, Reason::SourceUnreachable, EndedBy::Check, false, false),
            (Queued, Reason::Reopened, withdrawn(false), false, true),
            (Queued, Reason::Cancelled, withdrawn(true), true, true),
            (Unresolved, Reason::Cancelled, withdrawn(false), false, true),
            (Queued, Reason::DoNotSend, withdrawn(true), true, false),
            (Sending, Reason::Unconfirmed, EndedBy::Sweep, false, false),
            (Sending, Reason::NotStorable, EndedBy::Sweep, false, false),
            (Sending, Reason::SendAttempts, EndedBy::Sweep, true, false),
            (Queued, Reason::Stalled, EndedBy::Sweep, true, false),
            (Unresolved, Reason::Stalled, EndedBy::Sweep, true, false),
        ] {
            assert_eq!(freed(from, reason, by), Freed { window, marker }, "{from:?} {reason:?}");
        }
    }
}
