//! Finds the requests of a view, with a bounded number of reads.

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use policy::Mode;
use store::{Filter, Interaction, Page, ROWS_AT_ONCE};
use uuid::Uuid;

use super::wanted::Wanted;
use crate::{AdminError, Context};

/// Ids that are asked for at once.
const IDS: usize = 50;
/// Pages of ids that are asked for at most, should they hold few.
const PAGES: usize = 20;

/// How much is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Rows that are shown at most.
    pub(crate) rows: usize,
    /// Rows that are read at most.
    pub(crate) read: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Newest first.
    pub(crate) rows: Vec<Interaction>,
    /// Where to go on; `None`: that was all.
    pub(crate) next: Option<Uuid>,
}

/// The requests that the view shows.
pub(crate) async fn search(
    context: &Context<'_>,
    wanted: &Wanted,
    bounds: Bounds,
) -> Result<Found, AdminError> {
    let modes = wanted.mode.map_or(vec![Mode::Live, Mode::Test], |mode| vec![mode]);
    let filter = Filter {
        ext_interaction_id: wanted.ext.clone(),
        status: wanted.status,
        reason: wanted.reason,
        source: wanted.source,
    };
    let oldest = oldest(context).max(wanted.from.unwrap_or(Timestamp::MIN));
    let first = wanted.from.map(first_id);
    let until = wanted.until.map(first_id);
    let mut after = [wanted.after, until].into_iter().flatten().min();
    let (mut rows, mut read): (Vec<Interaction>, usize) = (Vec::new(), 0);
    for _ in 0..PAGES {
        let lists = modes.iter().map(|mode| {
            let store = context.store();
            store.list(*mode, &filter, after, IDS, oldest, context.now)
        });
        let page = merge(try_join_all(lists).await?, IDS);
        for ids in page.ids.chunks(ROWS_AT_ONCE) {
            let mut found = context.store().interactions(ids, context.now).await?;
            for id in ids {
                if first.is_some_and(|first| *id < first) {
                    return Ok(Found { rows, next: None });
                }
                rows.extend(found.rows.remove(id).filter(|row| wanted.admits(row)));
                if rows.len() >= bounds.rows {
                    let last = page.next.is_none() && page.ids.last() == Some(id);
                    return Ok(Found { rows, next: Some(*id).filter(|_| !last) });
                }
            }
            read += ids.len();
        }
        after = page.next;
        if after.is_none() || read >= bounds.read {
            break;
        }
    }
    Ok(Found { rows, next: after })
}

/// Several lists as one, newest first. Where one of them stopped before its end, the others are cut
/// off too: what is older is left for the next page.
fn merge(pages: Vec<Page>, limit: usize) -> Page {
    let floor = pages.iter().filter_map(|page| page.next).max();
    let mut ids: Vec<Uuid> = pages.into_iter().flat_map(|page| page.ids).collect();
    ids.retain(|id| floor.is_none_or(|floor| *id >= floor));
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let more = ids.len() > limit;
    ids.truncate(limit);
    Page { next: if more { ids.last().copied() } else { floor }, ids }
}

/// No request is older than this.
fn oldest(context: &Context<'_>) -> Timestamp {
    let settings = &context.settings;
    let delays = settings.channels.iter().map(|channel| channel.delay);
    let kept = settings.company.kept() + settings.company.open;
    let longest = delays.max().unwrap_or(SignedDuration::ZERO);
    let oldest = kept.checked_add(longest).and_then(|age| context.now.checked_sub(age).ok());
    oldest.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// An id below all that are received at this time or later.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u128], next: Option<u128>) -> Page {
        let ids = ids.iter().copied().map(Uuid::from_u128).collect();
        Page { ids, next: next.map(Uuid::from_u128) }
    }

    #[test]
    fn two_lists_become_one_without_a_gap() {
        for (live, test, limit, expected) in [
            (page(&[9, 5], None), page(&[7], None), 9, page(&[9, 7, 5], None)),
            (page(&[9, 5], None), page(&[7], None), 2, page(&[9, 7], Some(7))),
            // One list stopped at 6: what the other has below it comes with the next page.
            (page(&[9, 5], None), page(&[7, 6], Some(6)), 9, page(&[9, 7, 6], Some(6))),
            (page(&[], Some(4)), page(&[3], None), 9, page(&[], Some(4))),
            (page(&[], None), page(&[], None), 9, page(&[], None)),
        ] {
            let merged = merge(vec![live, test], limit);
            assert_eq!((merged.ids, merged.next), (expected.ids, expected.next));
        }
    }
}
