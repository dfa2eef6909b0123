//! Batches through the real handler, against an endpoint that plays DynamoDB and SES by script:
//! which calls one mail makes, and what each failure leads to.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dispatch::Dispatch;
use fake_aws::{Call, FakeAws, Reply};
use jiff::{SignedDuration, Timestamp};
use links::{Links, SubjectSecret, TokenSecrets};
use mail::Ses;
use serde_json::{Value, json};
use store::{Store, Tables};

/// A live request for `ines@customers.example`, queued and ready.
const SAMPLE: &str = include_str!("../../../events/dispatch.json");
/// Another request of the same customer.
const HOLDER: &str = "019b8d62-7a80-7000-8000-000000000002";

fn now() -> Timestamp {
    "2026-01-05T09:00:01Z".parse().unwrap()
}

fn dispatch(aws: &FakeAws) -> Dispatch {
    let tables = Tables::default();
    let secrets = TokenSecrets::parse("v1:0123456789abcdef").unwrap();
    Dispatch {
        store: Store::new(&aws.config(), tables, SubjectSecret::new("secret")),
        ses: Ses { client: mail::client(&aws.config()), configuration_set: None },
        links: Links::new("https://survey.example", secrets).unwrap(),
        sender: None,
        time_out: SignedDuration::from_secs(60),
    }
}

/// The sample's record with this sequence number, changed by `edit`.
fn record(sequence: &str, edit: impl Fn(&mut Value)) -> Value {
    let mut record = serde_json::from_str::<Value>(SAMPLE).unwrap()["Records"][0].take();
    record["dynamodb"]["SequenceNumber"] = json!(sequence);
    edit(&mut record["dynamodb"]["NewImage"]);
    record
}

fn event(records: &[Value]) -> Value {
    json!({ "Records": records })
}

/// A company that can send the sample's mail.
fn settings(channel_mode: &str) -> Reply {
    Reply::ok(json!({ "Items": [
        {
            "kind": { "S": "company" }, "id": { "S": "settings" },
            "name": { "S": "Blanca Peak" }, "from": { "S": "survey@blancapeak.example" },
        },
        {
            "kind": { "S": "channel" }, "id": { "S": "email" },
            "mode": { "S": channel_mode },
        },
        { "kind": { "S": "brand" }, "id": { "S": "blancakids" }, "name": { "S": "Blanca Kids" } },
    ] }))
}

/// Everything goes well.
fn fine(call: &Call) -> Reply {
    let key = &call.body["Key"];
    match (call.operation.as_str(), key["kind"]["S"].as_str()) {
        ("ExecuteStatement", _) => settings("integrated"),
        ("GetItem", Some("key")) => Reply::ok(json!({ "Item": {
            "kind": { "S": "key" }, "id": key["id"], "mode": { "S": "live" },
            "scopes": { "L": [{ "S": "send" }] },
            // It was used today, which is noted once a day.
            "last_used": { "S": "2026-01-05" },
        } })),
        ("GetItem", Some("employee")) => Reply::ok(json!({ "Item": {
            "kind": { "S": "employee" }, "id": key["id"],
            "name": { "S": "Paul Peak" }, "status": { "S": "approved" },
        } })),
        ("SendEmail", _) => Reply::ok(json!({ "MessageId": "0100-abc" })),
        _ => Reply::ok(json!({})),
    }
}

/// As [`fine`], but SES answers otherwise.
async fn ses_says(reply: Reply) -> FakeAws {
    FakeAws::start(move |call| match call.operation.as_str() {
        "SendEmail" => reply.clone(),
        _ => fine(call),
    })
    .await
}

async fn send(aws: &FakeAws, records: &[Value]) -> Value {
    dispatch(aws).handle(&event(records), now).await
}

fn update(transaction: &Value) -> &Value {
    &transaction["TransactItems"][0]["Update"]
}

const NO_FAILURES: [Value; 0] = [];

