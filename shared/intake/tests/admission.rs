//! From a call to a row: keys, limits, and what counts as a repetition.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use intake::{Delivery, Intake, Style};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use lambda_http::{Body, Request, Response};
use normalize::Source;
use policy::KeyScope;
use serde_json::{Value, json};
use test_tables::{LIVE_KEY, TEST_KEY, TestTables, call, reply};

fn minute(minutes: i64) -> Timestamp {
    "2026-11-21T09:00:00Z".parse::<Timestamp>().unwrap() + minutes.minutes()
}

fn survey(ticket: &str) -> Value {
    json!({
        "channel": "email", "ext_interaction_id": ticket,
        "customer": { "name": "Jane", "email": "jane@customers.example" },
        "employee": { "email": "paul@company.example" },
    })
}

async fn company() -> (TestTables, Intake) {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    (tables, intake)
}

/// What the API does with a call.
async fn api(intake: &Intake, request: &Request, now: Timestamp) -> (u16, Value) {
    let delivery = Delivery {
        source: Source::Requests,
        id: None,
        parse: normalize::requests::parse,
        style: Style::Api,
    };
    answer(intake, request, delivery, now).await
}

/// What Zendesk's webhook does with a call.
async fn webhook(intake: &Intake, body: &Value, id: &str, now: Timestamp) -> (u16, Value) {
    let headers = [("x-api-key", LIVE_KEY), ("idempotency-key", "the same each time")];
    let request = call("POST", "/v1/webhooks/zendesk", &headers, &body.to_string());
    let delivery = Delivery {
        source: Source::Zendesk,
        id: Some(id),
        parse: normalize::zendesk::parse,
        style: Style::Webhook,
    };
    answer(intake, &request, delivery, now).await
}

async fn answer(
    intake: &Intake,
    request: &Request,
    delivery: Delivery<'_>,
    now: Timestamp,
) -> (u16, Value) {
    let Ok(response): Result<Response<Body>, _> = intake::respond(async {
        let entered = intake.enter(request, KeyScope::Send, now).await?;
        intake.accept(&entered, delivery, now).await
    })
    .await;
    reply(response)
}

fn post(headers: &[(&str, &str)], body: &Value) -> Request {
    call("POST", "/v1/requests", headers, &body.to_string())
}

#[tokio::test]
async fn exactly_one_good_key_is_needed() {
    let (tables, intake) = company().await;
    // connect:aw_live_tests, with and without padding, and of another user.
    let basic = "Basic Y29ubmVjdDphd19saXZlX3Rlc3Rz";
    let other_user = "Basic am9objphd19saXZlX3Rlc3Rz";
    let both = format!("{LIVE_KEY}, {TEST_KEY}");
    let twice = format!("{LIVE_KEY},{LIVE_KEY}");
    for (name, headers, status) in [
        ("none", vec![], 403),
        ("unknown", vec![("x-api-key", "aw_live_unknown")], 403),
        ("live", vec![("x-api-key", LIVE_KEY)], 200),
        ("trimmed", vec![("x-api-key", " aw_live_tests ")], 200),
        ("the same twice", vec![("x-api-key", twice.as_str())], 200),
        ("two different", vec![("x-api-key", both.as_str())], 403),
        ("basic", vec![("authorization", basic)], 200),
        ("basic and empty", vec![("authorization", basic), ("x-api-key", "")], 200),
        ("basic of another user", vec![("authorization", other_user)], 403),
        ("one each way", vec![("authorization", basic), ("x-api-key", TEST_KEY)], 403),
        ("the same each way", vec![("authorization", basic), ("x-api-key", LIVE_KEY)], 200),
    ] {
        let (got, body) = api(&intake, &post(&headers, &survey(name)), minute(0)).await;
        assert_eq!(got, status, "{name}: {body}");
    }
    let in_query = call(
        "POST",
        "/v1/requests?key=aw_live_tests",
        &[("x-api-key", LIVE_KEY)],
        &survey("query").to_string(),
    );
    assert_eq!(api(&intake, &in_query, minute(0)).await.0, 403);
    assert_eq!(tables.items("interactions").len(), 6);
}

#[tokio::test]
async fn a_body_has_256_kib_at_most_and_its_key_is_looked_at_before_its_content() {
    let (_tables, intake) = company().await;
    let body = |bytes: usize| " ".repeat(bytes);
    let with = |key: &str, bytes| call("POST", "/", &[("x-api-key", key)], &body(bytes));
    assert_eq!(api(&intake, &with(LIVE_KEY, 256 * 1024 + 1), minute(0)).await.0, 413);
    let (status, problem) = api(&intake, &with(LIVE_KEY, 256 * 1024), minute(0)).await;
    assert_eq!((status, &problem["code"]), (400, &json!("malformed_json")));
    assert_eq!(api(&intake, &with("aw_live_unknown", 10), minute(0)).await.0, 403);
}

