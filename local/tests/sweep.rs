//! `sweep` with very much to do, and dying on the way.
//!
//! `AFTERWORD_DUE=100000 cargo test --release -p local --test sweep` for a hundred thousand due
//! requests; without the variable there are fewer.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::time::Instant;

use jiff::SignedDuration;
use kit::{World, request, request_id};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

/// Due requests without `AFTERWORD_DUE`.
const FEW: usize = 2_000;

/// As many requests as asked for whose delay is over, copies of one that came through the API.
async fn with_due(count: usize) -> World {
    let world = World::proxied().await;
    // The engine numbers a stream's record by looking at all the earlier ones, and nobody reads
    // this stream.
    let quiet =
        json!({ "TableName": "interactions", "StreamSpecification": { "StreamEnabled": false } });
    world.stack.database.update_table(serde_json::from_value(quiet).unwrap()).unwrap();
    world.configure("channel", "phone", json!({ "mode": "integrated", "delay_minutes": 20 }));
    let mut body = request("1", "jane@customers.example");
    body["channel"] = json!("phone");
    world.post("/v1/requests", &body).await;
    let row = world.rows().remove(0);
    let copies: Vec<Value> = (1..count as u64)
        .map(|n| {
            let mut copy = row.clone();
            copy["request_id"] = json!({ "S": request_id(world.now(), n) });
            copy["due_shard"] = json!({ "S": format!("due#{}", n % store::DUE_SHARDS) });
            json!({ "PutRequest": { "Item": copy } })
        })
        .collect();
    for batch in copies.chunks(25) {
        let write = json!({ "RequestItems": { "interactions": batch } });
        world.stack.database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
    }
    world.advance(SignedDuration::from_mins(21));
    world
}

