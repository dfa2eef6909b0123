//! Repetitions of a request: with do-not-send, after the ticket was reopened, or under another
//! `Idempotency-Key`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::{LIVE, Reply, World, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

fn delayed(world: &World) {
    world.configure(
        "channel",
        "email",
        json!({ "mode": "integrated", "delay_minutes": 20, "aliases": ["contact_form"] }),
    );
}

async fn minutes_pass(world: &mut World, minutes: i64) {
    world.settle().await;
    world.advance(SignedDuration::from_mins(minutes));
    world.sweep().await;
    world.settle().await;
}

fn gorgias(tags: &str) -> Value {
    json!({
        "channel": "email", "meta": "None", "ext_interaction_id": "77", "customer_custom_id": "5",
        "employee_email": "paul@blancapeak.example",
        "customer_name": "Jane", "snooze_datetime": "None", "status": "closed", "language": "en",
        "tags": tags, "customer_email": "jane@customers.example",
    })
}

/// Zendesk delivers the ticket 77 with this status, as the invocation `id` of its webhook.
async fn deliver(world: &World, status: &str, id: &str) -> Reply {
    let mut body = request("77", "jane@customers.example");
    body["status"] = json!(status);
    let headers = [
        ("x-api-key", LIVE),
        ("content-type", "application/json"),
        ("x-zendesk-webhook-invocation-id", id),
    ];
    world.call("POST", "/v1/webhooks/zendesk", &headers, body.to_string()).await
}

#[tokio::test]
async fn do_not_send_wins_also_when_it_is_said_in_a_repetition() {
    let plain = || request("77", "jane@customers.example");
    let with = |name: &str, value: Value| {
        let mut body = plain();
        body[name] = value;
        body
    };
    let tag = "[{'id': 1, 'name': 'stellaconnect-do-not-send'}]";
    for (path, first, again) in [
        ("/v1/requests", plain(), with("do_not_send", json!(true))),
        ("/v1/requests", plain(), with("tags", json!(["stellaconnect-do-not-send"]))),
        ("/v1/auth", plain(), with("do_not_send", json!("1"))),
        ("/v1/webhooks/zendesk", plain(), with("tags", json!("vip stellaconnect-do-not-send"))),
        ("/v1/webhooks/freshdesk", plain(), with("do_not_send", json!(true))),
        ("/v1/webhooks/gorgias", gorgias("[]"), gorgias(tag)),
    ] {
        let mut world = World::new().await;
        delayed(&world);
        let id = world.post(path, &first).await.id();
        for _ in 0..2 {
            let repeated = world.post(path, &again).await.json();
            let told = [
                &repeated["request_id"],
                &repeated["duplicate"],
                &repeated["status"],
                &repeated["reason"],
            ];
            assert_eq!(
                told,
                [&json!(id), &json!(true), &json!("not_sent"), &json!("do_not_send")],
                "{path} {again}"
            );
        }
        minutes_pass(&mut world, 21).await;
        assert_eq!(world.outcome(&id).await, "not_sent: do_not_send", "{path} {again}");
        assert!(world.stack.mailbox.messages().is_empty(), "{path} {again}");
    }
}

#[tokio::test]
async fn do_not_send_that_is_said_while_the_mail_is_under_way_stops_the_next_attempt() {
    let mut world = World::proxied().await;
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    ses.plan(|_| Fault::Reply(InjectedReply::internal()));
    let mut body = request("77", "jane@customers.example");
    let id = world.post("/v1/requests", &body).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "sending");
    body["do_not_send"] = json!(true);
    assert_eq!(world.post("/v1/requests", &body).await.id(), id);
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::None);
    // Others were mailed before and after it: its mail evidently never left.
    let claimed = world.now();
    world.others_were_mailed(
        claimed - SignedDuration::from_mins(5),
        claimed + SignedDuration::from_mins(6),
    );
    for _ in 0..14 {
        minutes_pass(&mut world, 6).await;
    }
    assert_eq!(world.outcome(&id).await, "not_sent: do_not_send");
    assert!(world.mails_to("jane@customers.example").is_empty());
}

#[tokio::test]
async fn a_repetition_of_the_opening_does_not_withdraw_what_was_closed_after_it() {
    let mut world = World::new().await;
    delayed(&world);
    let first = deliver(&world, "solved", "1").await.id();
    deliver(&world, "open", "2").await;
    assert_eq!(world.outcome(&first).await, "not_sent: reopened");
    let second = deliver(&world, "solved", "3").await.id();
    assert_eq!(deliver(&world, "open", "2").await.json()["status"], "ignored");
    assert_eq!(
        world.outcome(&second).await,
        "queued",
        "the second opening was the first one's repetition"
    );
    deliver(&world, "open", "4").await;
    assert_eq!(world.outcome(&second).await, "not_sent: reopened", "another opening counts");
    minutes_pass(&mut world, 21).await;
    assert!(world.stack.mailbox.messages().is_empty());
}

#[tokio::test]
async fn an_idempotency_key_that_was_answered_as_a_repetition_is_remembered() {
    let world = World::new().await;
    world.company(json!({ "dedupe_minutes": { "requests": 1 }, "suppression_days": 0 }));
    let post = async |key: &str, body: &Value| {
        let headers =
            [("x-api-key", LIVE), ("content-type", "application/json"), ("idempotency-key", key)];
        world.call("POST", "/v1/requests", &headers, body.to_string()).await
    };
    let body = request("77", "jane@customers.example");
    let first = post("K1", &body).await.id();
    assert_eq!(post("K2", &body).await.id(), first, "the same interaction");
    assert_eq!(
        post("K2", &request("78", "jane@customers.example")).await.status,
        422,
        "K2 came with another body"
    );
    world.advance(SignedDuration::from_mins(2));
    for key in ["K1", "K2"] {
        assert_eq!(post(key, &body).await.id(), first, "{key}: honoured for a day");
    }
    assert_eq!(world.count("interactions"), 1);
}

