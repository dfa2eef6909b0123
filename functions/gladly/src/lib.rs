//! `POST /v1/webhooks/gladly`: a Gladly webhook, which carries ids only.
//!
//! A closed conversation is recorded as `unresolved` and answered at once (Gladly waits 15 s, and after five failures switches the webhook
//! off, helpdesk facts 2.1); `gladly_resolve` asks who and how. The event id de-duplicates, and `PING` is answered once the key is good.

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
        let delivery = Delivery { source: Source::Gladly, id: None, parse: normalize::gladly::parse, style: Style::Webhook };
        intake.accept(&entered, delivery, now).await
    })
    .await
}
