//! Recording an answer.

use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jiff::SignedDuration;

use crate::error::{StoreError, Transacted, condition_failed};
use crate::ground::{built, n, row_key};
use crate::interaction::{AnswerKey, Interaction};
use crate::responses::{Answer, ResponseRow, response_key};
use crate::store::{Store, pause};

/// What became of a customer's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is the current one.
    Kept,
    /// The request is gone.
    Gone,
    /// The answer has been changed too often lately, and nothing was written.
    TooOften {
        /// How long it takes until it may be changed again.
        again_in: SignedDuration,
    },
}

/// Attempts at an answer while others to the same request are written. An attempt fails when another
/// answer was written first, at most [`ResponseRow::CHANGES_AN_HOUR`] times; the other attempts are
/// for sequence ids that are taken.
const ATTEMPTS: u32 = 24;
/// Attempts at one transaction that conflicts with others.
const CONFLICT_ATTEMPTS: u32 = 12;
/// The longest wait between two attempts grows from 80 to 320 ms: enough for ten answers at once, and
/// all attempts together end before the function's time-out.
const SHORTEST_WAIT: u32 = 2;
const LONGEST_WAIT: u32 = 5;

impl Store {
    /// Records an answer. It replaces the current one, which goes into its history. An answer that
    /// equals the current one writes nothing.
    ///
    /// The answer moves to the end of the export, so that a reader with a cursor sees the change.
    pub async fn answer(&self, row: &Interaction, answer: &Answer) -> Result<Answered, StoreError> {
        let mut current = row.answer.clone();
        for attempt in 1..=ATTEMPTS {
            let earlier = match &current {
                Some(key) => self.response(key).await?,
                None => None,
            };
            let mut response = ResponseRow::first(row, answer);
            if let Some(earlier) = earlier {
                if earlier.answer.says_the_same(answer) {
                    return Ok(Answered::Kept);
                }
                if let Some(again_in) = earlier.paced(answer.at) {
                    return Ok(Answered::TooOften { again_in });
                }
                response = response.replacing(earlier);
            }
            if let Some(key) = &current {
                response = response.behind(key);
            }
            let actions = self.answering(row, current.as_ref(), &response)?;
            let Transacted::Refused(reasons) =
                self.transact_within(CONFLICT_ATTEMPTS, actions).await?
            else {
                return Ok(Answered::Kept);
            };
            if let Some(refused) =
                reasons.into_iter().next().filter(|reason| condition_failed(Some(reason)))
            {
                // Another answer was written in between, or the row is gone. The refusal brings the
                // row as it is, if there is one.
                let row = refused.item.map(Interaction::from_item).transpose()?;
                let Some(row) = row.filter(|row| !row.expired(answer.at)) else {
                    return Ok(Answered::Gone);
                };
                current = row.answer;
            }
            pause((attempt + SHORTEST_WAIT).min(LONGEST_WAIT)).await;
        }
        Err(StoreError::Unavailable {
            operation: "answer",
            cause: "another answer came in between, each time".into(),
        })
    }

    fn answering(
        &self,
        row: &Interaction,
        current: Option<&AnswerKey>,
        response: &ResponseRow,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let key = AnswerKey { month: response.month.clone(), sequence_id: response.sequence_id };
        let pointer =
            serde_dynamo::to_attribute_value(key).map_err(StoreError::corrupt("interactions"))?;
        let mut point = Update::builder()
            .table_name(&self.tables.interactions)
            .set_key(Some(row_key(row.request_id)))
            .update_expression("SET answer = :key")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_values(":key", pointer);
        // Clauses: the row exists; and its answer is the one that this answer replaces, or it has
        // no answer yet.
        point = match current {
            None => point.condition_expression(
                "attribute_exists(request_id) AND attribute_not_exists(answer)",
            ),
            Some(old) => point
                .condition_expression("attribute_exists(request_id) AND answer.sequence_id = :old")
                .expression_attribute_values(":old", n(old.sequence_id)),
        };
        // Clause: the place in the export is free (two answers in one millisecond that drew the
        // same number).
        let put = Put::builder()
            .table_name(&self.tables.responses)
            .set_item(Some(
                serde_dynamo::to_item(response).map_err(StoreError::corrupt("responses"))?,
            ))
            .condition_expression("attribute_not_exists(sequence_id)");
        let mut actions = vec![
            TransactWriteItem::builder().update(built(point.build())?).build(),
            TransactWriteItem::builder().put(built(put.build())?).build(),
        ];
        if let Some(old) = current {
            let delete = Delete::builder()
                .table_name(&self.tables.responses)
                .set_key(Some(response_key(old)));
            actions.push(TransactWriteItem::builder().delete(built(delete.build())?).build());
        }
        Ok(actions)
    }
}
