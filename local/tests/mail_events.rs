//! What SES says became of a mail, however it comes: late, twice, in any order, in any envelope,
//! about a mail that nobody knows any more.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use kit::{LIVE, TEST, World, request};
use serde_json::{Value, json};

/// An event record of SES about a mail of ours (docs/facts.md, SES 1).
fn event(request_id: &str, mode: &str, kind: &str, to: &str) -> Value {
    let at = "2026-11-21T09:00:01.000Z";
    let (name, field, details) = match kind {
        "permanent" => (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Permanent", "bounceSubType": "General", "timestamp": at }),
        ),
        "transient" => (
            "Bounce",
            "bounce",
            json!({ "bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": at }),
        ),
        "abuse" => {
            ("Complaint", "complaint", json!({ "complaintFeedbackType": "abuse", "timestamp": at }))
        }
        "not-spam" => (
            "Complaint",
            "complaint",
            json!({ "complaintFeedbackType": "not-spam", "timestamp": at }),
        ),
        "Send" => ("Send", "send", json!({})),
        "Delivery" => ("Delivery", "delivery", json!({ "timestamp": at, "recipients": [to] })),
        "DeliveryDelay" => (
            "DeliveryDelay",
            "deliveryDelay",
            json!({ "timestamp": at, "delayType": "MailboxFull" }),
        ),
        "Reject" => ("Reject", "reject", json!({ "reason": "Bad content" })),
        other => panic!("{other}"),
    };
    let mail = json!({
        "timestamp": at, "messageId": format!("ses-{request_id}"), "destination": [to],
        "tags": { "request_id": [request_id], "mode": [mode],
        "ses:configuration-set": ["afterword"] },
    });
    json!({ "eventType": name, "mail": mail, field: details })
}

fn sns(events: &[Value]) -> Value {
    let record = |event: &Value| {
        json!({ "EventSource": "aws:sns", "Sns": { "Type": "Notification",
        "Message": event.to_string() } })
    };
    json!({ "Records": events.iter().map(record).collect::<Vec<_>>() })
}

/// A mail that SES has taken, and of which nothing was heard since.
async fn sent(world: &mut World, key: &str, to: &str) -> String {
    let reply = world.post_as(key, "/v1/requests", &request(to, to)).await;
    for pump in &mut world.stack.pumps {
        pump.drain().await.unwrap();
    }
    // SES's own events are replaced by the test's.
    while world.stack.events.as_mut().unwrap().try_recv().is_ok() {}
    assert_eq!(reply.status, 200);
    reply.id()
}

async fn hear(world: &World, envelope: Value) {
    world.stack.invoke("mail_events", envelope).await.unwrap();
}

