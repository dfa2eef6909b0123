//! Replies.

use std::convert::Infallible;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde_json::Value;

use crate::Problem;

/// A JSON reply. Nothing of it may be kept by a cache: it may hold a customer's name.
pub fn json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", lambda_http::http::HeaderValue::from_static(content_type));
    headers.insert("cache-control", lambda_http::http::HeaderValue::from_static("no-store"));
    response
}

/// Runs a handler: its reply, or its problem as a reply. What Lambda gets is always a reply.
pub async fn respond(handler: impl Future<Output = Result<Response<Body>, Problem>>) -> Result<Response<Body>, Infallible> {
    Ok(handler.await.unwrap_or_else(Problem::into_response))
}
