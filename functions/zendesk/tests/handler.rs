//! Zendesk's webhooks and targets, through the function.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use intake::Intake;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use test_tables::{LIVE_KEY, TestTables, call, reply};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}
use zendesk::{Signature, Zendesk};

const WEBHOOK: &str = "/v1/webhooks/zendesk";

async fn zendesk(secrets: &str) -> (TestTables, Zendesk) {
    let tables = TestTables::company().await;
    let intake = Intake::new(tables.store.clone());
    (tables, Zendesk { intake, signature: Signature::new(secrets) })
}

fn ticket(id: &str) -> String {
    let body = json!({
        "channel": "email", "ext_interaction_id": id, "status": "solved",
        "customer": { "name": "Jane", "email": "jane@customers.example" },
        "employee": { "email": "paul@company.example" },
    });
    body.to_string()
}

async fn deliver(
    function: &Zendesk,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let key = [("x-api-key", LIVE_KEY)];
    let headers: Vec<_> = key.iter().chain(headers).copied().collect();
    let Ok(response) = function.handle(call("POST", path, &headers, body), now()).await;
    reply(response)
}

/// As Zendesk signs.
fn signed(secret: &str, timestamp: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    STANDARD.encode(mac.chain_update(timestamp).chain_update(body).finalize().into_bytes())
}

#[tokio::test]
async fn an_invocation_that_is_delivered_twice_is_one_request() {
    let (tables, function) = zendesk("").await;
    let id = [("x-zendesk-webhook-invocation-id", "01")];
    let (status, first) = deliver(&function, WEBHOOK, &id, &ticket("1")).await;
    assert_eq!((status, &first["status"]), (200, &json!("queued")), "{first}");
    // Zendesk rendered the template again, and the ticket had another name by then.
    let (_, again) = deliver(&function, WEBHOOK, &id, &ticket("2")).await;
    assert_eq!(again["request_id"], first["request_id"]);
    assert_eq!(tables.items("interactions").len(), 1);
}

#[tokio::test]
async fn the_old_url_is_zendesk_with_its_headers_and_freshdesk_without() {
    let (tables, function) = zendesk("").await;
    deliver(&function, "/v1/auth", &[("x-zendesk-account-id", "1")], &ticket("1")).await;
    deliver(&function, "/v1/auth", &[], &ticket("2")).await;
    let mut sources: Vec<_> =
        tables.items("interactions").iter().map(|row| row["source"]["S"].clone()).collect();
    sources.sort_by_key(Value::to_string);
    assert_eq!(sources, ["freshdesk", "zendesk"]);
}

#[tokio::test]
async fn a_signature_is_required_once_a_secret_is_configured() {
    let (tables, function) = zendesk("old,new").await;
    let at = |timestamp: &str, secret: &str, body: &str| {
        [
            ("x-zendesk-webhook-signature", signed(secret, timestamp, &ticket(body))),
            ("x-zendesk-webhook-signature-timestamp", timestamp.to_owned()),
        ]
    };
    let (recent, early) = ("2026-11-21T08:55:00Z", "2026-11-21T08:54:59Z");
    for (name, headers, status) in [
        ("the first secret", at(recent, "old", "1"), 200),
        ("the second secret", at(recent, "new", "1"), 200),
        ("another secret", at(recent, "other", "1"), 403),
        ("another body", at(recent, "new", "2"), 403),
        ("too early", at(early, "new", "1"), 403),
        ("ahead", at("2026-11-21T09:05:01Z", "new", "1"), 403),
        ("not a time", at("soon", "new", "1"), 403),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (got, problem) = deliver(&function, WEBHOOK, &headers, &ticket("1")).await;
        assert_eq!(got, status, "{name}: {problem}");
    }
    assert_eq!(deliver(&function, WEBHOOK, &[], &ticket("1")).await.0, 403, "unsigned");
    assert_eq!(deliver(&function, "/v1/auth", &[], &ticket("3")).await.0, 200, "a target");
    tables.configure(&[json!({
        "kind": "integration", "id": "zendesk", "signature_required": true,
    })]);
    let fresh =
        Zendesk { intake: Intake::new(tables.fresh_store()), signature: Signature::new("") };
    assert_eq!(deliver(&fresh, "/v1/auth", &[], &ticket("4")).await.0, 403, "targets too");
    assert_eq!(deliver(&fresh, WEBHOOK, &[], &ticket("4")).await.0, 403, "without a secret too");
}
