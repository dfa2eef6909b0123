//! What SES events tell: outcomes of mails, and in which minutes `Send` events were flowing.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem,
};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use policy::{Mode, NEIGHBOURHOOD, SendEvents, Status, saturating_add};
use uuid::Uuid;

use crate::interaction::{hour, ms, n, s};
use crate::record::built;
use crate::sending::{WINDOW, applied};
use crate::{Interaction, Store, StoreError};

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
    /// `Sent`, `Delivered`, `SoftBounce`, `HardBounce` or `Complained`.
    pub status: Status,
    /// SES's id of the mail.
    pub message_id: &'a str,
    /// When it happened, as SES says.
    pub at: Timestamp,
}

/// What an outcome writes. `#reason` goes too: whatever we believed, the mail has left.
const OUTCOME: &str = "SET #status = :outcome, outcome_at = :now, sent_at = if_not_exists(sent_at, :now), message_id = if_not_exists(message_id, :message) \
     REMOVE wake_at, due_shard, ready, waiting_for, woken, #reason";

/// How long it is remembered in which minutes events were flowing: longer than an unknown mail is
/// looked into.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(72);

impl Store {
    /// Writes the outcome of a mail. Any order, any number of times: the gravest one stays.
    pub async fn outcome(&self, outcome: &Outcome<'_>) -> Result<OutcomeWritten, StoreError> {
        match self.write_outcome(outcome, "").await {
            // A row at DynamoDB's limit, from before rows had one of ours: what the sender wrote
            // goes, the outcome stays.
            Err(StoreError::Invalid { .. }) => self.write_outcome(outcome, ", body").await,
            other => other,
        }
    }

    async fn write_outcome(
        &self,
        outcome: &Outcome<'_>,
        also_removed: &str,
    ) -> Result<OutcomeWritten, StoreError> {
        // Clauses: the row exists; and it stands where a mail was believed to be under way, and
        // where the state machine lets this outcome follow, which is what makes outcomes monotone.
        let before: Vec<Status> =
            outcome.status.before().filter(|status| expected(*status)).collect();
        let names: Vec<String> = (0..before.len()).map(|i| format!(":from{i}")).collect();
        let mut update = self
            .update(outcome.request_id)
            .update_expression(format!("{OUTCOME}{also_removed}"))
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
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException;
        let item = match error.as_service_error() {
            Some(ConditionalCheckFailedException(failed)) => failed.item.clone(),
            _ => return Err(StoreError::of("UpdateItem")(error)),
        };
        let Some(row) = item.map(Interaction::from_item).transpose()?.map(Box::new) else {
            return Ok(OutcomeWritten::Gone);
        };
        // Only what was claimed once can have left.
        let unexpected = row.claimed_at.is_some()
            && !expected(row.status)
            && row.status.may_become(outcome.status);
        Ok(if unexpected { OutcomeWritten::Unexpected(row) } else { OutcomeWritten::Stale(row) })
    }

