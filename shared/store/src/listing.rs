//! Lists of requests: by the helpdesk's id, by outcome, by what they wait for, or by time.
//!
//! Each list is read from the index that holds little besides it, so that its cost depends on what
//! it shows, and not on what is stored:
//!
//! - what did not reach the customer: the index `outcome`, a month at a time;
//! - what waits: the index `due`, which holds nothing else;
//! - what was sent or delivered, and lists of every status: the index `day`, where they are common.

use futures::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use normalize::Source;
use policy::{Mode, Reason, Status};
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{index, request_id, s};
use crate::interaction::Interaction;
use crate::outcome_month::{is_listed, partition, received_at};
use crate::shards::{DAY_SHARDS, DUE_SHARDS, day_shard, due_shard, last_id};
use crate::store::{IndexQuery, Store};

/// Which requests to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this interaction.
    pub ext_interaction_id: Option<String>,
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those with this reason.
    pub reason: Option<Reason>,
    /// Only those from this source.
    pub source: Option<Source>,
}

impl Filter {
    /// Whether the row is one that was asked for: an index may lag, and not every index has every
    /// attribute.
    pub fn admits(&self, mode: Mode, row: &Interaction) -> bool {
        row.mode == mode
            && self.status.is_none_or(|status| row.status == status)
            && self.reason.is_none_or(|reason| row.reason == Some(reason))
            && self.source.is_none_or(|source| row.source == source)
    }

    /// The status that the requests have: a reason belongs to one.
    fn outcome(&self) -> Option<Status> {
        self.status.or(self.reason.map(|reason| reason.outcome().status()))
    }

    /// What an index filters by, if it has these attributes.
    fn only(&self, status: Option<Status>) -> Vec<(&'static str, &'static str)> {
        let status = status.map(|status| ("status", status.as_str()));
        let reason = self.reason.map(|reason| ("reason", reason.code()));
        let source = self.source.map(|source| ("source", source.as_str()));
        status.into_iter().chain(reason).chain(source).collect()
    }
}

/// A page of requests, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most `limit`. There may be fewer, even none, while `next` leads on. The rows come from
    /// [`Store::interactions`]; [`Filter::admits`] has the last word about each. A caller whose
    /// reply is full before the end starts its next page after the last id that it has shown.
    pub ids: Vec<Uuid>,
    /// Where the next page starts: the `after` to ask with. `None`: that was all.
    pub next: Option<Uuid>,
}

/// Entries of the index that are read for one page of a partition at most.
const LARGEST_PAGE: usize = 1_000;
/// Days that one page looks back through at most. Most companies keep requests for less time, so
/// their list ends with `next: null`.
const DAYS_A_PAGE: usize = 400;
/// Days that are asked about at once.
const DAYS_AT_ONCE: usize = 8;
/// Pages of a partition that are searched before the caller gets a cursor to continue at.
const PAGES_A_SHARD: usize = 5;
/// How far another machine's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// What was found in one partition.
struct OfShard {
    ids: Vec<Uuid>,
    /// Where the search stopped before its end.
    broken_off_at: Option<Uuid>,
}

/// The bounds of a list.
#[derive(Clone, Copy)]
struct Bounds {
    after: Option<Uuid>,
    limit: usize,
    /// Nothing older is looked for.
    oldest: Timestamp,
    now: Timestamp,
}

impl Bounds {
    fn below(&self) -> (&'static str, aws_sdk_dynamodb::types::AttributeValue) {
        (":after", s(self.after.unwrap_or(Uuid::max()).to_string()))
    }

    /// The time from which the list goes back.
    fn from(&self) -> Timestamp {
        let latest = self.now.checked_add(AHEAD).unwrap_or(self.now);
        self.after.and_then(received_at).map_or(latest, |after| after.min(latest))
    }
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
        let bounds = Bounds { after, limit, oldest, now };
        let (ids, next) = match (&filter.ext_interaction_id, filter.outcome()) {
            (Some(ext), _) => self.ids_by_ext(ext, mode, after, limit).await?,
            (None, Some(status)) if is_listed(status) => {
                self.ids_by_outcome(mode, status, filter, bounds).await?
            }
            (None, Some(status)) if status.is_waiting() => {
                self.ids_that_wait(status, bounds).await?
            }
            (None, status) => self.ids_by_time(mode, &filter.only(status), bounds).await?,
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
            only: vec![("mode", mode.as_str())],
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
        Ok(cut(ids, limit, None))
    }

    /// Requests that did not reach the customer: month by month from the index `outcome`, which
    /// holds nothing else.
    async fn ids_by_outcome(
        &self,
        mode: Mode,
        status: Status,
        filter: &Filter,
        bounds: Bounds,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let (mut ids, mut broken_off_at) = (Vec::new(), None);
        for month in months(bounds.oldest, bounds.from()) {
            let query = IndexQuery {
                index: index::OUTCOME,
                condition: "outcome_month = :month AND request_id < :after",
                values: vec![(":month", s(partition(mode, status, month))), bounds.below()],
                only: filter.only(None),
                newest_first: true,
                limit: None,
            };
            let wanted = bounds.limit + 1 - ids.len();
            let found = self.ids_of_partition(query, wanted).await?;
            ids.extend(found.ids);
            broken_off_at = found.broken_off_at;
            if ids.len() > bounds.limit || broken_off_at.is_some() {
                break;
            }
        }
        Ok(cut(ids, bounds.limit, broken_off_at))
    }

