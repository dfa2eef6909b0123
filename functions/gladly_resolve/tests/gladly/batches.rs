//! Batches of the stream: records that are repeated, late or cannot be read.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use policy::{Mode, Status};
use serde_json::{Value, json};

use crate::common::{App, TOKEN, assert_waits, aws, minute, record, resolver, start, store};
use fakes::gladly::FakeReply;

const NO_FAILURES: &str = r#"{"batchItemFailures":[]}"#;

async fn handle(app: &App, records: Vec<Value>, now: jiff::Timestamp) -> String {
    app.resolver.handle(&json!({ "Records": records }), now).await.to_string()
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_reported_and_the_others_are_handled() {
    let app = App::new().await;
    let mut ids = Vec::new();
    let mut records = Vec::new();
    for n in 0..8 {
        let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
        records.push(record(&format!("good-{n}"), app.image(id).await.unwrap()));
        ids.push(id);
    }
    let mut unreadable = app.image(ids[0]).await.unwrap();
    unreadable.insert("created_at".into(), json!({ "S": "yesterday" }));
    records.insert(3, record("bad-1", unreadable));
    records.insert(6, record("bad-2", Default::default()));
    records.push(json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": "gone" } }));
    let failures = handle(&app, records, start()).await;
    assert_eq!(
        failures,
        r#"{"batchItemFailures":[{"itemIdentifier":"bad-1"},{"itemIdentifier":"bad-2"}]}"#
    );
    for id in ids {
        assert_eq!(app.row(id).await.status, Status::Queued);
    }
    assert_eq!(app.calls("/api/v1/topics"), 1, "the rows of a batch share the list");
}

#[tokio::test]
async fn a_list_of_topics_that_fails_is_asked_for_once_per_batch() {
    let app = App::new().await;
    crate::common::fail(&app, "/api/v1/topics", 500);
    let mut records = Vec::new();
    for n in 0..5 {
        let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
        records.push(record(&n.to_string(), app.image(id).await.unwrap()));
    }
    assert_eq!(handle(&app, records, start()).await, NO_FAILURES);
    assert_eq!(app.calls("/api/v1/topics"), 1);
}

#[tokio::test]
async fn a_repeated_record_changes_nothing() {
    let app = App::new().await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    let first = record("1", app.image(id).await.unwrap());
    assert_eq!(handle(&app, vec![first.clone(), first.clone()], start()).await, NO_FAILURES);
    let resolved = app.row(id).await;
    assert_eq!(resolved.status, Status::Queued);
    // A second lookup would refuse the request.
    app.gladly.converse("conversation-closed", "customer-jane", None, "OPEN", &[]);
    assert_eq!(handle(&app, vec![first], minute(10)).await, NO_FAILURES);
    assert_eq!(app.row(id).await, resolved);
}

#[tokio::test]
async fn a_repeated_record_does_not_end_the_wait_for_the_next_lookup() {
    let app = App::new().await;
    let throttled = FakeReply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    app.gladly.answer(
        "/api/v1/conversations/conversation-closed",
        throttled.with_header(RETRY_AFTER, HeaderValue::from_static("600")),
    );
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    let first = record("1", app.image(id).await.unwrap());
    handle(&app, vec![first.clone()], start()).await;
    let waiting = app.row(id).await;
    assert_waits(&waiting, start(), 600, 600);
    handle(&app, vec![first], minute(1)).await;
    assert_eq!(app.row(id).await, waiting);
}

#[tokio::test]
async fn a_record_from_before_the_delay_does_not_end_it() {
    let app = App::new().await;
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": 60 }),
    ])
    .await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    let first = record("1", app.image(id).await.unwrap());
    handle(&app, vec![first.clone()], start()).await;
    let waiting = app.row(id).await;
    // An admin removes the delay from the channel, and the old record comes again: at once, and
    // after the row was made ready.
    app.configure(&[json!({ "kind": "channel", "id": "chat", "mode": "integrated" })]).await;
    handle(&app, vec![first.clone()], minute(1)).await;
    assert_eq!(app.row(id).await, waiting);
    app.sweep(minute(60)).await;
    let woken = app.row(id).await;
    handle(&app, vec![first], minute(60)).await;
    assert_eq!(app.row(id).await, woken);
    assert_eq!(app.look_up(id, minute(60)).await.status, Status::Queued);
}

#[tokio::test]
async fn a_row_that_is_made_ready_too_early_waits_until_it_is_due() {
    let app = App::new().await;
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": 60 }),
    ])
    .await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    app.look_up(id, start()).await;
    app.sweep(minute(60)).await;
    let row = app.look_up(id, minute(58)).await;
    assert_eq!((row.status, row.ready, row.wake_at), (Status::Unresolved, None, Some(minute(60))));
    assert_eq!(app.calls("/api/v1/conversations/conversation-closed"), 1);
}

#[tokio::test]
async fn an_erased_or_expired_row_is_not_written_again() {
    let app = App::new().await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    let late = record("1", app.image(id).await.unwrap());
    let key = aws_sdk_dynamodb::types::AttributeValue::S(id.to_string());
    app.dynamodb
        .delete_item()
        .table_name("interactions")
        .key("request_id", key)
        .send()
        .await
        .unwrap();
    assert_eq!(handle(&app, vec![late.clone()], start()).await, NO_FAILURES);
    assert!(app.image(id).await.is_none());
    let asked = app.gladly.calls().len();
    assert_eq!(handle(&app, vec![late], minute(91 * 24 * 60)).await, NO_FAILURES);
    assert_eq!(app.gladly.calls().len(), asked);
}

#[tokio::test]
async fn a_row_that_cannot_be_written_is_reported_as_failed() {
    let mut app = App::new().await;
    let id =
        app.close_in(Mode::Test, "conversation-closed", "customer-jane", Some("agent-paul")).await;
    let row = record("7", app.image(id).await.unwrap());
    let port =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    app.resolver = resolver(store(&aws(&format!("http://127.0.0.1:{port}")).await), TOKEN);
    assert_eq!(
        handle(&app, vec![row], start()).await,
        r#"{"batchItemFailures":[{"itemIdentifier":"7"}]}"#
    );
}
