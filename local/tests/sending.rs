//! What becomes of a request between the door and the mail, when something changes or refuses on
//! the way.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use jiff::SignedDuration;
use kit::{World, link, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

/// Answers every mail so from now on.
fn ses_answers(world: &World, answer: InjectedReply) {
    world.stack.proxies.as_ref().unwrap().ses.plan(move |_| Fault::Reply(answer.clone()));
}

/// Sweeps and settles once a minute.
async fn minutes(world: &mut World, minutes: i64) {
    for _ in 0..minutes {
        world.advance(SignedDuration::from_mins(1));
        world.sweep().await;
        world.settle().await;
    }
}

#[tokio::test]
async fn what_is_no_fault_of_the_mail_is_tried_for_a_day_and_what_is_only_as_often_as_is_set() {
    let refused = |status, code, message| InjectedReply::error(status, code, message);
    let of_the_mail =
        refused(StatusCode::BAD_REQUEST, "MessageRejected", "Email content rejected.");
    let throttled = InjectedReply::too_many_requests();
    let unverified =
        refused(StatusCode::BAD_REQUEST, "MessageRejected", "Email address is not verified.");
    let quota = refused(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequestsException",
        "Daily message quota exceeded.",
    );
    for (answer, in_an_hour, in_a_day) in [
        (of_the_mail, "failed: send_attempts", "failed: send_attempts"),
        (throttled, "queued", "failed: send_attempts"),
        (unverified, "queued", "failed: send_attempts"),
        (quota, "queued", "queued"),
    ] {
        let mut world = World::proxied().await;
        world.company(json!({ "send_attempts": 2 }));
        ses_answers(&world, answer);
        let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
        world.settle().await;
        minutes(&mut world, 60).await;
        assert_eq!(world.outcome(&id).await, in_an_hour);
        world.advance(SignedDuration::from_hours(24));
        minutes(&mut world, 1).await;
        assert_eq!(world.outcome(&id).await, in_a_day);
    }
}

#[tokio::test]
async fn what_would_expire_before_its_next_attempt_ends_with_a_reason() {
    let mut world = World::proxied().await;
    // A row lives at least two days longer than a survey is open, and what waits ends a day before
    // that.
    world.company(json!({ "retention_days": 1, "survey_days": 1 }));
    ses_answers(
        &world,
        InjectedReply::error(StatusCode::BAD_REQUEST, "SendingPausedException", "paused"),
    );
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.settle().await;
    world.advance(SignedDuration::from_mins(48 * 60 - 10));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "failed: send_attempts");
}

#[tokio::test]
async fn a_typo_in_a_key_or_a_profile_holds_what_was_let_in_before() {
    let mut world = World::new().await;
    let paul =
        |status: &str| json!({ "name": "Paul Peak", "status": status, "custom_id": "522743" });
    let reader = json!({ "mode": "live", "scopes": ["read"] });
    world.configure("key", &intake::digest(b"aw_live_reader"), reader);
    let key = |mode: &str| json!({ "mode": mode, "scopes": ["send", "read"] });
    for (kind, id, typo, mended) in [
        ("employee", "paul@blancapeak.example".to_owned(), paul("aproved"), paul("approved")),
        ("key", intake::digest(b"aw_live_local"), key("life"), key("live")),
    ] {
        let request = world
            .post("/v1/requests", &request(kind, &format!("{kind}@customers.example")))
            .await
            .id();
        world.configure(kind, &id, typo);
        // What was read before is remembered for some seconds.
        world.advance(SignedDuration::from_secs(31));
        world.settle().await;
        minutes(&mut world, 2).await;
        let shown = world
            .call("GET", &format!("/v1/requests/{request}"), &[("x-api-key", "aw_live_reader")], "")
            .await
            .json();
        assert_eq!(shown["status"], "queued", "{kind}");
        world.configure(kind, &id, mended);
        minutes(&mut world, 2).await;
        assert_eq!(world.outcome(&request).await, "delivered", "{kind}");
    }
}

#[tokio::test]
async fn what_became_invalid_when_due_may_come_again() {
    let mut world = World::new().await;
    let first =
        world.post("/v1/webhooks/freshdesk", &request("1", "jane@customers.example")).await.id();
    world.configure("channel", "email", email("manual"));
    world.settle().await;
    assert_eq!(world.outcome(&first).await, "invalid: channel_manual");
    world.configure("channel", "email", email("integrated"));
    world.advance(SignedDuration::from_mins(1));
    let again =
        world.post("/v1/webhooks/freshdesk", &request("1", "jane@customers.example")).await.id();
    assert_ne!(again, first, "the marker went with the refusal, long before its seven days");
    world.settle().await;
    assert_eq!(world.outcome(&again).await, "delivered");
}

