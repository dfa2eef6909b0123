//! What an inbound function says of a delivery, and the reply to one that asks for nothing.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use normalize::{Ignored, Inbound, Malformed, Source};
use serde_json::json;

use crate::json_reply::json_reply;
use crate::measured::measured;

/// How a sender is told that a request is invalid for this company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 400 with the reason: the caller of an API reads it.
    Api,
    /// 200 with the reason in the body: a helpdesk disables a webhook that keeps failing.
    Webhook,
}

/// Reads a source's body.
pub type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

/// What a function knows of the delivery that it hands over.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Who sends.
    pub source: Source,
    /// The sender's own id of this delivery, the same in each repetition.
    pub id: Option<&'a str>,
    /// Reads the body.
    pub parse: Parse,
    /// How the sender is told of a refusal.
    pub style: Style,
}

/// The reply to a delivery that asks for nothing.
pub(crate) fn ignored(source: Source, why: &Ignored) -> Response<Body> {
    let measured = measured(source, "ignored");
    tracing::info!(reason = why.code(), metrics = %measured, "nothing to do");
    let body = json!({ "status": "ignored", "reason": why.code(), "detail": why.sentence() });
    json_reply(StatusCode::OK, "application/json", &body)
}
