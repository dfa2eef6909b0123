//! `POST /v1/webhooks/gorgias`: a Gorgias HTTP integration, which fires at every update of a
//! ticket.
//!
//! Whether the ticket is closed, open again or snoozed is read from the body (docs/facts.md,
//! Gorgias 1); a hundred failures in a row switch the integration off (Gorgias 3), so every refusal
//! of ours is a 200.

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
    intake.webhook(&request, Source::Gorgias, normalize::gorgias::parse, now).await
}
