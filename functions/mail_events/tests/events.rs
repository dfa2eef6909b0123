//! SES's events in every envelope, those that cannot be read, and the writes that each leads to.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use fake_aws::{Call, FakeAws, Reply};
use jiff::Timestamp;
use links::SubjectSecret;
use mail_events::{EventError, Message, handle, messages, read};
use policy::{MailEventKind, Mode};
use serde_json::{Value, json};
use store::{Store, Tables};

const REQUEST: &str = "019b8d62-7a80-7000-8000-000000000001";
/// What the row's `subject` is.
const SUBJECT: &str = "samX-WHVf5HcNco24U2CPPc6rxP8GnQoLmF0I47xk9k";

fn now() -> Timestamp {
    "2026-01-05T09:00:05Z".parse().unwrap()
}

/// A record of this type, about a mail of this mode.
fn record(event_type: &str, mode: &str) -> Value {
    json!({
        "eventType": event_type,
        "mail": {
            "timestamp": "2026-01-05T09:00:01Z",
            "messageId": "0100-abc",
            "destination": ["ines@customers.example"],
            "tags": { "request_id": [REQUEST], "mode": [mode], "claimed_at": ["1767603601000"] },
        },
        "bounce": { "bounceType": "Permanent", "timestamp": "2026-01-05T09:00:03Z" },
    })
}

fn queue(bodies: &[String]) -> Value {
    let records: Vec<Value> = bodies.iter().map(|body| json!({ "body": body })).collect();
    json!({ "Records": records })
}

#[test]
fn a_record_is_the_same_in_every_envelope() {
    let record = record("Send", "live");
    let text = record.to_string();
    let notification = json!({ "Type": "Notification", "Message": text });
    for (envelope, what) in [
        (record.clone(), "bare"),
        (json!({ "detail-type": "Email Sent", "detail": record }), "EventBridge"),
        (json!({ "Records": [{ "Sns": { "Message": text } }] }), "SNS"),
        (queue(&[text]), "queue, raw delivery"),
        (queue(&[notification.to_string()]), "queue, SNS's envelope"),
    ] {
        assert_eq!(messages(&envelope), [Ok(Message::Record(record.clone()))], "{what}");
    }
}

#[test]
fn a_notice_about_the_topic_is_not_an_error() {
    let validated = "Successfully validated SNS topic for Amazon SES event publishing.";
    let confirmation = json!({ "Type": "SubscriptionConfirmation", "Message": "You have chosen" });
    for envelope in [
        queue(&[validated.to_owned()]),
        json!({ "Records": [{ "Sns": { "Message": validated } }] }),
        queue(&[confirmation.to_string()]),
        queue(&[json!({ "Type": "UnsubscribeConfirmation", "Message": "" }).to_string()]),
    ] {
        let messages = messages(&envelope);
        assert!(matches!(messages[..], [Ok(Message::AboutTopic(_))]), "{envelope}");
    }
}

#[test]
fn a_message_that_cannot_be_read_is_an_error_of_its_own() {
    let envelope = json!({ "Records": [
        { "body": "not JSON" }, { "nothing": true }, { "Sns": { "Message": "{" } },
        { "body": "{}" },
    ] });
    let readable: Vec<bool> = messages(&envelope).iter().map(Result::is_ok).collect();
    assert_eq!(readable, [false, false, false, true], "{{}} is JSON, but not a record");
    assert!(read(&json!({})).is_err() && read(&Value::Null).is_err());
    assert!(read(&json!({ "eventType": 7 })).is_err());
}

#[test]
fn an_event_that_changes_nothing_here_is_none() {
    let mut foreign = record("Send", "live");
    foreign["mail"]["tags"] = json!({});
    let mut not_ours = record("Send", "live");
    not_ours["mail"]["tags"]["request_id"] = json!(["not an id"]);
    for record in [record("Open", "live"), foreign, not_ours] {
        assert_eq!(read(&record), Ok(None), "{record}");
    }
}

#[test]
fn an_event_says_which_mail_it_is_about_and_when() {
    for (event_type, kind, at) in [
        ("Send", MailEventKind::Send, "2026-01-05T09:00:01Z"),
        ("Bounce", MailEventKind::HardBounce, "2026-01-05T09:00:03Z"),
    ] {
        let event = read(&record(event_type, "live")).unwrap().unwrap();
        assert_eq!((event.kind, event.mode), (kind, Mode::Live));
        assert_eq!(event.request_id.to_string(), REQUEST);
        assert_eq!(event.at, Some(at.parse().unwrap()), "{event_type}");
        assert_eq!(event.claimed_at.map(Timestamp::as_second), Some(1_767_603_601));
    }
    let mut bare = record("Send", "?");
    bare["mail"]["tags"]["claimed_at"] = json!(["soon"]);
    bare["mail"]["timestamp"] = json!("yesterday");
    let event = read(&bare).unwrap().unwrap();
    assert_eq!((event.mode, event.claimed_at, event.at), (Mode::Test, None, None));
}

fn store(aws: &FakeAws) -> Store {
    let tables = Tables::default();
    Store::new(&aws.config(), tables, SubjectSecret::new("secret"))
}

