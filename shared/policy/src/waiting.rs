//! What a queued request waits for after it was due.

use serde::{Deserialize, Serialize};

/// Why a request that is due has not been sent yet. It continues by itself when this has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// An admin has to correct a config item.
    Configuration,
    /// `test_email` in `company/settings`.
    TestEmail,
    /// `from` in `company/settings`, or the stack's sender address.
    Sender,
    /// The next hour: the key's `mails_per_hour` are used up.
    MailsPerHour,
    /// Another mail to the same customer: it is not known yet whether that one left.
    EarlierMail,
    /// SES refused the last attempt.
    MailService,
}

impl WaitingFor {
    /// The name in rows and replies.
    pub fn as_str(self) -> &'static str {
        match self {
            WaitingFor::Configuration => "configuration",
            WaitingFor::TestEmail => "test_email",
            WaitingFor::Sender => "sender",
            WaitingFor::MailsPerHour => "mails_per_hour",
            WaitingFor::EarlierMail => "earlier_mail",
            WaitingFor::MailService => "mail_service",
        }
    }

    /// The same in one sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            WaitingFor::Configuration => {
                "A config item cannot be understood; the request goes on once it is corrected"
            }
            WaitingFor::TestEmail => {
                "company/settings has no test_email, which mails of test keys go to"
            }
            WaitingFor::Sender => {
                "company/settings has no from, and the stack has no sender address"
            }
            WaitingFor::MailsPerHour => {
                "The key has used up its mails_per_hour; the request goes on in the next hour"
            }
            WaitingFor::EarlierMail => {
                "It is not known yet whether an earlier mail to this customer left"
            }
            WaitingFor::MailService => {
                "The mail service refused the last attempt; it is tried again"
            }
        }
    }
}
