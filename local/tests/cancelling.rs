//! `DELETE /v1/requests/{request_id}`: a sender takes back a request whose mail has not gone out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::scenario::Post;
use kit::{LIVE, Reply, TEST, World, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

fn delayed(world: &World) {
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
}

async fn cancel(world: &World, key: &str, id: &str) -> Reply {
    world.call("DELETE", &format!("/v1/requests/{id}"), &[("x-api-key", key)], "").await
}

/// The status, and the `code` of a problem or the `status: reason` of a request.
async fn cancelled(world: &World, id: &str) -> (u16, String) {
    told(&cancel(world, LIVE, id).await)
}

fn told(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (
        reply.status,
        if reply.status == 200 {
            format!("{}: {}", text("status"), text("reason"))
        } else {
            text("code")
        },
    )
}

fn row(world: &World, id: &str) -> Value {
    world.rows().into_iter().find(|row| row["request_id"]["S"] == json!(id)).unwrap()
}

fn put(world: &World, table: &str, item: &Value) {
    world
        .stack
        .database
        .put_item(serde_json::from_value(json!({ "TableName": table, "Item": item })).unwrap())
        .unwrap();
}

#[tokio::test]
async fn a_request_that_waits_is_cancelled_once_and_for_all_and_may_come_again() {
    let mut world = World::new().await;
    delayed(&world);
    let body = request("1", "jane@customers.example");
    let id = world.post("/v1/requests", &body).await.id();
    let first = cancel(&world, LIVE, &id).await;
    assert_eq!(told(&first), (200, "not_sent: cancelled".to_owned()));
    assert_eq!(first.json()["detail"], "The request was cancelled before the survey was sent");
    assert_eq!(first.json(), world.request(&id).await, "the reply is the request");
    assert_eq!(
        cancel(&world, LIVE, &id).await.json(),
        first.json(),
        "a repetition answers the same"
    );
    let again = world.post("/v1/requests", &body).await;
    assert!(again.id() != id && again.json()["duplicate"].is_null(), "its marker went with it");
    // The newer request's marker is not the cancelled one's to free.
    assert_eq!(cancelled(&world, &id).await.0, 200);
    assert_eq!(world.post("/v1/requests", &body).await.id(), again.id());
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(
        (world.outcome(&id).await, world.outcome(&again.id()).await),
        ("not_sent: cancelled".to_owned(), "delivered".to_owned())
    );
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
}

#[tokio::test]
async fn a_conversation_that_is_still_to_be_asked_about_is_cancelled_and_asked_about_no_more() {
    let mut world = World::new().await;
    let post = Post::gladly("event-1", "conversation-email");
    let id = world.post(post.path, &post.body).await.id();
    assert_eq!(world.outcome(&id).await, "unresolved");
    assert_eq!(cancelled(&world, &id).await, (200, "not_sent: cancelled".to_owned()));
    world.settle().await;
    world.advance(SignedDuration::from_mins(10));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "not_sent: cancelled");
    assert!(world.stack.mailbox.messages().is_empty());
}

