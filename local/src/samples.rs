//! Posts the sample requests of `events/` to the API, as their senders would, and reports how each
//! of them ended.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use policy::Status;
use serde_json::Value;
use uuid::Uuid;

use crate::functions::FunctionError;
use crate::stack::{Stack, url};

/// The sample events, in the order in which they are posted. `sam local` and the tests use the same
/// files.
pub const SAMPLES: [(&str, &str); 7] = [
    ("requests", include_str!("../../events/requests.json")),
    ("zendesk", include_str!("../../events/zendesk.json")),
    ("freshdesk", include_str!("../../events/freshdesk.json")),
    ("gorgias", include_str!("../../events/gorgias.json")),
    ("gladly", include_str!("../../events/gladly.json")),
    ("gladly_ping", include_str!("../../events/gladly_ping.json")),
    ("auth", include_str!("../../events/auth.json")),
];

/// How long to wait until a request has ended.
const MAX_WAIT: Duration = Duration::from_secs(15);
/// How long to wait between two reads of its status.
const POLL: Duration = Duration::from_millis(50);

/// How a sample ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// File name in `events/`, without its ending.
    pub name: &'static str,
    /// `POST /v1/requests`.
    pub call: String,
    /// HTTP status and `status` of the reply.
    pub reply: String,
    /// Status and reason of the request. If no request was recorded, the reason in the reply.
    pub ended: String,
}

/// Posts every sample, and waits until each request has ended (15 s at most).
///
/// # Errors
/// The API or the tables cannot be reached.
pub async fn play(stack: &Stack) -> Result<Vec<Outcome>, FunctionError> {
    let mut replies = Vec::new();
    for (name, event) in SAMPLES {
        let event: Value = serde_json::from_str(event)?;
        let (status, reply) = post(stack, &event).await?;
        replies.push((name, call(&event), status, reply));
    }
    let mut outcomes = Vec::new();
    for (name, call, status, reply) in replies {
        let text = |field: &str| reply.get(field).and_then(Value::as_str);
        let ended = match text("request_id").map(str::parse::<Uuid>) {
            Some(Ok(request_id)) => settled(stack, request_id).await?,
            _ => text("reason").unwrap_or_default().to_owned(),
        };
        let again = if reply.get("duplicate").is_some() { " (again)" } else { "" };
        outcomes.push(Outcome {
            name,
            call,
            reply: format!("{status} {}{again}", text("status").unwrap_or_default()),
            ended,
        });
    }
    Ok(outcomes)
}

fn call(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/requestContext/http/method"), text("/rawPath"))
}

async fn post(stack: &Stack, event: &Value) -> Result<(u16, Value), FunctionError> {
    let path = event.get("rawPath").and_then(Value::as_str).unwrap_or("/");
    let mut request = axum::http::Request::post(format!("{}{path}", url(stack.api)));
    for (name, value) in event.get("headers").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.as_str().filter(|_| name != "host") {
            request = request.header(name, value);
        }
    }
    let body = event.get("body").and_then(Value::as_str).unwrap_or_default().to_owned();
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Body::from(body))?).await?;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(Body::new(response.into_body()), 1024 * 1024).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

/// Waits until the request has ended; if it was mailed, until the mail was delivered or bounced.
async fn settled(stack: &Stack, request_id: Uuid) -> Result<String, FunctionError> {
    let started = std::time::Instant::now();
    loop {
        let row = stack
            .bundle
            .store()
            .interaction(request_id, Timestamp::now())
            .await?
            .ok_or("the request is gone")?;
        let settled = !row.status.is_waiting() && row.status != Status::Sent;
        if settled || started.elapsed() > MAX_WAIT {
            let reason =
                row.reason.map(|reason| format!(": {}", reason.code())).unwrap_or_default();
            return Ok(format!("{}{reason}", row.status.as_str()));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A table of outcomes, then the mails with their links.
pub fn report(stack: &Stack, outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "  {:12} {:28} {:15} → {}",
            outcome.name, outcome.call, outcome.reply, outcome.ended
        );
    }
    let mail = url(stack.mail);
    let _ = writeln!(text, "\nMailbox: {mail}");
    for message in stack.mailbox.messages() {
        let survey =
            message.text.split_whitespace().find(|word| word.contains("/s/")).unwrap_or_default();
        let survey = survey.split('?').next().unwrap_or_default();
        let _ = writeln!(
            text,
            "  to {:26} {}\n     mail   {mail}/messages/{}\n     survey {survey}",
            message.to.join(", "),
            message.subject,
            message.id
        );
    }
    text
}