fn email(mode: &str) -> Value {
    json!({ "mode": mode, "aliases": ["contact_form"] })
}

#[tokio::test]
async fn one_interaction_is_one_request_however_it_is_spelled() {
    let world = World::new().await;
    let mut spellings = vec![request("1", "Jane@Customers.example"); 4];
    spellings[1]["channel"] = json!("Contact_Form");
    spellings[2]["employee"] = json!({ "custom_id": "522743" });
    spellings[3]["customer"]["custom_id"] = json!("7");
    let mut ids = Vec::new();
    for body in spellings {
        ids.push(world.post("/v1/webhooks/freshdesk", &body).await.id());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_ticket_that_is_opened_while_its_mail_is_under_way_is_withdrawn_if_that_came_to_nothing()
{
    let mut world = World::proxied().await;
    let ticket = |status: &str| {
        json!({
            "channel": "email", "meta": "None", "ext_interaction_id": "77",
            "customer_custom_id": "5", "employee_email": "paul@blancapeak.example",
            "customer_name": "Jane", "snooze_datetime": "None", "status": status, "language": "en",
            "tags": "[]", "customer_email": "g@customers.example",
        })
    };
    ses_answers(&world, InjectedReply::internal());
    let first = world.post("/v1/webhooks/gorgias", &ticket("closed")).await.id();
    world.settle().await;
    world.post("/v1/webhooks/gorgias", &ticket("open")).await;
    assert_eq!(world.outcome(&first).await, "sending", "too late, or not: nobody knows yet");
    world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::None);
    let claimed = world.now();
    world.advance(SignedDuration::from_mins(6));
    world.others_were_mailed(
        claimed.checked_sub(SignedDuration::from_mins(5)).unwrap(),
        world.now(),
    );
    world.advance(SignedDuration::from_mins(5));
    minutes(&mut world, 1).await;
    world.advance(SignedDuration::from_mins(60));
    minutes(&mut world, 2).await;
    assert_eq!(world.outcome(&first).await, "not_sent: reopened");
    assert!(world.mails_to("g@customers.example").is_empty());
    let second = world.post("/v1/webhooks/gorgias", &ticket("closed")).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&second).await, "delivered", "the next close counts anew");
}

#[tokio::test]
async fn mail_and_page_speak_the_same_language() {
    for (rows, default, wanted, lang) in [
        (vec!["en-GB"], "de", "en-gb", "en"),
        (vec![], "fr-CA", "ja", "fr"),
        (vec!["da"], "de", "da", "de"),
        (vec!["pt-BR"], "en", "pt_PT", "pt-BR"),
    ] {
        let mut world = World::new().await;
        for tag in ["en", "ja", "de", "fr", "pt-BR"] {
            world.configure("language", tag, json!({ "active": rows.contains(&tag) }));
        }
        for tag in rows {
            world.configure("language", tag, json!({}));
        }
        world.company(json!({ "default_language": default }));
        let mut body = request("1", "jane@customers.example");
        body["language"] = json!(wanted);
        world.post("/v1/requests", &body).await;
        world.settle().await;
        let mail = world.mails_to("jane@customers.example").remove(0);
        let marked = format!("lang=\"{lang}\"");
        assert!(mail.html.contains(&marked), "{wanted}");
        for kind in ["/s/", "/u/"] {
            let page = world.call("GET", &link(&mail, kind), &[], "").await.text;
            assert!(page.contains(&format!("<html {marked}")), "{wanted} {kind} {}", &page[..60]);
        }
    }
}

#[tokio::test]
async fn a_list_by_interaction_leaves_out_what_test_keys_sent_and_still_fills_its_pages() {
    let world = World::new().await;
    world.company(json!({ "dedupe_minutes": { "requests": 0 } }));
    for n in 0..9 {
        let key = if n % 3 == 0 { kit::LIVE } else { kit::TEST };
        world
            .post_as(key, "/v1/requests", &request("same", &format!("c{n}@customers.example")))
            .await;
        world.advance(SignedDuration::from_secs(1));
    }
    let page = world.get("/v1/requests?ext_interaction_id=same&limit=2").await.json();
    assert_eq!(page["requests"].as_array().unwrap().len(), 2);
    let rest = world
        .get(&format!(
            "/v1/requests?ext_interaction_id=same&limit=2&after={}",
            page["next"].as_str().unwrap()
        ))
        .await
        .json();
    assert_eq!((rest["requests"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
}
