//! The audit trail: who changed what, and when. Kept 400 days; holds no address of a customer.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{built, s};
use crate::store::Store;

/// How long an entry is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// One change, or one look at something that is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// `2026-11`, in UTC.
    pub month: String,
    /// RFC 3339 in UTC with milliseconds, and a random end: unique, and in order of time.
    pub at: String,
    /// The name that was given at sign-in.
    pub who: String,
    /// What was done, in a few words.
    pub what: String,
    /// What it was done to: items as `kind/id`, or a request's id.
    pub items: Vec<String>,
    /// Attributes as they were, by item.
    pub before: Value,
    /// Attributes as they are now, by item.
    pub after: Value,
    /// When DynamoDB deletes it, in seconds.
    pub expires_at: i64,
}

impl AuditEntry {
    /// Something that was done to `item` at `now`.
    pub fn new(who: &str, what: &str, item: &str, now: Timestamp) -> Self {
        let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        Self {
            month: month(now),
            at: format!("{at}#{}", Uuid::now_v7().simple()),
            who: who.to_owned(),
            what: what.to_owned(),
            items: vec![item.to_owned()],
            before: Value::Null,
            after: Value::Null,
            expires_at: now.as_second().saturating_add(KEPT.as_secs()),
        }
    }

    /// When it was done.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.at.split('#').next()?.parse().ok()
    }
}

fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

impl Store {
    pub(crate) fn audited(&self, entry: &AuditEntry) -> Result<TransactWriteItem, StoreError> {
        let item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(entry).map_err(StoreError::corrupt("audit"))?;
        let put = Put::builder().table_name(&self.tables.audit).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }

    /// Writes an entry by itself, for what changes no item of the config table.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(entry).map_err(StoreError::corrupt("audit"))?;
        let put = self.client.put_item().table_name(&self.tables.audit).set_item(Some(item));
        put.send().await.map(drop).map_err(StoreError::of("PutItem audit"))
    }

    /// Entries of the month of `from`, newest first, older than `before` (an entry's `at`).
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn audit_entries(
        &self,
        from: Timestamp,
        before: Option<&str>,
        limit: i32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.audit)
            .key_condition_expression("#month = :month AND #at < :before")
            .expression_attribute_names("#month", "month")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":month", s(month(from)))
            .expression_attribute_values(":before", s(before.unwrap_or("9")))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::of("Query audit"))?;
        let items = page.items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| serde_dynamo::from_item(item).map_err(StoreError::corrupt("audit")))
            .collect()
    }
}
