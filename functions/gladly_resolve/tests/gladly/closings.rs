//! A conversation that is closed more than once while its survey is delayed: only the newest
//! closing asks for a survey.

use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::{Mode, Reason, RequestedVia, Status};
use serde_json::json;
use store::{Arrival, NewInteraction, RequestDetails, Resolution};
use uuid::Uuid;

use crate::common::{App, assert_ended, assert_waits, fail, minute, start};

const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A company whose chats have a delay of an hour.
async fn delayed() -> App {
    let app = App::new().await;
    app.configure(&[
        json!({ "kind": "channel", "id": "chat", "mode": "integrated", "delay_minutes": 60 }),
    ])
    .await;
    app
}

/// Closes the sample conversation, and looks it up for the first time.
async fn close(app: &App, mode: Mode, at: Timestamp) -> Uuid {
    let id = app
        .close_at(mode, "conversation-closed", "customer-jane", Some("agent-paul"), at, KEPT)
        .await;
    assert!(app.look_up(id, at).await.due_at.is_some());
    id
}

/// Sets when Gladly says that the sample conversation was closed last.
fn closed_at(app: &App, at: &str) {
    let body = json!({ "status": "CLOSED", "topicIds": ["topic-return"], "closedAt": at });
    app.gladly.set("/api/v1/conversations/conversation-closed", &body);
}

#[tokio::test]
async fn if_there_are_several_closings_in_one_delay_only_the_newest_asks() {
    let app = delayed().await;
    let first = close(&app, Mode::Live, start()).await;
    let second = close(&app, Mode::Live, minute(20)).await;
    let third = close(&app, Mode::Live, minute(40)).await;
    for (id, due) in [(first, 60), (second, 80)] {
        app.sweep(minute(due)).await;
        assert_ended(&app.look_up(id, minute(due)).await, Reason::Reopened);
    }
    app.sweep(minute(100)).await;
    assert_eq!(app.look_up(third, minute(100)).await.status, Status::Queued);
}

#[tokio::test]
async fn only_the_newest_closing_asks_even_if_lookups_failed_during_the_delay() {
    let app = delayed().await;
    fail(&app, "/api/v1/agents/agent-paul", 500);
    let mut ids = Vec::new();
    for at in [0, 30] {
        let id = app
            .close_at(
                Mode::Live,
                "conversation-closed",
                "customer-jane",
                Some("agent-paul"),
                minute(at),
                KEPT,
            )
            .await;
        assert_eq!(
            app.look_up(id, minute(at)).await.due_at,
            None,
            "the channel, and so its delay, is not known yet"
        );
        ids.push(id);
    }
    app.gladly
        .set("/api/v1/agents/agent-paul", &json!({ "emailAddress": "paul@blancapeak.example" }));
    app.sweep(minute(61)).await;
    assert_ended(&app.look_up(ids[0], minute(61)).await, Reason::Reopened);
    assert_eq!(app.look_up(ids[1], minute(61)).await.due_at, Some(minute(90)));
}

#[tokio::test]
async fn a_request_waits_for_the_event_of_a_newer_closing() {
    let app = delayed().await;
    let first = close(&app, Mode::Live, start()).await;
    // Reopened, and closed again half a minute before the first survey is due.
    closed_at(&app, "2026-11-21T09:59:30Z");
    app.sweep(minute(60)).await;
    assert_waits(&app.look_up(first, minute(60)).await, minute(60), 570, 570);
    let second = close(&app, Mode::Live, minute(61)).await;
    app.sweep(minute(70)).await;
    assert_ended(&app.look_up(first, minute(70)).await, Reason::Reopened);
    app.sweep(minute(121)).await;
    assert_eq!(app.look_up(second, minute(121)).await.status, Status::Queued);
}

#[tokio::test]
async fn if_the_event_of_a_newer_closing_never_comes_the_older_request_asks() {
    let app = delayed().await;
    let id = close(&app, Mode::Live, start()).await;
    closed_at(&app, "2026-11-21T09:59:30Z");
    app.sweep(minute(60)).await;
    assert_eq!(app.look_up(id, minute(60)).await.status, Status::Unresolved);
    app.sweep(minute(70)).await;
    assert_eq!(app.look_up(id, minute(70)).await.status, Status::Queued);
}

#[tokio::test]
async fn an_impossible_time_of_closing_or_the_requests_own_delays_nothing() {
    for at in [
        "2026-11-21T09:00:45Z",
        "2026-11-21T09:30:00Z",
        "2026-11-21T10:05:00Z",
        "2099-01-01T00:00:00Z",
        "yesterday",
    ] {
        let app = delayed().await;
        let id = close(&app, Mode::Live, start()).await;
        closed_at(&app, at);
        app.sweep(minute(60)).await;
        assert_eq!(app.look_up(id, minute(60)).await.status, Status::Queued, "{at}");
    }
}

#[tokio::test]
async fn a_request_of_another_mode_or_source_is_not_a_newer_closing() {
    let app = delayed().await;
    let live = close(&app, Mode::Live, start()).await;
    close(&app, Mode::Test, minute(1)).await;
    let foreign = NewInteraction {
        mode: Mode::Live,
        key: "0".repeat(64),
        requested_via: RequestedVia::Api,
        source: Source::Requests,
        arrival: Arrival::Decided(Box::new(Resolution::Refused {
            reason: Reason::NoEmail,
            details: RequestDetails::default(),
            subject: None,
        })),
        due: minute(2),
        ext_interaction_id: Some("conversation-closed".to_owned()),
        body: None,
        more_tags: None,
        marker: None,
        retention: KEPT,
    };
    app.resolver.store.record(&foreign.into_row(minute(2)), &[], minute(2)).await.unwrap();
    app.sweep(minute(60)).await;
    assert_eq!(app.look_up(live, minute(60)).await.status, Status::Queued);
}
