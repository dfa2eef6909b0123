//! Why a request got no mail.

use serde::{Deserialize, Serialize};

use crate::Status;

/// Which end a [`Reason`] brings a request to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A well-formed request that rightly gets no mail.
    NotSent,
    /// Something that an admin or the sender has to mend.
    Invalid,
    /// We tried, and could not.
    Failed,
}

impl Outcome {
    /// The status that a request with this outcome has.
    pub fn status(self) -> Status {
        match self {
            Outcome::NotSent => Status::NotSent,
            Outcome::Invalid => Status::Invalid,
            Outcome::Failed => Status::Failed,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $code:literal $outcome:ident $sentence:literal,)*) => {
        /// Why a request got no mail: one code, one outcome and one human sentence each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Reason { $($(#[$doc])* #[serde(rename = $code)] $variant,)* }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Reason] = &[$(Reason::$variant,)*];

            /// The code in rows, replies and queries.
            pub fn code(self) -> &'static str { match self { $(Reason::$variant => $code,)* } }

            /// What it means, for a person.
            pub fn sentence(self) -> &'static str { match self { $(Reason::$variant => $sentence,)* } }

            /// Where it brings the request.
            pub fn outcome(self) -> Outcome { match self { $(Reason::$variant => Outcome::$outcome,)* } }

            /// The reason with this code.
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Reason::$variant),)* _ => None } }
        }
    };
}

// The sentences of the nine `invalid` reasons follow the vendor's status page (docs/facts.md,
// Vendor 4).
reasons! {
    /// The sender set the flag, or the interaction carries the company's tag or topic.
    DoNotSend "do_not_send" NotSent "The sender asked for no survey",
    /// No address was given.
    NoEmail "no_email" NotSent "The customer has no e-mail address",
    /// The interaction had no agent.
    NoEmployee "no_employee" NotSent "No employee was assigned to the interaction",
    /// The customer is the agent, or in an internal domain.
    SelfSurvey "self_survey" NotSent "The customer is a colleague",
    /// The customer was surveyed lately.
    SuppressionPeriod "suppression_period" NotSent "The customer was surveyed within the suppression period",
    /// The customer asked for no more surveys.
    Unsubscribed "unsubscribed" NotSent "The customer has unsubscribed",
    /// The address bounced lately, or SES refuses it.
    Rejected "rejected" NotSent "The address rejected an earlier mail",
    /// The interaction was opened again before its survey was due.
    Reopened "reopened" NotSent "The interaction was reopened before the survey was due",
    /// `DELETE /v1/requests/{request_id}` came before the mail.
    Cancelled "cancelled" NotSent "The request was cancelled before the survey was sent",
    /// No such employee.
    EmployeeNotFound "employee_not_found" Invalid "Employee not found",
    /// The employee has left.
    EmployeeDeactivated "employee_deactivated" Invalid "Deactivated employee",
    /// Found, but without an approved profile.
    EmployeeProfileIncomplete "employee_profile_incomplete" Invalid "Employee profile not complete",
    /// The address is none.
    InvalidCustomer "invalid_customer" Invalid "Invalid customer: the e-mail address is malformed",
    /// No such channel, or switched off.
    ChannelNotEnabled "channel_not_enabled" Invalid "Channel not enabled for company",
    /// Agents send by hand on this channel (live keys only).
    ChannelManual "channel_manual" Invalid "Channel is in manual mode",
    /// Several brands, none given, no default.
    BrandMissing "brand_missing" Invalid "Brand signifier not provided",
    /// No such brand, or inactive.
    BrandInvalid "brand_invalid" Invalid "Invalid or inactive brand signifier",
    /// None given, and the company has no default.
    LanguageMissing "language_missing" Invalid "Language not specified",
    /// None of the company's, and the company has no default.
    LanguageInvalid "language_invalid" Invalid "Invalid or inactive language",
    /// The helpdesk's word for the ticket's status is none that we know, nor one of the company's
    /// `closed_statuses`.
    StatusUnknown "status_unknown" Invalid "The ticket's status is unknown; if it means closed, add it to `closed_statuses` of the helpdesk's integration",
    /// The key was revoked between receipt and sending.
    KeyRevoked "key_revoked" Invalid "The key that sent this request has been revoked",
    /// SES refused every attempt.
    SendAttempts "send_attempts" Failed "The mail was refused at every attempt",
    /// It was held back, or nobody looked at it, until its row was about to expire.
    Expired "expired" Failed "It could not be sent before the request expired",
    /// The function that carries it on has failed at it for a week.
    Stalled "stalled" Failed "It was tried for a week and could not be worked on",
    /// DynamoDB calls a write to this row invalid, which no repetition mends.
    NotStorable "not_storable" Failed "The database refused to store what became of the request",
    /// Gladly did not say who and how for two days.
    SourceUnreachable "source_unreachable" Failed "The helpdesk could not be asked",
    /// We do not know whether the mail left, and rather ask nobody twice.
    Unconfirmed "unconfirmed" Failed "It could not be confirmed that the mail left",
}