#[tokio::test]
async fn a_mail_is_one_claim_one_call_to_ses_and_one_note() {
    let aws = FakeAws::start(fine).await;
    assert_eq!(send(&aws, &[record("1", |_| {})]).await["batchItemFailures"], json!(NO_FAILURES));
    let mut operations: Vec<String> = aws.calls().into_iter().map(|c| c.operation).collect();
    let sending = operations.split_off(3);
    assert_eq!(operations, ["ExecuteStatement", "GetItem", "GetItem"], "configuration");
    assert_eq!(sending, ["TransactWriteItems", "SendEmail", "UpdateItem"]);
    let claim = &aws.requests("TransactWriteItems")[0];
    let values = &update(claim)["ExpressionAttributeValues"];
    let seconds = |name: &str| values[name]["N"].as_str().unwrap().parse::<i64>().unwrap() / 1_000;
    assert_eq!(seconds(":now"), now().as_second());
    assert_eq!(seconds(":over"), now().as_second() + 60 + 30, "the time-out and 30 s");
    let mail = &aws.requests("SendEmail")[0];
    assert_eq!(mail["Destination"]["ToAddresses"], json!(["ines@customers.example"]));
    let claimed_at = json!({ "Name": "claimed_at", "Value": now().as_millisecond().to_string() });
    assert!(mail["EmailTags"].as_array().unwrap().contains(&claimed_at), "{mail}");
    let note = &aws.requests("UpdateItem")[0]["ExpressionAttributeValues"];
    assert_eq!(note[":message"]["S"], "0100-abc");
}

