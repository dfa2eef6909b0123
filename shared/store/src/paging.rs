//! Reads of bounded size for the admin pages, however much is stored.

use std::collections::HashMap;

use futures::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::Mode;
use uuid::Uuid;

use crate::interaction::{DAY_SHARDS, day_shard, s};
use crate::listing::{id_of, received_at};
use crate::{Store, StoreError, StoredItem};

/// Days that [`Store::latest_of_source`] looks at.
const DAYS: i64 = 2;
/// Entries of the index that it reads of each shard, at most.
const READ_A_SHARD: i32 = 250;

impl Store {
    /// Items of a kind in the order of their ids, after the id `after`; of those that begin with
    /// `prefix`. At most `limit`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_page(
        &self,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<StoredItem>, StoreError> {
        let after = after.filter(|after| !after.is_empty() && after.len() <= 1_024);
        let start = after.map(|after| {
            HashMap::from([("kind".to_owned(), s(kind)), ("id".to_owned(), s(after))])
        });
        let mut query = self
            .client
            .query()
            .table_name(&self.tables.config)
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", s(kind))
            .consistent_read(true)
            .limit(limit)
            .set_exclusive_start_key(start);
        // DynamoDB refuses an empty text as a value of a key.
        if !prefix.is_empty() {
            query = query
                .key_condition_expression("#kind = :kind AND begins_with(#id, :prefix)")
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":prefix", s(prefix));
        }
        let page = query.send().await.map_err(StoreError::of("Query config"))?;
        Ok(page.items.unwrap_or_default().into_iter().map(StoredItem::new).collect())
    }

    /// The latest requests of this source and mode that came at or after `since`, newest first, at
    /// most `limit`. Looks back over two days, and reads a bounded part of the index: of a flood
    /// from elsewhere it sees only the newest.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn latest_of_source(
        &self,
        mode: Mode,
        source: Source,
        since: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let days = (0..DAYS)
            .filter_map(|back| now.checked_sub(SignedDuration::from_hours(24 * back)).ok())
            .filter(|at| day(*at) >= day(since));
        let queries = days.flat_map(|at| (0..DAY_SHARDS).map(move |n| day_shard(mode, at, n)));
        let shards = queries.map(|shard| async move {
            let query = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("day")
                .key_condition_expression("day_shard = :shard")
                .filter_expression("#source = :source")
                .expression_attribute_names("#source", "source")
                .expression_attribute_values(":shard", s(shard))
                .expression_attribute_values(":source", s(source.as_str()))
                .scan_index_forward(false)
                .limit(READ_A_SHARD);
            query.send().await.map_err(StoreError::of("Query day"))
        });
        let pages = try_join_all(shards).await?;
        let items = pages.into_iter().flat_map(|page| page.items.unwrap_or_default());
        // An id has the time in milliseconds.
        let since = since.as_millisecond();
        let mut ids: Vec<Uuid> = items
            .filter_map(|item| id_of(&item))
            .filter(|id| received_at(*id).is_some_and(|at| at.as_millisecond() >= since))
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.truncate(limit);
        Ok(ids)
    }
}
