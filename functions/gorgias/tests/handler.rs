//! Gorgias' HTTP integration, through the function.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use intake::Intake;
use jiff::Timestamp;
use serde_json::{Value, json};
use test_tables::{LIVE_KEY, TestTables, call, reply};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

async fn deliver(intake: &Intake, status: &str, snoozed_until: &str) -> (u16, Value) {
    let body = json!({
        "channel": "email", "ext_interaction_id": "77", "status": status,
        "snooze_datetime": snoozed_until, "customer_name": "Jane", "tags": "[]",
        "customer_email": "jane@customers.example", "language": "en",
        "employee_email": "paul@company.example",
    });
    let headers = [("x-api-key", LIVE_KEY)];
    let request = call("POST", "/v1/webhooks/gorgias", &headers, &body.to_string());
    let Ok(response) = gorgias::handle(intake, request, now()).await;
    reply(response)
}

#[tokio::test]
async fn every_update_of_a_closed_ticket_is_the_same_request_until_it_is_reopened() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (status, first) = deliver(&intake, "closed", "None").await;
    assert_eq!((status, &first["status"]), (200, &json!("queued")), "{first}");
    let (_, update) = deliver(&intake, "closed", "None").await;
    assert_eq!(update["request_id"], first["request_id"]);
    let (_, open) = deliver(&intake, "open", "None").await;
    assert_eq!(open["reason"], "ticket_not_closed");
    let id = first["request_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(tables.row(id).unwrap()["reason"], json!({ "S": "reopened" }));
    let (_, again) = deliver(&intake, "closed", "None").await;
    assert_ne!(again["request_id"], first["request_id"]);
}

#[tokio::test]
async fn a_snoozed_ticket_waits_for_the_end_of_its_snooze() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (_, snoozed) = deliver(&intake, "closed", "2026-11-21T09:00:01+00:00").await;
    assert_eq!((&snoozed["status"], &snoozed["reason"]), (&json!("ignored"), &json!("snoozed")));
    let (_, over) = deliver(&intake, "closed", "2026-11-21T09:00:00+00:00").await;
    assert_eq!(over["status"], "queued");
}
