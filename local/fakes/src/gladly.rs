//! A fake of Gladly: the resources of its REST API that `gladly_resolve` reads, with a small sample
//! organisation. Tests replace single replies.
//!
//! As in Gladly (developer.gladly.com): Basic auth; errors as `{"errors": …}`, an object for 404
//! and
//! an array otherwise; a merged customer is a 301 with the new id in the body and no `Location`.
//! The
//! fake accepts any user and token that are not empty.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The reply to a path.
#[derive(Clone, Debug)]
pub struct FakeReply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    hangs: bool,
}

impl FakeReply {
    /// 200 with JSON.
    pub fn json(body: &Value) -> Self {
        Self::raw(body.to_string().into_bytes())
    }

    /// 200 with anything.
    pub fn raw(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body, hangs: false }
    }

    /// An error, in Gladly's shape.
    pub fn error(status: StatusCode, code: &str) -> Self {
        let error = json!({ "attr": "", "code": code, "detail": code });
        let errors = if status == StatusCode::NOT_FOUND { error } else { json!([error]) };
        Self { status, ..Self::json(&json!({ "errors": errors })) }
    }

    /// 301: the customer `old` was merged into `new`.
    pub fn merged(old: &str, new: &str) -> Self {
        let error = json!({ "attr": "customerId", "code": "moved",
            "detail": "customer id has changed", "meta": { "old": old, "new": new } });
        Self { status: StatusCode::MOVED_PERMANENTLY, ..Self::json(&json!({ "errors": [error] })) }
    }

    /// Reads the request and never replies.
    pub fn hang() -> Self {
        Self { hangs: true, ..Self::raw(Vec::new()) }
    }

    /// The same with another header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The organisation. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Gladly(Arc<Mutex<Organisation>>);

#[derive(Debug, Default)]
struct Organisation {
    answers: HashMap<String, FakeReply>,
    calls: Vec<String>,
}

impl Gladly {
    /// The organisation of the samples: conversations with an e-mail and two chat messages each.
    ///
    /// | conversation | customer | agent |
    /// |---|---|---|
    /// | `conversation-closed` | `customer-jane` | `agent-paul` |
    /// | `conversation-do-not-send` (topic `do_not_send_stella`) | `customer-jane` | `agent-paul` |
    /// | `conversation-merged` | `customer-old`, merged into `customer-omar` | `agent-paul` |
    /// | `conversation-unassigned` | `customer-omar` | – |
    /// | `conversation-reopened` (open) | `customer-omar` | `agent-paul` |
    pub fn sample() -> Self {
        let gladly = Self::default();
        gladly.set(
            "/api/v1/topics",
            &json!([
                { "id": "topic-return", "name": "Order Return", "disabled": false },
                { "id": "topic-do-not-send", "name": "do_not_send_stella", "disabled": false },
            ]),
        );
        gladly.set(
            "/api/v1/agents/agent-paul",
            &json!({ "id": "agent-paul", "name": "Paul Peak",
                "emailAddress": "paul@blancapeak.example" }),
        );
        gladly.set(
            "/api/v1/customer-profiles/customer-jane",
            &customer("customer-jane", "Jane Roe", "jane.roe@customers.example"),
        );
        gladly.set(
            "/api/v1/customer-profiles/customer-omar",
            &customer("customer-omar", "Omar Haddad", "omar@customers.example"),
        );
        gladly.answer(
            "/api/v1/customer-profiles/customer-old",
            FakeReply::merged("customer-old", "customer-omar"),
        );
        let agent = Some("agent-paul");
        gladly.converse("conversation-closed", "customer-jane", agent, "CLOSED", &["topic-return"]);
        gladly.converse(
            "conversation-do-not-send",
            "customer-jane",
            agent,
            "CLOSED",
            &["topic-return", "topic-do-not-send"],
        );
        gladly.converse("conversation-merged", "customer-old", agent, "CLOSED", &[]);
        gladly.converse("conversation-unassigned", "customer-omar", None, "CLOSED", &[]);
        gladly.converse("conversation-reopened", "customer-omar", agent, "OPEN", &[]);
        gladly
    }

    /// A conversation and its items, in place of any with that id.
    pub fn converse(
        &self,
        id: &str,
        customer: &str,
        agent: Option<&str>,
        status: &str,
        topics: &[&str],
    ) {
        let closed_at = (status == "CLOSED").then_some("2026-11-21T08:59:12Z");
        self.set(
            &format!("/api/v1/conversations/{id}"),
            &json!({
                "id": id, "customerId": customer, "agentId": agent, "inboxId": "inbox-main",
                "topicIds": topics,
                "createdAt": "2026-11-21T08:30:00Z", "closedAt": closed_at, "status": status,
            }),
        );
        let item = |minute: u8, content: Value| {
            json!({
                "id": format!("{id}-{minute}"), "conversationId": id, "customerId": customer,
                "timestamp": format!("2026-11-21T08:{minute}:00Z"), "initiator": { "id": customer,
                "type": "CUSTOMER" }, "content": content,
            })
        };
        self.set(
            &format!("/api/v1/conversations/{id}/items"),
            &json!([
                item(30, json!({ "type": "EMAIL", "subject": "My order" })),
                item(31, json!({ "type": "CONVERSATION_NOTE", "body": "called back" })),
                item(40, json!({ "type": "CHAT_MESSAGE", "body": "Hello?" })),
                item(41, json!({ "type": "CHAT_MESSAGE", "body": "Hello!" })),
            ]),
        );
    }

    /// Replies to a path with JSON from now on.
    pub fn set(&self, path: &str, body: &Value) {
        self.answer(path, FakeReply::json(body));
    }

    /// Sets the reply to a path.
    pub fn answer(&self, path: &str, answer: FakeReply) {
        self.lock().answers.insert(path.to_owned(), answer);
    }

    /// Paths of all requests since the start, in order.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// The API: everything under `/api/v1/`.
    pub fn router(&self) -> Router {
        Router::new().route("/api/v1/{*path}", get(answer)).with_state(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Organisation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn customer(id: &str, name: &str, email: &str) -> Value {
    json!({
        "id": id, "name": name, "image": null, "address": null, "phones": [],
        "customAttributes": {}, "createdAt": "2024-02-01T00:00:00Z",
        "emails": [{ "normalized": email, "original": email, "primary": true }],
        "externalCustomerId": format!("crm-{id}"),
    })
}

async fn answer(State(gladly): State<Gladly>, uri: Uri, headers: HeaderMap) -> Response {
    if !authenticated(&headers) {
        return FakeReply::error(StatusCode::UNAUTHORIZED, "unauthenticated").into_response();
    }
    let answer = {
        let mut organisation = gladly.lock();
        organisation.calls.push(uri.path().to_owned());
        organisation.answers.get(uri.path()).cloned()
    };
    match answer {
        Some(answer) if answer.hangs => std::future::pending().await,
        Some(answer) => answer.into_response(),
        None => FakeReply::error(StatusCode::NOT_FOUND, "not_exist").into_response(),
    }
}

impl IntoResponse for FakeReply {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Whether there are Basic credentials, none of them empty.
fn authenticated(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = value
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
    let credentials = credentials.and_then(|bytes| String::from_utf8(bytes).ok());
    credentials.is_some_and(|text| {
        text.split_once(':').is_some_and(|(user, token)| !user.is_empty() && !token.is_empty())
    })
}

/// Serves the organisation on `listener`, for ever.
///
/// # Errors
/// As [`axum::serve()`] reports.
pub async fn serve(listener: TcpListener, gladly: Gladly) -> std::io::Result<()> {
    axum::serve(listener, gladly.router()).await
}
