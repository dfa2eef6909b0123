//! Stream records as Lambda delivers them at its worst: twice, out of order, late, and in a batch
//! with one that cannot be understood.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use kit::{World, request};
use serde_json::{Value, json};

fn record(number: usize, image: &Value) -> Value {
    json!({ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": number.to_string(),
        "NewImage": image } })
}

async fn dispatch(world: &World, images: &[Value]) -> Value {
    let records: Vec<Value> =
        images.iter().enumerate().map(|(number, image)| record(number, image)).collect();
    world.stack.invoke("dispatch", json!({ "Records": records })).await.unwrap()
}

#[tokio::test]
async fn records_that_come_twice_and_out_of_order_send_one_mail_each() {
    let mut world = World::new().await;
    for n in 0..5 {
        world
            .post("/v1/requests", &request(&n.to_string(), &format!("c{n}@customers.example")))
            .await;
    }
    let images = world.rows();
    let mut batch: Vec<Value> = images.iter().rev().chain(&images).cloned().collect();
    assert_eq!(dispatch(&world, &batch).await, json!({ "batchItemFailures": [] }));
    assert_eq!(world.stack.mailbox.messages().len(), 5);
    // As it was sent, and once more as it was before.
    batch.splice(0..0, world.rows());
    assert_eq!(dispatch(&world, &batch).await, json!({ "batchItemFailures": [] }));
    // What the stream itself has still to deliver.
    world.settle().await;
    assert_eq!(world.stack.mailbox.messages().len(), 5);
    assert!(world.rows().iter().all(|row| row["status"]["S"] == "delivered"));
    // Long after.
    world.advance(jiff::SignedDuration::from_hours(24 * 8));
    dispatch(&world, &batch).await;
    assert_eq!(world.stack.mailbox.messages().len(), 5);
}

#[tokio::test]
async fn an_old_record_of_a_conversation_changes_nothing() {
    let mut world = World::new().await;
    world.configure("channel", "chat", json!({ "mode": "integrated", "delay_minutes": 20 }));
    let event: Value = serde_json::from_str(include_str!("../../events/gladly.json")).unwrap();
    let reply = world
        .post(
            "/v1/webhooks/gladly",
            &serde_json::from_str(event["body"].as_str().unwrap()).unwrap(),
        )
        .await;
    let first = world.rows();
    world.settle().await;
    let delayed = world.request(&reply.id()).await["wake_at"].clone();
    for _ in 0..2 {
        let records: Vec<Value> = [&first[0], &first[0]]
            .into_iter()
            .enumerate()
            .map(|(n, image)| record(n, image))
            .collect();
        world.stack.invoke("gladly_resolve", json!({ "Records": records })).await.unwrap();
        assert_eq!(
            world.request(&reply.id()).await["wake_at"],
            delayed,
            "neither delayed twice nor ended early"
        );
        world.advance(jiff::SignedDuration::from_mins(5));
    }
    world.advance(jiff::SignedDuration::from_mins(11));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "delivered");
    assert_eq!(world.stack.mailbox.messages().len(), 1);
}

#[tokio::test]
async fn a_poisonous_record_reaches_the_failure_destination_and_the_rest_goes_through() {
    let mut world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..9 {
        if n == 4 {
            for (id, status) in [("poison-1", "queued"), ("poison-2", "unresolved")] {
                let item = json!({ "request_id": { "S": id }, "status": { "S": status },
                    "ready": { "N": "1" } });
                let put = json!({ "TableName": "interactions", "Item": item });
                world.stack.database.put_item(serde_json::from_value(put).unwrap()).unwrap();
            }
        }
        ids.push(
            world
                .post("/v1/requests", &request(&n.to_string(), &format!("c{n}@customers.example")))
                .await
                .id(),
        );
    }
    world.settle().await;
    for id in &ids {
        assert_eq!(world.outcome(id).await, "delivered");
    }
    let mut failed: Vec<_> = world.stack.failures.list();
    failed.sort_by(|a, b| a.function.cmp(&b.function));
    let failed: Vec<_> = failed
        .iter()
        .map(|failure| {
            (failure.function.as_str(), failure.condition, failure.sequence_numbers.len())
        })
        .collect();
    assert_eq!(
        failed,
        [
            ("dispatch", "RetryAttemptsExhausted", 1),
            ("gladly_resolve", "RetryAttemptsExhausted", 1)
        ]
    );
    assert_eq!(world.stack.mailbox.messages().len(), 9);
}
