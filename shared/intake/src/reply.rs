//! From a handler to a reply, in time.

use std::convert::Infallible;
use std::time::Duration;

use lambda_http::{Body, Response};
use normalize::Source;

use crate::problem::Problem;

/// A reply leaves before the least patient sender gives up, after five seconds (docs/facts.md,
/// Gorgias 3).
const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs a handler, and turns its problem into a reply: Lambda always gets a reply.
pub async fn respond(
    handler: impl Future<Output = Result<Response<Body>, Problem>>,
) -> Result<Response<Body>, Infallible> {
    Ok(handler.await.unwrap_or_else(|problem| problem.into_response(None)))
}

/// As [`respond`], to a call of this source that asks for a survey: what came of it is measured.
pub async fn respond_to(
    source: Source,
    handler: impl Future<Output = Result<Response<Body>, Problem>>,
) -> Result<Response<Body>, Infallible> {
    Ok(handler.await.unwrap_or_else(|problem| problem.into_response(Some(source))))
}

/// Gives up on work that takes longer than the sender waits. The lookup of the key is part of it.
///
/// # Errors
/// [`Problem::Late`].
pub async fn in_time<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or(Err(Problem::Late))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::StatusCode;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_too_long_is_answered_503_before_the_sender_gives_up() {
        let Ok(reply) = respond(in_time(std::future::pending())).await;
        assert_eq!(
            (reply.status(), reply.headers()["retry-after"].to_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, "30")
        );
    }
}
