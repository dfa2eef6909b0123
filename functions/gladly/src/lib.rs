//! `POST /v1/webhooks/gladly`: a Gladly webhook, which carries ids only.
//!
//! A closed conversation is recorded as `unresolved` and answered at once (Gladly waits 15 s, and
//! after five failures switches the webhook off, docs/facts.md, Gladly 1); `gladly_resolve` asks
//! who and how. The event id de-duplicates, and `PING` is answered once the key is good.

use std::convert::Infallible;

use intake::Intake;
use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use normalize::Source;

/// Answers one delivery.
pub async fn handle(
    intake: &Intake,
    request: Request,
    now: Timestamp,
) -> Result<Response<Body>, Infallible> {
    intake.webhook(&request, Source::Gladly, normalize::gladly::parse, now).await
}