#[tokio::test]
async fn an_idempotency_key_has_255_printable_characters_at_most() {
    let (_tables, intake) = company().await;
    let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
    for (key, status) in
        [(longest.as_str(), 200), (too_long.as_str(), 400), ("tab\there", 400), ("", 200)]
    {
        let headers = [("x-api-key", LIVE_KEY), ("idempotency-key", key)];
        let (got, body) = api(&intake, &post(&headers, &survey("1")), minute(0)).await;
        assert_eq!(got, status, "{key:?}: {body}");
    }
}

#[tokio::test]
async fn an_idempotency_key_means_the_same_body_for_a_day() {
    let (_tables, intake) = company().await;
    let headers = [("x-api-key", LIVE_KEY), ("idempotency-key", "k")];
    let (_, first) = api(&intake, &post(&headers, &survey("1")), minute(0)).await;
    assert_eq!(first["duplicate"], Value::Null);
    let (_, again) = api(&intake, &post(&headers, &survey("1")), minute(24 * 60 - 1)).await;
    assert_eq!((&again["request_id"], &again["duplicate"]), (&first["request_id"], &json!(true)));
    let (status, other) = api(&intake, &post(&headers, &survey("2")), minute(1)).await;
    assert_eq!((status, &other["code"]), (422, &json!("idempotency_key_reused")));
    let (_, next_day) = api(&intake, &post(&headers, &survey("1")), minute(24 * 60)).await;
    assert_eq!(next_day["duplicate"], Value::Null);
    // A helpdesk's form can only say the same key each time.
    let (_, one) = webhook(&intake, &survey("3"), "a", minute(0)).await;
    let (_, two) = webhook(&intake, &survey("4"), "b", minute(0)).await;
    assert_ne!(one["request_id"], two["request_id"]);
}

#[tokio::test]
async fn an_invalid_request_may_come_again_after_ten_minutes() {
    let (_tables, intake) = company().await;
    let mut body = survey("1");
    body["channel"] = json!("fax");
    let at = async |minutes| webhook(&intake, &body, "delivery", minute(minutes)).await.1;
    let first = at(0).await;
    assert_eq!(
        (&first["status"], &first["reason"]),
        (&json!("invalid"), &json!("channel_not_enabled"))
    );
    assert_eq!(at(9).await["duplicate"], true);
    assert_eq!(at(10).await["duplicate"], Value::Null);
    let headers = [("x-api-key", LIVE_KEY)];
    let (status, problem) = api(&intake, &post(&headers, &body), minute(0)).await;
    assert_eq!((status, &problem["code"]), (400, &json!("channel_not_enabled")));
    assert!(problem["request_id"].is_string(), "it is recorded all the same");
}

#[tokio::test]
async fn a_reopened_ticket_withdraws_its_survey_and_a_repetition_of_that_does_not() {
    let (_tables, intake) = company().await;
    let mut open = survey("1");
    open["status"] = json!("open");
    let (_, first) = webhook(&intake, &survey("1"), "close 1", minute(0)).await;
    let (_, ignored) = webhook(&intake, &open, "open 1", minute(1)).await;
    assert_eq!(
        (&ignored["status"], &ignored["reason"]),
        (&json!("ignored"), &json!("ticket_not_closed"))
    );
    let (_, second) = webhook(&intake, &survey("1"), "close 2", minute(2)).await;
    assert_ne!(first["request_id"], second["request_id"]);
    webhook(&intake, &open, "open 1", minute(3)).await;
    for (reply, status) in [(first, "not_sent"), (second, "queued")] {
        let id = reply["request_id"].as_str().unwrap().parse().unwrap();
        let row = intake.store.interaction(id, minute(3)).await.unwrap().unwrap();
        assert_eq!(row.status.as_str(), status);
    }
}

#[tokio::test]
async fn the_reply_shows_the_request_as_understood_in_the_vendors_shape() {
    let (tables, intake) = company().await;
    let mut body = survey("1");
    body["customer"]["email"] = json!(" Jane@Bücher.example ");
    body["tags"] = json!(["vip"]);
    let (_, reply) = api(&intake, &post(&[("x-api-key", TEST_KEY)], &body), minute(0)).await;
    let mut expected = body.clone();
    expected["customer"]["email"] = json!("Jane@xn--bcher-kva.example");
    for (name, value) in [
        ("language", json!("en")),
        ("do_not_send", json!(false)),
        ("status", json!("queued")),
        ("request_id", reply["request_id"].clone()),
    ] {
        expected[name] = value;
    }
    assert_eq!(reply, expected);
    let row = tables.items("interactions").remove(0);
    assert_eq!(row["mode"], json!({ "S": "test" }));
    let kept = SignedDuration::from_hours(24 * 90);
    assert_eq!(row["expires_at"]["N"], json!((minute(0) + kept).as_second().to_string()));
}
