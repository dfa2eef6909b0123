//! What becomes of an `unresolved` row once its helpdesk was asked, or could not be asked.
//!
//! The updates in this file have the same four clauses, since the stream delivers records twice and
//! late:
//!
//! - the row exists: a row that was erased or has expired is not made again;
//! - it is still unresolved: a repeated record finds it resolved, and does nothing;
//! - it is ready: a repeated record of a lookup that was postponed finds it waiting, and does not
//!   change its time;
//! - its delay is the one that was read: a record from before the delay was known can neither delay
//!   the row twice nor end the delay.
//!
//! A customer who was erased since the request was received must not come back by it: then the row
//! goes ([`crate::erasing`]).
//!
//! A conversation that was reopened, or could not be asked about in time, ends with
//! [`Store::refuse`], which has the first two clauses.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use policy::{Status, saturating_add};
use serde::Serialize;

use crate::error::{StoreError, Transacted, condition_failed};
use crate::ground::{STALLED, applied, built, ms, n, row_key, s};
use crate::interaction::Interaction;
use crate::outcome_month::outcome_month;
use crate::resolution::Resolution;
use crate::step::Step;
use crate::store::Store;

const QUEUE: Step = Step::required(Status::Unresolved, Status::Queued);

impl Store {
    /// The helpdesk said who and how: `unresolved → queued`, or the reason's status. False if the
    /// row has moved on since it was read.
    pub async fn resolve(
        &self,
        row: &Interaction,
        resolution: &Resolution,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // From now on `attempts` counts those to send.
        let mut sets = vec!["#status = :next".to_owned(), "attempts = :none".to_owned()];
        let update = self.as_it_was_read(row).expression_attribute_values(":none", n(0));
        let (mut update, removes) = match resolution.reason() {
            None => {
                sets.extend(["ready = :one".to_owned(), "wake_at = :stalled".to_owned()]);
                let update = update
                    .expression_attribute_values(":next", QUEUE.to())
                    .expression_attribute_values(":one", n(1))
                    .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED)));
                (update, " REMOVE woken")
            }
            Some(reason) => {
                let Some(step) = Step::end(Status::Unresolved, reason) else { return Ok(false) };
                sets.extend(["#reason = :reason".to_owned(), "ended_at = :now".to_owned()]);
                let status = reason.outcome().status();
                let update = match outcome_month(row.mode, status, row.request_id) {
                    Some(month) => {
                        sets.push("outcome_month = :month".to_owned());
                        update.expression_attribute_values(":month", month)
                    }
                    None => update,
                };
                let update = update
                    .expression_attribute_values(":next", step.to())
                    .expression_attribute_names("#reason", "reason")
                    .expression_attribute_values(":reason", s(reason.code()))
                    .expression_attribute_values(":now", ms(now));
                (update, " REMOVE wake_at, due_shard, ready, woken")
            }
        };
        let (details, approval) = (resolution.details(), resolution.approval());
        let brand = approval.and_then(|approval| approval.brand.as_ref());
        let employee = approval.map(|approval| attribute(&approval.employee)).transpose()?;
        let fields = [
            ("subject", resolution.subject().map(|subject| s(subject.as_text()))),
            ("channel", details.channel.as_ref().map(s)),
            ("brand", brand.map(s)),
            ("language", approval.map(|approval| s(approval.language.as_str()))),
            ("employee", employee),
            ("request", Some(attribute(details)?)),
        ];
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let update = update.update_expression(format!("SET {}{removes}", sets.join(", ")));
        let Some(subject) = resolution.subject() else { return applied(update.send().await) };
        let actions = vec![in_transaction(&update)?, self.not_erased(subject, row.created_at)?];
        let Transacted::Refused(reasons) = self.transact(actions).await? else { return Ok(true) };
        if !condition_failed(reasons.first()) {
            // No condition: it was received before the person was erased.
            let delete = self
                .client
                .delete_item()
                .table_name(&self.tables.interactions)
                .set_key(Some(row_key(row.request_id)));
            delete.send().await.map_err(StoreError::of("DeleteItem"))?;
        }
        Ok(false)
    }

    /// The channel has a delay: Gladly is asked once more at `due`. False if the row has moved on
    /// since it was read.
    pub async fn delay(&self, row: &Interaction, due: Timestamp) -> Result<bool, StoreError> {
        // The retention counts from when the survey is due.
        let longer = due.duration_since(row.due_at.unwrap_or(row.created_at));
        let update = self
            .as_it_was_read(row)
            .update_expression(
                "SET due_at = :until, wake_at = :until, expires_at = :expires, attempts = :none \
                 REMOVE ready, woken",
            )
            .expression_attribute_values(":until", ms(due))
            .expression_attribute_values(":expires", n(row.expires_at + longer.as_secs()))
            .expression_attribute_values(":none", n(0));
        applied(update.send().await)
    }

    /// The helpdesk could not be asked; it is asked again at `wake_at`. `counts`: whether the next
    /// wait gets longer. False if the row has moved on since it was read.
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
            .expression_attribute_values(":unresolved", QUEUE.from());
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

/// The same update as part of a transaction.
fn in_transaction(update: &UpdateItemFluentBuilder) -> Result<TransactWriteItem, StoreError> {
    let input = update.as_input();
    let update = Update::builder()
        .set_table_name(input.get_table_name().clone())
        .set_key(input.get_key().clone())
        .set_update_expression(input.get_update_expression().clone())
        .set_condition_expression(input.get_condition_expression().clone())
        .set_expression_attribute_names(input.get_expression_attribute_names().clone())
        .set_expression_attribute_values(input.get_expression_attribute_values().clone());
    Ok(TransactWriteItem::builder().update(built(update.build())?).build())
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(StoreError::corrupt("interactions"))
}
