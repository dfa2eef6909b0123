//! What becomes of a request after a lookup that succeeded.

use links::SubjectSecret;
use normalize::Address;
use policy::{Mode, Reason, Status};
use serde_json::{Value, json};
use store::Interaction;

use crate::common::{App, assert_ended, fail, minute, start};
use fakes::gladly::FakeReply;

/// The request as the row keeps it.
fn details(row: &Interaction) -> Value {
    serde_json::to_value(&row.details).unwrap()
}

const PAUL: Option<&str> = Some("agent-paul");

#[tokio::test]
async fn a_closed_conversation_is_queued_like_a_request_of_another_source() {
    let app = App::new().await;
    let row = app.resolve("conversation-closed", "customer-jane", PAUL).await;
    assert_eq!(
        (row.status, row.reason, row.ready, row.attempts),
        (Status::Queued, None, Some(1), 0)
    );
    assert_eq!(row.wake_at, Some(minute(3)), "sweep wakes it, should its record be lost");
    assert_eq!(
        (row.channel.as_deref(), row.brand.as_deref(), row.language.as_deref()),
        (Some("chat"), None, Some("en"))
    );
    assert_eq!(row.employee.as_ref().and_then(|e| e.name.as_deref()), Some("Paul Peak"));
    assert_eq!(
        row.subject,
        Some(SubjectSecret::new("test").of_address("jane.roe@customers.example"))
    );
    assert_eq!(
        details(&row),
        json!({
            "ext_interaction_id": "conversation-closed",
            "channel": "chat",
            "customer": {
                "name": "Jane Roe",
                "email": "jane.roe@customers.example",
                "custom_id": "crm-customer-jane",
            },
            "employee": { "email": "paul@blancapeak.example" },
            "do_not_send": false,
            "language": "en",
        })
    );
    assert_eq!(app.gladly.calls().len(), 5, "conversation, items, customer, agent, topics");
    app.resolve("conversation-closed", "customer-jane", PAUL).await;
    assert_eq!(app.gladly.calls().len(), 9, "the topics are known by now");
}

#[tokio::test]
async fn a_topic_means_do_not_send() {
    let app = App::new().await;
    let row = app.resolve("conversation-do-not-send", "customer-jane", None).await;
    assert_ended(&row, Reason::DoNotSend);
    assert_eq!(details(&row)["do_not_send"], true);
    app.configure(&[
        json!({ "kind": "company", "id": "settings", "do_not_send_topic": "order RETURN" }),
    ])
    .await;
    let id = app.close("conversation-closed", "customer-jane", PAUL).await;
    assert_ended(&app.look_up(id, minute(1)).await, Reason::DoNotSend);
    app.configure(&[json!({ "kind": "company", "id": "settings", "do_not_send_topic": "" })]).await;
    let id = app.close("conversation-do-not-send", "customer-jane", PAUL).await;
    assert_eq!(app.look_up(id, minute(2)).await.status, Status::Queued);
}

#[tokio::test]
async fn a_new_topic_is_looked_up_and_an_unknown_one_means_nothing() {
    let app = App::new().await;
    app.resolve("conversation-closed", "customer-jane", PAUL).await;
    app.gladly.converse("conversation-new", "customer-jane", PAUL, "CLOSED", &["topic-unknown"]);
    let id = app.close("conversation-new", "customer-jane", PAUL).await;
    assert_eq!(app.look_up(id, minute(1)).await.status, Status::Queued);
    assert_eq!(app.calls("/api/v1/topics"), 2);
    app.gladly
        .set("/api/v1/topics", &json!([{ "id": "topic-unknown", "name": "Do_Not_Send_Stella" }]));
    let id = app.close("conversation-new", "customer-jane", PAUL).await;
    assert_ended(&app.look_up(id, minute(2)).await, Reason::DoNotSend);
}

