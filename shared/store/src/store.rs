//! The tables through one client: set-up, and the calls that several modules share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::{KeysAndAttributesBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Delete, TransactWriteItem, Update,
};
use links::SubjectSecret;
use uuid::Uuid;

use crate::cache::Cache;
use crate::error::{SingleWriteConflicts, StoreError, Transacted, condition_failed};
use crate::ground::{Item, built, row_key, s, suppression_key};

/// Names of the five tables.
#[derive(Clone, Debug)]
pub struct Tables {
    /// What admins edit.
    pub config: String,
    /// One row a request.
    pub interactions: String,
    /// Windows, unsubscribes, bounces and de-duplication markers.
    pub suppression: String,
    /// Answers.
    pub responses: String,
    /// Who changed what on the admin pages.
    pub audit: String,
}

/// The names of the local stack's tables.
impl Default for Tables {
    fn default() -> Self {
        Self {
            config: "config".to_owned(),
            interactions: "interactions".to_owned(),
            suppression: "suppression".to_owned(),
            responses: "responses".to_owned(),
            audit: "audit".to_owned(),
        }
    }
}

impl Tables {
    /// From `CONFIG_TABLE`, `INTERACTIONS_TABLE`, `SUPPRESSION_TABLE`, `RESPONSES_TABLE` and
    /// `AUDIT_TABLE`; each defaults to its local name.
    pub fn from_env() -> Self {
        let name = |variable: &str, default: String| {
            std::env::var(variable).ok().filter(|name| !name.is_empty()).unwrap_or(default)
        };
        let local = Self::default();
        Self {
            config: name("CONFIG_TABLE", local.config),
            interactions: name("INTERACTIONS_TABLE", local.interactions),
            suppression: name("SUPPRESSION_TABLE", local.suppression),
            responses: name("RESPONSES_TABLE", local.responses),
            audit: name("AUDIT_TABLE", local.audit),
        }
    }
}

/// `SUBJECT_SECRET` is absent or empty.
#[derive(Debug, thiserror::Error)]
#[error("SUBJECT_SECRET must be set")]
pub struct MissingSecret;

/// The tables, through one client, with the configuration cache of this process.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) tables: Tables,
    /// See [`Store::secret`]; only functions that make subjects have it.
    pub(crate) secret: Option<SubjectSecret>,
    pub(crate) cache: Arc<Cache>,
}

impl Store {
    /// A store on the given AWS configuration. No network call is made.
    ///
    /// The SDK retries throttling, conflicts, 5xx and broken connections twice, soon: a helpdesk
    /// waits 5 s (docs/facts.md, Gorgias 3 and Zendesk 2), so an attempt may take 2 s and all of
    /// them 5 s.
    pub fn new(aws: &aws_config::SdkConfig, tables: Tables, secret: SubjectSecret) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(50));
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(aws)
            .retry_config(retries)
            .timeout_config(timeouts);
        let config = config.retry_classifier(SingleWriteConflicts).build();
        Self {
            client: Client::from_conf(config),
            tables,
            secret: Some(secret),
            cache: Arc::default(),
        }
    }

    /// As [`Store::new`], with the tables' names and `SUBJECT_SECRET` from the environment.
    ///
    /// # Errors
    /// If `SUBJECT_SECRET` is absent or empty: without it no customer could be recognised.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, MissingSecret> {
        let secret = std::env::var("SUBJECT_SECRET")
            .ok()
            .filter(|secret| !secret.is_empty())
            .ok_or(MissingSecret)?;
        Ok(Self::new(aws, Tables::from_env(), SubjectSecret::new(&secret)))
    }

    /// As [`Store::from_env`], for a function that makes no subject of an address or a marker. It
    /// needs no `SUBJECT_SECRET`, and `template.yaml` gives it none. A test
    /// (`local/tests/template_rules.rs`) keeps [`Store::secret`] out of these functions.
    pub fn from_env_without_secret(aws: &aws_config::SdkConfig) -> Self {
        let store = Self::new(aws, Tables::from_env(), SubjectSecret::new(""));
        Self { secret: None, ..store }
    }
}

