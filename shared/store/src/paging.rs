//! The latest requests of a source, for the admin pages: a read of bounded size.

use futures::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::Mode;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{index, request_id, s};
use crate::shards::{DAY_SHARDS, day_shard, first_id_at};
use crate::store::{IndexQuery, Store};

/// Days that [`Store::latest_of_source`] looks at.
const DAYS: i64 = 2;
/// Entries of the index that it reads of each shard, at most.
const READ_A_SHARD: usize = 250;

impl Store {
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