#[tokio::test]
async fn a_merged_customer_is_followed_three_times() {
    let app = App::new().await;
    let row = app.resolve("conversation-merged", "customer-old", PAUL).await;
    assert_eq!(
        (row.status, row.customer_address().map(Address::as_mailbox).as_deref()),
        (Status::Queued, Some("omar@customers.example"))
    );
    let merge = |from: &str, into: &str| {
        app.gladly
            .answer(&format!("/api/v1/customer-profiles/{from}"), FakeReply::merged(from, into))
    };
    merge("a", "b");
    merge("b", "customer-old");
    let row = app.resolve("conversation-merged", "a", PAUL).await;
    assert_eq!(
        row.customer_address().map(Address::as_mailbox).as_deref(),
        Some("omar@customers.example"),
        "three merges"
    );
    merge("z", "a");
    assert_ended(&app.resolve("conversation-merged", "z", PAUL).await, Reason::NoEmail);
    merge("b", "a");
    assert_ended(&app.resolve("conversation-merged", "a", PAUL).await, Reason::NoEmail);
    merge("b", "../agents/agent-paul?x#y");
    assert_ended(&app.resolve("conversation-merged", "a", PAUL).await, Reason::NoEmail);
    assert_eq!(app.calls("/api/v1/customer-profiles/..%2Fagents%2Fagent-paul%3Fx%23y"), 1);
}

#[tokio::test]
async fn a_conversation_without_a_known_agent_gets_no_survey() {
    let app = App::new().await;
    assert_ended(
        &app.resolve("conversation-unassigned", "customer-omar", None).await,
        Reason::NoEmployee,
    );
    let row = app.resolve("conversation-closed", "customer-jane", Some("agent-gone")).await;
    assert_ended(&row, Reason::EmployeeNotFound);
    assert_eq!(
        details(&row)["employee"],
        json!({ "custom_id": "agent-gone" }),
        "what an admin has to look for"
    );
    app.configure(&[
        json!({ "kind": "employee_id", "id": "agent-mapped", "email": "paul@blancapeak.example" }),
    ])
    .await;
    assert_eq!(
        app.resolve("conversation-closed", "customer-jane", Some("agent-mapped")).await.status,
        Status::Queued
    );
}

#[tokio::test]
async fn the_customer_needs_an_address() {
    let app = App::new().await;
    let customer = |body| app.gladly.set("/api/v1/customer-profiles/customer-new", &body);
    assert_ended(&app.resolve("conversation-closed", "customer-gone", PAUL).await, Reason::NoEmail);
    customer(json!({ "id": "customer-new", "name": "New", "emails": [] }));
    assert_ended(&app.resolve("conversation-closed", "customer-new", PAUL).await, Reason::NoEmail);
    customer(json!({ "id": "customer-new", "name": 7, "emails": [{ "original": "at work" }] }));
    assert_ended(
        &app.resolve("conversation-closed", "customer-new", PAUL).await,
        Reason::InvalidCustomer,
    );
    customer(
        json!({ "id": "customer-new", "emails": [{ "normalized": "paul@blancapeak.example" }] }),
    );
    assert_ended(
        &app.resolve("conversation-closed", "customer-new", PAUL).await,
        Reason::SelfSurvey,
    );
}

#[tokio::test]
async fn a_thousand_items_make_one_channel() {
    let app = App::new().await;
    let items = |kind: &str| {
        let item = |n| {
            let kind = if n % 3 == 0 { "CHAT_MESSAGE" } else { kind };
            json!({
                "id": n,
                "timestamp": "2026-11-21T08:30:00Z",
                "content": { "type": kind, "content": "x".repeat(2_000) },
            })
        };
        app.gladly.set(
            "/api/v1/conversations/conversation-closed/items",
            &json!((0..1_000).map(item).collect::<Vec<_>>()),
        );
    };
    items("EMAIL");
    let row = app.resolve("conversation-closed", "customer-jane", PAUL).await;
    assert_eq!((row.status, row.channel.as_deref()), (Status::Queued, Some("email")));
    items("VOICEMAIL");
    let row = app.resolve("conversation-closed", "customer-jane", PAUL).await;
    assert_ended(&row, Reason::ChannelNotEnabled);
    assert_eq!(row.channel.as_deref(), Some("phone"));
    app.gladly.set("/api/v1/conversations/conversation-closed/items", &json!([]));
    assert_ended(
        &app.resolve("conversation-closed", "customer-jane", PAUL).await,
        Reason::ChannelNotEnabled,
    );
}

