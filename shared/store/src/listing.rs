//! Lists of requests: by the helpdesk's id, or by time.

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use policy::{Mode, Status};
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{index, request_id, s};
use crate::interaction::Interaction;
use crate::shards::{DAY_SHARDS, day_shard, last_id};
use crate::store::{IndexQuery, Store};

/// Which requests to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this interaction.
    pub ext_interaction_id: Option<String>,
    /// Only those with this status.
    pub status: Option<Status>,
}

impl Filter {
    /// Whether the row still has the status that was asked for: the index may lag.
    pub fn admits(&self, row: &Interaction) -> bool {
        self.status.is_none_or(|status| row.status == status)
    }
}

/// A page of requests, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most `limit`. There may be fewer, even none, while `next` leads on. The rows come from
    /// [`Store::interactions`]. A caller whose reply is full before the end starts its next page
    /// after the last id that it has shown.
    pub ids: Vec<Uuid>,
    /// Where the next page starts: the `after` to ask with. `None`: that was all.
    pub next: Option<Uuid>,
}

/// Entries of the index that are read for one page of a shard at most.
const LARGEST_PAGE: usize = 1_000;
/// Days that one page looks back through at most. Most companies keep requests for less time, so
/// their list ends with `next: null`.
const DAYS_A_PAGE: usize = 400;
/// Days that are asked about at once.
const DAYS_AT_ONCE: usize = 8;
/// Pages of a shard that are searched for a status before the caller gets a cursor to continue at.
const PAGES_A_SHARD: usize = 5;
/// How far another machine's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// What was found in one shard.
struct OfShard {
    ids: Vec<Uuid>,
    /// Where the search stopped before its end.
    broken_off_at: Option<Uuid>,
}

impl Store {
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
        let query = IndexQuery {
            index: index::EXT_INTERACTION_ID,
            condition: "ext_interaction_id = :ext AND request_id < :after",
            values: vec![(":ext", s(ext)), (":after", s(after.unwrap_or(Uuid::max()).to_string()))],
            only: Some(("mode", mode.as_str())),
            newest_first: true,
            limit: None,
        };
        let (mut ids, mut start) = (Vec::new(), None);
        loop {
            let page = self.page(&query, start).await?;
            ids.extend(page.items.iter().filter_map(request_id));
            start = page.next;
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
        // A day more, since requests were received on the whole of the oldest day.
        let oldest = oldest.checked_sub(day(1)).unwrap_or(Timestamp::MIN);
        let days =
            (0..).map_while(|back| from.checked_sub(day(back)).ok()).take_while(|at| *at > oldest);
        let days: Vec<Timestamp> = days.take(DAYS_A_PAGE + 1).collect();
        let mut ids: Vec<Uuid> = Vec::new();
        // The latest id at which the search of a shard stopped: what is older is left for the next
        // page.
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
            // There are older days: the next page starts with the first that was not read.
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
        let query = IndexQuery {
            index: index::DAY,
            condition: "day_shard = :shard AND request_id < :after",
            values: vec![
                (":shard", s(shard)),
                (":after", s(after.unwrap_or(Uuid::max()).to_string())),
            ],
            only: status.map(|status| ("status", status.as_str())),
            newest_first: true,
            // Without a filter, every entry that is read is shown.
            limit: Some(if status.is_some() { LARGEST_PAGE } else { limit.min(LARGEST_PAGE) }),
        };
        let (mut ids, mut start) = (Vec::new(), None);
        for pages in 1.. {
            let page = self.page(&query, start).await?;
            ids.extend(page.items.iter().filter_map(request_id));
            start = page.next;
            if start.is_none() || ids.len() >= limit {
                break;
            }
            if pages >= PAGES_A_SHARD {
                return Ok(OfShard { ids, broken_off_at: start.as_ref().and_then(request_id) });
            }
        }
        Ok(OfShard { ids, broken_off_at: None })
    }
}

/// The time in a UUIDv7.
fn received_at(request_id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = request_id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}
