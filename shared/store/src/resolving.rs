//! What becomes of an `unresolved` row, once its helpdesk was asked, or could not be.
//!
//! The updates in this file have the same four clauses, since the stream delivers records twice and
//! late:
//!
//! - the row exists: what was erased or has expired stays so;
//! - it is still unresolved: a repeated record finds it resolved, and does nothing;
//! - it is ready: a repeated record of a look that was put back finds it waiting, and leaves it its
//!   time;
//! - its delay is the one that the look was made with: a record from before the delay was known
//!   cannot delay it twice, nor end the delay.
//!
//! A conversation that is at work again, or could not be asked about in time, ends with
//! [`Store::refuse`], which has the first two.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use links::{Subject, SubjectSecret};
use normalize::SurveyRequest;
use policy::{Profile, Reason, Status, Verdict, saturating_add};
use serde::Serialize;
use serde_json::{Value, json};

use crate::interaction::{STALLED, ms, n, s};
use crate::sending::applied;
use crate::{Interaction, Store, StoreError};

/// What the checks made of a request: who and how, or why not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolution {
    /// Why there is no mail.
    pub reason: Option<Reason>,
    /// Whom it concerns.
    pub subject: Option<Subject>,
    /// See [`Interaction::channel`].
    pub channel: Option<String>,
    /// See [`Interaction::brand`].
    pub brand: Option<String>,
    /// See [`Interaction::language`].
    pub language: Option<String>,
    /// See [`Interaction::employee`].
    pub employee: Option<Profile>,
    /// See [`Interaction::request`].
    pub request: Value,
}

impl Resolution {
    /// Of a request and what was decided. Channel, brand and language get their own names, whatever
    /// alias, spelling or fallback led to them.
    pub fn of(request: &SurveyRequest, verdict: Verdict, secret: &SubjectSecret) -> Self {
        let address = request.customer.address.valid();
        let refused = Self {
            reason: None,
            subject: address.map(|address| secret.of_address(&address.canonical())),
            channel: Some(request.channel.clone()),
            request: normalize::echo(request),
            ..Self::default()
        };
        let plan = match verdict {
            Verdict::Send(plan) => plan,
            Verdict::Refuse(reason) => return Self { reason: Some(reason), ..refused },
        };
        let mut request = refused.request;
        if let Some(fields) = request.as_object_mut() {
            fields.insert("channel".into(), json!(plan.channel));
            fields.insert("language".into(), json!(plan.language.as_str()));
            fields.extend(plan.brand.as_ref().map(|brand| ("brand".to_owned(), json!(brand))));
        }
        Self {
            channel: Some(plan.channel),
            brand: plan.brand,
            language: Some(plan.language.to_string()),
            employee: Some(plan.employee),
            request,
            ..refused
        }
    }
}

impl Store {
    /// The helpdesk said who and how: `unresolved → queued`, or the reason's status. False if the
    /// row has moved on since it was read.
    pub async fn resolve(
        &self,
        row: &Interaction,
        resolution: &Resolution,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // From here on `attempts` counts those to send.
        let mut sets = vec!["#status = :next".to_owned(), "attempts = :none".to_owned()];
        let update = self.as_it_was_read(row).expression_attribute_values(":none", n(0));
        let (mut update, removes) = match resolution.reason {
            None => {
                sets.extend(["ready = :one".to_owned(), "wake_at = :stalled".to_owned()]);
                let update =
                    update.expression_attribute_values(":next", s(Status::Queued.as_str()));
                let update = update.expression_attribute_values(":one", n(1));
                (
                    update
                        .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED))),
                    " REMOVE woken",
                )
            }
            Some(reason) => {
                sets.extend(["#reason = :reason".to_owned(), "ended_at = :now".to_owned()]);
                let update = update
                    .expression_attribute_values(":next", s(reason.outcome().status().as_str()));
                let update = update
                    .expression_attribute_names("#reason", "reason")
                    .expression_attribute_values(":reason", s(reason.code()));
                (
                    update.expression_attribute_values(":now", ms(now)),
                    " REMOVE wake_at, due_shard, ready, woken",
                )
            }
        };
        let fields = [
            ("subject", resolution.subject.as_ref().map(|subject| s(subject.as_text()))),
            ("channel", resolution.channel.as_ref().map(s)),
            ("brand", resolution.brand.as_ref().map(s)),
            ("language", resolution.language.as_ref().map(s)),
            ("employee", resolution.employee.as_ref().map(attribute).transpose()?),
            ("request", Some(attribute(&resolution.request)?)),
        ];
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        applied(update.update_expression(format!("SET {}{removes}", sets.join(", "))).send().await)
    }

    /// The channel has a delay: asked about once more at `due`. False if the row has moved on since
    /// it was read.
    pub async fn delay(&self, row: &Interaction, due: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .as_it_was_read(row)
            .update_expression("SET due_at = :until, wake_at = :until, expires_at = :expires, attempts = :none REMOVE ready, woken")
            .expression_attribute_values(":until", ms(due))
            // The retention counts from when it is due.
            .expression_attribute_values(":expires", n(row.expires_at + due.duration_since(row.due_at.unwrap_or(row.created_at)).as_secs()))
            .expression_attribute_values(":none", n(0));
        applied(update.send().await)
    }

    /// The helpdesk could not be asked: again at `wake_at`. `counts`: whether that lengthens the
    /// next wait. False if the row has moved on since it was read.
    pub async fn ask_again(
        &self,
        row: &Interaction,
        wake_at: Timestamp,
        counts: bool,
    ) -> Result<bool, StoreError> {
        let update = self
            .as_it_was_read(row)
            .update_expression("SET wake_at = :wake ADD attempts :one REMOVE ready, woken")
            .expression_attribute_values(":wake", ms(wake_at))
            .expression_attribute_values(":one", n(u8::from(counts)));
        applied(update.send().await)
    }

    /// An update with the four clauses that the module explains.
    fn as_it_was_read(&self, row: &Interaction) -> UpdateItemFluentBuilder {
        let stands =
            "attribute_exists(request_id) AND #status = :unresolved AND attribute_exists(ready)";
        let update = self
            .update(row.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":unresolved", s(Status::Unresolved.as_str()));
        match row.due_at {
            None => {
                update.condition_expression(format!("{stands} AND attribute_not_exists(due_at)"))
            }
            Some(due) => update
                .condition_expression(format!("{stands} AND due_at = :due"))
                .expression_attribute_values(":due", ms(due)),
        }
    }
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(StoreError::corrupt("interactions"))
}