#[tokio::test]
async fn a_helpdesks_form_that_sends_the_same_idempotency_key_each_time_does_no_harm() {
    let world = World::new().await;
    let headers =
        [("x-api-key", LIVE), ("content-type", "application/json"), ("idempotency-key", "static")];
    for n in 0..3 {
        let body = request(&n.to_string(), &format!("c{n}@customers.example")).to_string();
        assert_eq!(world.call("POST", "/v1/webhooks/freshdesk", &headers, body).await.status, 200);
    }
    assert_eq!(world.count("interactions"), 3);
}

/// A helpdesk says of a ticket that nothing is to be sent, whatever else has changed since.
#[tokio::test]
async fn do_not_send_concerns_the_whole_ticket() {
    let change = |name: &str, value: Value| {
        let mut body = request("77", "jane@customers.example");
        body["do_not_send"] = json!("1");
        body[name] = value;
        body
    };
    for again in [
        change("status", json!("weird")),
        change("employee", json!({ "email": "someone@blancapeak.example" })),
        change("employee", json!({ "email": "" })),
        change("customer", json!({ "email": "no_email" })),
        change("channel", json!("chat")),
    ] {
        for path in ["/v1/webhooks/zendesk", "/v1/webhooks/freshdesk"] {
            let mut world = World::new().await;
            delayed(&world);
            let id = world.post(path, &request("77", "jane@customers.example")).await.id();
            assert_eq!(
                world.post(path, &again).await.json()["reason"],
                "do_not_send",
                "{path} {again}"
            );
            minutes_pass(&mut world, 21).await;
            assert_eq!(world.outcome(&id).await, "not_sent: do_not_send", "{path} {again}");
            // The same interaction, told once more without the wish: the wish holds.
            assert_eq!(world.post(path, &request("77", "jane@customers.example")).await.id(), id);
            minutes_pass(&mut world, 21).await;
            assert!(world.stack.mailbox.messages().is_empty(), "{path} {again}");
        }
    }
}

#[tokio::test]
async fn tags_that_arrive_while_the_settings_have_a_fault_are_looked_at_again() {
    let many: Vec<String> =
        (0..60).map(|n| format!("tag{n}")).chain(["no-survey".to_owned()]).collect();
    let with = |tags: Value| {
        let mut body = request("77", "jane@customers.example");
        body["tags"] = tags;
        body
    };
    for (first, again) in [
        (with(json!([])), Some(with(json!(["no-survey"])))),
        (with(json!(many)), None),
        (with(json!(["word ".repeat(500) + "no-survey"])), None),
    ] {
        let mut world = World::new().await;
        let settings = |name: &str| {
            json!({ "name": "Peak", "from": "s@blancapeak.example",
            name: ["else, no-survey"] })
        };
        world.configure("company", "settings", settings("do_not_send_tagg"));
        let id = world.post("/v1/webhooks/zendesk", &first).await.id();
        if let Some(again) = &again {
            assert_eq!(world.post("/v1/webhooks/zendesk", again).await.id(), id);
        }
        world.settle().await;
        assert_eq!(world.request(&id).await["waiting_for"], "configuration");
        world.configure("company", "settings", settings("do_not_send_tag"));
        for _ in 0..3 {
            minutes_pass(&mut world, 1).await;
        }
        assert_eq!(world.outcome(&id).await, "not_sent: do_not_send", "{first}");
    }
}

#[tokio::test]
async fn what_was_invalid_may_come_again_after_ten_minutes_under_every_key_that_it_came_with() {
    let world = World::new().await;
    world.company(json!({ "dedupe_minutes": { "requests": 1 } }));
    let mut body = request("77", "jane@customers.example");
    body["employee"] = json!({ "email": "new@blancapeak.example" });
    let post = async |key: &str| {
        let headers =
            [("x-api-key", LIVE), ("content-type", "application/json"), ("idempotency-key", key)];
        world.call("POST", "/v1/requests", &headers, body.to_string()).await.status
    };
    assert_eq!((post("K1").await, post("K2").await), (400, 400));
    world.configure(
        "employee",
        "new@blancapeak.example",
        json!({ "status": "approved", "name": "New" }),
    );
    world.advance(SignedDuration::from_mins(11));
    assert_eq!((post("K2").await, post("K1").await), (200, 200));
}

#[tokio::test]
async fn a_delivery_that_was_answered_as_a_repetition_brings_nothing_back() {
    let mut world = World::new().await;
    delayed(&world);
    let first = deliver(&world, "solved", "1").await.json()["request_id"].clone();
    assert_eq!(deliver(&world, "solved", "2").await.json()["request_id"], first);
    deliver(&world, "open", "3").await;
    for id in ["1", "2"] {
        assert_eq!(
            deliver(&world, "solved", id).await.json()["request_id"],
            first,
            "{id} is delivered again"
        );
    }
    minutes_pass(&mut world, 21).await;
    assert!(world.stack.mailbox.messages().is_empty());
}