fn orders(kinds: &[&'static str]) -> Vec<Vec<&'static str>> {
    let Some((first, rest)) = kinds.split_first() else { return vec![Vec::new()] };
    let shorter = orders(rest);
    let longer = shorter.iter().flat_map(|order| {
        (0..=order.len()).map(|at| {
            let mut order = order.clone();
            order.insert(at, first);
            order
        })
    });
    longer.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outcome_does_not_depend_on_the_order_nor_on_repetition() {
    let mut world = World::new().await;
    let mut customer = 0;
    for (kinds, outcome) in [
        (&["Send", "DeliveryDelay", "Delivery"][..], "delivered"),
        (&["Send", "Delivery", "transient"], "soft_bounce"),
        (&["Send", "transient", "permanent"], "hard_bounce"),
        (&["Send", "Delivery", "transient", "abuse"], "complained"),
        (&["Send", "Delivery", "not-spam"], "delivered"),
        (&["Send", "Reject"], "hard_bounce"),
    ] {
        for order in orders(kinds) {
            customer += 1;
            let to = format!("c{customer}@customers.example");
            let id = sent(&mut world, LIVE, &to).await;
            for kind in order.iter().chain(&order[..1]) {
                hear(&world, sns(&[event(&id, "live", kind, &to)])).await;
            }
            assert_eq!(world.outcome(&id).await, outcome, "{order:?}");
        }
    }
}

#[tokio::test]
async fn every_envelope_is_opened() {
    let mut world = World::new().await;
    let envelopes: [fn(Value) -> Value; 3] = [
        |event| sns(&[event]),
        |event| json!({ "source": "aws.ses", "detail-type": "Email Delivered", "detail": event }),
        |event| event,
    ];
    for (n, envelope) in envelopes.into_iter().enumerate() {
        let to = format!("c{n}@customers.example");
        let id = sent(&mut world, LIVE, &to).await;
        assert_eq!(world.outcome(&id).await, "sent");
        hear(&world, envelope(event(&id, "live", "Delivery", &to))).await;
        assert_eq!(world.outcome(&id).await, "delivered");
    }
}

/// A message of the queue between topic and function.
fn queued(body: &str) -> Value {
    json!({ "Records": [{ "messageId": "1", "body": body, "eventSource": "aws:sqs" }] })
}

/// SNS's envelope, as a queue gets it while raw delivery is off.
fn notification(kind: &str, message: &str) -> String {
    let token = if kind == "Notification" { Value::Null } else { json!("2336412f37fb") };
    let topic = "arn:aws:sns:us-east-1:000000000000:mail-events";
    json!({ "Type": kind, "MessageId": "1", "TopicArn": topic, "Token": token, "Message": message,
        "Signature": "x" })
    .to_string()
}

#[tokio::test]
async fn a_queue_without_raw_delivery_is_understood_too() {
    let mut world = World::new().await;
    for (n, envelope) in [
        |event: Value| notification("Notification", &event.to_string()),
        |event: Value| event.to_string(),
    ]
    .iter()
    .enumerate()
    {
        let to = format!("c{n}@customers.example");
        let id = sent(&mut world, LIVE, &to).await;
        hear(&world, queued(&envelope(event(&id, "live", "Delivery", &to)))).await;
        assert_eq!(world.outcome(&id).await, "delivered");
    }
}

#[tokio::test]
async fn what_is_said_about_the_topic_itself_ends_quietly() {
    let world = World::new().await;
    let validated = "Successfully validated SNS topic for Amazon SES event publishing.";
    for body in [
        validated.to_owned(),
        format!(" {validated}\n"),
        notification("Notification", validated),
        notification("SubscriptionConfirmation", "You have chosen to subscribe to the topic."),
        notification("UnsubscribeConfirmation", "You have chosen to deactivate the subscription."),
    ] {
        hear(&world, queued(&body)).await;
        hear(
            &world,
            json!({ "Records": [{ "EventSource": "aws:sns",
            "Sns": { "Type": "Notification", "Message": validated } }] }),
        )
        .await;
    }
    // Anything else that is no event still fails, so that it reaches the dead-letter queue.
    for body in [
        "Successfully validated something else.".to_owned(),
        String::new(),
        "{}".to_owned(),
        json!(validated).to_string(),
        notification("Notification", "hello"),
        notification("Notification", "{}"),
        json!({ "Type": "Notification" }).to_string(),
    ] {
        assert!(world.stack.invoke("mail_events", queued(&body)).await.is_err(), "{body}");
    }
    assert!(
        world
            .stack
            .invoke("mail_events", json!({ "Records": [{ "body": { "eventType": "Send" } }] }))
            .await
            .is_err()
    );
    assert_eq!(world.count("interactions"), 0);
}

#[tokio::test]
async fn what_cannot_be_understood_fails_and_the_rest_of_its_envelope_goes_through() {
    let mut world = World::new().await;
    let id = sent(&mut world, LIVE, "jane@customers.example").await;
    let good = event(&id, "live", "Delivery", "jane@customers.example");
    let mut envelope = sns(&[json!({ "hello": "world" }), good]);
    envelope["Records"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "Sns": { "Message": "no JSON" } }));
    assert!(
        world.stack.invoke("mail_events", envelope).await.is_err(),
        "it goes to the dead-letter queue"
    );
    assert_eq!(world.outcome(&id).await, "delivered");
    // An event of somebody else's mail in the same account is none of ours.
    hear(&world, sns(&[json!({ "eventType": "Send", "mail": { "messageId": "x", "tags": {} } })]))
        .await;
}

#[tokio::test]
async fn only_a_permanent_bounce_and_a_complaint_are_held_against_an_address() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": 0 }));
    for (kind, then) in [
        ("transient", "sent"),
        ("Reject", "sent"),
        ("not-spam", "sent"),
        ("permanent", "not_sent: rejected"),
        ("abuse", "not_sent: unsubscribed"),
    ] {
        let to = format!("{}@customers.example", kind.to_lowercase());
        let id = sent(&mut world, LIVE, &to).await;
        hear(&world, sns(&[event(&id, "live", kind, &to)])).await;
        world.advance(jiff::SignedDuration::from_mins(11));
        let next = sent(&mut world, LIVE, &to).await;
        assert_eq!(world.outcome(&next).await, then, "{kind}");
    }
}

