//! Failed lookups, by Gladly's, the network's or an admin's fault: the request waits, and the batch
//! does not fail.

use std::time::Duration;

use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use gladly_resolve::{AllowedHosts, Gladly};
use jiff::SignedDuration;
use policy::{Mode, Reason, Status};
use serde_json::json;
use store::Interaction;
use tokio::net::TcpListener;

use crate::common::{App, TOKEN, assert_ended, assert_waits, fail, minute, resolver, start};
use fakes::gladly::FakeReply;

const CONVERSATION: &str = "/api/v1/conversations/conversation-closed";
const ITEMS: &str = "/api/v1/conversations/conversation-closed/items";
const CUSTOMER: &str = "/api/v1/customer-profiles/customer-jane";
const AGENT: &str = "/api/v1/agents/agent-paul";
const TOPICS: &str = "/api/v1/topics";
/// The wait before the next lookup while the configuration is wrong, in seconds.
const MISCONFIGURED_WAIT: i64 = 300;

async fn resolve(app: &App) -> Interaction {
    app.resolve("conversation-closed", "customer-jane", Some("agent-paul")).await
}

#[tokio::test]
async fn a_throttled_request_waits_as_long_as_the_headers_say() {
    let app = App::new().await;
    let throttled = FakeReply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    app.gladly.answer(
        CONVERSATION,
        throttled.clone().with_header(RETRY_AFTER, HeaderValue::from_static("120")),
    );
    let row = resolve(&app).await;
    assert_waits(&row, start(), 120, 120);
    assert_eq!(row.attempts, 1);
    let reset = HeaderName::from_static("ratelimit-reset");
    app.gladly.answer(
        CONVERSATION,
        throttled.clone().with_header(reset, HeaderValue::from_static("300")),
    );
    assert_waits(&resolve(&app).await, start(), 300, 300);
    let remaining = HeaderName::from_static("ratelimit-remaining-second");
    app.gladly
        .answer(CONVERSATION, throttled.with_header(remaining, HeaderValue::from_static("0")));
    assert_waits(&resolve(&app).await, start(), 1, 30);
}

#[tokio::test]
async fn a_failed_lookup_is_retried_with_backoff_until_it_succeeds() {
    let app = App::new().await;
    fail(&app, CUSTOMER, 503);
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    for attempt in 1..=3 {
        let now = minute(60 * i64::from(attempt));
        let row = app.look_up(id, now).await;
        assert_waits(&row, now, 1, 30 << (attempt - 1));
        assert_eq!(row.attempts, attempt);
        assert_eq!(app.sweep(now).await, 0);
        assert_eq!(app.sweep(minute(60 * i64::from(attempt) + 59)).await, 1);
    }
    app.gladly.set(
        CUSTOMER,
        &json!({ "name": "Jane", "emails": [{ "original": "jane@customers.example" }] }),
    );
    let row = app.look_up(id, minute(240)).await;
    assert_eq!((row.status, row.attempts), (Status::Queued, 0), "attempts to send count anew");
}

