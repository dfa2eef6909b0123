//! Replies in JSON.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde_json::Value;

/// A JSON reply. No cache may keep it: it may hold a customer's name.
pub fn json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", lambda_http::http::HeaderValue::from_static(content_type));
    headers.insert("cache-control", lambda_http::http::HeaderValue::from_static("no-store"));
    response
}
