//! What the admin pages and the lists of the API read, in DynamoDB's capacity units, whatever is
//! stored.
//!
//! `AFTERWORD_STORED=1000000 cargo test --release -p local --test admin_reads` for a million
//! requests.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::{LIVE, World, request, request_id};
use local::faults::{Call, Fault};
use serde_json::{Value, json};

/// Partitions of a day in the index `day`.
const DAY_SHARDS: u64 = 4;
/// Requests come this far apart, so that all are of one day.
const APART: SignedDuration = SignedDuration::from_millis(50);

impl World {
    fn rows_of(&self, ids: &[&str]) -> Vec<Value> {
        let rows = self.rows();
        let row = |id: &&str| rows.iter().find(|row| row["request_id"]["S"] == **id).cloned();
        ids.iter().map(|id| row(id).unwrap()).collect()
    }

    /// Writes requests number `from` to `to` of the day: copies of `like`, in turn.
    fn fill(&self, like: &[Value], from: u64, to: u64) {
        let midnight = "2026-11-21T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let numbers: Vec<u64> = (from..to).collect();
        for batch in numbers.chunks(25) {
            let puts: Vec<Value> = batch
                .iter()
                .map(|number| {
                    let at = midnight + APART * i32::try_from(*number).unwrap();
                    let mut item = like[usize::try_from(*number).unwrap() % like.len()].clone();
                    let id = request_id(at, *number);
                    let shard = number % DAY_SHARDS;
                    item["request_id"] = json!({ "S": id });
                    item["ext_interaction_id"] = json!({ "S": format!("ext-{number}") });
                    item["created_at"] = json!({ "N": at.as_millisecond().to_string() });
                    item["day_shard"] = json!({ "S": format!("live#2026-11-21#{shard}") });
                    json!({ "PutRequest": { "Item": item } })
                })
                .collect();
            let write = json!({ "RequestItems": { "interactions": puts } });
            self.stack.database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
        }
    }

    /// Capacity units of what these calls read: each is made once more, and told to count.
    fn units(&self, calls: &[Call]) -> f64 {
        let database = &self.stack.database;
        let units = calls.iter().map(|call| {
            let mut body: Value = serde_json::from_str(&call.body).unwrap();
            body["ReturnConsumedCapacity"] = json!("TOTAL");
            let reply = match call.operation.as_str() {
                "Query" => {
                    let reply = database.query(serde_json::from_value(body).unwrap()).unwrap();
                    serde_json::to_value(reply).unwrap()
                }
                "GetItem" => {
                    let reply = database.get_item(serde_json::from_value(body).unwrap()).unwrap();
                    serde_json::to_value(reply).unwrap()
                }
                "BatchGetItem" => {
                    let body = serde_json::from_value(body).unwrap();
                    serde_json::to_value(database.batch_get_item(body).unwrap()).unwrap()
                }
                "ExecuteStatement" => {
                    let body = serde_json::from_value(body).unwrap();
                    serde_json::to_value(database.execute_statement(body).unwrap()).unwrap()
                }
                other => panic!("a page that is only looked at calls {other}"),
            };
            let of_tables = match &reply["ConsumedCapacity"] {
                Value::Array(tables) => tables.clone(),
                table => vec![table.clone()],
            };
            of_tables.iter().map(|table| table["CapacityUnits"].as_f64().unwrap()).sum::<f64>()
        });
        units.sum()
    }
}

#[tokio::test]
async fn pages_and_lists_read_no_more_when_more_is_stored() {
    let most = std::env::var("AFTERWORD_STORED").map_or(20_000, |most| most.parse().unwrap());
    let mut world = World::proxied().await;
    world.configure("channel", "phone", json!({ "mode": "manual" }));
    let delivered = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    let mut body = request("2", "joe@customers.example");
    body["channel"] = json!("phone");
    let invalid = world.post("/v1/requests", &body).await.id();
    world.settle().await;
    let mut like = world.rows_of(&[&delivered, &invalid]);
    // SES refused it three times.
    let mut failed = like[0].clone();
    failed["status"] = json!({ "S": "failed" });
    failed["reason"] = json!({ "S": "send_attempts" });
    failed["outcome_month"] = json!({ "S": "live#failed#2026-11" });
    like.push(failed);
    world.advance(SignedDuration::from_hours(14));

    let ann = format!("Basic {}", STANDARD.encode("ann:aw_admin_local"));
    let of_ann = ("authorization", ann.as_str());
    let of_key = ("x-api-key", LIVE);
    let reads = [
        ("/admin".to_owned(), of_ann),
        ("/admin/requests".to_owned(), of_ann),
        ("/admin/requests?status=failed".to_owned(), of_ann),
        ("/admin/requests?status=invalid".to_owned(), of_ann),
        ("/admin/requests?reason=suppression_period".to_owned(), of_ann),
        ("/admin/requests?ext_interaction_id=ext-7".to_owned(), of_ann),
        (format!("/admin/requests/{delivered}"), of_ann),
        (format!("/admin/requests/{invalid}"), of_ann),
        ("/v1/requests".to_owned(), of_key),
        ("/v1/requests?status=failed".to_owned(), of_key),
        ("/v1/requests?status=invalid".to_owned(), of_key),
        ("/v1/requests?ext_interaction_id=ext-7".to_owned(), of_key),
    ];
    let mut first: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    let mut stored = 0;
    for count in [1_000, most] {
        world.fill(&like, stored, count);
        stored = count;
        for (path, header) in &reads {
            // Nothing is cached.
            world.advance(SignedDuration::from_secs(31));
            let proxies = world.stack.proxies.as_ref().unwrap();
            proxies.dynamodb.plan(|_| Fault::None);
            let reply = world.call("GET", path, &[*header], "").await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
            let calls = proxies.dynamodb.calls();
            let read = (calls.len(), world.units(&calls));
            let before = first.entry(path).or_insert(read);
            assert_eq!(*before, read, "{path}: calls and units, with {stored} stored");
        }
    }
    // What a look costs at most.
    for (path, (calls, units)) in &first {
        assert!(*calls <= 40 && *units <= 40.0, "{path}: {calls} calls, {units} units");
    }
}
