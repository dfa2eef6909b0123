//! The events that SES publishes about a mail, in the envelope of the queue behind the topic.
//!
//! Shapes:
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>.
//! Addresses of the mailbox simulator behave as in
//! <https://docs.aws.amazon.com/ses/latest/dg/send-email-simulator.html>, plus-labels too.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::mailbox::Message;
use crate::ses_request::bare_address;

/// All events of an accepted mail, in the order in which they happen, each as the event that the
/// queue hands to a function.
pub(crate) fn events(message: &Message, configuration_set: &str) -> Vec<Value> {
    let mut events = vec![event(message, configuration_set, "Send", "send", json!({}))];
    for recipient in &message.to {
        for (name, field, details) in outcomes(bare_address(recipient), message.at) {
            events.push(event(message, configuration_set, name, field, details));
        }
    }
    events.into_iter().map(|event| envelope(&event, message.at)).collect()
}

fn outcomes(recipient: &str, at: Timestamp) -> Vec<(&'static str, &'static str, Value)> {
    let at = at.to_string();
    let delivery = json!({
        "timestamp": at, "processingTimeMillis": 3, "recipients": [recipient],
        "smtpResponse": "250 2.6.0 Message received", "reportingMTA": "local.amazonses.com",
    });
    let bounce = |subtype: &str, diagnostic: &str| {
        json!({
            "bounceType": "Permanent", "bounceSubType": subtype,
            "bouncedRecipients": [{"emailAddress": recipient, "action": "failed", "status": "5.1.1",
            "diagnosticCode": diagnostic}],
            "timestamp": at, "feedbackId": uuid::Uuid::now_v7().to_string(),
            "reportingMTA": "dsn; local.amazonses.com",
        })
    };
    let simulated = match recipient.to_ascii_lowercase().rsplit_once('@') {
        Some((local, "simulator.amazonses.com")) => {
            local.split('+').next().unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    match simulated.as_str() {
        "bounce" => vec![("Bounce", "bounce", bounce("General", "smtp; 550 5.1.1 user unknown"))],
        "suppressionlist" => {
            vec![(
                "Bounce",
                "bounce",
                bounce("Suppressed", "Amazon SES has suppressed sending to this address"),
            )]
        }
        "complaint" => {
            let complaint = json!({
                "complainedRecipients": [{"emailAddress": recipient}],
                "complaintFeedbackType": "abuse", "complaintSubType": null,
                "timestamp": at, "arrivalDate": at, "feedbackId": uuid::Uuid::now_v7().to_string(),
                "userAgent": "Amazon SES Mailbox Simulator",
            });
            vec![("Delivery", "delivery", delivery), ("Complaint", "complaint", complaint)]
        }
        _ => vec![("Delivery", "delivery", delivery)],
    }
}

fn event(
    message: &Message,
    configuration_set: &str,
    name: &str,
    field: &str,
    details: Value,
) -> Value {
    let headers: Vec<Value> =
        message.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let domain = bare_address(&message.from).rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut tags: Map<String, Value> =
        message.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    tags.insert("ses:configuration-set".to_owned(), json!([configuration_set]));
    tags.insert("ses:source-ip".to_owned(), json!(["127.0.0.1"]));
    tags.insert("ses:from-domain".to_owned(), json!([domain]));
    tags.insert("ses:caller-identity".to_owned(), json!(["local"]));
    json!({
        "eventType": name,
        "mail": {
            "timestamp": message.at.to_string(),
            "source": message.from,
            "sourceArn": format!("arn:aws:ses:local:000000000000:identity/{domain}"),
            "sendingAccountId": "000000000000",
            "messageId": message.id,
            "destination": message.to,
            "headersTruncated": false,
            "headers": headers,
            "commonHeaders": {"from": [message.from], "to": message.to, "messageId": message.id,
            "subject": message.subject},
            "tags": tags,
        },
        field: details,
    })
}

/// A message of SQS (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>), whose body the
/// topic delivers as it is.
fn envelope(event: &Value, at: Timestamp) -> Value {
    let sent = at.as_millisecond().to_string();
    json!({"Records": [{
        "messageId": uuid::Uuid::now_v7().to_string(),
        "receiptHandle": "local",
        "body": event.to_string(),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": sent, "SenderId": "local",
        "ApproximateFirstReceiveTimestamp": sent},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:local:000000000000:mail-events",
        "awsRegion": "local",
    }]})
}
