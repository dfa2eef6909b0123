//! `/v1/requests`, through the function.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use intake::Intake;
use jiff::Timestamp;
use serde_json::{Value, json};
use test_tables::{LIVE_KEY, TEST_KEY, TestTables, call, reply};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

async fn ask(intake: &Intake, method: &str, path: &str, key: &str, body: &str) -> (u16, Value) {
    let request = call(method, path, &[("x-api-key", key)], body);
    let Ok(response) = requests::handle(intake, request, now()).await;
    reply(response)
}

async fn post(intake: &Intake, key: &str, ticket: &str) -> String {
    let body = json!({
        "channel": "email", "ext_interaction_id": ticket,
        "customer": { "name": "Jane", "email": "jane@customers.example" },
        "employee": { "email": "paul@company.example" },
    });
    let (status, reply) = ask(intake, "POST", "/v1/requests", key, &body.to_string()).await;
    assert_eq!(status, 200, "{reply}");
    reply["request_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_is_shown_as_it_was_understood_with_its_state() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let id = post(&intake, LIVE_KEY, "1").await;
    let (status, shown) = ask(&intake, "GET", &format!("/v1/requests/{id}"), LIVE_KEY, "").await;
    assert_eq!(status, 200);
    assert_eq!(
        shown,
        json!({
            "request_id": id, "status": "queued", "source": "requests", "mode": "live",
            "requested_via": "API", "answered": false,
            "created_at": "2026-11-21T09:00:00Z", "wake_at": "2026-11-21T09:03:00Z",
            "channel": "email", "ext_interaction_id": "1", "language": "en",
            "customer": { "name": "Jane", "email": "jane@customers.example" },
            "employee": { "email": "paul@company.example" }, "do_not_send": false,
        })
    );
}

#[tokio::test]
async fn a_test_key_sees_and_cancels_test_requests_only() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (live, test) = (post(&intake, LIVE_KEY, "1").await, post(&intake, TEST_KEY, "1").await);
    let path = |id: &str| format!("/v1/requests/{id}");
    for (method, id, key, status) in [
        ("GET", &live, TEST_KEY, 404),
        ("GET", &test, TEST_KEY, 200),
        ("GET", &test, LIVE_KEY, 200),
        ("DELETE", &live, TEST_KEY, 404),
        ("DELETE", &test, LIVE_KEY, 404),
        ("DELETE", &test, TEST_KEY, 200),
        ("DELETE", &live, LIVE_KEY, 200),
    ] {
        assert_eq!(ask(&intake, method, &path(id), key, "").await.0, status, "{method} {key}");
    }
    let (_, list) = ask(&intake, "GET", "/v1/requests?status=not_sent", LIVE_KEY, "").await;
    assert_eq!(list["requests"].as_array().unwrap().len(), 1);
    assert_eq!((&list["requests"][0]["request_id"], &list["next"]), (&json!(live), &Value::Null));
}

#[tokio::test]
async fn a_request_whose_mail_is_being_sent_cannot_be_cancelled() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let id = post(&intake, LIVE_KEY, "1").await;
    tables.change_row(id.parse().unwrap(), &json!({ "status": { "S": "sending" } }));
    let path = format!("/v1/requests/{id}");
    let (status, problem) = ask(&intake, "DELETE", &path, LIVE_KEY, "").await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_sent")));
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_before_ended_and_names_a_bad_parameter() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    for ticket in ["1", "2", "3"] {
        post(&intake, LIVE_KEY, ticket).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/requests?limit=2{after}");
        let (_, page) = ask(&intake, "GET", &path, LIVE_KEY, "").await;
        let rows = page["requests"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["request_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let mut newest_first = seen.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    newest_first.dedup();
    assert_eq!((seen.len(), &seen), (3, &newest_first));
    for query in ["limit=0", "limit=501", "after=x", "status=lost"] {
        let path = format!("/v1/requests?{query}");
        let (status, problem) = ask(&intake, "GET", &path, LIVE_KEY, "").await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")), "{query}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_of_a_list() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (broken, good) = (post(&intake, LIVE_KEY, "1").await, post(&intake, LIVE_KEY, "2").await);
    tables.change_row(broken.parse().unwrap(), &json!({ "created_at": { "S": "yesterday" } }));
    let (status, list) = ask(&intake, "GET", "/v1/requests", LIVE_KEY, "").await;
    let rows = list["requests"].as_array().unwrap();
    assert_eq!((status, rows.len(), &rows[0]["request_id"]), (200, 1, &json!(good)));
}
