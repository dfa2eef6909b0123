//! Freshdesk's webhook, through the function.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use intake::Intake;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use test_tables::{LIVE_KEY, TestTables, call, reply};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

async fn deliver(intake: &Intake, status: &str, at: Timestamp) -> (u16, Value) {
    let body = json!({
        "channel": "email", "ext_interaction_id": "77", "status": status,
        "customer": { "name": "Jane", "email": "jane@customers.example" },
        "employee": { "email": "paul@company.example" },
    });
    let headers = [("x-api-key", LIVE_KEY)];
    let request = call("POST", "/v1/webhooks/freshdesk", &headers, &body.to_string());
    let Ok(response) = freshdesk::handle(intake, request, at).await;
    reply(response)
}

#[tokio::test]
async fn a_ticket_that_is_resolved_and_days_later_closed_is_one_request() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (status, resolved) = deliver(&intake, "4", now()).await;
    assert_eq!((status, &resolved["status"]), (200, &json!("queued")));
    let (_, closed) = deliver(&intake, "Closed", now() + (6 * 24).hours()).await;
    assert_eq!(closed["request_id"], resolved["request_id"]);
    assert_eq!(closed["duplicate"], true);
    let row = tables.items("interactions").remove(0);
    assert_eq!(row["source"], json!({ "S": "freshdesk" }));
}

#[tokio::test]
async fn a_waiting_ticket_withdraws_and_an_unknown_status_is_recorded_as_invalid_with_a_200() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (_, resolved) = deliver(&intake, "4", now()).await;
    let (_, waiting) = deliver(&intake, "Waiting on Customer", now()).await;
    assert_eq!(waiting["status"], "ignored");
    let id = resolved["request_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(tables.row(id).unwrap()["reason"], json!({ "S": "reopened" }));
    let (status, unknown) = deliver(&intake, "On fire", now()).await;
    assert_eq!((status, &unknown["reason"]), (200, &json!("status_unknown")));
}
