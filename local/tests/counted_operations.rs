//! Counts what one survey costs in calls: of Lambda functions, DynamoDB and SES. `scripts/cost`
//! computes prices from `docs/cost/operations.json`, which this test compares.
//! `UPDATE_DOCS=1 cargo test -p local --test counted_operations` writes it anew.
//!
//! Units of DynamoDB are those of the embedded engine: every call of a function is repeated on a
//! second stack, with `ReturnConsumedCapacity`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use kit::{World, link, request};
use local::stack::{Proxies, url};
use serde_json::{Value, json};

/// The endpoint requires a signature, and does not check it.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

/// A stack whose calls are counted, and one that repeats them.
struct Counted {
    world: World,
    mirror: World,
    steps: serde_json::Map<String, Value>,
}

impl Counted {
    async fn new() -> Self {
        let counted = Self {
            world: World::proxied().await,
            mirror: World::new().await,
            steps: serde_json::Map::new(),
        };
        counted.forget();
        counted
    }

    fn proxies(&self) -> &Proxies {
        self.world.stack.proxies.as_ref().unwrap()
    }

    /// Counts from here on.
    fn forget(&self) {
        for proxy in [&self.proxies().dynamodb, &self.proxies().ses] {
            proxy.plan(|_| local::faults::Fault::None);
        }
    }

    /// What was called since the last step. `invocations` says how often a function ran for it.
    async fn step(&mut self, name: &str, invocations: Value) {
        let (mut reads, mut writes) = (0.0, 0.0);
        let mut calls = BTreeMap::<String, usize>::new();
        for call in self.proxies().dynamodb.calls() {
            let (read, write) = self.repeat(&call.operation, &call.body).await;
            reads += read;
            writes += write;
            *calls.entry(call.operation).or_default() += 1;
        }
        let mails = self.proxies().ses.calls().len();
        self.forget();
        self.steps.insert(
            name.to_owned(),
            json!({
                "invocations": invocations, "dynamodb_calls": calls, "mails": mails,
                "read_units": reads, "write_units": writes,
            }),
        );
    }

    /// Read and write units of a call, without the mirror's answer.
    async fn repeat(&self, operation: &str, body: &str) -> (f64, f64) {
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["ReturnConsumedCapacity"] = json!("INDEXES");
        let request = Request::post(url(self.mirror.stack.dynamodb))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", AUTHORIZATION)
            .header("x-amz-date", "20260101T000000Z")
            .body(Body::from(body.to_string()))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let reply = client.request(request).await.unwrap();
        let status = reply.status();
        let bytes = axum::body::to_bytes(Body::new(reply.into_body()), usize::MAX).await.unwrap();
        let reply: Value = serde_json::from_slice(&bytes).unwrap();
        if !status.is_success() {
            // A refused write costs as much as a small one.
            assert!(reply.to_string().contains("ConditionalCheckFailed"), "{operation}: {reply}");
            return (0.0, 1.0);
        }
        let consumed = match &reply["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            one => vec![one.clone()],
        };
        let units: f64 =
            consumed.iter().map(|table| table["CapacityUnits"].as_f64().unwrap_or(0.0)).sum();
        match operation {
            "GetItem" | "BatchGetItem" | "Query" | "ExecuteStatement" => (units, 0.0),
            _ => (0.0, units),
        }
    }
}

#[tokio::test]
async fn one_survey_costs_what_the_page_says() {
    let mut counted = Counted::new().await;
    // As large as what a helpdesk sends.
    let mut body = request("35436", "jane@customers.example");
    body["tags"] = (0..60).map(|tag| json!(format!("a_tag_of_a_ticket_{tag}"))).collect();
    let reply = counted.world.post("/v1/webhooks/zendesk", &body).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("queued")), "{}", reply.text);
    counted.step("receipt", json!({"zendesk": 1})).await;
    counted.world.settle().await;
    assert_eq!(counted.world.mails_to("jane@customers.example").len(), 1);
    counted.step("mail", json!({"dispatch": 1, "mail_events": 2})).await;

    let mails = counted.world.mails_to("jane@customers.example");
    let survey = link(mails.first().unwrap(), "/s/");
    let page = counted.world.call("GET", &format!("{survey}?stars=4"), &[], "").await;
    assert_eq!(page.status, 200);
    counted.step("visit", json!({"survey": 1})).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted = counted.world.call("POST", &survey, &form, "stars=4&comment=Very+kind").await;
    let thanks = format!("{survey}{}", posted.headers["location"].to_str().unwrap());
    assert_eq!(counted.world.call("GET", &thanks, &[], "").await.status, 200);
    counted.step("answer", json!({"survey": 2})).await;
    counted.world.sweep().await;
    counted.step("sweep", json!({"sweep": 1})).await;

    let found = serde_json::to_string_pretty(&Value::Object(counted.steps)).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/cost/operations.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, found).unwrap();
    } else {
        let held = std::fs::read_to_string(path).unwrap();
        assert!(held == found, "run UPDATE_DOCS=1 cargo test -p local --test counted_operations");
    }
}
