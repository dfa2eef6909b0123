//! SES's event records, and the envelopes in which they arrive (docs/facts.md, SES 1 and 2).
//!
//! The envelopes are read by hand. `aws_lambda_events` would need `chrono` and `serde_with` for
//! them, which nothing else here uses; its types reject a whole batch for one odd record; and its
//! `ses` types describe received mail, not these events.

use jiff::Timestamp;
use policy::{MailEventKind, Mode};
use serde_json::Value;
use uuid::Uuid;

/// What an event says about one of our mails.
#[derive(Clone, Debug, PartialEq)]
pub struct MailEvent {
    /// From the mail's tag.
    pub request_id: Uuid,
    /// From the mail's tag: the mode of the key that caused it. Test, if there is no such tag.
    pub mode: Mode,
    /// Whether the mail told a notice, as its tag says, and concerned no customer.
    pub of_notice: bool,
    /// From the mail's tag: when the claim was made under which it was sent.
    pub claimed_at: Option<Timestamp>,
    /// SES's id of the mail.
    pub message_id: String,
    /// The one recipient.
    pub recipient: Option<String>,
    /// What happened.
    pub kind: MailEventKind,
    /// When, by SES's clock.
    pub at: Option<Timestamp>,
}

/// A message without an event record in it. Its delivery fails, so that it comes again and ends in
/// the dead-letter queue.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an SES event that cannot be understood: {0}")]
pub struct NotAnEvent(&'static str);

/// The content of one message of the topic.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// An event record, not read yet.
    Record(Value),
    /// A notice of SES or SNS about the topic itself. It concerns no mail.
    AboutTopic(&'static str),
}

/// What SES writes to the topic once, when the event destination is created (docs/facts.md, SES 6).
const VALIDATED: &str = "Successfully validated SNS topic for Amazon SES event publishing.";

/// The messages in an envelope. It is one of these: a batch of a queue, with bare records, or with
/// SNS's envelopes if raw delivery is off; an SNS notification; an EventBridge event; or a bare
/// record.
pub fn messages(envelope: &Value) -> Vec<Result<Message, NotAnEvent>> {
    if let Some(records) = envelope.get("Records").and_then(Value::as_array) {
        let message = |record: &Value| match (record.get("body"), record.get("Sns")) {
            (Some(Value::String(body)), _) => opened(body),
            (_, Some(notification)) => unwrapped(notification),
            _ => Err(NotAnEvent("a record without a message")),
        };
        return records.iter().map(message).collect();
    }
    vec![unwrapped(envelope.get("detail").unwrap_or(envelope))]
}

/// A message of a queue: what was published, or SNS's envelope around it.
fn opened(body: &str) -> Result<Message, NotAnEvent> {
    if body.trim() == VALIDATED {
        return Ok(Message::AboutTopic("SES validated the topic"));
    }
    unwrapped(&json(body)?)
}

/// What is in SNS's envelope (`Type`, and the published text as `Message`), or a bare record.
fn unwrapped(value: &Value) -> Result<Message, NotAnEvent> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (text("Type"), text("Message")) {
        (Some("SubscriptionConfirmation"), _) => {
            Ok(Message::AboutTopic("a subscription waits to be confirmed"))
        }
        (Some("UnsubscribeConfirmation"), _) => Ok(Message::AboutTopic("a subscription was ended")),
        (_, Some(published)) if published.trim() == VALIDATED => {
            Ok(Message::AboutTopic("SES validated the topic"))
        }
        (_, Some(published)) => json(published).map(Message::Record),
        (_, None) => Ok(Message::Record(value.clone())),
    }
}

fn json(text: &str) -> Result<Value, NotAnEvent> {
    serde_json::from_str(text).map_err(|_| NotAnEvent("a message that is not JSON"))
}

/// Reads a record. `Ok(None)` if the event changes nothing here, or is about a mail that we did not
/// send.
///
/// # Errors
/// If it is not an SES event.
pub fn read(record: &Value) -> Result<Option<MailEvent>, NotAnEvent> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    // Identity feedback notifications have `notificationType` instead; their mails have no tags.
    let name = text("/eventType")
        .or_else(|| text("/notificationType"))
        .ok_or(NotAnEvent("no eventType"))?;
    let (bounce, feedback) = (text("/bounce/bounceType"), text("/complaint/complaintFeedbackType"));
    let Some(kind) = MailEventKind::from_ses(name, bounce, feedback) else { return Ok(None) };
    let Some(request_id) = text("/mail/tags/request_id/0").and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let at = match kind {
        MailEventKind::Delivery => text("/delivery/timestamp"),
        MailEventKind::SoftBounce | MailEventKind::HardBounce => text("/bounce/timestamp"),
        MailEventKind::Complaint => text("/complaint/timestamp"),
        MailEventKind::Send | MailEventKind::Reject => None,
    };
    Ok(Some(MailEvent {
        request_id,
        mode: match text("/mail/tags/mode/0") {
            Some("live") => Mode::Live,
            _ => Mode::Test,
        },
        of_notice: text("/mail/tags/mode/0") == Some("notice"),
        claimed_at: text("/mail/tags/claimed_at/0")
            .and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok()),
        message_id: text("/mail/messageId").unwrap_or_default().to_owned(),
        recipient: text("/mail/destination/0").map(str::to_owned),
        at: at.or_else(|| text("/mail/timestamp")).and_then(|at| at.parse().ok()),
        kind,
    }))
}
