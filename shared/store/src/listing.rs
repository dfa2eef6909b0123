//! Reading requests: one by its id, many by the helpdesk's id or by time.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use policy::{Mode, Status};
use uuid::Uuid;

use crate::error::pause;
use crate::interaction::{DAY_SHARDS, day_shard, last_id, s};
use crate::{Interaction, Store, StoreError};

/// Which requests to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this interaction.
    pub ext_interaction_id: Option<String>,
    /// Only those that stand here.
    pub status: Option<Status>,
}

impl Filter {
    /// Whether this row is one of them. An index may show what a row was a moment ago.
    pub fn admits(&self, row: &Interaction) -> bool {
        self.status.is_none_or(|status| row.status == status)
    }
}

/// A page of requests, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most `limit`; may be fewer, even none, though `next` leads on. The rows are had from
    /// [`Store::interactions`], and a caller whose reply is full before the end asks on after the
    /// last one that it holds.
    pub ids: Vec<Uuid>,
    /// Where the next page starts: the `after` to ask with. `None`: that was all.
    pub next: Option<Uuid>,
}

/// Rows that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Those that there are.
    pub rows: HashMap<Uuid, Interaction>,
    /// What they weigh, as DynamoDB counts it.
    pub bytes: usize,
}

/// Rows that are read by their ids at once. As heavy as DynamoDB lets them be, they come to 3.2 MB,
/// which a small function reads well within the time of one attempt.
pub const ROWS_AT_ONCE: usize = 8;

/// Days that one page looks back through at most: longer than most companies keep requests, so that
/// what ends within them ends with a `null`.
const DAYS_A_PAGE: usize = 400;
/// Days that are asked about at once.
const DAYS_AT_ONCE: usize = 8;
/// Pages of a shard that are searched for a status before the caller gets a cursor to go on from.
const PAGES_A_SHARD: usize = 5;
/// How far another machine's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// Times in a row that none of what is asked for comes, though it is there.
const BATCH_ATTEMPTS: u32 = 10;

/// What one shard has.
struct OfShard {
    ids: Vec<Uuid>,
    broken_off_at: Option<Uuid>,
}

