//! The life of one request.

use serde::{Deserialize, Serialize};

use crate::Reason;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Gladly's webhook named a conversation; who and how is still to be asked.
    Unresolved,
    /// May be sent when due.
    Queued,
    /// Claimed by one `dispatch`, which holds a lease.
    Sending,
    /// SES took the mail.
    Sent,
    /// The customer's server took it.
    Delivered,
    /// It came back; the address may work another day.
    SoftBounce,
    /// It came back for good.
    HardBounce,
    /// The customer called it spam.
    Complained,
    /// Rightly no mail; see the reason.
    NotSent,
    /// Wrong for this company; see the reason.
    Invalid,
    /// We could not; see the reason.
    Failed,
}

use Status::*;

/// Every step that a request may take, with what makes it. Everything else is refused by the
/// conditional write that would do it.
///
/// Outcomes of a mail are monotone by severity (sent, delivered, soft bounce, hard bounce,
/// complaint), because SES events come late, twice and out of order; so each can be reached from
/// every milder one, and also from `sending`, `queued` and every end without a mail: evidence that
/// a mail left overrules what we believed. (A request that was never claimed has no mail; the
/// conditional write sees to that.)
pub const TRANSITIONS: &[(Status, Status, &str)] = &[
    (Unresolved, Unresolved, "delayed, or the helpdesk could not be asked yet"),
    (Unresolved, Queued, "the helpdesk said who and how"),
    (Unresolved, NotSent, "the helpdesk said why not, or it was cancelled"),
    (Unresolved, Invalid, "the helpdesk said who or how, and the company does not know it"),
    (Unresolved, Failed, "the helpdesk could not be asked for 48 hours"),
    (Queued, Queued, "made ready by sweep, or held back"),
    (Queued, Sending, "claimed by dispatch"),
    (Queued, NotSent, "refused when due, or its ticket was reopened, or it was cancelled"),
    (Queued, Invalid, "refused when due"),
    (Queued, Failed, "held back until its row expires, or a week of failures"),
    (Queued, Sent, "a Send event arrived late"),
    (Queued, Delivered, "a Delivery event arrived late"),
    (Queued, SoftBounce, "a Bounce event arrived late"),
    (Queued, HardBounce, "a Bounce event arrived late"),
    (Queued, Complained, "a Complaint event arrived late"),
    (Sending, Sending, "the lease is over and there is no evidence yet"),
    (Sending, Queued, "SES refused, or evidence shows that no mail left"),
    (Sending, Sent, "SES accepted, or its Send event arrived"),
    (Sending, Delivered, "Delivery event"),
    (Sending, SoftBounce, "Bounce event"),
    (Sending, HardBounce, "Bounce event"),
    (Sending, Complained, "Complaint event"),
    (Sending, NotSent, "SES refuses this address"),
    (Sending, Failed, "attempts used up, or unconfirmed for a day"),
    (Sent, Delivered, "Delivery event"),
    (Sent, SoftBounce, "Bounce event"),
    (Sent, HardBounce, "Bounce event"),
    (Sent, Complained, "Complaint event"),
    (Delivered, SoftBounce, "Bounce event"),
    (Delivered, HardBounce, "Bounce event"),
    (Delivered, Complained, "Complaint event"),
    (SoftBounce, HardBounce, "Bounce event"),
    (SoftBounce, Complained, "Complaint event"),
    (HardBounce, Complained, "Complaint event"),
    (Failed, Sent, "a Send event arrived late"),
    (Failed, Delivered, "a Delivery event arrived late"),
    (Failed, SoftBounce, "a Bounce event arrived late"),
    (Failed, HardBounce, "a Bounce event arrived late"),
    (Failed, Complained, "a Complaint event arrived late"),
    (NotSent, Sent, "a Send event of an earlier attempt arrived late"),
    (NotSent, Delivered, "a Delivery event of an earlier attempt arrived late"),
    (NotSent, SoftBounce, "a Bounce event of an earlier attempt arrived late"),
    (NotSent, HardBounce, "a Bounce event of an earlier attempt arrived late"),
    (NotSent, Complained, "a Complaint event of an earlier attempt arrived late"),
    (Invalid, Sent, "a Send event of an earlier attempt arrived late"),
    (Invalid, Delivered, "a Delivery event of an earlier attempt arrived late"),
    (Invalid, SoftBounce, "a Bounce event of an earlier attempt arrived late"),
    (Invalid, HardBounce, "a Bounce event of an earlier attempt arrived late"),
    (Invalid, Complained, "a Complaint event of an earlier attempt arrived late"),
];

