//! A request as its sender may see it.

use intake::echo;
use policy::Status;
use serde_json::{Value, json};
use store::Interaction;

/// Id, status, reason, times, and the fields as understood in the vendor's shape.
pub(crate) fn request(row: &Interaction) -> Value {
    let mut fields = echo(&row.details);
    let mut show = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    show("request_id", json!(row.request_id));
    show("status", json!(row.status));
    show("source", json!(row.source));
    show("mode", json!(row.mode));
    show("requested_via", json!(row.requested_via));
    show("created_at", json!(row.created_at.to_string()));
    show("answered", json!(row.answer.is_some()));
    if let Some(reason) = row.reason {
        show("reason", json!(reason));
        show("detail", json!(reason.sentence()));
    }
    if let Some(waiting_for) = row.waiting_for.filter(|_| row.status == Status::Queued) {
        show("waiting_for", json!(waiting_for));
        show("detail", json!(waiting_for.sentence()));
    }
    for (name, time) in [("sent_at", row.sent_at), ("wake_at", row.wake_at)] {
        if let Some(time) = time {
            show(name, json!(time.to_string()));
        }
    }
    for (name, text) in
        [("message_id", &row.message_id), ("ext_interaction_id", &row.ext_interaction_id)]
    {
        if let Some(text) = text {
            show(name, json!(text));
        }
    }
    Value::Object(fields)
}
