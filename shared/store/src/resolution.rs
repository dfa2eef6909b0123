//! What the checks decided about a request.

use links::{Subject, SubjectSecret};
use normalize::SurveyRequest;
use policy::{Approval, Reason, Verdict};

use crate::details::RequestDetails;

/// What the checks decided, and about whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// A mail may be sent when it is due. There is a customer with an address, or it could not be
    /// written down.
    Approved {
        /// The request, with the company's own names of channel, brand and language.
        details: RequestDetails,
        /// The pseudonym of the customer's address.
        subject: Subject,
        /// About whom, in which language, for which brand.
        approval: Approval,
    },
    /// No mail.
    Refused {
        /// Why.
        reason: Reason,
        /// The request as it was sent.
        details: RequestDetails,
        /// The pseudonym of the customer's address, if there is one.
        subject: Option<Subject>,
    },
}

impl Resolution {
    /// Of a request and what was decided about it.
    pub fn of(request: &SurveyRequest, verdict: Verdict, secret: &SubjectSecret) -> Self {
        let details = RequestDetails::of(request);
        let address = request.customer.address.valid();
        let subject = address.map(|address| secret.of_address(&address.canonical()));
        match (verdict, subject) {
            (Verdict::Send(approval), Some(subject)) => {
                Self::Approved { details: details.approved(&approval), subject, approval }
            }
            (Verdict::Send(_), None) => {
                Self::Refused { reason: Reason::NoEmail, details, subject: None }
            }
            (Verdict::Refuse(reason), subject) => Self::Refused { reason, details, subject },
        }
    }

    /// Why there is no mail.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Approved { .. } => None,
            Self::Refused { reason, .. } => Some(*reason),
        }
    }

    /// The request as the row will keep it.
    pub fn details(&self) -> &RequestDetails {
        match self {
            Self::Approved { details, .. } | Self::Refused { details, .. } => details,
        }
    }

    /// The pseudonym of the customer's address.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Approved { subject, .. } => Some(subject),
            Self::Refused { subject, .. } => subject.as_ref(),
        }
    }

    /// What a mail needs to know.
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved { approval, .. } => Some(approval),
            Self::Refused { .. } => None,
        }
    }
}