    /// Requests with a status in which they wait. The index `due` holds what waits, of both modes,
    /// in the order in which it is due: all of it is read, at most [`PAGES_A_SHARD`] megabytes a
    /// shard, which is some hundred thousand requests.
    async fn ids_that_wait(
        &self,
        status: Status,
        bounds: Bounds,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let shards = (0..DUE_SHARDS).map(|shard| async move {
            let query = IndexQuery {
                index: index::DUE,
                condition: "due_shard = :shard",
                values: vec![(":shard", s(due_shard(shard)))],
                only: vec![("status", status.as_str())],
                newest_first: false,
                limit: None,
            };
            let (mut ids, mut start) = (Vec::new(), None);
            for _ in 0..PAGES_A_SHARD {
                let page = self.page(&query, start).await?;
                ids.extend(page.items.iter().filter_map(request_id));
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
            Ok::<_, StoreError>(ids)
        });
        let mut ids: Vec<Uuid> = try_join_all(shards).await?.into_iter().flatten().collect();
        ids.retain(|id| bounds.after.is_none_or(|after| *id < after));
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(cut(ids, bounds.limit, None))
    }

    async fn ids_by_time(
        &self,
        mode: Mode,
        only: &[(&'static str, &'static str)],
        bounds: Bounds,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let limit = bounds.limit;
        let day = |back: i64| SignedDuration::from_hours(24 * back);
        let from = bounds.from();
        // A day more, since requests were received on the whole of the oldest day.
        let oldest = bounds.oldest.checked_sub(day(1)).unwrap_or(Timestamp::MIN);
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
                .flat_map(|at| (0..DAY_SHARDS).map(move |shard| day_shard(mode, *at, shard)))
                .map(|shard| IndexQuery {
                    index: index::DAY,
                    condition: "day_shard = :shard AND request_id < :after",
                    values: vec![(":shard", s(shard)), bounds.below()],
                    only: only.to_vec(),
                    newest_first: true,
                    limit: None,
                });
            let searches = queries.map(|query| self.ids_of_partition(query, limit + 1));
            for shard in try_join_all(searches).await? {
                ids.extend(shard.ids);
                floor = floor.max(shard.broken_off_at);
            }
            if ids.len() > limit || floor.is_some() {
                break;
            }
        }
        ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
        ids.sort_unstable_by(|a, b| b.cmp(a));
        // There are older days: the next page starts with the first that was not read.
        let older = days.get(DAYS_A_PAGE).map(|at| last_id(*at, 24 * 3_600));
        Ok(cut(ids, limit, floor.or(older)))
    }

    /// At least `wanted` ids of a partition, if it has them and they are found in time.
    async fn ids_of_partition(
        &self,
        query: IndexQuery,
        wanted: usize,
    ) -> Result<OfShard, StoreError> {
        // Without a filter, every entry that is read is shown.
        let limit = if query.only.is_empty() { wanted.min(LARGEST_PAGE) } else { LARGEST_PAGE };
        let query = IndexQuery { limit: Some(limit), ..query };
        let (mut ids, mut start) = (Vec::new(), None);
        for pages in 1.. {
            let page = self.page(&query, start).await?;
            ids.extend(page.items.iter().filter_map(request_id));
            start = page.next;
            if start.is_none() || ids.len() >= wanted {
                break;
            }
            if pages >= PAGES_A_SHARD {
                return Ok(OfShard { ids, broken_off_at: start.as_ref().and_then(request_id) });
            }
        }
        Ok(OfShard { ids, broken_off_at: None })
    }
}

/// The first `limit` ids, and where the next page starts: after the last of them if there are more,
/// else where the search stopped.
fn cut(mut ids: Vec<Uuid>, limit: usize, stopped_at: Option<Uuid>) -> (Vec<Uuid>, Option<Uuid>) {
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next = if more { ids.last().copied() } else { stopped_at };
    (ids, next)
}

/// A time in each month from that of `from` back to that of `oldest`.
fn months(oldest: Timestamp, from: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().first_of_month();
    let last = first(oldest);
    std::iter::successors(Some(first(from)), |month: &Date| month.checked_sub(1.month()).ok())
        .take_while(move |month| *month >= last)
        .filter_map(|month| Some(month.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_back_to_the_oldest() {
        let named = |oldest: &str, from: &str| -> Vec<String> {
            months(oldest.parse().unwrap(), from.parse().unwrap())
                .map(|month| month.strftime("%Y-%m").to_string())
                .collect()
        };
        assert_eq!(
            named("2025-12-31T23:59:59Z", "2026-02-01T00:00:00Z"),
            ["2026-02", "2026-01", "2025-12"]
        );
        assert_eq!(named("2026-02-03T00:00:00Z", "2026-02-01T00:00:00Z"), ["2026-02"]);
        assert!(named("2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z").is_empty());
    }
}
