//! Outcomes of mails, as SES events tell them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    Put, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::{SignedDuration, Timestamp};
use policy::{Mode, Status, saturating_add};
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{built, kind, ms, s, seconds, suppression_key};
use crate::interaction::Interaction;
use crate::outcome_month::outcome_month;
use crate::store::Store;

/// How an outcome was taken.
#[derive(Clone, Debug, PartialEq)]
pub enum OutcomeWritten {
    /// The row now has it.
    Applied(Box<Interaction>),
    /// The row had the same or a graver one already: an event that came late or twice.
    Stale(Box<Interaction>),
    /// We did not believe that a mail had left, and it has: [`Store::outcome_after_all`] has to
    /// write it. Nothing is written yet.
    Unexpected(Box<Interaction>),
    /// There is no such row (any more).
    Gone,
}

/// An outcome of a mail, as an event tells it.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Which request's.
    pub request_id: Uuid,
    /// The request's mode, as the mail's tag says.
    pub mode: Mode,
    /// Whether the mail told a notice, as its tag says. No list shows its row.
    pub of_notice: bool,
    /// `Sent`, `Delivered`, `SoftBounce`, `HardBounce` or `Complained`.
    pub status: Status,
    /// SES's id of the mail.
    pub message_id: &'a str,
    /// When it happened, as SES says.
    pub at: Timestamp,
}

/// What an outcome writes. `#reason` is removed: the mail has left, whatever we believed. `listed`:
/// whether the row is in the index of outcomes from now on.
fn outcome_expression(listed: bool, also_removed: &str) -> String {
    let (set, removed) =
        if listed { (", outcome_month = :month", "") } else { ("", ", outcome_month") };
    format!(
        "SET #status = :outcome, outcome_at = :now, \
         sent_at = if_not_exists(sent_at, :now), \
         message_id = if_not_exists(message_id, :message){set} \
         REMOVE wake_at, due_shard, ready, waiting_for, woken, #reason{removed}{also_removed}"
    )
}

impl Store {
    /// Writes the outcome of a mail. Events may come in any order and more than once: the gravest
    /// outcome stays.
    pub async fn outcome(&self, outcome: &Outcome<'_>) -> Result<OutcomeWritten, StoreError> {
        match self.write_outcome(outcome, "").await {
            // A row at DynamoDB's size limit, from before rows had a limit of ours: the sender's
            // body is removed, the outcome is written.
            Err(StoreError::Invalid { .. }) => self.write_outcome(outcome, ", body").await,
            other => other,
        }
    }

    async fn write_outcome(
        &self,
        outcome: &Outcome<'_>,
        also_removed: &str,
    ) -> Result<OutcomeWritten, StoreError> {
        // Clauses: the row exists; it has a status in which a mail is believed to be under way or
        // to have left; and `policy::TRANSITIONS` lets this outcome follow that status, which makes
        // outcomes monotone.
        let before: Vec<Status> =
            outcome.status.before().filter(|status| expected(*status)).collect();
        let names: Vec<String> = (0..before.len()).map(|i| format!(":from{i}")).collect();
        let month = outcome_month(outcome.mode, outcome.status, outcome.request_id)
            .filter(|_| !outcome.of_notice);
        let mut update = self
            .update(outcome.request_id)
            .update_expression(outcome_expression(month.is_some(), also_removed))
            .condition_expression(format!(
                "attribute_exists(request_id) AND #status IN ({})",
                names.join(", ")
            ))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_values(":outcome", s(outcome.status.as_str()))
            .expression_attribute_values(":now", ms(outcome.at))
            .expression_attribute_values(":message", s(outcome.message_id))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        if let Some(month) = month {
            update = update.expression_attribute_values(":month", month);
        }
        for (name, status) in names.into_iter().zip(before) {
            update = update.expression_attribute_values(name, s(status.as_str()));
        }
        let error = match update.send().await {
            Ok(output) => {
                return Ok(match output.attributes {
                    Some(item) => OutcomeWritten::Applied(Box::new(Interaction::from_item(item)?)),
                    None => OutcomeWritten::Gone,
                });
            }
            Err(error) => error,
        };
        let item = match error.as_service_error() {
            Some(ConditionalCheckFailedException(failed)) => failed.item.clone(),
            _ => return Err(StoreError::of("UpdateItem")(error)),
        };
        let Some(row) = item.map(Interaction::from_item).transpose()?.map(Box::new) else {
            return Ok(OutcomeWritten::Gone);
        };
        // Only the mail of a row that was claimed can have left.
        let unexpected = row.claimed_at.is_some()
            && !expected(row.status)
            && row.status.may_become(outcome.status);
        Ok(if unexpected { OutcomeWritten::Unexpected(row) } else { OutcomeWritten::Stale(row) })
    }

    /// Writes the outcome of a mail that we believed not to have left, and takes the customer's
    /// suppression window again, for `window` counted from the claim. False if the row has moved on
    /// since it was read as `row`.
    pub async fn outcome_after_all(
        &self,
        row: &Interaction,
        outcome: &Outcome<'_>,
        window: SignedDuration,
    ) -> Result<bool, StoreError> {
        // Clauses: the row exists; and nobody has moved it since it was read.
        let month = row.outcome_month(outcome.status);
        let update = |also_removed: &str| -> UpdateBuilder {
            let update = self.transacted(row.request_id);
            let update = match &month {
                Some(month) => update.expression_attribute_values(":month", month.clone()),
                None => update,
            };
            update
                .update_expression(outcome_expression(month.is_some(), also_removed))
                .condition_expression("attribute_exists(request_id) AND #status = :from")
                .expression_attribute_names("#status", "status")
                .expression_attribute_names("#reason", "reason")
                .expression_attribute_values(":from", s(row.status.as_str()))
                .expression_attribute_values(":outcome", s(outcome.status.as_str()))
                .expression_attribute_values(":now", ms(outcome.at))
                .expression_attribute_values(":message", s(outcome.message_id))
        };
        let window = self.window_again(row, window, outcome.at)?;
        match self.write_with(update(""), window.clone()).await {
            Err(StoreError::Invalid { .. }) => self.write_with(update(", body"), window).await,
            other => other,
        }
    }

    fn window_again(
        &self,
        row: &Interaction,
        window: SignedDuration,
        at: Timestamp,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let (Some(subject), Some(claimed_at)) =
            (row.subject.as_ref().filter(|_| row.mode == Mode::Live), row.claimed_at)
        else {
            return Ok(None);
        };
        if window.is_zero() {
            return Ok(None);
        }
        // Clauses: there is no window; or it is over; or it is this request's. If another request
        // holds it, the customer is not mailed anyway.
        let put = Put::builder()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(subject.as_text(), kind::WINDOW)))
            .item("request_id", s(row.request_id.to_string()))
            .item("expires_at", seconds(saturating_add(claimed_at, window)))
            .condition_expression(
                "attribute_not_exists(subject) OR expires_at <= :now OR request_id = :mine",
            )
            .expression_attribute_values(":now", seconds(at))
            .expression_attribute_values(":mine", s(row.request_id.to_string()));
        Ok(Some(TransactWriteItem::builder().put(built(put.build())?).build()))
    }
}

/// Where a mail is believed to be under way, or to have left.
fn expected(status: Status) -> bool {
    status == Status::Sending || status.mail_left()
}