/// Whether a request can still be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// It waits: it can be.
    Possible,
    /// It has ended without a mail: there is nothing to cancel.
    Needless,
    /// A mail is under way, or has left, or may have left.
    TooLate,
}

impl Status {
    /// Every status, in the order of a request's life.
    pub const ALL: [Status; 11] = [
        Unresolved, Queued, Sending, Sent, Delivered, SoftBounce, HardBounce, Complained, NotSent,
        Invalid, Failed,
    ];

    /// The name in rows, replies and queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Unresolved => "unresolved",
            Queued => "queued",
            Sending => "sending",
            Sent => "sent",
            Delivered => "delivered",
            SoftBounce => "soft_bounce",
            HardBounce => "hard_bounce",
            Complained => "complained",
            NotSent => "not_sent",
            Invalid => "invalid",
            Failed => "failed",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Whether [`TRANSITIONS`] has the step.
    pub fn may_become(self, next: Status) -> bool {
        TRANSITIONS.iter().any(|(from, to, _)| *from == self && *to == next)
    }

    /// From where `self` can be reached: what the conditional write that brings a row here has to
    /// require.
    pub fn before(self) -> impl Iterator<Item = Status> {
        TRANSITIONS.iter().filter(move |(_, to, _)| *to == self).map(|(from, ..)| *from)
    }

    /// Whether a mail left (and so may be answered, and occupies the customer's suppression
    /// window).
    pub fn mail_left(self) -> bool {
        matches!(self, Sent | Delivered | SoftBounce | HardBounce | Complained)
    }

    /// What a cancellation finds that comes while a request stands here, for this reason.
    pub fn cancellation(self, reason: Option<Reason>) -> Cancellation {
        match self {
            Unresolved | Queued => Cancellation::Possible,
            NotSent | Invalid => Cancellation::Needless,
            // These two ends are certain that no mail left. Any other failure leaves it open
            // whether one did.
            Failed if matches!(reason, Some(Reason::SendAttempts | Reason::SourceUnreachable)) => {
                Cancellation::Needless
            }
            Sending | Sent | Delivered | SoftBounce | HardBounce | Complained | Failed => {
                Cancellation::TooLate
            }
        }
    }

    /// Whether the request still has to move by itself: such a row has a `wake_at`.
    pub fn is_waiting(self) -> bool {
        matches!(self, Unresolved | Queued | Sending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_of_a_mail_are_monotone() {
        let severity = [Sent, Delivered, SoftBounce, HardBounce, Complained];
        for (i, from) in severity.iter().enumerate() {
            for (j, to) in severity.iter().enumerate() {
                assert_eq!(from.may_become(*to), i < j, "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn evidence_that_a_mail_left_overrules_what_we_believed() {
        for outcome in [Sent, Delivered, SoftBounce, HardBounce, Complained] {
            for believed in [Queued, Sending, Failed, NotSent, Invalid] {
                assert!(believed.may_become(outcome));
            }
            assert!(!Unresolved.may_become(outcome));
        }
    }

    #[test]
    fn only_what_waits_can_be_cancelled_and_only_where_no_mail_can_have_left_is_there_nothing_to_cancel()
     {
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

    #[test]
    fn whatever_waits_can_end_and_whatever_ended_stays() {
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.as_str()), Some(status));
            if status.is_waiting() {
                assert!(Status::ALL.iter().any(|end| !end.is_waiting() && status.may_become(*end)));
            } else {
                assert!(
                    Status::ALL.iter().all(|next| !next.is_waiting() || !status.may_become(*next))
                );
            }
        }
    }
}
