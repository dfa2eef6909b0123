//! `POST /v1/webhooks/freshdesk`: a Freshdesk automation rule says that a ticket was resolved or closed.
//!
//! Freshdesk signs nothing and names no delivery (helpdesk facts 5), so a ticket that is resolved and, days later, closed is
//! recognised by its own id.

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
        let delivery = Delivery { source: Source::Freshdesk, id: None, parse: normalize::freshdesk::parse, style: Style::Webhook };
        intake.accept(&entered, delivery, now).await
    })
    .await
}