#[tokio::test]
async fn a_late_event_revives_nothing_but_an_address_that_bounced_stays_known() {
    let mut world = World::new().await;
    let gone = "01980000-0000-7000-8000-000000000000";
    for kind in ["Send", "Delivery", "transient", "permanent"] {
        hear(&world, sns(&[event(gone, "live", kind, "Gone@customers.example")])).await;
    }
    assert_eq!(world.count("interactions"), 0);
    let id = sent(&mut world, LIVE, "gone@customers.example").await;
    assert_eq!(world.outcome(&id).await, "not_sent: rejected");
}

#[tokio::test]
async fn nothing_about_the_address_of_a_test_mail_is_kept() {
    let mut world = World::new().await;
    let id = sent(&mut world, TEST, "jane@customers.example").await;
    let before = world.count("suppression");
    for kind in ["Send", "permanent", "abuse"] {
        hear(&world, sns(&[event(&id, "test", kind, "test@blancapeak.example")])).await;
        // The row decides, not the tag; and the tag does when there is no row.
        hear(&world, sns(&[event(&id, "live", kind, "test@blancapeak.example")])).await;
        hear(
            &world,
            sns(&[event(
                "01980000-0000-7000-8000-000000000000",
                "test",
                kind,
                "jane@customers.example",
            )]),
        )
        .await;
    }
    assert_eq!(world.count("suppression"), before);
    let live = sent(&mut world, LIVE, "jane@customers.example").await;
    assert_eq!(world.outcome(&live).await, "sent");
}

#[tokio::test]
async fn an_event_overtakes_the_function_that_sent_the_mail() {
    let mut world = World::proxied().await;
    // dispatch dies when it notes that SES took the mail.
    let proxy = &world.stack.proxies.as_ref().unwrap().dynamodb;
    proxy.plan(|call| {
        if call.operation == "UpdateItem" {
            local::faults::Fault::CutBefore
        } else {
            local::faults::Fault::None
        }
    });
    let id = sent(&mut world, LIVE, "jane@customers.example").await;
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| local::faults::Fault::None);
    assert_eq!(world.outcome(&id).await, "sending");
    hear(&world, sns(&[event(&id, "live", "Delivery", "jane@customers.example")])).await;
    hear(&world, sns(&[event(&id, "live", "Send", "jane@customers.example")])).await;
    assert_eq!(world.outcome(&id).await, "delivered");
    world.advance(jiff::SignedDuration::from_hours(25));
    world.sweep().await;
    world.settle().await;
    assert_eq!(
        (world.outcome(&id).await.as_str(), world.stack.mailbox.messages().len()),
        ("delivered", 1)
    );
}
