//! The mailbox over HTTP.
//!
//! | path | reply |
//! |---|---|
//! | `GET /` | what this port serves, and the mails, newest first: HTML, or text for `curl` |
//! | `GET /messages` | all mails as JSON, oldest first |
//! | `GET /messages/{id}` | a page with one mail: how it looks, its text, headers and tags |
//! | `GET /messages/{id}.html` | the mail's HTML part alone |
//! | `GET /messages/{id}.eml` | the mail in the format of RFC 5322 |

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::accept::wants_html;
use crate::mailbox::{Mailbox, Message};
use crate::mime;

/// A mail may open links in new windows. It may run no script and load nothing as our own pages.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; script-src 'none'";

#[derive(Template)]
#[template(path = "mailbox.html")]
struct ListPage {
    /// Newest first.
    messages: Vec<Message>,
}

#[derive(Template)]
#[template(path = "mailbox.txt")]
struct ListText {
    /// Newest first.
    messages: Vec<Message>,
    /// Where the client finds us: `host:port`.
    host: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    message: Message,
}

#[derive(Template)]
#[template(path = "no_mail.html")]
struct NoMailPage;

/// The routes of the mailbox.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/messages", get(async |State(mailbox): State<Mailbox>| Json(mailbox.messages())))
        .route("/messages/{name}", get(show))
        .with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Response {
    let mut messages = mailbox.messages();
    messages.reverse();
    if wants_html(&headers) {
        return page(StatusCode::OK, &ListPage { messages });
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("127.0.0.1:8025").to_owned();
    let text = ListText { messages, host }.render();
    text.map_or_else(failed, IntoResponse::into_response)
}

async fn show(State(mailbox): State<Mailbox>, Path(name): Path<String>) -> Response {
    let (id, format) = match name.rsplit_once('.') {
        Some((id, format @ ("eml" | "html"))) => (id, format),
        _ => (name.as_str(), ""),
    };
    let Some(message) = mailbox.message(id) else {
        return page(StatusCode::NOT_FOUND, &NoMailPage);
    };
    match format {
        "eml" => ([(header::CONTENT_TYPE, "message/rfc822")], mime::eml(&message)).into_response(),
        "html" => {
            let policy = [(header::CONTENT_SECURITY_POLICY, MAIL_POLICY)];
            (policy, Html(with_links_in_new_windows(&message.html))).into_response()
        }
        _ => page(StatusCode::OK, &MailPage { message }),
    }
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    template.render().map_or_else(failed, |html| (status, Html(html)).into_response())
}

fn failed(error: askama::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}

/// The HTML of a mail, changed so that its links open new windows, as they do from a mail program.
fn with_links_in_new_windows(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let lower = html.to_ascii_lowercase();
    let after_head =
        lower.find("<head").and_then(|start| Some(start + lower.get(start..)?.find('>')? + 1));
    match after_head.and_then(|at| html.split_at_checked(at)) {
        Some((before, after)) => format!("{before}{BASE}{after}"),
        None => format!("{BASE}{html}"),
    }
}
