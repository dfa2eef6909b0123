//! What becomes of an `unresolved` row, once its helpdesk was asked, or could not be.
//!
//! All writes here have the same four clauses, since the stream delivers records twice and late:
//!
//! - the row exists: what was erased or has expired stays so;
//! - it is still unresolved: a repeated record finds it resolved, and does nothing;
//! - it is ready: a repeated record of a look that was put back finds it waiting, and leaves it its time;
//! - its delay is the one that the look was made with: a record from before the delay was known cannot delay it twice, nor end the delay.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use links::Subject;
use policy::{Profile, Reason, Status, later};
use serde::Serialize;
use serde_json::Value;

use crate::interaction::{STALLED, ms, n, s};
use crate::sending::applied;
use crate::{Interaction, Store, StoreError};

/// What the helpdesk's answers made of a request: what other sources bring along when they are recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// Why there is no mail; `None` is `queued`, ready at once.
    pub reason: Option<Reason>,
    /// Whom it concerns.
    pub subject: Option<Subject>,
    /// See [`Interaction::channel`].
    pub channel: String,
    /// See [`Interaction::brand`].
    pub brand: Option<String>,
    /// See [`Interaction::language`].
    pub language: Option<String>,
    /// See [`Interaction::employee`].
    pub employee: Option<Profile>,
    /// See [`Interaction::request`].
    pub request: Value,
}

impl Store {
    /// The helpdesk said who and how: `unresolved → queued`, or the reason's status. False if the row has moved on since it was read.
    pub async fn resolve(&self, row: &Interaction, resolution: &Resolution, now: Timestamp) -> Result<bool, StoreError> {
        let fields = [
            ("subject", resolution.subject.as_ref().map(|subject| s(subject.as_text()))),
            ("channel", Some(s(&resolution.channel))),
            ("brand", resolution.brand.as_ref().map(s)),
            ("language", resolution.language.as_ref().map(s)),
            ("employee", resolution.employee.as_ref().map(attribute).transpose()?),
            ("request", Some(attribute(&resolution.request)?)),
        ];
        // From here on `attempts` counts those to send.
        let (status, sets, removes) = match resolution.reason {
            None => (Status::Queued, "ready = :one, wake_at = :stalled, due_shard = :shard", ""),
            Some(reason) => (reason.outcome().status(), "#reason = :reason, ended_at = :now", " REMOVE wake_at, due_shard, ready"),
        };
        let mut update = self.as_it_was_read(row);
        update = match resolution.reason {
            None => update
                .expression_attribute_values(":one", n(1))
                .expression_attribute_values(":stalled", ms(later(now, STALLED)))
                .expression_attribute_values(":shard", s(row.due_shard())),
            Some(reason) => update
                .expression_attribute_names("#reason", "reason")
                .expression_attribute_values(":reason", s(reason.code()))
                .expression_attribute_values(":now", ms(now)),
        };
        let mut expression = format!("SET #status = :next, attempts = :none, {sets}");
        for (name, value) in fields {
            if let Some(value) = value {
                expression.push_str(&format!(", #{name} = :{name}"));
                update = update.expression_attribute_names(format!("#{name}"), name).expression_attribute_values(format!(":{name}"), value);
            }
        }
        let update = update
            .update_expression(expression + removes)
            .expression_attribute_values(":next", s(status.as_str()))
            .expression_attribute_values(":none", n(0));
        applied(update.send().await)
    }

    /// The channel has a delay: asked about once more at `due`. False if the row has moved on since it was read.
    pub async fn delay(&self, row: &Interaction, due: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .as_it_was_read(row)
            .update_expression("SET due_at = :until, wake_at = :until, due_shard = :shard, attempts = :none REMOVE ready")
            .expression_attribute_values(":until", ms(due))
            .expression_attribute_values(":shard", s(row.due_shard()))
            .expression_attribute_values(":none", n(0));
        applied(update.send().await)
    }

    /// The helpdesk could not be asked: again at `wake_at`. `counts`: whether that lengthens the next wait. False if the row has moved on
    /// since it was read.
    pub async fn ask_again(&self, row: &Interaction, wake_at: Timestamp, counts: bool) -> Result<bool, StoreError> {
        let update = self
            .as_it_was_read(row)
            .update_expression("SET wake_at = :wake, due_shard = :shard ADD attempts :one REMOVE ready")
            .expression_attribute_values(":wake", ms(wake_at))
            .expression_attribute_values(":shard", s(row.due_shard()))
            .expression_attribute_values(":one", n(u8::from(counts)));
        applied(update.send().await)
    }

    /// An update with the four clauses that the module explains.
    fn as_it_was_read(&self, row: &Interaction) -> UpdateItemFluentBuilder {
        let stands = "attribute_exists(request_id) AND #status = :unresolved AND attribute_exists(ready)";
        let update = self
            .update(row.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":unresolved", s(Status::Unresolved.as_str()));
        match row.due_at {
            None => update.condition_expression(format!("{stands} AND attribute_not_exists(due_at)")),
            Some(due) => update.condition_expression(format!("{stands} AND due_at = :due")).expression_attribute_values(":due", ms(due)),
        }
    }
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(StoreError::corrupt("interactions"))
}
