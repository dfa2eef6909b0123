//! What `sweep` does: find what is due, and wake it.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure as OnFailure};
use jiff::Timestamp;
use policy::{Mode, Status, saturating_add};
use uuid::Uuid;

use crate::interaction::{DAY_SHARDS, STALLED, day_shard, first_id, hour, last_id, ms, n, s};
use crate::sending::applied;
use crate::{Store, StoreError};

/// Partitions of the `due` index, read in parallel.
pub const DUE_SHARDS: u64 = 8;

/// Rows of one page: about half a megabyte of the index, which DynamoDB reads in some hundredths of
/// a second.
const LARGEST_PAGE: i32 = 2_000;

/// Clauses of all writes to a row that was found due: it exists; it stands where the index says;
/// and nobody has moved its time since.
pub(crate) const SEEN: &str =
    "attribute_exists(request_id) AND #status = :status AND wake_at = :seen";

/// How often a row is woken with nobody working on it: for a week, every three minutes.
const MOST_WOKEN: u32 = 7 * 24 * 20;

/// What became of a row that was to be made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It is ready.
    Ready,
    /// Somebody else has moved it in between.
    MovedOn,
    /// It was made ready for a week, and whoever should have worked on it failed each time.
    InVain,
}

/// Seconds.
const HOUR: i64 = 3_600;

/// A row whose `wake_at` has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub request_id: Uuid,
    /// `Unresolved`, `Queued` or `Sending`.
    pub status: Status,
    /// As the index has it; the index may lag, so every write requires it.
    pub wake_at: Timestamp,
    /// For `Sending`: when.
    pub claimed_at: Option<Timestamp>,
    /// For `Sending`: since when evidence says that the mail never left.
    pub doubted_at: Option<Timestamp>,
}

impl Store {
    /// Rows of one shard whose time has come, the longest waiting first: at most `limit` that are
    /// to be made ready, and every `Sending` one that is found on the way to them.
    pub async fn due(
        &self,
        shard: u64,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let (mut found, mut start, mut wakeable) = (Vec::new(), None, 0);
        while wakeable < limit {
            let page = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND wake_at <= :now")
                .expression_attribute_values(":shard", s(crate::interaction::due_shard(shard)))
                .expression_attribute_values(":now", ms(now))
                .limit(i32::try_from(limit - wakeable).unwrap_or(i32::MAX).min(LARGEST_PAGE))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query due"))?;
            found.extend(page.items.unwrap_or_default().iter().filter_map(due));
            wakeable = found.iter().filter(|due| due.status != Status::Sending).count();
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Makes a due request ready and moves its `wake_at` ahead, so that it is not woken twice for
    /// nothing. It counts how often that was done since somebody last worked on the row.
    pub async fn wake(&self, due: &Due, now: Timestamp) -> Result<Woken, StoreError> {
        // Clauses: as `SEEN`; and it was not woken for a week already with nobody working on it.
        let update = self
            .seen(due)
            .update_expression("SET ready = :one, wake_at = :stalled ADD woken :one")
            .condition_expression(format!(
                "{SEEN} AND (attribute_not_exists(woken) OR woken < :most)"
            ))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(MOST_WOKEN))
            .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED)))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(Woken::Ready) };
        let woken = match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().and_then(|row| row.get("woken"))
            }
            _ => return Err(StoreError::of("UpdateItem")(error)),
        };
        let woken: u32 =
            woken.and_then(|woken| woken.as_n().ok()?.parse().ok()).unwrap_or_default();
        Ok(if woken < MOST_WOKEN { Woken::MovedOn } else { Woken::InVain })
    }

    /// Looks again at `wake_at`: a lease is over and there is no evidence yet. False if the row has
    /// moved on.
    pub async fn postpone(&self, due: &Due, wake_at: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .seen(due)
            .update_expression("SET wake_at = :later")
            .condition_expression(SEEN)
            .expression_attribute_values(":later", ms(wake_at));
        applied(update.send().await)
    }

    /// Evidence says for the first time that no mail left: it has to say so again at `wake_at`.
    /// False if the row has moved on.
    pub async fn doubt(
        &self,
        due: &Due,
        wake_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .seen(due)
            .update_expression("SET doubted_at = :now, wake_at = :later")
            .condition_expression(SEEN)
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":later", ms(wake_at));
        applied(update.send().await)
    }

    /// An update with what [`SEEN`] names.
    pub(crate) fn seen(&self, due: &Due) -> UpdateItemFluentBuilder {
        self.update(due.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(due.status.as_str()))
            .expression_attribute_values(":seen", ms(due.wake_at))
    }

    /// Counts an hour's requests by outcome and keeps the result as `tally/<hour>`,
    /// `mode/source/status/reason` → count: what alerts and charts read.
    ///
    /// Counted from the index, never by a counter in the request's path. The whole item is
    /// replaced, so counting twice does no harm.
    pub async fn tally(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for mode in [Mode::Live, Mode::Test] {
            for shard in 0..DAY_SHARDS {
                self.count_shard(day_shard(mode, at, shard), at, mode, &mut counts).await?;
            }
        }
        if counts.is_empty() {
            return Ok(());
        }
        let counts = counts.into_iter().map(|(name, count)| (name, n(count))).collect();
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.config)
            .item("kind", s("tally"))
            .item("id", s(hour(at)));
        put.item("counts", AttributeValue::M(counts))
            .send()
            .await
            .map_err(StoreError::of("PutItem"))?;
        Ok(())
    }

    async fn count_shard(
        &self,
        shard: String,
        at: Timestamp,
        mode: Mode,
        counts: &mut HashMap<String, u64>,
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("day")
                .key_condition_expression(
                    "day_shard = :shard AND request_id BETWEEN :first AND :last",
                )
                .expression_attribute_values(":shard", s(&shard))
                .expression_attribute_values(":first", s(first_id(at, HOUR).to_string()))
                .expression_attribute_values(":last", s(last_id(at, HOUR).to_string()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query day"))?;
            for item in page.items() {
                let text = |name: &str| {
                    item.get(name).and_then(|v| v.as_s().ok()).map_or("", String::as_str)
                };
                let name =
                    [mode.as_str(), text("source"), text("status"), text("reason")].join("/");
                *counts.entry(name).or_default() += 1;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

fn due(item: &HashMap<String, AttributeValue>) -> Option<Due> {
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok());
    let time =
        |name: &str| Timestamp::from_millisecond(item.get(name)?.as_n().ok()?.parse().ok()?).ok();
    Some(Due {
        request_id: text("request_id")?.parse().ok()?,
        status: Status::from_name(text("status")?)?,
        wake_at: time("wake_at")?,
        claimed_at: time("claimed_at"),
        doubted_at: time("doubted_at"),
    })
}