/// Keys that one `BatchGetItem` takes.
pub(crate) const KEYS_AT_ONCE: usize = 100;
/// Replies in a row without any of the rows that were asked for, though they exist.
const BATCH_ATTEMPTS: u32 = 10;
/// Attempts at a transaction that meets another one.
const CONFLICT_ATTEMPTS: u32 = 6;
/// Half of the first ceiling of the wait between them, in milliseconds; it doubles.
const CONFLICT_WAIT: u64 = 10;

impl Store {
    /// Runs a transaction. If it meets another one on the same item, or a throttled partition,
    /// DynamoDB cancels it with `TransactionConflict` or `ThrottlingError` among the reasons. The
    /// SDK does not retry that, so we retry here, with full jitter (at most 0.6 s in all).
    pub(crate) async fn transact(
        &self,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        self.transact_within(CONFLICT_ATTEMPTS, actions).await
    }

    /// As [`Store::transact`], with this many attempts, for a caller that can wait longer.
    pub(crate) async fn transact_within(
        &self,
        attempts: u32,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        let mut attempt = 0;
        loop {
            let request =
                self.client.transact_write_items().set_transact_items(Some(actions.clone()));
            let Err(error) = request.send().await else { return Ok(Transacted::Done) };
            let (again, reasons) = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons().to_vec();
                    if let Some(invalid) =
                        reasons.iter().find(|reason| reason.code() == Some("ValidationError"))
                    {
                        let cause = invalid.message().unwrap_or_default().to_owned();
                        return Err(StoreError::Invalid { operation: OPERATION, cause });
                    }
                    if reasons.iter().any(|reason| condition_failed(Some(reason))) {
                        return Ok(Transacted::Refused(reasons));
                    }
                    (true, reasons)
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    (true, Vec::new())
                }
                _ => (false, Vec::new()),
            };
            attempt += 1;
            if !again || attempt >= attempts {
                let codes: Vec<&str> =
                    reasons.iter().filter_map(CancellationReason::code).collect();
                return Err(match codes.is_empty() {
                    true => StoreError::of(OPERATION)(error),
                    false => {
                        StoreError::Unavailable { operation: OPERATION, cause: codes.join(", ") }
                    }
                });
            }
            pause(attempt).await;
        }
    }
}

/// Waits before the attempt after the `attempt`th, with full jitter.
pub(crate) async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=CONFLICT_WAIT << attempt.min(6))))
        .await;
}