fn ready(world: &World) -> usize {
    world.rows().iter().filter(|row| row.get("ready").is_some()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wakes_at_most_what_the_rate_allows_and_loses_none_when_it_dies() {
    let count: usize = std::env::var("AFTERWORD_DUE").map_or(FEW, |count| count.parse().unwrap());
    let world = with_due(count).await;
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;

    world.company(json!({ "send_rate": 10 }));
    let swept = world.sweep().await;
    assert_eq!(
        (&swept["woken"], ready(&world)),
        (&json!(600), 600),
        "10 a second are 600 a minute"
    );
    world.advance(SignedDuration::from_mins(1));
    assert_eq!(world.sweep().await["woken"], json!(600), "others than the minute before");
    assert_eq!(ready(&world), 1_200);

    // It dies after some more.
    world.company(json!({ "send_rate": 10_000 }));
    world.advance(SignedDuration::from_mins(1));
    dynamodb.plan(|call| {
        if call.number > 300 {
            Fault::Reply(InjectedReply::error(
                axum::http::StatusCode::BAD_REQUEST,
                "AccessDenied",
                "dead",
            ))
        } else {
            Fault::None
        }
    });
    let _ = world.stack.invoke("sweep", json!({})).await;
    let woken = ready(&world);
    assert!(woken > 1_200 && woken < 1_600, "{woken}");

    // The next one does the rest, and what nobody has taken from the stream comes again.
    dynamodb.plan(|_| Fault::None);
    world.advance(SignedDuration::from_secs(59));
    let started = Instant::now();
    let swept = world.sweep().await;
    let took = started.elapsed();
    println!("{} of {count} due requests woken in {took:?}", swept["woken"]);
    assert_eq!(ready(&world), count);
    assert_eq!(swept["woken"].as_u64().unwrap() as usize, count - woken);
    assert_eq!(world.sweep().await["woken"], json!(0), "none is woken twice for nothing");
    world.advance(SignedDuration::from_mins(4));
    assert_eq!(
        world.sweep().await["woken"].as_u64().unwrap() as usize,
        count,
        "the stream lost them all"
    );
}

#[tokio::test]
async fn a_mail_at_which_ses_fails_for_ever_is_given_up_in_the_end() {
    let mut world = World::proxied().await;
    world.company(json!({ "send_attempts": 3 }));
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    ses.plan(|call| {
        if call.body.contains("cursed@") {
            Fault::Reply(InjectedReply::internal())
        } else {
            Fault::None
        }
    });
    let cursed = world.post("/v1/requests", &request("1", "cursed@customers.example")).await.id();
    let mut outcomes = Vec::new();
    for n in 0..4 {
        world.settle().await;
        outcomes.push(world.outcome(&cursed).await);
        // Earlier and later mails, whose Send events show that the cursed one's would have come.
        let claimed = world.now();
        world.advance(SignedDuration::from_mins(6));
        world
            .post(
                "/v1/requests",
                &request(&format!("other-{n}"), &format!("other-{n}@customers.example")),
            )
            .await;
        world.settle().await;
        world.others_were_mailed(
            claimed.checked_sub(SignedDuration::from_mins(5)).unwrap(),
            world.now(),
        );
        weigh(&world).await;
    }
    assert_eq!(outcomes, ["sending", "sending", "sending", "failed: send_attempts"]);
    assert!(world.mails_to("cursed@customers.example").is_empty());
    assert_eq!(world.stack.mailbox.messages().len(), 4);
}

#[tokio::test]
async fn an_hours_outcomes_are_tallied_from_the_index() {
    let mut world = World::new().await;
    let tally = |world: &World, hour: &str| {
        let get = json!({ "TableName": "config", "Key": { "kind": { "S": "tally" },
            "id": { "S": hour } } });
        let got = world.stack.database.get_item(serde_json::from_value(get).unwrap()).unwrap();
        serde_json::to_value(got).unwrap()["Item"]["counts"]["M"].clone()
    };
    for n in 0..3 {
        world.post("/v1/requests", &request(&format!("{n}"), "jane@customers.example")).await;
    }
    world.post_as(kit::TEST, "/v1/requests", &request("t", "jane@customers.example")).await;
    world.sweep().await;
    assert_eq!(
        tally(&world, "2026-11-21T09"),
        json!({ "live/requests/queued/": { "N": "3" }, "test/requests/queued/": { "N": "1" } })
    );
    world.settle().await;
    world.advance(SignedDuration::from_mins(61));
    world.sweep().await;
    assert_eq!(
        tally(&world, "2026-11-21T10"),
        Value::Null,
        "it is another hour, and no minute for counting"
    );
    world.advance(SignedDuration::from_mins(4));
    world.sweep().await;
    let mut counts = json!({
        "live/requests/delivered/": { "N": "1" },
        "live/requests/not_sent/suppression_period": { "N": "2" },
        "test/requests/delivered/": { "N": "1" },
    });
    assert_eq!(
        tally(&world, "2026-11-21T09"),
        counts,
        "the hour before is counted anew every five minutes"
    );
    // A bounce that comes a day and a half later is counted too, within an hour.
    let jane = world.mails_to("jane@customers.example").remove(0);
    world.advance(SignedDuration::from_hours(36));
    let event = json!({
        "eventType": "Bounce", "bounce": { "bounceType": "Transient",
        "timestamp": world.now().to_string() },
        "mail": { "messageId": "late", "destination": ["jane@customers.example"],
        "tags": { "request_id": [jane.tags["request_id"]], "mode": ["live"] } },
    });
    world.stack.invoke("mail_events", event).await.unwrap();
    // 09 is counted again at so many minutes past the hour as there are hours between, less two.
    world.advance(SignedDuration::from_mins(i64::from(33 - 5)));
    for _ in 0..4 {
        world.advance(SignedDuration::from_mins(1));
        world.sweep().await;
    }
    counts["live/requests/soft_bounce/"] = counts["live/requests/delivered/"].take();
    counts.as_object_mut().unwrap().remove("live/requests/delivered/");
    assert_eq!(tally(&world, "2026-11-21T09"), counts);
}

/// A world in which Jane's request is `sending`, since SES fails at her mails without a word on
/// what became of them.
async fn stuck(send_attempts: u32) -> (World, String) {
    let mut world = World::proxied().await;
    world.company(json!({ "send_attempts": send_attempts }));
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    ses.plan(|call| {
        if call.body.contains("jane@") {
            Fault::Reply(InjectedReply::internal())
        } else {
            Fault::None
        }
    });
    let id = world.post("/v1/requests", &request("first", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "sending");
    (world, id)
}

/// Evidence has to hold for an hour.
async fn weigh(world: &World) {
    world.sweep().await;
    world.advance(SignedDuration::from_mins(60));
    world.sweep().await;
}

/// The `Send` events of earlier and later mails arrive, which shows that the stuck one never left.
async fn prove(world: &mut World) {
    let claimed = world.now();
    world.advance(SignedDuration::from_mins(6));
    world.others_were_mailed(
        claimed.checked_sub(SignedDuration::from_mins(5)).unwrap(),
        world.now(),
    );
    world.post("/v1/requests", &request("proof", "proof@customers.example")).await;
    world.settle().await;
}

/// SES is well again: how Jane's next request ends.
async fn next(world: &mut World) -> String {
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::None);
    world.advance(SignedDuration::from_secs(31));
    let id = world.post("/v1/requests", &request("next", "jane@customers.example")).await.id();
    world.settle().await;
    world.outcome(&id).await
}

#[tokio::test]
async fn what_is_given_up_because_no_mail_left_releases_the_customers_window() {
    let (mut world, id) = stuck(1).await;
    prove(&mut world).await;
    weigh(&world).await;
    assert_eq!(world.outcome(&id).await, "failed: send_attempts");
    assert_eq!(next(&mut world).await, "delivered");
}

#[tokio::test]
async fn what_is_refused_after_an_attempt_releases_the_customers_window() {
    let (mut world, id) = stuck(8).await;
    prove(&mut world).await;
    world.configure(
        "employee",
        "paul@blancapeak.example",
        json!({ "name": "Paul", "status": "deactivated" }),
    );
    world.advance(SignedDuration::from_secs(31));
    weigh(&world).await;
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "invalid: employee_deactivated");
    world.configure(
        "employee",
        "paul@blancapeak.example",
        json!({ "name": "Paul", "status": "approved" }),
    );
    assert_eq!(next(&mut world).await, "delivered");
}

#[tokio::test]
async fn what_stays_unconfirmed_keeps_the_customers_window() {
    let (mut world, id) = stuck(8).await;
    world.advance(SignedDuration::from_hours(25));
    world.sweep().await;
    assert_eq!(world.outcome(&id).await, "failed: unconfirmed");
    assert_eq!(next(&mut world).await, "not_sent: suppression_period");
}

#[tokio::test]
async fn a_refused_mail_is_queued_again_though_the_customers_window_is_anothers() {
    let mut world = World::proxied().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    // Suppression is switched off, and the window of the first request lives on.
    world.company(json!({ "suppression_days": 0 }));
    world.advance(SignedDuration::from_mins(1));
    world.stack.proxies.as_ref().unwrap().ses.fail_next(
        "POST /v2/email/outbound-emails",
        1,
        Fault::Reply(InjectedReply::too_many_requests()),
    );
    let second = world.post("/v1/requests", &request("2", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&second).await, "queued");
    world.advance(SignedDuration::from_mins(1));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&second).await, "delivered");
    world.company(json!({ "suppression_days": 7 }));
    world.advance(SignedDuration::from_mins(1));
    let third = world.post("/v1/requests", &request("3", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(
        world.outcome(&third).await,
        "not_sent: suppression_period",
        "the window is still the first one's"
    );
}
