//! Whose name and address a mail has, and what becomes of it when the configuration or SES says
//! that an address is none.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use fakes::mailbox::Message;
use jiff::SignedDuration;
use kit::{World, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

/// Lets everybody read the configuration anew, and some minutes pass.
async fn minutes(world: &mut World, minutes: i64) {
    for _ in 0..minutes {
        world.advance(SignedDuration::from_mins(1));
        world.sweep().await;
        world.settle().await;
    }
}

/// The mail of a request with this brand; without brands, of the company.
async fn mail(company: Value, brand: Option<Value>) -> Message {
    let mut world = World::new().await;
    world.company(company);
    world.configure(
        "brand",
        "blancakids",
        brand.clone().unwrap_or_else(|| json!({ "active": false })),
    );
    let mut body = request("1", "jane@customers.example");
    body["brand"] = json!(brand.map(|_| "blancakids"));
    world.post("/v1/requests", &body).await;
    world.settle().await;
    world.mails_to("jane@customers.example").remove(0)
}

#[tokio::test]
async fn a_brand_without_a_sender_of_its_own_sends_under_its_own_name() {
    let peak = || json!({ "from": "\"Blanca Peak\" <survey@blancapeak.example>" });
    for (brand, from) in [
        (None, "\"Blanca Peak\" <survey@blancapeak.example>"),
        (Some(json!({ "name": "Blanca Kids" })), "\"Blanca Kids\" <survey@blancapeak.example>"),
        (
            Some(json!({ "name": "Blanca Kids", "from": "hi@kids.example" })),
            "\"Blanca Kids\" <hi@kids.example>",
        ),
        (
            Some(json!({ "name": "Blanca Kids", "from": "Kids Team <hi@kids.example>" })),
            "\"Kids Team\" <hi@kids.example>",
        ),
    ] {
        assert_eq!(mail(peak(), brand).await.from, from);
    }
}

#[tokio::test]
async fn replies_go_to_a_mailbox_that_may_have_a_name() {
    for (written, reply_to) in [
        ("support@blancapeak.example", "support@blancapeak.example"),
        ("<support@blancapeak.example>", "support@blancapeak.example"),
        (
            "Blanca Support <support@blancapeak.example>",
            "\"Blanca Support\" <support@blancapeak.example>",
        ),
        (
            "\"Käse\" <mailto:support@blancapeak.example>;",
            "=?UTF-8?B?S8Okc2U=?= <support@blancapeak.example>",
        ),
    ] {
        for (company, brand) in
            [(written, json!({})), ("other@blancapeak.example", json!({ "reply_to": written }))]
        {
            let mail = mail(json!({ "reply_to": company }), Some(brand)).await;
            assert_eq!(mail.headers["Reply-To"], reply_to, "{written}");
            let unsubscribe = &mail.headers["List-Unsubscribe"];
            assert!(unsubscribe.starts_with("<http"), "{unsubscribe}");
            assert!(
                unsubscribe.contains(
                    ">, <mailto:support@blancapeak.example?subject=unsubscribe&body=http"
                ),
                "{unsubscribe}"
            );
            assert!(!unsubscribe.contains("jane"), "{unsubscribe}");
        }
    }
}

#[tokio::test]
async fn two_addresses_hold_the_mail_until_one_is_left() {
    let mut world = World::new().await;
    world.company(json!({ "reply_to": "a@blancapeak.example, b@blancapeak.example" }));
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    minutes(&mut world, 3).await;
    assert_eq!(world.outcome(&id).await, "queued");
    world.company(json!({ "reply_to": "a@blancapeak.example" }));
    minutes(&mut world, 5).await;
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn a_misspelled_switch_stops_a_channel_rather_than_leaving_it_on() {
    let mut world = World::new().await;
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.configure("channel", "email", json!({ "mode": "integrated", "enabld": false }));
    world.advance(SignedDuration::from_secs(31));
    minutes(&mut world, 3).await;
    assert_eq!(
        world.outcome(&id).await,
        "queued",
        "let in before, it waits until the name is mended"
    );
    let refused = world.post("/v1/requests", &request("2", "joe@customers.example")).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("channel_not_enabled")));
    world.configure("channel", "email", json!({ "mode": "integrated", "enabled": true }));
    minutes(&mut world, 5).await;
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn an_employee_whose_name_has_no_end_is_in_no_request() {
    let world = World::new().await;
    world.configure(
        "employee",
        "paul@blancapeak.example",
        json!({ "name": "P".repeat(300_000), "status": "approved" }),
    );
    let refused = world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (400, &json!("employee_profile_incomplete"))
    );
    assert!(world.rows()[0].to_string().len() < 5_000);
}

#[tokio::test]
async fn only_what_ses_says_of_the_recipient_ends_the_request_as_rejected() {
    for (message, outcome) in [
        ("Illegal address", "failed: send_attempts"),
        ("Domain contains illegal character: blancapeak.example", "failed: send_attempts"),
        ("Illegal address: <jane@customers.example>", "not_sent: rejected"),
    ] {
        let mut world = World::proxied().await;
        world.company(json!({ "send_attempts": 2 }));
        let answer = InjectedReply::error(StatusCode::BAD_REQUEST, "BadRequestException", message);
        world.stack.proxies.as_ref().unwrap().ses.plan(move |_| Fault::Reply(answer.clone()));
        let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
        world.settle().await;
        minutes(&mut world, 30).await;
        assert_eq!(world.outcome(&id).await, outcome, "{message}");
    }
}
