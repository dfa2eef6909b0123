//! SES v2: `POST /v2/email/outbound-emails`, with the mailbox behind it.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, extract::DefaultBodyLimit};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::mailbox::{Mailbox, Message};
use crate::ses_request::SendEmail;
use crate::{mailbox_pages, ses_events};

/// Largest body that SES takes, in bytes.
const MAX_BODY_BYTES: usize = 40 * 1024 * 1024;

/// The events that SES publishes, in the order in which they happened, each in the envelope of the
/// queue. A test may drop, repeat and reorder them.
pub type Events = UnboundedReceiver<Value>;

#[derive(Clone)]
struct Ses {
    mailbox: Mailbox,
    events: UnboundedSender<Value>,
}

/// The SES endpoint and the mailbox's pages as one router, and the events that SES publishes. As in
/// SES, a mail without a configuration set has no events.
pub fn router(mailbox: &Mailbox) -> (Router, Events) {
    let (events, receiver) = unbounded_channel();
    let ses = Ses { mailbox: mailbox.clone(), events };
    let endpoint = Router::new().route("/v2/email/outbound-emails", post(send)).with_state(ses);
    let router = endpoint
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .merge(mailbox_pages::router(mailbox.clone()));
    (router, receiver)
}

/// Serves [`router`]'s router on `listener`, for ever.
///
/// # Errors
/// As [`axum::serve()`] reports.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    axum::serve(listener, router).await
}

async fn send(State(ses): State<Ses>, body: Bytes) -> Response {
    let request: SendEmail = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(problem) if problem.is_data() => {
            return refused("BadRequestException", &problem.to_string());
        }
        Err(problem) => return refused("SerializationException", &problem.to_string()),
    };
    if let Some(problem) = request.problem() {
        return refused("BadRequestException", &problem);
    }
    let message = message(&request);
    let answer = Json(json!({"MessageId": message.id}));
    let events = request
        .configuration_set_name
        .as_deref()
        .map(|set| ses_events::events(&message, set))
        .unwrap_or_default();
    ses.mailbox.add(message);
    for event in events {
        // Fails if the receiver was dropped: then nobody needs the event.
        let _ = ses.events.send(event);
    }
    answer.into_response()
}

fn refused(name: &'static str, message: &str) -> Response {
    (StatusCode::BAD_REQUEST, [("x-amzn-errortype", name)], Json(json!({"message": message})))
        .into_response()
}

fn message(request: &SendEmail) -> Message {
    let simple = &request.content.simple;
    let id = format!("local-{}", uuid::Uuid::now_v7());
    let at = Timestamp::now();
    // SES replaces the caller's Date and Message-ID.
    let mut headers: BTreeMap<String, String> = simple
        .headers
        .iter()
        .filter(|header| {
            !["date", "message-id"].contains(&header.name.to_ascii_lowercase().as_str())
        })
        .map(|header| (header.name.clone(), header.value.clone()))
        .collect();
    let mut add = |name: &str, value: String| headers.insert(name.to_owned(), value);
    add("From", request.from_email_address.clone());
    add("To", request.destination.to_addresses.join(", "));
    if !request.reply_to_addresses.is_empty() {
        add("Reply-To", request.reply_to_addresses.join(", "));
    }
    add("Subject", simple.subject.data.clone());
    add("Date", at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    add("Message-ID", format!("<{id}@local.amazonses.com>"));
    add("MIME-Version", "1.0".to_owned());
    Message {
        id,
        at,
        from: request.from_email_address.clone(),
        to: request.destination.to_addresses.clone(),
        subject: simple.subject.data.clone(),
        html: simple.body.html.as_ref().map(|text| text.data.clone()).unwrap_or_default(),
        text: simple.body.text.as_ref().map(|text| text.data.clone()).unwrap_or_default(),
        headers,
        tags: request.email_tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect(),
    }
}

#[cfg(test)]
mod tests;