    /// Writes the outcome of a mail that we did not believe to have left, and takes the customer's
    /// suppression window again, for `window` from the claim on. Its row was read as `row`; false
    /// if it has moved on since.
    pub async fn outcome_after_all(
        &self,
        row: &Interaction,
        outcome: &Outcome<'_>,
        window: SignedDuration,
    ) -> Result<bool, StoreError> {
        // Clauses: the row exists; and nobody has moved it since it was read.
        let update = |also_removed: &str| -> UpdateBuilder {
            self.transacted(row.request_id)
                .update_expression(format!("{OUTCOME}{also_removed}"))
                .condition_expression("attribute_exists(request_id) AND #status = :from")
                .expression_attribute_names("#status", "status")
                .expression_attribute_names("#reason", "reason")
                .expression_attribute_values(":from", s(row.status.as_str()))
                .expression_attribute_values(":outcome", s(outcome.status.as_str()))
                .expression_attribute_values(":now", ms(outcome.at))
                .expression_attribute_values(":message", s(outcome.message_id))
        };
        let window = self.window_again(row, window, outcome.at)?;
        match self.end(update(""), window.clone()).await {
            Err(StoreError::Invalid { .. }) => self.end(update(", body"), window).await,
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
            (row.subject.as_deref().filter(|_| row.mode == Mode::Live), row.claimed_at)
        else {
            return Ok(None);
        };
        if window.is_zero() {
            return Ok(None);
        }
        // Clauses: the window is free, or over, or still this request's. If it is another's, the
        // customer is left alone as it is.
        let put = Put::builder()
            .table_name(&self.tables.suppression)
            .item("subject", s(subject))
            .item("kind", s(WINDOW))
            .item("request_id", s(row.request_id.to_string()))
            .item("expires_at", n(saturating_add(claimed_at, window).as_second()))
            .condition_expression(
                "attribute_not_exists(subject) OR expires_at <= :now OR request_id = :mine",
            )
            .expression_attribute_values(":now", n(at.as_second()))
            .expression_attribute_values(":mine", s(row.request_id.to_string()));
        Ok(Some(TransactWriteItem::builder().put(built(put.build())?).build()))
    }

    /// Notes that the `Send` event of a mail claimed at `claimed_at` has arrived, as a minute of
    /// the item of its hour.
    pub async fn note_send_event(&self, claimed_at: Timestamp) -> Result<(), StoreError> {
        let minute = SendEvents::minute(claimed_at);
        if self.cache.has_noted(minute) {
            return Ok(());
        }
        // Clauses: the hour has no minute yet, or not this one. (The one item that an update may
        // create.)
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.config)
            .set_key(Some(hour_key(claimed_at)))
            .update_expression("ADD minutes :minutes SET expires_at = :expires")
            .condition_expression("attribute_not_exists(minutes) OR NOT contains(minutes, :minute)")
            .expression_attribute_values(
                ":minutes",
                AttributeValue::Ns(vec![minute.rem_euclid(60).to_string()]),
            )
            .expression_attribute_values(":minute", n(minute.rem_euclid(60)))
            .expression_attribute_values(
                ":expires",
                n(saturating_add(claimed_at, REMEMBERED).as_second()),
            );
        applied(update.send().await)?;
        self.cache.note(minute);
        Ok(())
    }

    /// The minutes around these claims in which other mails were claimed whose `Send` events have
    /// arrived.
    pub async fn send_events_around(
        &self,
        claims: impl IntoIterator<Item = Timestamp>,
    ) -> Result<SendEvents, StoreError> {
        let aside = SignedDuration::from_mins(NEIGHBOURHOOD);
        let ends = claims.into_iter().flat_map(|claimed_at| {
            [saturating_add(claimed_at, -aside), saturating_add(claimed_at, aside)]
        });
        let hours: BTreeSet<i64> = ends.map(|end| end.as_second().div_euclid(3_600)).collect();
        let minutes = try_join_all(hours.into_iter().map(|hour| self.send_events_of(hour))).await?;
        Ok(minutes.into_iter().flatten().collect())
    }

    /// The minutes of one hour, which is counted from 1970.
    async fn send_events_of(&self, hour: i64) -> Result<Vec<i64>, StoreError> {
        let Ok(start) = Timestamp::from_second(hour * 3_600) else { return Ok(Vec::new()) };
        let got =
            self.client.get_item().table_name(&self.tables.config).set_key(Some(hour_key(start)));
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        let minutes = item.and_then(|mut item| item.remove("minutes"));
        Ok(match minutes {
            Some(AttributeValue::Ns(minutes)) => minutes
                .iter()
                .filter_map(|minute| minute.parse::<i64>().ok())
                .map(|m| hour * 60 + m)
                .collect(),
            _ => Vec::new(),
        })
    }
}

/// Where a mail is believed to be under way, or to have left.
fn expected(status: Status) -> bool {
    status == Status::Sending || status.mail_left()
}

/// `watermark/send_events#2026-11-21T09`, UTC.
fn hour_key(at: Timestamp) -> std::collections::HashMap<String, AttributeValue> {
    [("kind".to_owned(), s("watermark")), ("id".to_owned(), s(format!("send_events#{}", hour(at))))]
        .into()
}
