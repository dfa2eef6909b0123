//! Counting an hour's requests by outcome.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use policy::Mode;

use crate::error::StoreError;
use crate::ground::{hour, index, n, s, text};
use crate::shards::{DAY_SHARDS, day_shard, first_id, last_id};
use crate::store::{IndexQuery, Store};

/// Seconds.
const HOUR: i64 = 3_600;

impl Store {
    /// Counts an hour's requests by outcome and keeps the result as `tally/<hour>`,
    /// `mode/source/status/reason` → count: alerts and charts read it.
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
            .item("id", s(hour(at)))
            .item("counts", AttributeValue::M(counts));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }

    async fn count_shard(
        &self,
        shard: String,
        at: Timestamp,
        mode: Mode,
        counts: &mut HashMap<String, u64>,
    ) -> Result<(), StoreError> {
        let query = IndexQuery {
            index: index::DAY,
            condition: "day_shard = :shard AND request_id BETWEEN :first AND :last",
            values: vec![
                (":shard", s(shard)),
                (":first", s(first_id(at, HOUR).to_string())),
                (":last", s(last_id(at, HOUR).to_string())),
            ],
            only: Vec::new(),
            newest_first: false,
            limit: None,
        };
        let mut start = None;
        loop {
            let page = self.page(&query, start).await?;
            for item in &page.items {
                let text = |name: &str| text(item, name).unwrap_or_default();
                let name =
                    [mode.as_str(), text("source"), text("status"), text("reason")].join("/");
                *counts.entry(name).or_default() += 1;
            }
            start = page.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}
