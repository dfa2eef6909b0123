//! Why a request got no mail.

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// Which end a [`Reason`] brings a request to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request is in order, and by the company's rules it gets no mail.
    NotSent,
    /// Something is wrong that an admin or the sender has to correct.
    Invalid,
    /// Afterword tried to send, and did not succeed.
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

            /// What it means, in one sentence for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Reason::$variant => $sentence,)* }
            }

            /// How a request with this reason ends.
            pub fn outcome(self) -> Outcome {
                match self { $(Reason::$variant => Outcome::$outcome,)* }
            }

            /// The reason with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Reason::$variant),)* _ => None }
            }
        }
    };
}

// The sentences of the nine `invalid` reasons follow the vendor's status page (docs/facts.md,
// Vendor 4).
reasons! {
    /// The sender set the flag, or the interaction has the company's do-not-send tag or topic.
    DoNotSend "do_not_send" NotSent "The sender asked for no survey",
    /// No address was given.
    NoEmail "no_email" NotSent "The customer has no e-mail address",
    /// The interaction had no agent.
    NoEmployee "no_employee" NotSent "No employee was assigned to the interaction",
    /// The customer is the agent, or in an internal domain.
    SelfSurvey "self_survey" NotSent "The customer is a colleague",
    /// The customer was surveyed within `suppression_days`.
    SuppressionPeriod "suppression_period" NotSent
        "The customer was surveyed within the suppression period",
    /// The customer asked for no more surveys.
    Unsubscribed "unsubscribed" NotSent "The customer has unsubscribed",
    /// A mail to the address bounced within `bounce_days`, or SES refuses the address.
    Rejected "rejected" NotSent "The address rejected an earlier mail",
    /// The interaction was opened again before its survey was due.
    Reopened "reopened" NotSent "The interaction was reopened before the survey was due",
    /// `DELETE /v1/requests/{request_id}` came before the mail.
    Cancelled "cancelled" NotSent "The request was cancelled before the survey was sent",
    /// No such employee.
    EmployeeNotFound "employee_not_found" Invalid "Employee not found",
    /// The employee has left.
    EmployeeDeactivated "employee_deactivated" Invalid "Deactivated employee",
    /// The employee's profile is not approved.
    EmployeeProfileIncomplete "employee_profile_incomplete" Invalid "Employee profile not complete",
    /// The customer's address is malformed.
    InvalidCustomer "invalid_customer" Invalid "Invalid customer: the e-mail address is malformed",
    /// There is no such channel, or it is off.
    ChannelNotEnabled "channel_not_enabled" Invalid "Channel not enabled for company",
    /// Agents send by hand on this channel (live keys only).
    ChannelManual "channel_manual" Invalid "Channel is in manual mode",
    /// The company has several brands, and neither the request nor the settings name one.
    BrandMissing "brand_missing" Invalid "Brand signifier not provided",
    /// There is no such brand, or it is inactive.
    BrandInvalid "brand_invalid" Invalid "Invalid or inactive brand signifier",
    /// The request names no language, and the company has no default.
    LanguageMissing "language_missing" Invalid "Language not specified",
    /// The company does not have the request's language, and has no default.
    LanguageInvalid "language_invalid" Invalid "Invalid or inactive language",
    /// The ticket's status is neither a known one nor in the company's `closed_statuses`.
    StatusUnknown "status_unknown" Invalid
        "The ticket's status is unknown; if it means closed, add it to `closed_statuses` of the \
         helpdesk's integration",
    /// The key was revoked between receipt and sending.
    KeyRevoked "key_revoked" Invalid "The key that sent this request has been revoked",
    /// SES refused every attempt.
    SendAttempts "send_attempts" Failed "The mail was refused at every attempt",
    /// It was waiting until its row was about to expire.
    Expired "expired" Failed "It could not be sent before the request expired",
    /// The function that has to work on it failed for a week.
    Stalled "stalled" Failed "It was tried for a week and could not be worked on",
    /// DynamoDB refuses a write to this row as invalid; trying again would not help.
    NotStorable "not_storable" Failed "The database refused to store what became of the request",
    /// Gladly could not be asked about the conversation for two days.
    SourceUnreachable "source_unreachable" Failed "The helpdesk could not be asked",
    /// It is unknown whether the mail left. It is not sent again, since nobody must get it twice.
    Unconfirmed "unconfirmed" Failed "It could not be confirmed that the mail left",
}