fn row(mode: &str) -> Value {
    let event = include_str!("../../../events/dispatch.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let mut row = event["Records"][0]["dynamodb"]["NewImage"].take();
    row["mode"] = json!({ "S": mode });
    row
}

/// The row is there, in this mode, and takes each outcome.
fn takes(mode: &str) -> impl Fn(&Call) -> Reply + Clone + Send + Sync + 'static {
    let row = row(mode);
    move |call| match call.operation.as_str() {
        "UpdateItem" => Reply::ok(json!({ "Attributes": row })),
        "ExecuteStatement" => Reply::ok(json!({ "Items": [] })),
        _ => Reply::ok(json!({})),
    }
}

/// Kind and subject of what was put into the suppression table.
fn put(aws: &FakeAws) -> Vec<(String, String)> {
    let text = |item: &Value, name: &str| item["Item"][name]["S"].as_str().unwrap().to_owned();
    let puts = aws.requests("PutItem");
    let of_customers = puts.iter().filter(|put| put["TableName"] == "suppression");
    of_customers.map(|item| (text(item, "kind"), text(item, "subject"))).collect()
}

#[tokio::test]
async fn a_live_hard_bounce_and_a_complaint_mark_the_customer() {
    for (event_type, mode, marked) in [
        ("Bounce", "live", Some("bounced")),
        ("Complaint", "live", Some("unsubscribed")),
        ("Reject", "live", None),
        ("Delivery", "live", None),
        ("Bounce", "test", None),
        ("Complaint", "test", None),
    ] {
        let aws = FakeAws::start(takes(mode)).await;
        handle(&store(&aws), &record(event_type, mode), now()).await.unwrap();
        let expected = marked.map(|kind| (kind.to_owned(), SUBJECT.to_owned()));
        assert_eq!(put(&aws), Vec::from_iter(expected), "{event_type} {mode}");
        assert_eq!(aws.requests("UpdateItem").len(), 1, "{event_type}: the outcome");
    }
}

#[tokio::test]
async fn after_the_row_has_expired_the_events_own_recipient_is_marked() {
    let aws = FakeAws::start(|call| match call.operation.as_str() {
        "UpdateItem" => Reply::error(400, "ConditionalCheckFailedException"),
        "ExecuteStatement" => Reply::ok(json!({ "Items": [] })),
        _ => Reply::ok(json!({})),
    })
    .await;
    let store = store(&aws);
    handle(&store, &record("Bounce", "live"), now()).await.unwrap();
    handle(&store, &record("Bounce", "test"), now()).await.unwrap();
    let subject = SubjectSecret::new("secret").of_address("ines@customers.example").as_text();
    assert_eq!(put(&aws), [("bounced".to_owned(), subject)], "once: the other is a test mail");
}

#[tokio::test]
async fn a_send_event_also_notes_the_minute_of_its_claim() {
    let aws = FakeAws::start(takes("live")).await;
    handle(&store(&aws), &record("Send", "live"), now()).await.unwrap();
    let [_, noted] = aws.requests("UpdateItem").try_into().unwrap();
    assert_eq!(noted["TableName"], "config");
    assert_eq!(noted["Key"]["id"]["S"], "send_events#2026-01-05T09");
}

#[tokio::test]
async fn one_message_that_fails_does_not_stop_the_others() {
    let aws = FakeAws::start(takes("live")).await;
    let bodies = ["not JSON".to_owned(), "{}".to_owned(), record("Delivery", "live").to_string()];
    let mut batch = queue(&bodies);
    for (index, record) in batch["Records"].as_array_mut().unwrap().iter_mut().enumerate() {
        record["messageId"] = json!(format!("m{index}"));
    }
    let reply = handle(&store(&aws), &batch, now()).await.unwrap();
    let failures = json!([{ "itemIdentifier": "m0" }, { "itemIdentifier": "m1" }]);
    assert_eq!(reply, json!({ "batchItemFailures": failures }));
    assert_eq!(aws.requests("UpdateItem").len(), 1, "the third is taken in");

    batch["Records"][1].as_object_mut().unwrap().remove("messageId");
    let error = handle(&store(&aws), &batch, now()).await.unwrap_err();
    assert!(error.to_string().contains("not JSON"), "the first error, if one has no name: {error}");
    let all = queue(&["not JSON".to_owned()]);
    assert!(handle(&store(&aws), &all, now()).await.is_err(), "nothing was taken in");
}

#[tokio::test]
async fn a_table_that_fails_is_an_error_so_that_the_message_comes_again() {
    let aws = FakeAws::start(|_| Reply::error(400, "ResourceNotFoundException")).await;
    let error = handle(&store(&aws), &record("Delivery", "live"), now()).await.unwrap_err();
    assert!(matches!(error, EventError::Store(_)), "{error}");
}

#[tokio::test]
async fn a_row_that_changes_between_each_read_and_write_is_an_error() {
    let row = row("live");
    let aws = FakeAws::start(move |call| match call.operation.as_str() {
        "UpdateItem" => {
            let mut failed = row.clone();
            failed["claimed_at"] = json!({ "N": "1767603601000" });
            Reply::condition_failed(failed)
        }
        "TransactWriteItems" => Reply::cancelled(&[
            json!({ "Code": "ConditionalCheckFailed" }),
            json!({ "Code": "None" }),
        ]),
        _ => Reply::ok(json!({ "Items": [] })),
    })
    .await;
    let error = handle(&store(&aws), &record("Delivery", "live"), now()).await.unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
    assert_eq!(aws.requests("TransactWriteItems").len(), 4);
}
