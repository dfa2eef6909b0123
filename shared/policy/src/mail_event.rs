//! What an event of SES about a mail means for its request and for the customer's address.

use crate::{Mode, Status};

/// What SES says happened to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEventKind {
    /// SES accepted it.
    Send,
    /// The customer's mail server accepted it.
    Delivery,
    /// It came back, and SES has given up. The address may work another day (`Transient`,
    /// `Undetermined`).
    SoftBounce,
    /// It came back, and the address does not work (`Permanent`).
    HardBounce,
    /// The customer called it spam.
    Complaint,
    /// SES accepted it, found a virus in it, and did not send it. The address is not to blame.
    Reject,
}

/// What an event does to the customer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressEffect {
    /// Nothing.
    None,
    /// It is marked as bounced for `bounce_days`.
    Bounced,
    /// It is unsubscribed from everything.
    Unsubscribed,
}

impl MailEventKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Send,
        Self::Delivery,
        Self::SoftBounce,
        Self::HardBounce,
        Self::Complaint,
        Self::Reject,
    ];

    /// The kind of an SES event, from its `eventType`, `bounceType` and `complaintFeedbackType`.
    ///
    /// `None` for an event that changes nothing here: an unknown type, or a customer who took the
    /// mail out of the spam folder (`not-spam`).
    pub fn from_ses(
        event_type: &str,
        bounce_type: Option<&str>,
        feedback_type: Option<&str>,
    ) -> Option<Self> {
        Some(match event_type {
            "Send" => Self::Send,
            "Delivery" => Self::Delivery,
            "Bounce" if bounce_type == Some("Permanent") => Self::HardBounce,
            "Bounce" => Self::SoftBounce,
            "Complaint" if feedback_type == Some("not-spam") => return None,
            "Complaint" => Self::Complaint,
            "Reject" => Self::Reject,
            _ => return None,
        })
    }

    /// The status that the request gets.
    pub fn status(self) -> Status {
        match self {
            Self::Send => Status::Sent,
            Self::Delivery => Status::Delivered,
            Self::SoftBounce => Status::SoftBounce,
            Self::HardBounce | Self::Reject => Status::HardBounce,
            Self::Complaint => Status::Complained,
        }
    }

    /// Whether the mail did not reach its recipient, or was not welcome.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Send | Self::Delivery)
    }

    /// What the event does to the customer's address. Nothing is stored about the address of a
    /// test mail.
    pub fn address_effect(self, mode: Mode) -> AddressEffect {
        match (mode, self) {
            (Mode::Live, Self::HardBounce) => AddressEffect::Bounced,
            (Mode::Live, Self::Complaint) => AddressEffect::Unsubscribed,
            (Mode::Live, Self::Send | Self::Delivery | Self::SoftBounce | Self::Reject)
            | (Mode::Test, _) => AddressEffect::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_of_ses_leads_to_one_status() {
        for (event_type, bounce, feedback, expected) in [
            ("Send", None, None, Some(Status::Sent)),
            ("Delivery", None, None, Some(Status::Delivered)),
            ("Bounce", Some("Permanent"), None, Some(Status::HardBounce)),
            ("Bounce", Some("Transient"), None, Some(Status::SoftBounce)),
            ("Bounce", Some("Undetermined"), None, Some(Status::SoftBounce)),
            ("Bounce", None, None, Some(Status::SoftBounce)),
            ("Complaint", None, None, Some(Status::Complained)),
            ("Complaint", None, Some("abuse"), Some(Status::Complained)),
            ("Complaint", None, Some("not-spam"), None),
            ("Reject", None, None, Some(Status::HardBounce)),
            ("Open", None, None, None),
            ("DeliveryDelay", None, None, None),
            ("", None, None, None),
        ] {
            let kind = MailEventKind::from_ses(event_type, bounce, feedback);
            assert_eq!(
                kind.map(MailEventKind::status),
                expected,
                "{event_type} {bounce:?} {feedback:?}"
            );
        }
    }

    #[test]
    fn each_event_may_follow_a_claim_and_says_that_the_mail_left() {
        for kind in MailEventKind::ALL {
            assert!(Status::Sending.may_become(kind.status()), "{kind:?}");
            assert!(kind.status().mail_left(), "{kind:?}");
        }
    }

    #[test]
    fn only_a_live_hard_bounce_or_complaint_concerns_the_address() {
        for kind in MailEventKind::ALL {
            let expected = match kind {
                MailEventKind::HardBounce => AddressEffect::Bounced,
                MailEventKind::Complaint => AddressEffect::Unsubscribed,
                _ => AddressEffect::None,
            };
            assert_eq!(kind.address_effect(Mode::Live), expected, "{kind:?}");
            assert_eq!(kind.address_effect(Mode::Test), AddressEffect::None, "{kind:?}");
        }
    }
}
