//! Finds the requests of a view, with a bounded number of reads.

use jiff::{SignedDuration, Timestamp};
use policy::Mode;
use store::{Filter, Interaction, ListBounds, ROWS_AT_ONCE};
use uuid::Uuid;

use super::wanted::Wanted;
use crate::context::Context;
use crate::error::AdminError;

/// Ids that are asked for at once.
const IDS: usize = 50;
/// Pages of ids that are asked for at most, should they hold few.
const PAGES: usize = 20;
/// Days that one of them looks back through: whoever wants to see further says so.
const DAYS: usize = 31;

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
        let list = ListBounds { after, limit: IDS, oldest, days: DAYS, now: context.now };
        let page = context.store().list(&modes, &filter, list).await?;
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
        let broken_off = page.ids.len() < IDS;
        after = page.next;
        if after.is_none() || broken_off || read >= bounds.read {
            break;
        }
    }
    Ok(Found { rows, next: after })
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
