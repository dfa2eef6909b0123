//! The errors of the API: what the caller is told, and what the log is told.
//!
//! One type, mapped to HTTP in one place. The message for the caller names the place in its
//! request. The one for the log (`Display`) holds no body, no key and no address. Only the log
//! says what is wrong on our side.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use normalize::{Malformed, Source};
use policy::Reason;
use serde_json::{Map, Value, json};
use store::StoreError;

use crate::json_reply::json_reply;
use crate::measured::{measured, unavailable};

/// Seconds after which a sender may try again. Zendesk does so only if it is less than a minute
/// (docs/facts.md, Zendesk 2).
const RETRY_AFTER: &str = "30";

/// A request that gets an error.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// More than 256 KiB.
    #[error("body too large")]
    TooLarge,
    /// No key, an unknown or revoked one, or one without the scope. The text is for the caller.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// The body is broken or not understood.
    #[error("body not understood: {}", .0.code)]
    Malformed(Malformed),
    /// A query parameter is not understood: its name, and what it may be.
    #[error("query parameter {0} not understood")]
    Query(&'static str, &'static str),
    /// An `Idempotency-Key` that is too long, or has characters that are not printable ASCII.
    #[error("idempotency key not understood")]
    IdempotencyKey,
    /// The same `Idempotency-Key` with another body.
    #[error("idempotency key reused")]
    IdempotencyKeyReused,
    /// Recorded, and invalid for this company; the reply's fields come along.
    #[error("invalid: {}", .0.code())]
    Invalid(Reason, Map<String, Value>),
    /// No such request.
    #[error("not found")]
    NotFound,
    /// The request can no longer be cancelled.
    #[error("too late to cancel")]
    AlreadySent,
    /// A table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work took longer than a sender waits. If it was written all the same, the sender's next
    /// attempt is answered as a duplicate.
    #[error("not answered in time")]
    Late,
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Problem::Malformed(malformed)
    }
}

impl Problem {
    /// The RFC 9457 reply. Also the one place where an error is logged.
    /// A call that asks for a survey has a source, and is measured.
    pub fn into_response(self, asks: Option<Source>) -> Response<Body> {
        match &self {
            Problem::Store(_) | Problem::Late => {
                let measured = unavailable(asks);
                tracing::error!(error = %self, metrics = %measured, "request could not be served")
            }
            other => {
                // What is invalid was recorded, and measured then.
                let asks = asks.filter(|_| !matches!(other, Problem::Invalid(..)));
                let measured = asks.map(|source| measured(source, "refused")).unwrap_or_default();
                tracing::info!(problem = %other, metrics = %measured, "request refused")
            }
        }
        let (status, code, detail) = self.outside();
        let mut body = json!({
            "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
            "code": code, "detail": detail,
        });
        if let Some(fields) = body.as_object_mut() {
            match self {
                Problem::Malformed(malformed) => {
                    let places = malformed
                        .errors
                        .iter()
                        .map(|place| json!({ "pointer": place.pointer, "detail": place.detail }));
                    fields.insert("errors".into(), places.collect());
                }
                Problem::Invalid(_, more) => fields.extend(more),
                _ => {}
            }
        }
        let mut response = json_reply(status, "application/problem+json", &body);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert("retry-after", lambda_http::http::HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }

    fn outside(&self) -> (StatusCode, &str, String) {
        match self {
            Problem::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body may have 256 KiB at most".into(),
            ),
            Problem::Forbidden(why) => (StatusCode::FORBIDDEN, "forbidden", (*why).to_owned()),
            Problem::Malformed(malformed) => {
                (StatusCode::BAD_REQUEST, malformed.code, malformed.detail.clone())
            }
            Problem::Query(name, expected) => {
                (StatusCode::BAD_REQUEST, "invalid_query", format!("`{name}` must be {expected}"))
            }
            Problem::IdempotencyKey => (
                StatusCode::BAD_REQUEST,
                "invalid_idempotency_key",
                "An Idempotency-Key may have 255 printable ASCII characters at most".into(),
            ),
            Problem::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key came with another body before".into(),
            ),
            Problem::Invalid(reason, _) => {
                (StatusCode::BAD_REQUEST, reason.code(), reason.sentence().into())
            }
            Problem::NotFound => {
                (StatusCode::NOT_FOUND, "not_found", "There is no such request".into())
            }
            Problem::AlreadySent => (
                StatusCode::CONFLICT,
                "already_sent",
                "The survey has been sent, or is just being sent: it cannot be cancelled any more"
                    .into(),
            ),
            Problem::Store(_) | Problem::Late => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Please try again in a moment".into(),
            ),
        }
    }
}
