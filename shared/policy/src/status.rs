//! The life of one request.

use serde::{Deserialize, Serialize};

/// The state of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Gladly's webhook named a conversation; Gladly still has to be asked about it.
    Unresolved,
    /// The mail may be sent when it is due.
    Queued,
    /// One invocation of `dispatch` has claimed it, and holds a lease.
    Sending,
    /// SES accepted the mail.
    Sent,
    /// The customer's mail server accepted it.
    Delivered,
    /// The mail bounced; the address may work another day.
    SoftBounce,
    /// The mail bounced, and the address will not work.
    HardBounce,
    /// The customer reported it as spam.
    Complained,
    /// By the company's rules there is no mail; see the reason.
    NotSent,
    /// The request does not fit the company's settings; see the reason.
    Invalid,
    /// The mail could not be sent; see the reason.
    Failed,
}

use Status::*;

/// Every change of a request's status, with its cause. The conditional writes refuse every other
/// change.
///
/// SES events come late, twice and out of order. So the outcomes of a mail (sent, delivered, soft
/// bounce, hard bounce, complaint) only ever become more severe: each can follow every milder one.
/// Each can also follow `sending`, `queued` and every end without a mail, because an event proves
/// that a mail left. (A request that was never claimed has no mail; the conditional writes check
/// that.)
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

    /// The statuses that may become this one. A conditional write that sets this status has to
    /// require one of them.
    pub fn before(self) -> impl Iterator<Item = Status> {
        TRANSITIONS.iter().filter(move |(_, to, _)| *to == self).map(|(from, ..)| *from)
    }

    /// Whether a mail left. Then it may be answered, and the customer's suppression window is in
    /// use.
    pub fn mail_left(self) -> bool {
        matches!(self, Sent | Delivered | SoftBounce | HardBounce | Complained)
    }

    /// Whether the request has not ended: such a row has a `wake_at`.
    pub fn is_waiting(self) -> bool {
        matches!(self, Unresolved | Queued | Sending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: for each status, in the order of [`Status::ALL`], the statuses that it may
    /// become.
    #[test]
    fn each_status_may_become_these_and_no_others() {
        const OUTCOMES: [Status; 5] = [Sent, Delivered, SoftBounce, HardBounce, Complained];
        for from in Status::ALL {
            let expected: Vec<Status> = match from {
                Unresolved => vec![Unresolved, Queued, NotSent, Invalid, Failed],
                Queued => [&[Queued, Sending, NotSent, Invalid, Failed], &OUTCOMES[..]].concat(),
                Sending => [&[Sending, Queued, NotSent, Failed], &OUTCOMES[..]].concat(),
                Sent => vec![Delivered, SoftBounce, HardBounce, Complained],
                Delivered => vec![SoftBounce, HardBounce, Complained],
                SoftBounce => vec![HardBounce, Complained],
                HardBounce => vec![Complained],
                Complained => vec![],
                NotSent | Invalid | Failed => OUTCOMES.to_vec(),
            };
            for to in Status::ALL {
                assert_eq!(from.may_become(to), expected.contains(&to), "{from:?} -> {to:?}");
                let before = to.before().any(|status| status == from);
                assert_eq!(before, from.may_become(to), "{from:?} -> {to:?}");
            }
        }
    }

    #[test]
    fn the_table_has_each_step_once_and_says_what_makes_it() {
        for (i, (from, to, why)) in TRANSITIONS.iter().enumerate() {
            let again = TRANSITIONS[..i].iter().any(|(f, t, _)| (f, t) == (from, to));
            assert!(!again && !why.is_empty(), "{from:?} -> {to:?}");
        }
    }

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
