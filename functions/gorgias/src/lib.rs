//! `POST /v1/webhooks/gorgias`: a Gorgias HTTP integration, which fires at every update of a ticket.
//!
//! Whether the ticket is closed, open again or snoozed is read from the body (helpdesk facts 3.1); a hundred failures in a row switch the
//! integration off, so every refusal of ours is a 200.

use std::convert::Infallible;

use intake::{Delivery, Intake, Style, respond};
use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use normalize::Source;
use policy::Scope;

/// Answers one delivery.
pub async fn handle(intake: &Intake, request: Request, now: Timestamp) -> Result<Response<Body>, Infallible> {
    respond(async {
        let entered = intake.enter(&request, Scope::Send, now).await?;
        let delivery = Delivery { source: Source::Gorgias, id: None, parse: normalize::gorgias::parse, style: Style::Webhook };
        intake.accept(&entered, delivery, now).await
    })
    .await
}
