//! `POST /v1/webhooks/freshdesk`: a Freshdesk automation rule says that a ticket was resolved or
//! closed.
//!
//! Freshdesk signs nothing and names no delivery (docs/facts.md, Freshdesk 1), so a ticket that is
//! resolved and, days later, closed is recognised by its own id.

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
    intake.webhook(&request, Source::Freshdesk, normalize::freshdesk::parse, now).await
}