impl Store {
    /// The request, unless it is unknown or has expired.
    pub async fn interaction(
        &self,
        request_id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Interaction>, StoreError> {
        Ok(self.kept(request_id).await?.filter(|row| !row.expired(now)))
    }

    /// The row, though it may have expired: DynamoDB deletes late.
    pub(crate) async fn kept(&self, request_id: Uuid) -> Result<Option<Interaction>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.interactions)
            .key("request_id", s(request_id.to_string()));
        let item = got.consistent_read(true).send().await.map_err(StoreError::of("GetItem"))?.item;
        item.map(Interaction::from_item).transpose()
    }

    /// Requests of this mode, newest first, older than `after`; `oldest` bounds the search (nothing
    /// older is kept).
    pub async fn list(
        &self,
        mode: Mode,
        filter: &Filter,
        after: Option<Uuid>,
        limit: usize,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        let (ids, next) = match &filter.ext_interaction_id {
            Some(ext) => self.ids_by_ext(ext, mode, after, limit).await?,
            None => self.ids_by_time(mode, filter.status, after, limit, oldest, now).await?,
        };
        Ok(Page { ids, next })
    }

    pub(crate) async fn ids_by_ext(
        &self,
        ext: &str,
        mode: Mode,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let (mut ids, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("ext_interaction_id")
                .key_condition_expression("ext_interaction_id = :ext AND request_id < :after")
                .filter_expression("#mode = :mode")
                .expression_attribute_names("#mode", "mode")
                .expression_attribute_values(":ext", s(ext))
                .expression_attribute_values(":mode", s(mode.as_str()))
                .expression_attribute_values(":after", s(after.unwrap_or(Uuid::max()).to_string()))
                .scan_index_forward(false)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query ext_interaction_id"))?;
            ids.extend(page.items().iter().filter_map(id_of));
            start = page.last_evaluated_key;
            if start.is_none() || ids.len() > limit {
                break;
            }
        }
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().copied().filter(|_| more);
        Ok((ids, next))
    }

    async fn ids_by_time(
        &self,
        mode: Mode,
        status: Option<Status>,
        after: Option<Uuid>,
        limit: usize,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let day = |back: i64| SignedDuration::from_hours(24 * back);
        let from = after.and_then(received_at).unwrap_or(now.checked_add(AHEAD).unwrap_or(now));
        // A day more than the oldest, whose day is not over.
        let oldest = oldest.checked_sub(day(1)).unwrap_or(Timestamp::MIN);
        let days =
            (0..).map_while(|back| from.checked_sub(day(back)).ok()).take_while(|at| *at > oldest);
        let days: Vec<Timestamp> = days.take(DAYS_A_PAGE + 1).collect();
        let mut ids: Vec<Uuid> = Vec::new();
        // Where the search of a shard was broken off; what is older than the latest of these is
        // left for the next page.
        let mut floor: Option<Uuid> = None;
        for at_once in
            days.get(..days.len().min(DAYS_A_PAGE)).unwrap_or_default().chunks(DAYS_AT_ONCE)
        {
            let queries = at_once
                .iter()
                .flat_map(|at| (0..DAY_SHARDS).map(move |shard| day_shard(mode, *at, shard)));
            for shard in try_join_all(
                queries.map(|shard| self.ids_of_shard(shard, status, after, limit + 1)),
            )
            .await?
            {
                ids.extend(shard.ids);
                floor = floor.max(shard.broken_off_at);
            }
            if ids.len() > limit || floor.is_some() {
                break;
            }
        }
        ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = match more {
            true => ids.last().copied(),
            // The search ended before what is kept did: go on from the day that was not looked at.
            false if floor.is_some() => floor,
            false => days.get(DAYS_A_PAGE).map(|at| last_id(*at, 24 * 3_600)),
        };
        Ok((ids, next))
    }

    async fn ids_of_shard(
        &self,
        shard: String,
        status: Option<Status>,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<OfShard, StoreError> {
        let (mut ids, mut start) = (Vec::new(), None);
        // Without a filter what is read is what is shown.
        let a_page =
            if status.is_some() { 1_000 } else { i32::try_from(limit).unwrap_or(1_000).min(1_000) };
        for pages in 1.. {
            let mut query = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("day")
                .key_condition_expression("day_shard = :shard AND request_id < :after")
                .expression_attribute_values(":shard", s(&shard))
                .expression_attribute_values(":after", s(after.unwrap_or(Uuid::max()).to_string()))
                .scan_index_forward(false)
                .limit(a_page)
                .set_exclusive_start_key(start);
            if let Some(status) = status {
                query = query
                    .filter_expression("#status = :status")
                    .expression_attribute_names("#status", "status");
                query = query.expression_attribute_values(":status", s(status.as_str()));
            }
            let page = query.send().await.map_err(StoreError::of("Query day"))?;
            ids.extend(page.items().iter().filter_map(id_of));
            start = page.last_evaluated_key;
            if start.is_none() || ids.len() >= limit {
                break;
            }
            if pages >= PAGES_A_SHARD {
                return Ok(OfShard { ids, broken_off_at: start.as_ref().and_then(id_of) });
            }
        }
        Ok(OfShard { ids, broken_off_at: None })
    }

    /// The rows with these ids, but for those that are gone. Who wants many asks for
    /// [`ROWS_AT_ONCE`] at a time, and stops when there is enough.
    pub async fn interactions(&self, ids: &[Uuid], now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        // DynamoDB refuses a batch that names a row twice, as an answer does that was changed while
        // it was read.
        let ids: Vec<Uuid> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        for batch in ids.chunks(ROWS_AT_ONCE) {
            let keys = batch
                .iter()
                .map(|id| HashMap::from([("request_id".to_owned(), s(id.to_string()))]))
                .collect();
            let keys =
                crate::record::built(KeysAndAttributes::builder().set_keys(Some(keys)).build())?;
            let mut wanted = HashMap::from([(self.tables.interactions.clone(), keys)]);
            let mut in_vain = 0;
            while !wanted.is_empty() {
                let got = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
                let got = got.map_err(StoreError::of("BatchGetItem"))?;
                let items: Vec<_> =
                    got.responses.unwrap_or_default().into_values().flatten().collect();
                // DynamoDB leaves keys unprocessed when it is throttled, or the rows are large.
                wanted = got.unprocessed_keys.unwrap_or_default();
                in_vain = if items.is_empty() { in_vain + 1 } else { 0 };
                if in_vain >= BATCH_ATTEMPTS && !wanted.is_empty() {
                    return Err(StoreError::Unavailable {
                        operation: "BatchGetItem",
                        cause: "keys stay unprocessed".into(),
                    });
                }
                for item in items {
                    found.bytes += weight_of(&item);
                    let request_id = id_of(&item);
                    match Interaction::from_item(item) {
                        Ok(row) => drop(found.rows.insert(row.request_id, row)),
                        // Somebody has edited it by hand. One row must not make a whole list
                        // unreadable.
                        Err(error) => {
                            tracing::error!(?request_id, %error, "a row is left out of a list")
                        }
                    }
                }
                if in_vain > 0 {
                    pause(in_vain).await;
                }
            }
        }
        found.rows.retain(|_, row| !row.expired(now));
        Ok(found)
    }
}

/// Bytes of an item, as DynamoDB counts them.
fn weight_of(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + weight(value)).sum()
}

fn weight(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        AttributeValue::M(map) => 3 + weight_of(map) + map.len(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + weight(value)).sum::<usize>(),
        _ => 1,
    }
}

pub(crate) fn id_of(item: &HashMap<String, AttributeValue>) -> Option<Uuid> {
    item.get("request_id")?.as_s().ok()?.parse().ok()
}

/// The time in a UUIDv7.
pub(crate) fn received_at(request_id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = request_id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}
