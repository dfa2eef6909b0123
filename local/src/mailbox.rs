//! The mailbox: every mail that SES accepted, for people, for scripts and for tests.
//!
//! `GET /` lists, `GET /messages/{id}` shows, `GET /messages/{id}.html` is the mail alone, `GET
//! /messages/{id}.eml` the mail as it travels, `GET /messages` all as JSON, oldest first. Mails are
//! in memory alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;

use crate::{mailbox_pages as pages, mime};

/// One mail as SES accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// SES's message id, unique.
    pub id: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// `From` as sent, which may hold an encoded display name.
    pub from: String,
    /// All recipients.
    pub to: Vec<String>,
    /// Subject as text.
    pub subject: String,
    /// HTML part; empty if there is none.
    pub html: String,
    /// Text part; empty if there is none.
    pub text: String,
    /// Headers as the mail carries them.
    pub headers: BTreeMap<String, String>,
    /// Message tags.
    pub tags: BTreeMap<String, String>,
}

/// All mails so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Message>>>);

impl Mailbox {
    /// All mails, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The mail with this id.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<Message> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|message| message.id == id)
            .cloned()
    }

    pub(crate) fn add(&self, message: Message) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}

pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route(
            "/",
            get(async |State(mailbox): State<Mailbox>| Html(pages::list(&mailbox.messages()))),
        )
        .route("/messages", get(async |State(mailbox): State<Mailbox>| Json(mailbox.messages())))
        .route("/messages/{name}", get(show))
        .with_state(mailbox)
}

async fn show(State(mailbox): State<Mailbox>, Path(name): Path<String>) -> Response {
    let (id, kind) = match name.rsplit_once('.') {
        Some((id, kind @ ("eml" | "html"))) => (id, kind),
        _ => (name.as_str(), ""),
    };
    let Some(message) = mailbox.message(id) else {
        return (StatusCode::NOT_FOUND, Html(pages::not_found())).into_response();
    };
    match kind {
        "eml" => ([(header::CONTENT_TYPE, "message/rfc822")], mime::eml(&message)).into_response(),
        "html" => {
            // The mail is foreign HTML on our origin: it may open links, and nothing else.
            let policy = "sandbox allow-popups allow-popups-to-escape-sandbox; script-src 'none'";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(pages::frame(&message)))
                .into_response()
        }
        _ => Html(pages::view(&message)).into_response(),
    }
}