/// A query of an index of the interactions table.
pub(crate) struct IndexQuery {
    /// See [`crate::ground::index`].
    pub(crate) index: &'static str,
    /// The key condition.
    pub(crate) condition: &'static str,
    /// Attributes with the value that they must have: other entries are left out.
    pub(crate) only: Vec<(&'static str, &'static str)>,
    /// Values that the condition names.
    pub(crate) values: Vec<(&'static str, AttributeValue)>,
    /// Whether the entries come in descending order.
    pub(crate) newest_first: bool,
    /// Entries that DynamoDB reads for a page at most; `None`: a megabyte.
    pub(crate) limit: Option<usize>,
}

/// One page of an index.
pub(crate) struct IndexPage {
    /// Its entries.
    pub(crate) items: Vec<Item>,
    /// The key after which the next page starts. `None`: this was the last page.
    pub(crate) next: Option<Item>,
}

impl Store {
    /// Reads the page after `start`; the first page if that is `None`.
    pub(crate) async fn page(
        &self,
        query: &IndexQuery,
        start: Option<Item>,
    ) -> Result<IndexPage, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&self.tables.interactions)
            .index_name(query.index)
            .key_condition_expression(query.condition)
            .scan_index_forward(!query.newest_first)
            .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(start);
        let mut clauses = Vec::new();
        for (n, (attribute, value)) in query.only.iter().enumerate() {
            clauses.push(format!("#only{n} = :only{n}"));
            request = request
                .expression_attribute_names(format!("#only{n}"), *attribute)
                .expression_attribute_values(format!(":only{n}"), s(*value));
        }
        if !clauses.is_empty() {
            request = request.filter_expression(clauses.join(" AND "));
        }
        for (name, value) in &query.values {
            request = request.expression_attribute_values(*name, value.clone());
        }
        let page = request.send().await.map_err(StoreError::of("Query"))?;
        Ok(IndexPage { items: page.items.unwrap_or_default(), next: page.last_evaluated_key })
    }

    /// An item of the suppression table, as it is now.
    pub(crate) async fn suppression_item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let got = self.client.get_item().table_name(&self.tables.suppression).set_key(Some(key));
        let got = got.consistent_read(true).send().await.map_err(StoreError::of("GetItem"))?;
        Ok(got.item)
    }

    /// The items of a table with these keys, at most [`KEYS_AT_ONCE`]; those that do not exist are
    /// left out. DynamoDB leaves keys unprocessed when it is throttled, or when the items are large:
    /// they are asked for again.
    pub(crate) async fn batch_get(
        &self,
        table: &str,
        keys: KeysAndAttributesBuilder,
    ) -> Result<Vec<Item>, StoreError> {
        let mut wanted = HashMap::from([(table.to_owned(), built(keys.build())?)]);
        let (mut items, mut in_vain) = (Vec::new(), 0);
        while !wanted.is_empty() {
            let got = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let got = got.map_err(StoreError::of("BatchGetItem"))?;
            let before = items.len();
            items.extend(got.responses.unwrap_or_default().into_values().flatten());
            wanted = got.unprocessed_keys.unwrap_or_default();
            in_vain = if items.len() == before { in_vain + 1 } else { 0 };
            if in_vain >= BATCH_ATTEMPTS && !wanted.is_empty() {
                return Err(StoreError::Unavailable {
                    operation: "BatchGetItem",
                    cause: "keys stay unprocessed".into(),
                });
            }
            if in_vain > 0 {
                pause(in_vain).await;
            }
        }
        Ok(items)
    }

    /// An update of a row, alone.
    pub(crate) fn update(&self, request_id: Uuid) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.interactions)
            .set_key(Some(row_key(request_id)))
    }

    /// An update of a row, as part of a transaction.
    pub(crate) fn transacted(&self, request_id: Uuid) -> UpdateBuilder {
        Update::builder().table_name(&self.tables.interactions).set_key(Some(row_key(request_id)))
    }

    /// Puts an item into the suppression table, whatever stands there: the callers say why that is
    /// right.
    pub(crate) async fn put_suppression<const N: usize>(
        &self,
        key: Item,
        attributes: [(&str, AttributeValue); N],
    ) -> Result<(), StoreError> {
        let mut put = self.client.put_item().table_name(&self.tables.suppression);
        put = put.set_item(Some(key));
        for (name, value) in attributes {
            put = put.item(name, value);
        }
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }

    /// Deletes an item of the suppression table. Clauses: there is none; or it is this request's.
    pub(crate) fn release_if_mine(
        &self,
        subject: String,
        kind: &str,
        request_id: Uuid,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject, kind)))
            .condition_expression("attribute_not_exists(subject) OR request_id = :mine")
            .expression_attribute_values(":mine", s(request_id.to_string()));
        Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
    }

    /// Writes `update` to a row and, in the same transaction, carries out `others`. False if the
    /// condition of `update` did not hold: then nothing is written. If the condition of one of the
    /// others does not hold, that one is left out and the rest is written: it concerns an item
    /// that belongs to another request by now.
    pub(crate) async fn write_with(
        &self,
        update: UpdateBuilder,
        others: impl IntoIterator<Item = TransactWriteItem>,
    ) -> Result<bool, StoreError> {
        let mut actions = vec![TransactWriteItem::builder().update(built(update.build())?).build()];
        actions.extend(others);
        loop {
            let Transacted::Refused(reasons) = self.transact(actions.clone()).await? else {
                return Ok(true);
            };
            if condition_failed(reasons.first()) {
                return Ok(false);
            }
            let mut reasons = reasons.iter();
            actions.retain(|_| !condition_failed(reasons.next()));
        }
    }
}
