//! Gladly's webhook, through the function.

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

async fn deliver(intake: &Intake, body: &Value) -> (u16, Value) {
    let headers = [("x-api-key", LIVE_KEY)];
    let request = call("POST", "/v1/webhooks/gladly", &headers, &body.to_string());
    let Ok(response) = gladly::handle(intake, request, now()).await;
    reply(response)
}

fn closed(event: &str) -> Value {
    json!({
        "id": event, "type": "CONVERSATION/CLOSED",
        "content": {
            "conversationId": "conversation-1", "customerId": "customer-1",
            "context": { "assignee": { "agentId": "agent-1" } },
        },
    })
}

#[tokio::test]
async fn a_closed_conversation_is_recorded_once_as_unresolved_and_ready() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (status, first) = deliver(&intake, &closed("event-1")).await;
    assert_eq!((status, &first["status"]), (200, &json!("unresolved")), "{first}");
    assert_eq!(first["ext_interaction_id"], "conversation-1");
    let (_, again) = deliver(&intake, &closed("event-1")).await;
    assert_eq!((&again["request_id"], &again["duplicate"]), (&first["request_id"], &json!(true)));
    let row = tables.items("interactions").remove(0);
    assert_eq!(
        (&row["status"], &row["ready"]),
        (&json!({ "S": "unresolved" }), &json!({ "N": "1" }))
    );
    assert_eq!(
        row["conversation"],
        json!({ "M": {
            "conversation_id": { "S": "conversation-1" }, "customer_id": { "S": "customer-1" },
            "agent_id": { "S": "agent-1" },
        } })
    );
    assert_eq!(row["request"], json!({ "M": { "ext_interaction_id": { "S": "conversation-1" } } }));
}

#[tokio::test]
async fn a_ping_needs_a_key_and_records_nothing() {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    let (status, ping) = deliver(&intake, &json!({ "type": "PING" })).await;
    assert_eq!((status, &ping["reason"]), (200, &json!("ping")), "{ping}");
    let request = call("POST", "/v1/webhooks/gladly", &[], r#"{"type":"PING"}"#);
    let Ok(response) = gladly::handle(&intake, request, now()).await;
    assert_eq!(reply(response).0, 403);
    assert!(tables.items("interactions").is_empty());
}