#[tokio::test]
async fn each_mail_asks_the_clock_for_its_own_time() {
    let aws = FakeAws::start(fine).await;
    let asked = AtomicUsize::new(0);
    let clock = || {
        let minutes = asked.fetch_add(1, Ordering::SeqCst);
        policy::saturating_add(now(), SignedDuration::from_mins(minutes as i64))
    };
    dispatch(&aws).handle(&event(&[record("1", |_| {}), record("2", |_| {})]), clock).await;
    let claims = aws.requests("TransactWriteItems");
    let at: Vec<i64> = claims
        .iter()
        .map(|claim| update(claim)["ExpressionAttributeValues"][":now"]["N"].as_str().unwrap())
        .map(|at| (at.parse::<i64>().unwrap() - now().as_millisecond()) / 60_000)
        .collect();
    assert_eq!(at, [1, 2]);
    assert_eq!(aws.requests("ExecuteStatement").len(), 3, "older settings are read again");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_fails_alone() {
    let aws = FakeAws::start(fine).await;
    let records = [
        record("1", |image| image["status"] = json!({ "S": "no such status" })),
        record("2", |_| {}),
        json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": "3" } }),
        record("4", |image| image["status"] = json!({ "S": "sent" })),
        record("5", |image| {
            image.as_object_mut().unwrap().remove("ready");
        }),
    ];
    let failures = send(&aws, &records).await;
    assert_eq!(failures["batchItemFailures"], json!([{ "itemIdentifier": "1" }]));
    assert_eq!(aws.requests("SendEmail").len(), 1, "only the second is queued and ready");
}

#[tokio::test]
async fn an_event_that_is_not_a_batch_does_nothing() {
    let aws = FakeAws::start(fine).await;
    for event in [json!({}), json!([]), json!({ "Records": "none" }), Value::Null] {
        let reply = dispatch(&aws).handle(&event, now).await;
        assert_eq!(reply["batchItemFailures"], json!(NO_FAILURES), "{event}");
    }
    assert!(aws.requests("SendEmail").is_empty());
}

#[tokio::test]
async fn without_settings_each_record_fails_and_nothing_is_sent() {
    let aws = FakeAws::start(|call| match call.operation.as_str() {
        "ExecuteStatement" => Reply::error(400, "ResourceNotFoundException"),
        _ => fine(call),
    })
    .await;
    let failures = send(&aws, &[record("1", |_| {}), record("2", |_| {})]).await;
    let expected = json!([{ "itemIdentifier": "1" }, { "itemIdentifier": "2" }]);
    assert_eq!(failures["batchItemFailures"], expected);
    assert!(aws.requests("SendEmail").is_empty() && aws.requests("TransactWriteItems").is_empty());
}

#[tokio::test]
async fn a_refusal_puts_the_request_back_and_counts_only_if_the_mail_is_to_blame() {
    for (status, error, counts) in [
        (400, "MessageRejected", "1"),
        (429, "TooManyRequestsException", "0"),
        (400, "SendingPausedException", "0"),
        (403, "AccessDeniedException", "0"),
    ] {
        let aws = ses_says(Reply::error(status, error)).await;
        let failures = send(&aws, &[record("1", |_| {})]).await;
        assert_eq!(failures["batchItemFailures"], json!(NO_FAILURES), "{error}");
        let [_, release] = aws.requests("TransactWriteItems").try_into().unwrap();
        let values = &update(&release)["ExpressionAttributeValues"];
        assert_eq!(values[":next"]["S"], "queued", "{error}");
        assert_eq!(values[":one"]["N"], counts, "{error}");
    }
}

#[tokio::test]
async fn the_last_attempt_that_ses_refuses_ends_the_request() {
    let aws = ses_says(Reply::error(400, "MessageRejected")).await;
    send(&aws, &[record("1", |image| image["attempts"] = json!({ "N": "99" }))]).await;
    let [_, end] = aws.requests("TransactWriteItems").try_into().unwrap();
    let values = &update(&end)["ExpressionAttributeValues"];
    assert_eq!(
        (&values[":next"]["S"], &values[":reason"]["S"]),
        (&json!("failed"), &json!("send_attempts"))
    );
}

#[tokio::test]
async fn after_an_unknown_outcome_nothing_is_written_and_nothing_is_tried_again() {
    let aws = ses_says(Reply::error(500, "InternalFailure")).await;
    let failures = send(&aws, &[record("1", |_| {})]).await;
    assert_eq!(failures["batchItemFailures"], json!(NO_FAILURES));
    assert_eq!(aws.requests("SendEmail").len(), 1);
    let writes = (aws.requests("TransactWriteItems").len(), aws.requests("UpdateItem").len());
    assert_eq!(writes, (1, 0), "only the claim");
}

/// The customer's window is held by [`HOLDER`], which has this status, for the first `held` claims.
async fn window_held(status: &'static str, held: usize) -> FakeAws {
    let claims = Arc::new(AtomicUsize::new(0));
    FakeAws::start(move |call| {
        let is_claim = call.operation == "TransactWriteItems"
            && call.body.to_string().contains("claimed_at = :now");
        if is_claim && claims.fetch_add(1, Ordering::SeqCst) < held {
            let none = json!({ "Code": "None" });
            let taken = json!({
                "Code": "ConditionalCheckFailed", "Item": { "request_id": { "S": HOLDER } },
            });
            return Reply::cancelled(&[none.clone(), none.clone(), none.clone(), none, taken]);
        }
        if call.operation == "GetItem" && call.body["Key"]["request_id"]["S"] == HOLDER {
            let mut holder = record("1", |_| {})["dynamodb"]["NewImage"].take();
            holder["request_id"] = json!({ "S": HOLDER });
            holder["status"] = json!({ "S": status });
            return Reply::ok(json!({ "Item": holder }));
        }
        fine(call)
    })
    .await
}

#[tokio::test]
async fn a_window_is_waited_for_while_its_mail_is_being_sent() {
    let aws = window_held("sending", 2).await;
    send(&aws, &[record("1", |_| {})]).await;
    assert_eq!(aws.requests("TransactWriteItems").len(), 3);
    assert_eq!(aws.requests("SendEmail").len(), 1);
}

#[tokio::test]
async fn a_request_is_held_if_the_window_stays_open_to_doubt() {
    let aws = window_held("sending", usize::MAX).await;
    send(&aws, &[record("1", |_| {})]).await;
    assert!(aws.requests("SendEmail").is_empty());
    assert_eq!(aws.requests("TransactWriteItems").len(), 4, "once, and after each of the pauses");
    let held = &aws.requests("UpdateItem")[0]["ExpressionAttributeValues"];
    assert_eq!(held[":waiting"]["S"], "earlier_mail");
}

#[tokio::test]
async fn a_customer_who_was_mailed_is_not_mailed_again() {
    let aws = window_held("sent", usize::MAX).await;
    send(&aws, &[record("1", |_| {})]).await;
    assert!(aws.requests("SendEmail").is_empty());
    let [_, end] = aws.requests("TransactWriteItems").try_into().unwrap();
    assert_eq!(update(&end)["ExpressionAttributeValues"][":reason"]["S"], "suppression_period");
}

#[tokio::test]
async fn a_claim_that_cannot_be_stored_ends_the_request() {
    let aws = FakeAws::start(|call| {
        let claims = call.body.to_string().contains("claimed_at = :now");
        match call.operation.as_str() {
            "TransactWriteItems" if claims => Reply::error(400, "ValidationException"),
            _ => fine(call),
        }
    })
    .await;
    send(&aws, &[record("1", |_| {})]).await;
    assert!(aws.requests("SendEmail").is_empty());
    let [_, end] = aws.requests("TransactWriteItems").try_into().unwrap();
    assert_eq!(update(&end)["ExpressionAttributeValues"][":reason"]["S"], "not_storable");
}

/// The settings are `first` when they are read first, and `then` from then on.
async fn settings_change(first: &'static str, then: &'static str) -> FakeAws {
    let reads = Arc::new(AtomicUsize::new(0));
    FakeAws::start(move |call| match call.operation.as_str() {
        "ExecuteStatement" if reads.fetch_add(1, Ordering::SeqCst) == 0 => settings(first),
        "ExecuteStatement" => settings(then),
        _ => fine(call),
    })
    .await
}

#[tokio::test]
async fn only_what_the_table_says_now_refuses_a_request() {
    let aws = settings_change("manual", "integrated").await;
    send(&aws, &[record("1", |_| {})]).await;
    assert_eq!(aws.requests("SendEmail").len(), 1, "the cached mode was out of date");

    let aws = settings_change("manual", "manual").await;
    send(&aws, &[record("1", |_| {})]).await;
    assert!(aws.requests("SendEmail").is_empty());
    let end = &aws.requests("TransactWriteItems")[0];
    assert_eq!(update(end)["ExpressionAttributeValues"][":reason"]["S"], "channel_manual");
}

#[tokio::test]
async fn a_mail_that_cannot_be_composed_is_held_and_says_what_is_missing() {
    let no_sender = FakeAws::start(|call| match call.operation.as_str() {
        "ExecuteStatement" => Reply::ok(json!({ "Items": [
            { "kind": { "S": "channel" }, "id": { "S": "email" }, "mode": { "S": "integrated" } },
        ] })),
        _ => fine(call),
    })
    .await;
    let test_mode = |image: &mut Value| image["mode"] = json!({ "S": "test" });
    let no_test_email = FakeAws::start(fine).await;
    for (aws, record, waiting_for) in [
        (&no_sender, record("1", |_| {}), "sender"),
        (&no_test_email, record("1", test_mode), "test_email"),
    ] {
        send(aws, &[record]).await;
        assert!(aws.requests("TransactWriteItems").is_empty(), "not claimed");
        let held = &aws.requests("UpdateItem")[0]["ExpressionAttributeValues"];
        assert_eq!(held[":waiting"]["S"], waiting_for);
    }
}

#[tokio::test]
async fn a_live_request_without_an_address_ends() {
    let aws = FakeAws::start(fine).await;
    let no_address = |image: &mut Value| {
        image["request"]["M"]["customer"]["M"].as_object_mut().unwrap().remove("email");
    };
    send(&aws, &[record("1", no_address)]).await;
    let end = &aws.requests("TransactWriteItems")[0];
    assert_eq!(update(end)["ExpressionAttributeValues"][":reason"]["S"], "no_email");
}
