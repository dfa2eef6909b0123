//! Amazon SES: one call, one mail, and what its failure means.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, ConfigurationOverrides, Content, Destination, EmailContent, FeatureStatus, Message,
    MessageHeader, MessageTag, TrackingConfigurationOverrides,
};

use policy::Refusal;

use crate::survey_mail::RenderedMail;

/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the whole call may take. SES mostly answers within 200 ms, and the lease of a claim is
/// far longer than this.
const OPERATION: Duration = Duration::from_secs(10);

/// A client for [`Ses`]. The SDK's own retries are off, since a retry after an unknown outcome
/// could send a second mail.
pub fn client(config: &SdkConfig) -> Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
    let config = aws_sdk_sesv2::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .build();
    Client::from_conf(config)
}

/// Sends mails.
#[derive(Clone, Debug)]
pub struct Ses {
    /// From [`client`].
    pub client: Client,
    /// The configuration set that publishes SES's events about our mails. Without one there are no
    /// events.
    pub configuration_set: Option<String>,
}

/// Why SES did not accept a mail. `code` is SES's or our word for the cause and may be logged.
/// SES's own messages contain addresses and are dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The mail was certainly not sent.
    #[error("refused ({refusal:?}): {code}")]
    Refused {
        /// The kind of refusal.
        refusal: Refusal,
        /// `TooManyRequestsException`, …
        code: String,
    },
    /// The mail may have been sent: time-out, reset, 5xx. It must not be sent again without
    /// evidence that it never left.
    #[error("unknown outcome: {code}")]
    Unknown {
        /// `timeout`, `InternalFailure`, …
        code: String,
    },
}

impl Ses {
    /// Sends `mail` with one call, tracking off, and returns SES's message id.
    ///
    /// # Errors
    /// [`SendError::Refused`] if it was certainly not sent, [`SendError::Unknown`] if that cannot
    /// be known.
    pub async fn send(&self, mail: &RenderedMail) -> Result<String, SendError> {
        let content = content(mail).map_err(|_| refused(Refusal::Misconfigured, "incomplete"))?;
        let tags = mail
            .tags
            .iter()
            .map(|(name, value)| MessageTag::builder().name(name).value(value).build());
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| refused(Refusal::Misconfigured, "incomplete"))?;
        let output = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .set_reply_to_addresses(mail.reply_to.clone().map(|reply_to| vec![reply_to]))
            .content(content)
            .set_email_tags(Some(tags))
            .set_configuration_set_name(self.configuration_set.clone())
            .configuration_overrides(untracked())
            .send()
            .await
            .map_err(|error| classify(&error, mail))?;
        output.message_id.ok_or_else(|| unknown("no message id"))
    }
}

fn content(mail: &RenderedMail) -> Result<EmailContent, BuildError> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let headers = mail
        .headers
        .iter()
        .map(|(name, value)| MessageHeader::builder().name(name).value(value).build());
    let body = Body::builder().html(utf8(&mail.html)?).text(utf8(&mail.text)?).build();
    let message = Message::builder()
        .subject(utf8(&mail.subject)?)
        .body(body)
        .set_headers(Some(headers.collect::<Result<_, _>>()?))
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

/// Keeps SES from rewriting links and adding a pixel, whatever the account or the configuration set
/// says.
fn untracked() -> ConfigurationOverrides {
    let tracking = TrackingConfigurationOverrides::builder()
        .open_tracking_enabled(FeatureStatus::Disabled)
        .click_tracking_enabled(FeatureStatus::Disabled)
        .build();
    ConfigurationOverrides::builder().tracking(tracking).build()
}

/// A failure counts as a refusal only if the mail was certainly not sent. Any other is unknown.
fn classify(error: &SdkError<SendEmailError>, mail: &RenderedMail) -> SendError {
    match error {
        // Nothing was sent: there are no credentials, or no region.
        SdkError::ConstructionFailure(_) => refused(Refusal::Misconfigured, "not configured"),
        SdkError::DispatchFailure(_) if never_connected(error) => {
            refused(Refusal::Unreachable, "not connected")
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => unknown("timeout"),
        SdkError::DispatchFailure(_) => unknown("connection lost"),
        SdkError::TimeoutError(_) => unknown("timeout"),
        SdkError::ServiceError(service) => {
            classify_reply(service.raw().status().as_u16(), service.err(), mail)
        }
        _ => unknown("not understood"),
    }
}

/// Classifies an error that SES replied with.
fn classify_reply(status: u16, error: &SendEmailError, mail: &RenderedMail) -> SendError {
    let code = error.code().unwrap_or("no code");
    let message = error.message().unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
    // 408 means that the connection broke during the request. How much of it arrived is unknown.
    if status >= 500 || status == 408 || !(400..500).contains(&status) {
        return unknown(code);
    }
    let refusal = match code {
        "LimitExceededException" | "SendingPausedException" | "AccountSuspendedException" => {
            Refusal::QuotaOrPaused
        }
        // One exception stands for two limits. "Maximum sending rate exceeded." is over in a
        // second, "Daily message quota exceeded." is not.
        _ if status == 429 || code.contains("Throttl") || code == "TooManyRequestsException" => {
            if says(&["quota"]) {
                Refusal::QuotaOrPaused
            } else {
                Refusal::Throttled
            }
        }
        // SES says this about an address that passes our check and not its own (docs/facts.md, SES
        // 4), be it the sender's or the recipient's. Only a fault of the recipient's may end the
        // customer's request. Any other is for an admin to correct.
        "BadRequestException" | "MessageRejected"
            if says(&[
                "illegal",
                "missing final '@domain'",
                "missing '@'",
                "contains control or whitespace",
                "invalid email address",
            ]) && is_about_the_recipient(&message, mail) =>
        {
            Refusal::AddressRejected
        }
        "MailFromDomainNotVerifiedException" => Refusal::Misconfigured,
        _ if matches!(status, 401 | 403 | 404) || says(&["not verified"]) => Refusal::Misconfigured,
        _ => Refusal::ThisMail,
    };
    refused(refusal, code)
}

/// Whether SES's message (in lower case) names the recipient's address or its domain, and neither
/// the sender's nor the reply-to address.
fn is_about_the_recipient(message: &str, mail: &RenderedMail) -> bool {
    let names = |mailbox: &str| {
        let address = mailbox
            .rsplit_once('<')
            .map_or(mailbox, |(_, address)| address)
            .trim_end_matches('>')
            .to_lowercase();
        message.contains(&address)
            || address.rsplit_once('@').is_some_and(|(_, domain)| message.contains(domain))
    };
    names(&mail.to) && !names(&mail.from) && !mail.reply_to.as_deref().is_some_and(names)
}

/// Whether no connection was opened: refused, no route, unknown host name, or no answer within
/// [`CONNECT`].
fn never_connected(error: &SdkError<SendEmailError>) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
            )
        {
            return true;
        }
        // The HTTP client's types for these are private, so their texts are compared. If a text
        // changes, the outcome counts as unknown: the mail is sent later, but never twice.
        let words = error.to_string();
        if words.starts_with("HTTP connect timeout")
            || words.starts_with("dns error")
            || words.starts_with("failed to perform DNS lookup")
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn refused(refusal: Refusal, code: &str) -> SendError {
    SendError::Refused { refusal, code: code.to_owned() }
}

fn unknown(code: &str) -> SendError {
    SendError::Unknown { code: code.to_owned() }
}
