//! Sweeps against an endpoint that plays DynamoDB by script: which row gets which write, and what a
//! failure of one row does to the others.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use fake_aws::{Call, FakeAws, Reply};
use jiff::{SignedDuration, Timestamp};
use links::SubjectSecret;
use serde_json::{Value, json};
use store::{Store, StoreError, Tables};
use sweep::{Swept, sweep};

/// Minute 1: no hour is counted but one that has no rows here.
fn now() -> Timestamp {
    "2026-01-05T09:01:00Z".parse().unwrap()
}

fn store(aws: &FakeAws) -> Store {
    let tables = Tables::default();
    Store::new(&aws.config(), tables, SubjectSecret::new("secret"))
}

fn id(number: u8) -> String {
    format!("019b8d62-7a80-7000-8000-0000000000{number:02}")
}

/// A row as the index `due` shows it.
fn due(number: u8, status: &str, claimed_minutes_ago: Option<i64>) -> Value {
    let ms = |minutes: i64| {
        let at = now().checked_sub(SignedDuration::from_mins(minutes)).unwrap();
        json!({ "N": at.as_millisecond().to_string() })
    };
    let mut row = json!({
        "request_id": { "S": id(number) }, "status": { "S": status }, "wake_at": ms(0),
    });
    if let Some(minutes) = claimed_minutes_ago {
        row["claimed_at"] = ms(minutes);
    }
    row
}

/// Plays the tables with these due rows in one shard; `write` answers writes.
async fn tables(
    rows: &[Value],
    write: impl Fn(&Call) -> Reply + Clone + Send + Sync + 'static,
) -> FakeAws {
    let rows = rows.to_vec();
    FakeAws::start(move |call| {
        let values = &call.body["ExpressionAttributeValues"];
        match (call.operation.as_str(), call.body["IndexName"].as_str()) {
            ("ExecuteStatement", _) => Reply::ok(json!({ "Items": [] })),
            ("Query", Some("due")) if values[":shard"]["S"].as_str().unwrap().ends_with('3') => {
                Reply::ok(json!({ "Items": rows }))
            }
            ("Query", _) => Reply::ok(json!({ "Items": [] })),
            ("GetItem", _) if call.body["TableName"] == "interactions" => {
                let event = include_str!("../../../events/dispatch.json");
                let mut event: Value = serde_json::from_str(event).unwrap();
                let mut row = event["Records"][0]["dynamodb"]["NewImage"].take();
                row["request_id"] = call.body["Key"]["request_id"].clone();
                Reply::ok(json!({ "Item": row }))
            }
            ("GetItem", _) => Reply::ok(json!({})),
            _ => write(call),
        }
    })
    .await
}

fn written(_: &Call) -> Reply {
    Reply::ok(json!({}))
}

fn reason(transaction: &Value) -> &str {
    let update = &transaction["TransactItems"][0]["Update"];
    update["ExpressionAttributeValues"][":reason"]["S"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_row_that_waits_becomes_ready_with_one_conditional_write() {
    let aws = tables(&[due(1, "queued", None), due(2, "unresolved", None)], written).await;
    let swept = sweep(&store(&aws), now()).await.unwrap();
    assert_eq!(swept, Swept { woken: 2, ..Swept::default() });
    let [update, _] = aws.requests("UpdateItem").try_into().unwrap();
    let condition = update["ConditionExpression"].as_str().unwrap();
    assert!(condition.contains("attribute_exists(request_id)"), "{condition}");
    assert!(condition.contains("#status = :status AND wake_at = :seen"), "{condition}");
}

#[tokio::test]
async fn one_row_that_fails_does_not_stop_the_others() {
    let rows = [1, 2, 3].map(|number| due(number, "queued", None));
    let aws = tables(&rows, |call| match call.body["Key"]["request_id"]["S"].as_str() {
        Some(request) if request == id(1) => Reply::error(400, "AccessDeniedException"),
        Some(request) if request == id(2) => Reply::condition_failed(json!({})),
        _ => written(call),
    })
    .await;
    let swept = sweep(&store(&aws), now()).await.unwrap();
    assert_eq!(swept, Swept { woken: 1, moved_on: 1, failed: 1, ..Swept::default() });
}

#[tokio::test]
async fn a_row_that_nobody_worked_on_for_a_week_ends() {
    let aws = tables(&[due(1, "queued", None)], |call| match call.operation.as_str() {
        "UpdateItem" => Reply::condition_failed(json!({ "woken": { "N": "1000000" } })),
        _ => written(call),
    })
    .await;
    let swept = sweep(&store(&aws), now()).await.unwrap();
    assert_eq!(swept, Swept { given_up: 1, ..Swept::default() });
    assert_eq!(reason(&aws.requests("TransactWriteItems")[0]), "stalled");
}

#[tokio::test]
async fn a_row_that_cannot_be_written_ends() {
    let aws = tables(&[due(1, "queued", None)], |call| match call.operation.as_str() {
        "UpdateItem" => Reply::error(400, "ValidationException"),
        _ => written(call),
    })
    .await;
    let swept = sweep(&store(&aws), now()).await.unwrap();
    assert_eq!(swept, Swept { given_up: 1, ..Swept::default() });
    assert_eq!(reason(&aws.requests("TransactWriteItems")[0]), "not_storable");
}

#[tokio::test]
async fn an_unknown_mail_is_looked_at_again_and_ends_unconfirmed_after_a_day() {
    let rows = [due(1, "sending", Some(3)), due(2, "sending", Some(24 * 60))];
    let aws = tables(&rows, written).await;
    let swept = sweep(&store(&aws), now()).await.unwrap();
    assert_eq!(swept, Swept { unknown: 1, given_up: 1, ..Swept::default() });
    let [postponed] = aws.requests("UpdateItem").try_into().unwrap();
    assert_eq!(postponed["Key"]["request_id"]["S"], id(1));
    let [ended] = aws.requests("TransactWriteItems").try_into().unwrap();
    assert_eq!(reason(&ended), "unconfirmed");
    assert_eq!(ended["TransactItems"].as_array().unwrap().len(), 1, "the window stays");
}

#[tokio::test]
async fn without_the_index_the_sweep_fails_and_writes_nothing() {
    let aws = FakeAws::start(|call| match call.operation.as_str() {
        "Query" => Reply::error(400, "ResourceNotFoundException"),
        _ => Reply::ok(json!({ "Items": [] })),
    })
    .await;
    let error = sweep(&store(&aws), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(aws.requests("UpdateItem").is_empty());
}
