//! Answers, in the order in which they arrived.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Transacted, condition_failed};
use crate::interaction::{n, s};
use crate::record::built;
use crate::{AnswerKey, Interaction, Store, StoreError};

/// What a customer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// 1 to 5 stars.
    pub stars: u8,
    /// Free text, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Chips that were chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

/// A row of the responses table: the current answer to one request, and what it replaced.
///
/// It holds no name and no address: whoever exports it joins the interaction, which expires after `retention_days`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseRow {
    /// Partition: `2026-11`, UTC.
    pub month: String,
    /// Sort key, and cursor of the export: time of the answer in milliseconds × 1,000 plus a random part.
    pub sequence_id: u64,
    /// The request that was answered.
    pub request_id: String,
    /// The answer.
    pub answer: Answer,
    /// Earlier answers, oldest first, at most [`ResponseRow::HISTORY`].
    #[serde(default)]
    pub history: Vec<Answer>,
    /// For the export, once the interaction has expired: the helpdesk's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_interaction_id: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<policy::Profile>,
    /// Receipt of the request.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

impl ResponseRow {
    /// Earlier answers kept at most: a thousand POSTs to one link leave a bounded row.
    pub const HISTORY: usize = 20;

    /// The request that was answered.
    pub fn request(&self) -> Option<Uuid> {
        self.request_id.parse().ok()
    }
}

/// Attempts of a customer's answer that meets another one of the same customer.
const ATTEMPTS: usize = 4;

impl Store {
    /// Records an answer; it replaces the current one, which goes into its history. False if the request is gone.
    ///
    /// The row moves to the end of the export, so that whoever reads by cursor sees the change.
    pub async fn answer(&self, row: &Interaction, answer: &Answer) -> Result<bool, StoreError> {
        let mut current = row.answer.clone();
        for _ in 0..ATTEMPTS {
            let history = match &current {
                Some(key) => self.response(key).await?.map(history_with_current).unwrap_or_default(),
                None => Vec::new(),
            };
            let key = AnswerKey { month: month(answer.at), sequence_id: sequence_id(answer.at, fastrand::u64(0..1_000)) };
            let response = ResponseRow {
                month: key.month.clone(),
                sequence_id: key.sequence_id,
                request_id: row.request_id.to_string(),
                answer: answer.clone(),
                history,
                ext_interaction_id: row.ext_interaction_id.clone(),
                channel: row.channel.clone(),
                brand: row.brand.clone(),
                language: row.language.clone(),
                employee: row.employee.clone(),
                created_at: row.created_at,
            };
            let refused = match self.transact(self.answering(row, current.as_ref(), &key, &response)?).await? {
                Transacted::Done => return Ok(true),
                Transacted::Refused(reasons) => condition_failed(reasons.first()),
            };
            if refused {
                // Somebody answered in between (or the row is gone): look again.
                let Some(row) = self.interaction(row.request_id, answer.at).await? else { return Ok(false) };
                current = row.answer;
            }
        }
        Err(StoreError::Unavailable { operation: "answer", cause: "another answer came in between, each time".into() })
    }

    fn answering(
        &self,
        row: &Interaction,
        current: Option<&AnswerKey>,
        key: &AnswerKey,
        response: &ResponseRow,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let pointer = serde_dynamo::to_attribute_value(key).map_err(StoreError::corrupt("interactions"))?;
        let mut point = Update::builder()
            .table_name(&self.tables.interactions)
            .key("request_id", s(row.request_id.to_string()))
            .update_expression("SET answer = :key")
            .expression_attribute_values(":key", pointer);
        // Clauses: the row exists; and its answer is the one that this one replaces, or there is none yet.
        point = match current {
            None => point.condition_expression("attribute_exists(request_id) AND attribute_not_exists(answer)"),
            Some(old) => point
                .condition_expression("attribute_exists(request_id) AND answer.sequence_id = :old")
                .expression_attribute_values(":old", n(old.sequence_id)),
        };
        // Clause: the place in the export is free (two answers in one millisecond that drew the same number).
        let put = Put::builder()
            .table_name(&self.tables.responses)
            .set_item(Some(serde_dynamo::to_item(response).map_err(StoreError::corrupt("responses"))?))
            .condition_expression("attribute_not_exists(sequence_id)");
        let mut actions = vec![
            TransactWriteItem::builder().update(built(point.build())?).build(),
            TransactWriteItem::builder().put(built(put.build())?).build(),
        ];
        if let Some(old) = current {
            let delete = Delete::builder().table_name(&self.tables.responses).set_key(Some(response_key(old)));
            actions.push(TransactWriteItem::builder().delete(built(delete.build())?).build());
        }
        Ok(actions)
    }

    /// The answer at this place.
    pub async fn response(&self, key: &AnswerKey) -> Result<Option<ResponseRow>, StoreError> {
        let got = self.client.get_item().table_name(&self.tables.responses).set_key(Some(response_key(key))).consistent_read(true);
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        item.map(|item| serde_dynamo::from_item(item).map_err(StoreError::corrupt("responses"))).transpose()
    }

    /// Answers of one month with a sequence id above `after` and at most `until`, in order, at most `limit`.
    pub async fn responses(&self, month: &str, after: u64, until: u64, limit: usize) -> Result<Vec<ResponseRow>, StoreError> {
        let (mut rows, mut start, limit) = (Vec::new(), None, limit.max(1));
        loop {
            // A page ends at a megabyte, however many rows that is.
            let wanted = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
            let page = self.page_of_responses(month, after, until, wanted, start).await?;
            for item in page.items.unwrap_or_default() {
                rows.push(serde_dynamo::from_item(item).map_err(StoreError::corrupt("responses"))?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || rows.len() >= limit {
                return Ok(rows);
            }
        }
    }

    async fn page_of_responses(
        &self,
        month: &str,
        after: u64,
        until: u64,
        limit: i32,
        start: Option<HashMap<String, AttributeValue>>,
    ) -> Result<QueryOutput, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.responses)
            .key_condition_expression("#month = :month AND sequence_id BETWEEN :from AND :until")
            .expression_attribute_names("#month", "month")
            .expression_attribute_values(":month", s(month))
            .expression_attribute_values(":from", n(after.saturating_add(1)))
            .expression_attribute_values(":until", n(until.max(after.saturating_add(1))))
            .limit(limit)
            // The cursor goes past a row that a lagging replica does not show, for ever.
            .consistent_read(true)
            .set_exclusive_start_key(start);
        query.send().await.map_err(StoreError::of("Query"))
    }
}

fn response_key(key: &AnswerKey) -> HashMap<String, AttributeValue> {
    HashMap::from([("month".to_owned(), s(&key.month)), ("sequence_id".to_owned(), n(key.sequence_id))])
}

fn history_with_current(row: ResponseRow) -> Vec<Answer> {
    let mut history = row.history;
    history.push(row.answer);
    let surplus = history.len().saturating_sub(ResponseRow::HISTORY);
    history.drain(..surplus);
    history
}

/// `2026-11`, UTC.
fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}

/// Milliseconds × 1,000 + `random` (0 to 999): ordered by time, and exact in a JSON number until the year 2255.
fn sequence_id(at: Timestamp, random: u64) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default() * 1_000 + random
}