#[tokio::test]
async fn a_failure_of_any_resource_is_retried() {
    let bad_replies = [
        FakeReply::error(StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        FakeReply::error(StatusCode::BAD_GATEWAY, "oops"),
        FakeReply::raw(b"<html>Maintenance</html>".to_vec()),
        FakeReply::raw(b"\"text\"".to_vec()),
        FakeReply::raw(Vec::new()),
    ];
    for path in [CONVERSATION, ITEMS, CUSTOMER, AGENT, TOPICS] {
        let app = App::new().await;
        for (n, answer) in (0..).zip(&bad_replies) {
            app.gladly.answer(path, answer.clone());
            let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
            assert_waits(&app.look_up(id, minute(n)).await, minute(n), 1, 30);
        }
    }
}

#[tokio::test]
async fn a_conversation_that_gladly_does_not_know_is_retried() {
    let app = App::new().await;
    assert_waits(
        &app.resolve("conversation-elsewhere", "customer-jane", Some("agent-paul")).await,
        start(),
        1,
        30,
    );
}

#[tokio::test]
async fn the_last_list_of_topics_is_used_while_a_new_one_cannot_be_read() {
    let app = App::new().await;
    resolve(&app).await;
    fail(&app, TOPICS, 500);
    let id = app.close("conversation-do-not-send", "customer-jane", None).await;
    assert_ended(&app.look_up(id, minute(60)).await, Reason::DoNotSend);
    assert_eq!(app.calls(TOPICS), 2);
}

#[tokio::test]
async fn a_conversation_without_topics_needs_no_list() {
    let app = App::new().await;
    fail(&app, TOPICS, 500);
    let row = app.resolve("conversation-merged", "customer-jane", Some("agent-paul")).await;
    assert_eq!((row.status, app.calls(TOPICS)), (Status::Queued, 0));
}

#[tokio::test]
async fn a_call_without_a_response_times_out() {
    let mut app = App::new().await;
    app.resolver.gladly = Gladly::new(TOKEN, AllowedHosts::new("127.0.0.1"))
        .unwrap()
        .with_timeout(Duration::from_millis(100));
    app.gladly.answer(ITEMS, FakeReply::hang());
    assert_waits(&resolve(&app).await, start(), 1, 30);
}

#[tokio::test]
async fn a_response_of_more_than_8_mib_is_not_read() {
    let app = App::new().await;
    app.gladly.answer(ITEMS, FakeReply::raw(vec![b' '; 9 * 1024 * 1024]));
    assert_waits(&resolve(&app).await, start(), 1, 30);
}

#[tokio::test]
async fn an_unreachable_host_is_retried_for_48_hours() {
    let app = App::new().await;
    // The port was bound and is closed again, so that nothing listens there.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let base_url = format!("http://127.0.0.1:{port}");
    app.configure(&[crate::common::integration(&base_url, "api@blancapeak.example")]).await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    assert_waits(&app.look_up(id, start()).await, start(), 1, 30);
    app.sweep(minute(48 * 60 - 1)).await;
    assert_eq!(app.look_up(id, minute(48 * 60 - 1)).await.status, Status::Unresolved);
    app.sweep(minute(50 * 60)).await;
    assert_ended(&app.look_up(id, minute(50 * 60)).await, Reason::SourceUnreachable);
}

#[tokio::test]
async fn the_48_hours_begin_at_the_end_of_the_delay() {
    let app = App::new().await;
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": 4_320 }),
    ])
    .await;
    let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
    app.look_up(id, start()).await;
    fail(&app, AGENT, 500);
    let due = minute(4_320);
    app.sweep(due).await;
    let row = app.look_up(id, due).await;
    assert_waits(&row, due, 1, 30);
    assert_eq!(row.due_at, Some(due), "the next lookup is still the last one");
}

