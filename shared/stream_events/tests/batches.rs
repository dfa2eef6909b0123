//! Batches as Lambda delivers them.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use std::sync::Mutex;

use serde_json::{Value, json};
use store::StoreError;
use stream_events::{each_interaction, interaction_from_image};

/// A record with a row of this id and these further attributes.
fn record(sequence: &str, request_id: &str, more: &Value) -> Value {
    let mut image = json!({
        "request_id": { "S": request_id }, "mode": { "S": "live" }, "source": { "S": "zendesk" },
        "status": { "S": "queued" }, "created_at": { "N": "1795251600000" },
        "key": { "S": "k" }, "attempts": { "N": "2" }, "expires_at": { "N": "1803027600" },
        "request": { "M": {
            "customer": { "M": { "email": { "S": "jane@customers.example" } } },
            "tags": { "L": [{ "S": "vip" }] }, "do_not_send": { "BOOL": false },
        } },
    });
    image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "dynamodb": { "SequenceNumber": sequence, "NewImage": image } })
}

const ONE: &str = "019aa5bd-0000-7000-8000-000000000001";
const TWO: &str = "019aa5bd-0000-7000-8000-000000000002";

#[test]
fn a_row_is_read_from_an_image_with_its_types() {
    let record = record("1", ONE, &json!({ "unknown": { "SS": ["a"] }, "none": { "NULL": true } }));
    let image = record["dynamodb"]["NewImage"].as_object().unwrap();
    let row = interaction_from_image(image).unwrap();
    assert_eq!((row.request_id.to_string().as_str(), row.attempts), (ONE, 2));
    assert_eq!(row.tags(), ["vip"]);
    let address = row.customer_address().map(|address| address.as_mailbox());
    assert_eq!(address.as_deref(), Some("jane@customers.example"));
}

#[tokio::test]
async fn the_records_that_failed_are_named_and_hold_up_no_other() {
    let event = json!({ "Records": [
        record("1", ONE, &json!({})),
        record("2", TWO, &json!({})),
        record("3", "no id", &json!({})),
        record("4", ONE, &json!({ "key": { "X": "no type of DynamoDB's" } })),
        record("5", ONE, &json!({ "attempts": { "N": "7" } })),
        { "dynamodb": { "SequenceNumber": "6" } },
        record("7", ONE, &json!({})),
    ] });
    let done = Mutex::new(Vec::new());
    let work = async |row: store::Interaction| {
        if row.request_id.to_string() == TWO {
            return Err(StoreError::Unavailable { operation: "test", cause: "down".to_owned() });
        }
        assert_ne!(row.attempts, 7, "a panic is a failure too");
        done.lock().unwrap().push(row.request_id.to_string());
        Ok(())
    };
    for at_once in [1, 10] {
        let response = each_interaction(&event, at_once, work).await;
        let failed = ["2", "3", "4", "5"].map(|sequence| json!({ "itemIdentifier": sequence }));
        assert_eq!(response, json!({ "batchItemFailures": failed }));
    }
    assert_eq!(done.lock().unwrap().as_slice(), [ONE, ONE, ONE, ONE]);
}

#[tokio::test]
async fn an_event_without_records_is_done() {
    let work = async |_| panic!("there is nothing to work on");
    for event in [json!({}), json!({ "Records": [] }), json!(null)] {
        let response = each_interaction(&event, 10, work).await;
        assert_eq!(response, json!({ "batchItemFailures": [] }));
    }
}