#[tokio::test]
async fn what_was_never_to_go_out_is_answered_unchanged_and_what_went_out_is_a_conflict() {
    let mut world = World::proxied().await;
    let mut refused = request("1", "jane@customers.example");
    refused["do_not_send"] = json!(true);
    let refused = world.post("/v1/requests", &refused).await.id();
    let mut wrong = request("2", "jane@customers.example");
    wrong["channel"] = json!("fax");
    let wrong = world.post("/v1/requests", &wrong).await.id();
    let sent = world.post("/v1/requests", &request("3", "jane@customers.example")).await.id();
    world.settle().await;
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::Reply(InjectedReply::internal()));
    let sending = world.post("/v1/requests", &request("4", "joe@customers.example")).await.id();
    world.settle().await;
    for (id, standing, expected) in [
        (&refused, "not_sent: do_not_send", (200, "not_sent: do_not_send")),
        (&wrong, "invalid: channel_not_enabled", (200, "invalid: channel_not_enabled")),
        (&sent, "delivered", (409, "already_sent")),
        (&sending, "sending", (409, "already_sent")),
    ] {
        for _ in 0..2 {
            let before = row(&world, id);
            assert_eq!(
                cancelled(&world, id).await,
                (expected.0, expected.1.to_owned()),
                "{standing}"
            );
            assert_eq!(world.outcome(id).await, standing);
            // A refused one remembers that no admin is to send it again.
            let mut after = row(&world, id);
            if before["declined_at"].is_null() && expected.0 == 200 {
                let declined = after.as_object_mut().unwrap().remove("declined_at");
                assert!(declined.is_some(), "{standing}");
            }
            assert_eq!(after, before, "nothing else is written");
        }
    }
    let reply = cancel(&world, LIVE, &sent).await;
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    // Every other end, put into the row as it would stand there.
    for (status, reason, expected) in [
        ("sent", None, (409, "already_sent")),
        ("soft_bounce", None, (409, "already_sent")),
        ("hard_bounce", None, (409, "already_sent")),
        ("complained", None, (409, "already_sent")),
        ("failed", Some("unconfirmed"), (409, "already_sent")),
        ("failed", Some("send_attempts"), (200, "failed: send_attempts")),
        ("failed", Some("source_unreachable"), (200, "failed: source_unreachable")),
        ("not_sent", Some("reopened"), (200, "not_sent: reopened")),
    ] {
        let mut ended = row(&world, &sent);
        ended["status"] = json!({ "S": status });
        ended.as_object_mut().unwrap().remove("reason");
        if let Some(reason) = reason {
            ended["reason"] = json!({ "S": reason });
        }
        put(&world, "interactions", &ended);
        assert_eq!(
            cancelled(&world, &sent).await,
            (expected.0, expected.1.to_owned()),
            "{status} {reason:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_the_keys_is_not_found() {
    let world = World::new().await;
    delayed(&world);
    world.configure(
        "key",
        &intake::digest(b"aw_live_reader"),
        json!({ "mode": "live", "scopes": ["read"] }),
    );
    let live = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    let test =
        world.post_as(TEST, "/v1/requests", &request("1", "jane@customers.example")).await.id();
    for id in
        ["019aa5c2-4f00-7000-8000-000000000001", "7", "x%00y", "null", &"9".repeat(3_000), &test]
    {
        assert_eq!(told(&cancel(&world, LIVE, id).await), (404, "not_found".to_owned()), "{id}");
    }
    assert_eq!(told(&cancel(&world, TEST, &live).await), (404, "not_found".to_owned()));
    for key in ["aw_live_reader", "aw_live_unknown", ""] {
        assert_eq!(told(&cancel(&world, key, &live).await), (403, "forbidden".to_owned()), "{key}");
    }
    assert_eq!(
        (world.outcome(&live).await, world.outcome(&test).await),
        ("queued".to_owned(), "queued".to_owned())
    );
    assert_eq!(told(&cancel(&world, TEST, &test).await), (200, "not_sent: cancelled".to_owned()));
    let mut expired = row(&world, &live);
    expired["expires_at"] = json!({ "N": world.now().as_second().to_string() });
    put(&world, "interactions", &expired);
    assert_eq!(told(&cancel(&world, LIVE, &live).await), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_cancelled_request_releases_the_customers_window_if_it_held_one() {
    let mut world = World::new().await;
    delayed(&world);
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    // As after a claim of which evidence showed that no mail left: queued again, and the window
    // kept.
    let mut held = row(&world, &id);
    held["claimed_at"] = json!({ "N": world.now().as_millisecond().to_string() });
    let later = (world.now().as_second() + 7 * 86_400).to_string();
    let window = json!({ "subject": held["subject"], "kind": { "S": "window" },
        "request_id": { "S": id }, "expires_at": { "N": later } });
    put(&world, "interactions", &held);
    put(&world, "suppression", &window);
    assert_eq!(cancelled(&world, &id).await.0, 200);
    let other = world.post("/v1/requests", &request("2", "jane@customers.example")).await.id();
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&other).await, "delivered");
    // Another request's window is left alone.
    let third = world.post("/v1/requests", &request("3", "jane@customers.example")).await.id();
    let mut claimed = row(&world, &third);
    claimed["claimed_at"] = json!({ "N": world.now().as_millisecond().to_string() });
    put(&world, "interactions", &claimed);
    let items = world.count("suppression");
    assert_eq!(cancelled(&world, &third).await.0, 200);
    assert_eq!(world.count("suppression"), items - 1, "its marker alone");
}

#[tokio::test]
async fn a_cancellation_that_races_with_a_claim_tells_what_came_first() {
    let world = World::proxied().await;
    delayed(&world);
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    let mut claimed = row(&world, &id);
    claimed["status"] = json!({ "S": "sending" });
    claimed["claimed_at"] = json!({ "N": world.now().as_millisecond().to_string() });
    let (database, queued) = (world.stack.database.clone(), row(&world, &id));
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    dynamodb.plan(move |call| {
        if call.operation == "TransactWriteItems" && call.nth == 0 {
            let item = json!({ "TableName": "interactions", "Item": claimed });
            database.put_item(serde_json::from_value(item).unwrap()).unwrap();
        }
        Fault::None
    });
    assert_eq!(cancelled(&world, &id).await, (409, "already_sent".to_owned()));
    // The reply of the write is lost: what is asked again answers as the first time would have.
    put(&world, "interactions", &queued);
    dynamodb.fail_next("TransactWriteItems", 1, Fault::CutAfter);
    assert_eq!(cancelled(&world, &id).await, (200, "not_sent: cancelled".to_owned()));
    // Our trouble is a 503, and nothing is half done.
    let other = world.post("/v1/requests", &request("2", "joe@customers.example")).await.id();
    dynamodb.fail_next("TransactWriteItems", 100, Fault::Reply(InjectedReply::internal()));
    assert_eq!(cancelled(&world, &other).await, (503, "unavailable".to_owned()));
    dynamodb.plan(|_| Fault::None);
    assert_eq!(world.outcome(&other).await, "queued");
    assert_eq!(cancelled(&world, &other).await, (200, "not_sent: cancelled".to_owned()));
}

#[tokio::test]
async fn a_key_cancels_what_came_from_a_source_that_it_is_for() {
    let world = World::new().await;
    delayed(&world);
    world.configure(
        "key",
        &intake::digest(b"aw_live_zendesk"),
        json!({ "mode": "live", "scopes": ["send"], "sources": ["zendesk"] }),
    );
    let zendesk =
        world.post("/v1/webhooks/zendesk", &request("1", "jane@customers.example")).await.id();
    let requests = world.post("/v1/requests", &request("2", "jane@customers.example")).await.id();
    let reply = cancel(&world, "aw_live_zendesk", &requests).await;
    assert_eq!(
        (told(&reply), &reply.json()["detail"]),
        ((403, "forbidden".to_owned()), &json!("the key is not for this source"))
    );
    assert_eq!(world.outcome(&requests).await, "queued");
    assert_eq!(
        told(&cancel(&world, "aw_live_zendesk", &zendesk).await),
        (200, "not_sent: cancelled".to_owned())
    );
}
