//! Reads of bounded size for the admin pages, however much is stored.

use std::collections::HashMap;

use futures::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::Mode;
use uuid::Uuid;

use crate::editing::StoredItem;
use crate::error::StoreError;
use crate::ground::{index, request_id, s};
use crate::shards::{DAY_SHARDS, day_shard, first_id_at};
use crate::store::{IndexQuery, Store};

/// Days that [`Store::latest_of_source`] looks at.
const DAYS: i64 = 2;
/// Entries of the index that it reads of each shard, at most.
const READ_A_SHARD: usize = 250;

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
    /// most `limit`. Looks back over two days. Of each shard it reads only the newest entries, so
    /// that a flood from another source can hide some.
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
        let shards = days.flat_map(|at| (0..DAY_SHARDS).map(move |n| day_shard(mode, at, n)));
        let pages = shards.map(|shard| async move {
            let query = IndexQuery {
                index: index::DAY,
                condition: "day_shard = :shard AND request_id >= :since",
                only: vec![("source", source.as_str())],
                values: vec![(":shard", s(shard)), (":since", s(first_id_at(since).to_string()))],
                newest_first: true,
                limit: Some(READ_A_SHARD),
            };
            self.page(&query, None).await
        });
        let pages = try_join_all(pages).await?;
        let mut ids: Vec<Uuid> =
            pages.iter().flat_map(|page| page.items.iter().filter_map(request_id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.truncate(limit);
        Ok(ids)
    }
}
