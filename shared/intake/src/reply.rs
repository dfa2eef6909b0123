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

/// Bytes of rows in a reply, at most: Lambda's may have 6 MB, and some characters take more room in
/// them.
const LARGEST: usize = 4 * 1024 * 1024;

/// Bytes of rows after which nothing more is read for a reply: they may weigh far more than what is
/// shown of them, and take time and memory.
const LARGEST_READ: usize = 8 * 1024 * 1024;

/// The rows of one reply, for as long as there is room.
#[derive(Debug, Default)]
pub struct Room {
    rows: Vec<Value>,
    bytes: usize,
    read: usize,
}

impl Room {
    /// Whether the row fits, as the first one always does. It is in the reply then; else the reply
    /// is full.
    pub fn takes(&mut self, row: Value) -> bool {
        self.bytes += row.to_string().len();
        let fits = self.bytes <= LARGEST || self.rows.is_empty();
        if fits {
            self.rows.push(row);
        }
        fits
    }

    /// Notes that so many bytes of rows were read.
    pub fn has_read(&mut self, bytes: usize) {
        self.read += bytes;
    }

    /// Whether nothing more should be read for this reply.
    pub fn is_full(&self) -> bool {
        self.read >= LARGEST_READ || self.bytes >= LARGEST
    }

    /// The rows.
    pub fn into_rows(self) -> Vec<Value> {
        self.rows
    }
}

/// A reply comes before the most impatient sender gives up, who waits five seconds (docs/facts.md,
/// Gorgias 3).
const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs a handler: its reply, or its problem as a reply. What Lambda gets is always a reply.
pub async fn respond(
    handler: impl Future<Output = Result<Response<Body>, Problem>>,
) -> Result<Response<Body>, Infallible> {
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
        assert_eq!(
            (reply.status(), reply.headers()["retry-after"].to_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, "30")
        );
    }
}