#[tokio::test]
async fn a_wrong_configuration_is_retried_every_five_minutes() {
    let app = App::new().await;
    for (n, item) in [
        crate::common::integration("https://gladly.attacker.example", "api@blancapeak.example"),
        crate::common::integration(
            &app.base_url.replace("127.0.0.1", "localhost"),
            "api@blancapeak.example",
        ),
        json!({ "base_url": app.base_url, "agent_email": " " }),
        json!({ "base_url": [app.base_url], "agent_email": "api@blancapeak.example" }),
        json!({ "agent_email": "api@blancapeak.example" }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut item = item;
        (item["kind"], item["id"]) = (json!("integration"), json!("gladly"));
        app.configure(&[item]).await;
        let now = minute(n as i64 + 1);
        let id = app.close("conversation-closed", "customer-jane", Some("agent-paul")).await;
        let row = app.look_up(id, now).await;
        assert_waits(&row, now, MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
        assert_eq!(row.attempts, 0);
    }
    assert_eq!(app.gladly.calls().len(), 0, "the token was sent to no host");
}

#[tokio::test]
async fn refused_credentials_are_retried_every_five_minutes() {
    let mut app = App::new().await;
    fail(&app, CONVERSATION, 401);
    assert_waits(&resolve(&app).await, start(), MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
    fail(&app, CONVERSATION, 403);
    assert_waits(&resolve(&app).await, start(), MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
    app.resolver = resolver(app.resolver.store.clone(), " ");
    assert_waits(&resolve(&app).await, start(), MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let app = App::new().await;
    let elsewhere = HeaderValue::from_static("/api/v1/elsewhere");
    app.gladly.answer(
        CONVERSATION,
        FakeReply::error(StatusCode::FOUND, "found").with_header(LOCATION, elsewhere.clone()),
    );
    assert_waits(&resolve(&app).await, start(), MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
    let gone =
        FakeReply::error(StatusCode::MOVED_PERMANENTLY, "moved").with_header(LOCATION, elsewhere);
    app.gladly.answer(CONVERSATION, gone.clone());
    app.gladly.answer(CUSTOMER, gone);
    assert_waits(&resolve(&app).await, start(), 1, 30);
    assert_eq!(app.calls("/api/v1/elsewhere"), 0);
}

#[tokio::test]
async fn nothing_is_decided_while_a_company_setting_cannot_be_understood() {
    let app = App::new().await;
    app.configure(&[json!({ "kind": "company", "id": "settings", "do_not_send_topic": ["no"] })])
        .await;
    let row = resolve(&app).await;
    assert_waits(&row, start(), MISCONFIGURED_WAIT, MISCONFIGURED_WAIT);
    app.configure(&[json!({ "kind": "company", "id": "settings" })]).await;
    app.sweep(minute(5)).await;
    assert_eq!(app.look_up(row.request_id, minute(5)).await.status, Status::Queued);
}

#[tokio::test]
async fn a_request_whose_row_expires_before_the_next_lookup_fails_at_once() {
    let app = App::new().await;
    fail(&app, CUSTOMER, 503);
    let two_hours = SignedDuration::from_hours(2);
    let id = app
        .close_at(Mode::Live, "conversation-closed", "customer-jane", None, start(), two_hours)
        .await;
    assert_waits(&app.look_up(id, minute(100)).await, minute(100), 1, 30);
    app.sweep(minute(116)).await;
    assert_ended(&app.look_up(id, minute(116)).await, Reason::SourceUnreachable);
    let throttled = FakeReply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    app.gladly
        .answer(CUSTOMER, throttled.with_header(RETRY_AFTER, HeaderValue::from_static("3000")));
    let id = app
        .close_at(Mode::Live, "conversation-closed", "customer-jane", None, start(), two_hours)
        .await;
    assert_ended(&app.look_up(id, minute(90)).await, Reason::SourceUnreachable);
    fail(&app, CUSTOMER, 401);
    let id = app
        .close_at(Mode::Live, "conversation-closed", "customer-jane", None, start(), two_hours)
        .await;
    assert_ended(&app.look_up(id, minute(111)).await, Reason::SourceUnreachable);
}

#[tokio::test]
async fn an_id_from_outside_cannot_change_the_path_of_a_call() {
    let app = App::new().await;
    let longest = ["x".repeat(1_024), "/".repeat(1_024), "é".repeat(512)];
    let short = [
        "../agents/agent-paul",
        "a/../../topics",
        "..%2f..",
        "a%2fb",
        "%2e%2e",
        "a?b=c#d",
        "a\\b",
        "a;b",
        " ",
        "..",
        ".",
    ];
    for id in short.into_iter().chain(longest.iter().map(String::as_str)) {
        let before = app.gladly.calls().len();
        let row = app.resolve(id, id, Some(id)).await;
        assert_eq!(row.status, Status::Unresolved, "{id}");
        let calls = app.gladly.calls();
        assert_eq!(calls.len() == before, id.chars().all(|c| c == '.'), "{id}");
        for call in &calls[before..] {
            let segments: Vec<&str> = call.split('/').collect();
            let [_, "api", "v1", "conversations" | "customer-profiles" | "agents", own, rest @ ..] =
                segments.as_slice()
            else {
                panic!("{id}: {call}")
            };
            assert!(
                rest.is_empty() || (rest == ["items"] && segments[3] == "conversations"),
                "{id}: {call}"
            );
            assert!(
                own.chars().all(|c| c.is_ascii_alphanumeric() || "%.-_~".contains(c))
                    && !["", ".", ".."].contains(own),
                "{id}: {call}"
            );
        }
    }
}
