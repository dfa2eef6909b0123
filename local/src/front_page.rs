//! `GET /` of the API, which only the local stack has: what runs here, and calls to try.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use fakes::accept::wants_html;

use crate::template::Route;

/// Where the stack's endpoints are, and what the API serves.
#[derive(Clone, Debug)]
pub struct FrontPage {
    /// URL of the API.
    pub api: String,
    /// URL of the DynamoDB endpoint.
    pub dynamodb: String,
    /// URL of the mailbox.
    pub mail: String,
    /// A key that may do everything.
    pub key: &'static str,
    /// The key of the admin pages.
    pub admin_key: &'static str,
    /// The routes of `template.yaml`.
    pub routes: Vec<Route>,
}

#[derive(Template)]
#[template(path = "front_page.html")]
struct Page<'a> {
    stack: &'a FrontPage,
    request: &'static str,
}

#[derive(Template)]
#[template(path = "front_page.txt")]
struct Text<'a> {
    stack: &'a FrontPage,
    request: &'static str,
}

/// A request that the sample company accepts.
const REQUEST: &str = r#"{"channel": "email", "ext_interaction_id": "1",
  "customer": {"name": "Ada", "email": "ada@customers.example"},
  "employee": {"email": "paul@blancapeak.example"}}"#;

impl FrontPage {
    /// The page for a client that sent these headers: HTML for a browser, text for `curl`.
    pub(crate) fn reply(&self, headers: &HeaderMap) -> Response<Body> {
        let (kind, page) = if wants_html(headers) {
            ("text/html; charset=utf-8", Page { stack: self, request: REQUEST }.render())
        } else {
            ("text/plain; charset=utf-8", Text { stack: self, request: REQUEST }.render())
        };
        // A template fails only if a value cannot be written as text, and these all can.
        let mut response = Response::new(Body::from(page.unwrap_or_default()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}
