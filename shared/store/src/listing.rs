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
/// Days that are asked about at once, at most: one, then two, and so on, so that a list of a busy
/// company is found in its newest day.
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
#[derive(Clone, Copy, Debug)]
pub struct ListBounds {
    /// Only requests older than this one.
    pub after: Option<Uuid>,
    /// Ids that are found at most.
    pub limit: usize,
    /// Nothing older is looked for: nothing older is kept.
    pub oldest: Timestamp,
    /// Days that one page looks back through at most, if it is read by time.
    pub days: usize,
    /// The time of the call.
    pub now: Timestamp,
}

impl ListBounds {
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
    /// Requests of these modes, newest first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn list(
        &self,
        modes: &[Mode],
        filter: &Filter,
        bounds: ListBounds,
    ) -> Result<Page, StoreError> {
        let ListBounds { after, limit, .. } = bounds;
        let mut pages = Vec::new();
        match (&filter.ext_interaction_id, filter.outcome()) {
            (Some(ext), _) => {
                for mode in modes {
                    pages.push(self.ids_by_ext(ext, *mode, after, limit).await?);
                }
            }
            (None, Some(status)) if is_listed(status) => {
                for mode in modes {
                    pages.push(self.ids_by_outcome(*mode, status, filter, bounds).await?);
                }
            }
            (None, Some(status)) if status.is_waiting() => {
                pages.push(self.ids_that_wait(status, bounds).await?);
            }
            (None, status) => {
                pages.push(self.ids_by_time(modes, &filter.only(status), bounds).await?);
            }
        }
        Ok(merge(pages, limit))
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
        bounds: ListBounds,
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
        bounds: ListBounds,
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
        modes: &[Mode],
        only: &[(&'static str, &'static str)],
        bounds: ListBounds,
    ) -> Result<(Vec<Uuid>, Option<Uuid>), StoreError> {
        let limit = bounds.limit;
        let day = |back: i64| SignedDuration::from_hours(24 * back);
        let from = bounds.from();
        // A day more, since requests were received on the whole of the oldest day.
        let oldest = bounds.oldest.checked_sub(day(1)).unwrap_or(Timestamp::MIN);
        let days =
            (0..).map_while(|back| from.checked_sub(day(back)).ok()).take_while(|at| *at > oldest);
        let days: Vec<Timestamp> = days.take(bounds.days + 1).collect();
        let mut ids: Vec<Uuid> = Vec::new();
        // The latest id at which the search of a shard stopped: what is older is left for the next
        // page.
        let mut floor: Option<Uuid> = None;
        let mut searched = days.get(..days.len().min(bounds.days)).unwrap_or_default();
        let mut days_at_once = 1;
        while !searched.is_empty() {
            let (at_once, further) = searched.split_at(days_at_once.min(searched.len()));
            searched = further;
            days_at_once = (days_at_once * 2).min(DAYS_AT_ONCE);
            let partitions = at_once.iter().flat_map(|at| {
                modes
                    .iter()
                    .flat_map(|mode| (0..DAY_SHARDS).map(|shard| day_shard(*mode, *at, shard)))
            });
            let queries = partitions.map(|shard| IndexQuery {
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
        let older = days.get(bounds.days).map(|at| last_id(*at, 24 * 3_600));
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

/// Several lists as one, newest first. Where one of them stopped before its end, the others are cut
/// off too: what is older is left for the next page.
fn merge(pages: Vec<(Vec<Uuid>, Option<Uuid>)>, limit: usize) -> Page {
    let floor = pages.iter().filter_map(|(_, next)| *next).max();
    let mut ids: Vec<Uuid> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
    ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let (ids, next) = cut(ids, limit, floor);
    Page { ids, next }
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
    fn two_lists_become_one_without_a_gap() {
        fn page(ids: &[u128], next: Option<u128>) -> (Vec<Uuid>, Option<Uuid>) {
            (ids.iter().copied().map(Uuid::from_u128).collect(), next.map(Uuid::from_u128))
        }
        for (live, test, limit, expected) in [
            (page(&[9, 5], None), page(&[7], None), 9, page(&[9, 7, 5], None)),
            (page(&[9, 5], None), page(&[7], None), 2, page(&[9, 7], Some(7))),
            // One list stopped at 6: what the other has below it comes with the next page.
            (page(&[9, 5], None), page(&[7, 6], Some(6)), 9, page(&[9, 7, 6], Some(6))),
            (page(&[], Some(4)), page(&[3], None), 9, page(&[], Some(4))),
            (page(&[], None), page(&[], None), 9, page(&[], None)),
        ] {
            let merged = merge(vec![live, test], limit);
            assert_eq!((merged.ids, merged.next), expected);
        }
    }

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
