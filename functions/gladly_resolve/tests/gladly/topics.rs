//! Topics. One topic, by its name, means do-not-send, and a conversation names its topics by id
//! only. A topic that cannot be looked up never counts as "no".

use policy::{Reason, Status};
use serde_json::{Value, json};
use store::Interaction;

use crate::common::{App, assert_ended, assert_waits, fail, minute};
use fakes::gladly::FakeReply;

const TOPICS: &str = "/api/v1/topics";
const PAUL: Option<&str> = Some("agent-paul");

/// Closes a conversation with these topics, and looks it up in the minute `at`.
async fn look_up(app: &App, at: i64, topics: &[&str]) -> Interaction {
    app.gladly.converse("conversation-new", "customer-jane", PAUL, "CLOSED", topics);
    let id = app.close("conversation-new", "customer-jane", PAUL).await;
    app.look_up(id, minute(at)).await
}

fn list(app: &App, topics: &[(&str, &str)]) {
    let topics: Vec<Value> = topics
        .iter()
        .map(|(id, name)| json!({ "id": id, "name": name, "disabled": false }))
        .collect();
    app.gladly.set(TOPICS, &json!(topics));
}

#[tokio::test]
async fn an_unknown_topic_waits_while_the_list_cannot_be_read() {
    let app = App::new().await;
    assert_eq!(look_up(&app, 0, &["topic-return"]).await.status, Status::Queued);
    fail(&app, TOPICS, 500);
    assert_eq!(
        look_up(&app, 1, &["topic-return"]).await.status,
        Status::Queued,
        "the list is fresh, and has the topic"
    );
    let row = look_up(&app, 2, &["topic-new"]).await;
    assert_waits(&row, minute(2), 1, 30);
    list(&app, &[("topic-new", "do_not_send_stella")]);
    app.sweep(minute(3)).await;
    assert_ended(&app.look_up(row.request_id, minute(3)).await, Reason::DoNotSend);
}

#[tokio::test]
async fn an_old_list_may_say_yes_but_never_no() {
    let app = App::new().await;
    look_up(&app, 0, &["topic-return"]).await;
    fail(&app, TOPICS, 500);
    assert_eq!(look_up(&app, 4, &["topic-return"]).await.status, Status::Queued);
    assert_waits(&look_up(&app, 5, &["topic-return"]).await, minute(5), 1, 30);
    assert_ended(
        &look_up(&app, 6, &["topic-return", "topic-do-not-send"]).await,
        Reason::DoNotSend,
    );
}

#[tokio::test]
async fn a_renamed_topic_is_known_by_its_new_name_after_five_minutes_at_most() {
    let app = App::new().await;
    look_up(&app, 0, &["topic-return"]).await;
    list(&app, &[("topic-return", "Do_Not_Send_Stella"), ("topic-do-not-send", "Order Return")]);
    assert_ended(&look_up(&app, 4, &["topic-do-not-send"]).await, Reason::DoNotSend);
    assert_ended(&look_up(&app, 5, &["topic-return"]).await, Reason::DoNotSend);
    assert_eq!(look_up(&app, 6, &["topic-do-not-send"]).await.status, Status::Queued);
}

#[tokio::test]
async fn a_topic_that_even_a_new_list_lacks_is_asked_for_by_its_id() {
    let app = App::new().await;
    list(&app, &[]);
    let one = "/api/v1/topics/topic-far";
    assert_eq!(
        look_up(&app, 0, &["topic-far"]).await.status,
        Status::Queued,
        "404: there is no such topic"
    );
    assert_eq!(app.calls(one), 1);
    for trouble in [
        FakeReply::error(axum::http::StatusCode::BAD_GATEWAY, "oops"),
        FakeReply::raw(b"{}".to_vec()),
        FakeReply::merged("a", "b"),
    ] {
        app.gladly.answer(one, trouble);
        assert_waits(&look_up(&app, 1, &["topic-far"]).await, minute(1), 1, 30);
    }
    app.gladly
        .set(one, &json!({ "id": "topic-far", "name": "DO_NOT_SEND_STELLA", "disabled": true }));
    assert_ended(&look_up(&app, 2, &["topic-far"]).await, Reason::DoNotSend);
    app.gladly.set(one, &json!({ "id": "topic-far", "name": "Order Return" }));
    assert_eq!(look_up(&app, 3, &["topic-far"]).await.status, Status::Queued);
}

#[tokio::test]
async fn the_topics_of_another_account_are_not_used() {
    let app = App::new().await;
    look_up(&app, 0, &["topic-return"]).await;
    app.configure(&[crate::common::integration(&app.base_url, "other@blancapeak.example")]).await;
    fail(&app, TOPICS, 500);
    assert_waits(&look_up(&app, 1, &["topic-return"]).await, minute(1), 1, 30);
}

#[tokio::test]
async fn a_conversation_whose_topics_cannot_be_read_waits() {
    let app = App::new().await;
    for body in [
        json!({}),
        json!({ "status": "CLOSED", "topicIds": "topic-do-not-send" }),
        json!({ "topicIds": [] }),
    ] {
        app.gladly.set("/api/v1/conversations/conversation-closed", &body);
        assert_waits(
            &app.resolve("conversation-closed", "customer-jane", PAUL).await,
            minute(0),
            1,
            30,
        );
    }
}
