//! A call to SES ended without an answer: what is believed, what is done, and what happens when the
//! belief was wrong.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::{SignedDuration, Timestamp};
use kit::{World, link, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

/// SES never answers about Jane's mails: whether they leave is up to `fault`.
async fn unknown(send_attempts: u32, fault: Fault) -> (World, String) {
    let mut world = World::proxied().await;
    world.company(json!({ "send_attempts": send_attempts }));
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    ses.plan(move |call| if call.body.contains("jane@") { fault.clone() } else { Fault::None });
    let id = world.post("/v1/requests", &request("first", "jane@customers.example")).await.id();
    world.settle().await;
    (world, id)
}

fn ses_recovers(world: &World) {
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::None);
}

/// Another customer is mailed, whose events arrive.
async fn another(world: &mut World, n: i64) {
    world
        .post(
            "/v1/requests",
            &request(&format!("other{n}"), &format!("other{n}@customers.example")),
        )
        .await;
    world.settle().await;
}

/// Sweeps every five minutes.
async fn minutes(world: &mut World, minutes: i64) {
    for _ in 0..(minutes + 4) / 5 {
        world.advance(SignedDuration::from_mins(5));
        world.sweep().await;
        world.settle().await;
    }
}

/// Sweeps twice an hour.
async fn hours(world: &mut World, hours: i64) {
    for _ in 0..2 * hours {
        world.advance(SignedDuration::from_mins(30));
        world.sweep().await;
        world.settle().await;
    }
}

fn minutes_before(world: &World, minutes: i64) -> Timestamp {
    world.now().checked_sub(SignedDuration::from_mins(minutes)).unwrap()
}

/// An event of SES's about a mail of ours.
fn event(kind: &str, id: &str, to: &str, at: Timestamp) -> Value {
    let mut event = json!({
        "eventType": kind, "mail": { "timestamp": at.to_string(), "messageId": "ses-late",
        "destination": [to],
        "tags": { "request_id": [id], "mode": ["live"],
        "claimed_at": [at.as_millisecond().to_string()] } },
    });
    event[kind.to_lowercase()] = json!({ "timestamp": at.to_string() });
    event
}

#[tokio::test]
async fn without_neighbours_on_both_sides_nobody_is_mailed_again() {
    // (minutes before the claim, minutes after it) in which others were mailed whose events arrived
    for (before, after, ended) in [
        (vec![], vec![2], "failed: unconfirmed"),
        (vec![2], vec![], "failed: unconfirmed"),
        (vec![2], vec![30], "failed: unconfirmed"),
        (vec![30], vec![2], "failed: unconfirmed"),
        (vec![2], vec![2], "delivered"),
    ] {
        let mut world = World::proxied().await;
        let ses = &world.stack.proxies.as_ref().unwrap().ses;
        ses.plan(|call| if call.body.contains("jane@") { Fault::CutBefore } else { Fault::None });
        for n in &before {
            another(&mut world, *n).await;
            world.advance(SignedDuration::from_mins(*n));
        }
        let id = world.post("/v1/requests", &request("first", "jane@customers.example")).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&id).await, "sending");
        ses_recovers(&world);
        for n in &after {
            world.advance(SignedDuration::from_mins(*n));
            another(&mut world, 100 + n).await;
        }
        hours(&mut world, 26).await;
        assert_eq!(world.outcome(&id).await, ended, "others before {before:?} and after {after:?}");
        assert!(world.mails_to("jane@customers.example").len() <= 1);
    }
}

#[tokio::test]
async fn a_send_event_that_comes_fifty_minutes_late_is_waited_for() {
    let (mut world, id) = unknown(8, Fault::CutAfter).await;
    let claimed = world.now();
    ses_recovers(&world);
    world.others_were_mailed(minutes_before(&world, 5), claimed + SignedDuration::from_mins(50));
    // Jane's own events were held up.
    minutes(&mut world, 50).await;
    hear_all(&mut world, &id, claimed).await;
    hours(&mut world, 3).await;
    assert_eq!(
        (world.outcome(&id).await.as_str(), world.mails_to("jane@customers.example").len()),
        ("delivered", 1)
    );
}

