//! Replies.

use std::convert::Infallible;
use std::time::Duration;

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

/// Bytes of rows in a reply, at most: Lambda's may have 6 MB, and some characters take more room in them.
const LARGEST: usize = 4 * 1024 * 1024;

/// As many of the rows as fit into a reply, but one at least; and whether that was all.
pub fn fitting(rows: impl IntoIterator<Item = Value>) -> (Vec<Value>, bool) {
    let (mut fit, mut size) = (Vec::new(), 0);
    for row in rows {
        size += row.to_string().len();
        if size > LARGEST && !fit.is_empty() {
            return (fit, false);
        }
        fit.push(row);
    }
    (fit, true)
}

/// A reply comes before the most impatient sender gives up, who waits five seconds (docs/facts.md, Gorgias 3).
const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs a handler: its reply, or its problem as a reply. What Lambda gets is always a reply.
pub async fn respond(handler: impl Future<Output = Result<Response<Body>, Problem>>) -> Result<Response<Body>, Infallible> {
    Ok(handler.await.unwrap_or_else(Problem::into_response))
}

/// Ends what takes longer than the sender of a request waits, its key's lookup included.
///
/// # Errors
/// [`Problem::Late`].
pub async fn in_time<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or(Err(Problem::Late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_answered_before_the_sender_gives_up() {
        let Ok(reply) = respond(in_time(std::future::pending())).await;
        assert_eq!((reply.status(), reply.headers()["retry-after"].to_str().unwrap()), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    }
}
