//! What SES events tell: outcomes of mails, and how far `Send` events have arrived.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure};
use jiff::{SignedDuration, Timestamp};
use policy::Status;
use uuid::Uuid;

use crate::interaction::{ms, s};
use crate::sending::applied;
use crate::{Interaction, Store, StoreError};

/// How an outcome was taken.
#[derive(Clone, Debug, PartialEq)]
pub enum OutcomeWritten {
    /// The row now has it.
    Applied(Box<Interaction>),
    /// The row had the same or a graver one already: an event that came late or twice.
    Stale(Box<Interaction>),
    /// There is no such row (any more).
    Gone,
}

/// The watermark is moved in steps, not with every event.
const STEP: SignedDuration = SignedDuration::from_secs(30);

impl Store {
    /// Writes the outcome of a mail. Any order, any number of times: the gravest one stays.
    pub async fn outcome(&self, request_id: Uuid, outcome: Status, message_id: &str, now: Timestamp) -> Result<OutcomeWritten, StoreError> {
        // Clauses: the row exists; and it stands where the state machine lets this outcome follow, which is what makes outcomes monotone.
        let before: Vec<Status> = outcome.before().collect();
        let names: Vec<String> = (0..before.len()).map(|i| format!(":from{i}")).collect();
        let mut update = self
            .update(request_id)
            .update_expression(
                "SET #status = :outcome, outcome_at = :now, sent_at = if_not_exists(sent_at, :now), message_id = if_not_exists(message_id, :message) \
                 REMOVE wake_at, due_shard, ready, #reason",
            )
            .condition_expression(format!("attribute_exists(request_id) AND #status IN ({})", names.join(", ")))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_values(":outcome", s(outcome.as_str()))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":message", s(message_id))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        for (name, status) in names.into_iter().zip(before) {
            update = update.expression_attribute_values(name, s(status.as_str()));
        }
        match update.send().await {
            Ok(output) => match output.attributes {
                Some(item) => Ok(OutcomeWritten::Applied(Box::new(Interaction::from_item(item)?))),
                None => Ok(OutcomeWritten::Gone),
            },
            Err(error) => match error.into_service_error() {
                aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) => match failed.item {
                    Some(item) => Ok(OutcomeWritten::Stale(Box::new(Interaction::from_item(item)?))),
                    None => Ok(OutcomeWritten::Gone),
                },
                other => Err(StoreError::Unavailable { operation: "UpdateItem", cause: other.to_string() }),
            },
        }
    }

    /// Notes that the `Send` event of a mail claimed at `claimed_at` has arrived.
    pub async fn note_send_event(&self, claimed_at: Timestamp) -> Result<(), StoreError> {
        let step_before = claimed_at.checked_sub(STEP).unwrap_or(Timestamp::MIN);
        // Clauses: there is no watermark yet, or this one is a step higher. (The one item that an update may create.)
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.config)
            .key("kind", s("watermark"))
            .key("id", s("send_events"))
            .update_expression("SET claimed_at = :claimed")
            .condition_expression("attribute_not_exists(claimed_at) OR claimed_at <= :step_before")
            .expression_attribute_values(":claimed", ms(claimed_at))
            .expression_attribute_values(":step_before", ms(step_before));
        applied(update.send().await).map(drop)
    }

    /// The latest claim whose `Send` event has arrived, to within half a minute; `None` if none ever has.
    pub async fn send_events_until(&self) -> Result<Option<Timestamp>, StoreError> {
        let got = self.client.get_item().table_name(&self.tables.config).key("kind", s("watermark")).key("id", s("send_events"));
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        let claimed = item.and_then(|mut item| item.remove("claimed_at"));
        Ok(match claimed {
            Some(AttributeValue::N(number)) => number.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            _ => None,
        })
    }
}