async fn hear_all(world: &mut World, id: &str, at: Timestamp) {
    for kind in ["Send", "Delivery"] {
        world
            .stack
            .invoke("mail_events", event(kind, id, "jane@customers.example", at))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_mail_that_left_after_all_counts_whatever_was_believed_and_its_link_works() {
    let (mut world, id) = unknown(1, Fault::Reply(InjectedReply::internal())).await;
    let claimed = world.now();
    world.others_were_mailed(minutes_before(&world, 5), claimed + SignedDuration::from_mins(10));
    minutes(&mut world, 70).await;
    assert_eq!(world.outcome(&id).await, "failed: send_attempts");
    // Two hours later the Send event comes: the suppression window counts from the claim again.
    world
        .stack
        .invoke("mail_events", event("Send", &id, "jane@customers.example", claimed))
        .await
        .unwrap();
    assert_eq!(world.outcome(&id).await, "sent");
    ses_recovers(&world);
    let next = world.post("/v1/requests", &request("next", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&next).await, "not_sent: suppression_period");
    world.advance(SignedDuration::from_hours(7 * 24 - 1));
    let late = world.post("/v1/requests", &request("late", "jane@customers.example")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&late).await, "delivered", "the window counted from the claim");
}

#[tokio::test]
async fn the_link_of_a_mail_that_left_is_good_though_its_request_was_refused_later() {
    let mut world = World::proxied().await;
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::CutAfter);
    let id = world.post("/v1/requests", &request("first", "jane@customers.example")).await.id();
    for pump in &mut world.stack.pumps {
        pump.drain().await.unwrap();
    }
    let claimed = world.now();
    // SES took the mail, and its events are lost.
    while world.stack.events.as_mut().unwrap().try_recv().is_ok() {}
    world.others_were_mailed(minutes_before(&world, 5), claimed + SignedDuration::from_mins(10));
    world.configure(
        "employee",
        "paul@blancapeak.example",
        json!({ "name": "Paul", "status": "deactivated" }),
    );
    minutes(&mut world, 70).await;
    assert_eq!(world.outcome(&id).await, "invalid: employee_deactivated");
    let mail = world.mails_to("jane@customers.example").remove(0);
    let page = world.call("GET", &link(&mail, "/s/"), &[], "").await;
    assert_eq!(page.status, 200, "whoever has the link has got the mail");
    world
        .stack
        .invoke("mail_events", event("Delivery", &id, "jane@customers.example", claimed))
        .await
        .unwrap();
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn a_request_that_was_never_claimed_is_not_revived_by_an_event() {
    let world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["do_not_send"] = json!(true);
    let id = world.post("/v1/requests", &body).await.id();
    world
        .stack
        .invoke("mail_events", event("Send", &id, "jane@customers.example", world.now()))
        .await
        .unwrap();
    assert_eq!(world.outcome(&id).await, "not_sent: do_not_send");
}

#[tokio::test]
async fn a_second_request_waits_while_it_is_unknown_whether_the_first_ones_mail_left() {
    // What became of the first mail, and so of the second request.
    for (left, first_ends, second_ends) in [
        (true, "delivered", "not_sent: suppression_period"),
        (false, "failed: send_attempts", "delivered"),
    ] {
        let (mut world, first) = unknown(1, Fault::Reply(InjectedReply::internal())).await;
        let claimed = world.now();
        ses_recovers(&world);
        let second =
            world.post("/v1/requests", &request("second", "jane@customers.example")).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&second).await, "queued");
        assert_eq!(world.request(&second).await["waiting_for"], "earlier_mail");
        if left {
            hear_all(&mut world, &first, claimed).await;
        } else {
            world.others_were_mailed(
                minutes_before(&world, 5),
                claimed + SignedDuration::from_mins(10),
            );
        }
        minutes(&mut world, 100).await;
        assert_eq!(world.outcome(&first).await, first_ends);
        assert_eq!(world.outcome(&second).await, second_ends);
        assert_eq!(world.request(&second).await["waiting_for"], Value::Null);
    }
}
