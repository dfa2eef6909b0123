//! SES's event records, in whichever envelope they come (docs/facts.md, SES 1 and 2).

use jiff::Timestamp;
use policy::Status;
use serde_json::Value;
use uuid::Uuid;

/// What an event says about a mail of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct MailEvent {
    /// From the mail's tag.
    pub request_id: Uuid,
    /// From the mail's tag: whether it was sent for a live key.
    pub live: bool,
    /// From the mail's tag: when the claim was made that it was sent under.
    pub claimed_at: Option<Timestamp>,
    /// SES's id of the mail.
    pub message_id: String,
    /// The one recipient.
    pub recipient: Option<String>,
    /// What happened.
    pub kind: Kind,
    /// When, as SES has it.
    pub at: Option<Timestamp>,
}

/// What happened to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SES accepted it.
    Send,
    /// The customer's server took it.
    Delivery,
    /// It came back, and SES has given up; the address may work another day (`Transient`,
    /// `Undetermined`).
    SoftBounce,
    /// It came back for good (`Permanent`).
    HardBounce,
    /// The customer called it spam.
    Complaint,
    /// SES accepted it, found a virus, and did not send it. Nothing is wrong with the address.
    Reject,
}

impl Kind {
    /// The outcome that the request gets.
    pub fn outcome(self) -> Status {
        match self {
            Kind::Send => Status::Sent,
            Kind::Delivery => Status::Delivered,
            Kind::SoftBounce => Status::SoftBounce,
            Kind::HardBounce | Kind::Reject => Status::HardBounce,
            Kind::Complaint => Status::Complained,
        }
    }
}

/// An envelope that holds no event record: what the record's delivery is failed for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an SES event that cannot be understood: {0}")]
pub struct NotAnEvent(&'static str);

/// What one message of the topic holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// An event record, not read yet.
    Record(Value),
    /// A word about the topic itself, which is no event and concerns no mail.
    AboutTopic(&'static str),
}

/// What SES writes to the topic once, when the event destination is made (docs/facts.md, SES 6).
const VALIDATED: &str = "Successfully validated SNS topic for Amazon SES event publishing.";

/// The messages of a queue (which the topic fills with bare records, or with SNS's envelopes where
/// raw delivery is off), of an SNS notification, of an EventBridge event, or one bare record.
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

/// A message of a queue: with raw delivery, what was published; without, SNS's envelope around it.
fn opened(body: &str) -> Result<Message, NotAnEvent> {
    if body.trim() == VALIDATED {
        return Ok(Message::AboutTopic("SES validated the topic"));
    }
    unwrapped(&json(body)?)
}

/// SNS's envelope (`Type`, and the published text as `Message`), or a record without one.
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
    serde_json::from_str(text).map_err(|_| NotAnEvent("a message that is no JSON"))
}

/// Reads a record. `Ok(None)`: an event that is of no consequence here, or about somebody else's
/// mail.
///
/// # Errors
/// If it is no SES event at all.
pub fn read(record: &Value) -> Result<Option<MailEvent>, NotAnEvent> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    // `notificationType` is what identity feedback notifications say instead; they carry no tags.
    let name = text("/eventType")
        .or_else(|| text("/notificationType"))
        .ok_or(NotAnEvent("no eventType"))?;
    let kind = match name {
        "Send" => Kind::Send,
        "Delivery" => Kind::Delivery,
        "Bounce" if text("/bounce/bounceType") == Some("Permanent") => Kind::HardBounce,
        "Bounce" => Kind::SoftBounce,
        // A customer who takes a mail out of the spam folder complains of nothing.
        "Complaint" if text("/complaint/complaintFeedbackType") == Some("not-spam") => {
            return Ok(None);
        }
        "Complaint" => Kind::Complaint,
        "Reject" => Kind::Reject,
        _ => return Ok(None),
    };
    let Some(request_id) = text("/mail/tags/request_id/0").and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let at = match kind {
        Kind::Delivery => text("/delivery/timestamp"),
        Kind::SoftBounce | Kind::HardBounce => text("/bounce/timestamp"),
        Kind::Complaint => text("/complaint/timestamp"),
        Kind::Send | Kind::Reject => None,
    };
    Ok(Some(MailEvent {
        request_id,
        live: text("/mail/tags/mode/0") == Some("live"),
        claimed_at: text("/mail/tags/claimed_at/0")
            .and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok()),
        message_id: text("/mail/messageId").unwrap_or_default().to_owned(),
        recipient: text("/mail/destination/0").map(str::to_owned),
        at: at.or_else(|| text("/mail/timestamp")).and_then(|at| at.parse().ok()),
        kind,
    }))
}