#[tokio::test]
async fn a_request_of_a_test_key_ignores_manual_mode() {
    let app = App::new().await;
    app.configure(&[json!({ "kind": "channel", "id": "chat", "mode": "manual" })]).await;
    let test = app.close_in(Mode::Test, "conversation-closed", "customer-jane", PAUL).await;
    assert_eq!(app.look_up(test, start()).await.status, Status::Queued);
    assert_ended(
        &app.resolve("conversation-closed", "customer-jane", PAUL).await,
        Reason::ChannelManual,
    );
}

#[tokio::test]
async fn a_reopened_conversation_is_not_surveyed() {
    let app = App::new().await;
    assert_ended(
        &app.resolve("conversation-reopened", "customer-omar", PAUL).await,
        Reason::Reopened,
    );
    app.gladly.converse(
        "conversation-reopened",
        "customer-omar",
        PAUL,
        "WAITING",
        &["topic-unknown"],
    );
    assert_ended(
        &app.resolve("conversation-reopened", "customer-omar", PAUL).await,
        Reason::Reopened,
    );
    assert_eq!(app.calls("/api/v1/topics"), 0);
}

async fn delayed(minutes: u32) -> App {
    let app = App::new().await;
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": minutes }),
    ])
    .await;
    app
}

#[tokio::test]
async fn a_delayed_conversation_is_looked_up_again_and_then_queued() {
    let app = delayed(60).await;
    let id = app.close("conversation-closed", "customer-jane", PAUL).await;
    let row = app.look_up(id, minute(1)).await;
    assert_eq!((row.status, row.ready, row.subject), (Status::Unresolved, None, None));
    assert_eq!(
        (row.due_at, row.wake_at),
        (Some(minute(60)), Some(minute(60))),
        "it counts from receipt"
    );
    assert_eq!(app.sweep(minute(59)).await, 0);
    assert_eq!(app.sweep(minute(60)).await, 1);
    // The delay is longer by now, but no request is delayed twice.
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": 600 }),
    ])
    .await;
    let row = app.look_up(id, minute(60)).await;
    assert_eq!((row.status, row.ready, row.wake_at), (Status::Queued, Some(1), Some(minute(63))));
    assert_eq!(app.calls("/api/v1/conversations/conversation-closed"), 2);
}

#[tokio::test]
async fn a_conversation_that_is_reopened_during_the_delay_is_not_surveyed() {
    let app = delayed(60).await;
    let id = app.close("conversation-closed", "customer-jane", PAUL).await;
    app.look_up(id, start()).await;
    app.gladly.converse("conversation-closed", "customer-jane", PAUL, "OPEN", &[]);
    app.sweep(minute(60)).await;
    assert_ended(&app.look_up(id, minute(60)).await, Reason::Reopened);
}

#[tokio::test]
async fn a_delay_that_ends_while_lookups_fail_is_over() {
    let app = delayed(2).await;
    fail(&app, "/api/v1/agents/agent-paul", 500);
    let id = app.close("conversation-closed", "customer-jane", PAUL).await;
    assert_eq!(app.look_up(id, start()).await.due_at, None);
    app.gladly
        .set("/api/v1/agents/agent-paul", &json!({ "emailAddress": "Paul@BlancaPeak.example" }));
    assert_eq!(app.sweep(minute(2)).await, 1);
    assert_eq!(app.look_up(id, minute(2)).await.status, Status::Queued);
}
