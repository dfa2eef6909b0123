//! From a page's HTML to a reply, and the page that says one thing.

use std::fmt;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde_json::json;
use sha2::{Digest, Sha256};

/// The one stylesheet, inlined in every page; its hash stands in the `Content-Security-Policy`.
const STYLE: &str = include_str!("../templates/admin.css");

/// Writes the stylesheet into a template.
#[derive(Clone, Copy)]
pub(crate) struct Style;

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STYLE)
    }
}

/// What a visit is answered with.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// A page, with every header that it needs.
    pub(crate) fn html(status: u16, html: String) -> Self {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src https: data:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'"
        );
        let reply = Self { status, body: html, headers: Vec::new() };
        reply
            .with("content-type", "text/html; charset=utf-8")
            .with("content-security-policy", policy)
    }

    /// A mail in a frame of ours: it may show styles and pictures, and nothing else.
    pub(crate) fn framed(html: String) -> Self {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; \
                      sandbox; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";
        let reply = Self { status: 200, body: html, headers: Vec::new() };
        reply
            .with("content-type", "text/html; charset=utf-8")
            .with("content-security-policy", policy)
            .with("x-frame-options", "SAMEORIGIN")
    }

    /// 303 to a path of ours.
    pub(crate) fn see_other(path: &str) -> Self {
        let reply = Self { status: 303, body: String::new(), headers: Vec::new() };
        reply.with("location", path)
    }

    /// A problem document (RFC 9457).
    pub(crate) fn problem(status: u16, detail: &str) -> Self {
        let body = json!({ "type": "about:blank", "status": status, "detail": detail }).to_string();
        let reply = Self { status, body, headers: Vec::new() };
        reply.with("content-type", "application/problem+json")
    }

    /// A file to be saved under this name.
    pub(crate) fn download(name: &str, content_type: &str, body: String) -> Self {
        let reply = Self { status: 200, body, headers: Vec::new() };
        reply
            .with("content-type", content_type)
            .with("content-disposition", format!("attachment; filename=\"{name}\""))
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let everywhere = [
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ];
        let mut response = Response::new(Body::Text(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let all = everywhere.map(|(name, value)| (name, value.to_owned())).into_iter();
        for (name, value) in all.chain(self.headers) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// A page that says one thing: an error.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    style: Style,
    title: &'a str,
    text: &'a str,
}

/// A sentence for a visitor who may not be signed in.
pub(crate) struct Message {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Message {
    pub(crate) fn page(self) -> Reply {
        let title = match self.status {
            401 => "Sign in",
            403 => "Not allowed",
            404 => "No such page",
            413 => "Too large",
            400..500 => "Not understood",
            _ => "Trouble",
        };
        match (MessagePage { style: Style, title, text: &self.text }).render() {
            Ok(html) => Reply::html(self.status, html),
            Err(_) => Reply::problem(self.status, &self.text),
        }
    }
}
