//! Withdrawing requests that have not gone out: because their ticket was reopened, or because the
//! sender said do-not-send later. A request that was refused remembers it, since an admin could
//! send it again: see `again`.
//!
//! A withdrawal may race with a claim, with a cancellation, and with its own repetition:
//!
//! ```text
//! reopening:  reads row (queued)            its write is refused: the row is no longer queued
//! dispatch:           claims row (sending)
//! reopening:                                reads row again (sending), and notes reopened_at
//! ```
//!
//! So a row is written on the condition that nobody has moved it since it was read. If that does
//! not hold, the row is read again and written according to its new status. A repetition of the
//! whole finds the rows ended and their markers gone, and writes nothing.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::TransactWriteItem;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::{Mode, Reason, Status, saturating_add};
use uuid::Uuid;

use crate::error::{StoreError, Transacted};
use crate::ground::{applied, built, number, s, seconds};
use crate::interaction::Interaction;
use crate::marker::{First, MarkerKey};
use crate::reading::Unreadable;
use crate::store::{Store, pause};

/// Rows of one ticket that a withdrawal reads at most, the newest first. A ticket has a few; an id
/// with thousands is not a ticket's.
const MOST_ROWS: usize = 2_000;
/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 100;
/// Rows that were never claimed are withdrawn together, this many in one transaction. DynamoDB
/// allows 100 actions.
const ROWS_TOGETHER: usize = 25;
/// Calls that are made at once.
const CALLS_AT_ONCE: usize = 16;
/// Attempts to write a row that has moved on each time.
const ATTEMPTS: u32 = 6;

/// A ticket whose surveys are withdrawn.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    /// Which helpdesk.
    pub source: Source,
    /// The mode of the key: test and live requests do not affect each other.
    pub mode: Mode,
    /// The helpdesk's id of the ticket.
    pub ext_interaction_id: &'a str,
    /// The marker of what identifies the interaction in this delivery.
    pub marker: &'a MarkerKey,
}

/// What a withdrawal left out, for the log.
#[derive(Debug, Default)]
pub struct Withdrawn {
    /// The ticket has more requests than are withdrawn at once: only the newest were, this many.
    pub only_newest: Option<usize>,
    /// Rows that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl Store {
    /// Withdraws every survey of a ticket, for [`Reason::Reopened`] or [`Reason::DoNotSend`]. A
    /// waiting request becomes `not_sent` with the reason. One that is being sent does so if that
    /// send fails. One that was refused is not sent again. After a reopening all their markers are
    /// deleted, of sent requests too, so that the next close is a new request.
    pub async fn withdraw(
        &self,
        ticket: &Ticket<'_>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Withdrawn, StoreError> {
        // The index lags behind the table. The marker does not: it leads to a request that was
        // recorded a moment ago.
        let latest = self.owner(ticket.marker).await?;
        if let Some(request_id) = latest {
            match self.interaction(request_id, now).await? {
                Some(row) => self.withdraw_row(row, reason, now).await?,
                None if reason == Reason::Reopened => self.free(ticket.marker, request_id).await?,
                None => {}
            }
        }
        let (ids, more) =
            self.ids_by_ext(ticket.ext_interaction_id, ticket.mode, None, MOST_ROWS).await?;
        let mut withdrawn =
            Withdrawn { only_newest: more.map(|_| ids.len()), unreadable: Vec::new() };
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let found = self.interactions(ids, now).await?;
            withdrawn.unreadable.extend(found.unreadable);
            let mut rows: Vec<Interaction> = found.rows.into_values().collect();
            rows.retain(|row| {
                row.source == ticket.source
                    && row.mode == ticket.mode
                    && Some(row.request_id) != latest
            });
            // A marker that leads to another row by now is left out, which spares these
            // transactions conflicts with each other. It will not lead to this row again: only
            // recording a request writes its marker.
            let owners = self.owners(&rows).await?;
            for row in &mut rows {
                row.marker.take_if(|marker| owners.get(marker) != Some(&row.request_id));
            }
            let (unclaimed, others): (Vec<_>, Vec<_>) = rows
                .into_iter()
                .partition(|row| row.status == Status::Queued && row.claimed_at.is_none());
            let groups = unclaimed
                .chunks(ROWS_TOGETHER)
                .map(<[Interaction]>::to_vec)
                .chain(others.into_iter().map(|row| vec![row]));
            let works: Vec<_> =
                groups.map(|rows| Box::pin(self.withdraw_rows(rows, reason, now))).collect();
            futures::stream::iter(works)
                .buffer_unordered(CALLS_AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        Ok(withdrawn)
    }

    /// Withdraws several rows that were never claimed in one transaction; if that fails, one by
    /// one.
    async fn withdraw_rows(
        &self,
        rows: Vec<Interaction>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if rows.len() > 1 && matches!(self.end_together(&rows, reason, now).await, Ok(true)) {
            return Ok(());
        }
        for row in rows {
            self.withdraw_row(row, reason, now).await?;
        }
        Ok(())
    }

    /// Withdraws one row, and what an admin has made of it by sending it again. `row.marker` must
    /// be `None` if the marker leads to another row.
    async fn withdraw_row(
        &self,
        row: Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut next = Some(row);
        while let Some(row) = next {
            // Boxed: the calls that it may make are large, and stand on the stack otherwise.
            next = match Box::pin(self.withdraw_one(row, reason, now)).await? {
                Some(again) => self.interaction(again, now).await?,
                None => None,
            };
        }
        Ok(())
    }

    /// Withdraws one row, until its status is one that can be written. Returns the request by which
    /// an admin has sent it again.
    async fn withdraw_one(
        &self,
        mut row: Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        let owns_marker = row.marker.is_some();
        for attempt in 1..=ATTEMPTS {
            row.marker = row.marker.filter(|_| owns_marker);
            let written = match row.status {
                Status::Unresolved | Status::Queued => self.take_back(&row, reason, now).await?,
                Status::Sending if reason == Reason::DoNotSend => {
                    self.note_declined(&row, now).await?
                }
                Status::Sending => self.note_reopened(&row, now).await?,
                _ if remembers(&row, reason) => self.note_withdrawn(&row, reason, now).await?,
                _ => {
                    if let (Reason::Reopened, Some(marker)) = (reason, &row.marker) {
                        self.free(marker, row.request_id).await?;
                    }
                    return Ok(row.sent_again_as);
                }
            };
            match (written, row.status.is_waiting()) {
                (true, true) => return Ok(None),
                // A refused row is read again: what was made of it before is withdrawn too.
                (true, false) => {}
                (false, _) => pause(attempt).await,
            }
            match self.interaction(row.request_id, now).await? {
                Some(as_it_is) => row = as_it_is,
                None => return Ok(None),
            }
        }
        Err(StoreError::Unavailable {
            operation: "withdraw",
            cause: "the request moved on at each attempt".into(),
        })
    }

    /// The sender repeats a request, now with do-not-send. A waiting request becomes
    /// `not_sent: do_not_send`; one that is being sent does so if that send fails; one that was
    /// refused is not sent again. The marker stays: it is the same interaction. What an admin has
    /// made of it by sending it again is declined with it. True if the request has ended for that
    /// reason.
    pub async fn decline(&self, request_id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let (declined, mut next) = Box::pin(self.decline_one(request_id, now)).await?;
        while let Some(again) = next {
            (_, next) = Box::pin(self.decline_one(again, now)).await?;
        }
        Ok(declined)
    }

    /// Declines one request. Besides, the request by which an admin has sent it again.
    async fn decline_one(
        &self,
        request_id: Uuid,
        now: Timestamp,
    ) -> Result<(bool, Option<Uuid>), StoreError> {
        for attempt in 1..=ATTEMPTS {
            let Some(row) = self.interaction(request_id, now).await? else {
                return Ok((false, None));
            };
            match row.status {
                Status::Unresolved | Status::Queued if self.refuse_declined(&row, now).await? => {
                    return Ok((true, None));
                }
                Status::Sending if self.note_declined(&row, now).await? => {
                    return Ok((false, None));
                }
                Status::Unresolved | Status::Queued | Status::Sending => pause(attempt).await,
                // Then it is read again: what was made of it before is declined too.
                _ if row.may_be_sent_again() && !row.is_withdrawn() => {
                    if !self.note_withdrawn(&row, Reason::DoNotSend, now).await? {
                        pause(attempt).await;
                    }
                }
                _ => return Ok((row.reason == Some(Reason::DoNotSend), row.sent_again_as)),
            }
        }
        Err(StoreError::Unavailable {
            operation: "decline",
            cause: "the request moved on at each attempt".into(),
        })
    }

    /// Whether this delivery has withdrawn a ticket before: [`Store::note_withdrawal`] has noted
    /// it.
    pub async fn has_withdrawn(
        &self,
        delivery: &MarkerKey,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = self.suppression_item(delivery.item_key()).await?;
        let expires_at = item.and_then(|item| number::<i64>(&item, "expires_at"));
        Ok(expires_at.is_some_and(|at| at > now.as_second()))
    }

    /// Notes that this delivery has withdrawn a ticket, so that its repetition does not withdraw a
    /// survey that was requested later.
    pub async fn note_withdrawal(
        &self,
        delivery: &MarkerKey,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: noting it twice does no harm.
        let until = seconds(saturating_add(now, window));
        self.put_suppression(delivery.item_key(), [("expires_at", until)]).await
    }

    /// Keeps the tags of a repetition, one a line, while a fault of the settings makes it unknown
    /// which tag means do-not-send. They replace those of an earlier repetition.
    pub async fn note_tags(&self, request_id: Uuid, more_tags: &str) -> Result<(), StoreError> {
        // Clauses: the row exists; and its mail has not gone out.
        let update = self
            .update(request_id)
            .update_expression("SET more_tags = :tags")
            .condition_expression(
                "attribute_exists(request_id) AND #status IN (:unresolved, :queued, :sending)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":unresolved", s(Status::Unresolved.as_str()))
            .expression_attribute_values(":queued", s(Status::Queued.as_str()))
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":tags", s(more_tags));
        applied(update.send().await).map(drop)
    }

    /// Takes back several rows in one transaction. False if one of them has moved on, or its marker
    /// leads to another row by now: then nothing is written.
    async fn end_together(
        &self,
        rows: &[Interaction],
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut actions = Vec::new();
        for row in rows {
            let Some((update, held)) = self.taking_back(row, reason, now)? else {
                return Ok(false);
            };
            actions.push(TransactWriteItem::builder().update(built(update.build())?).build());
            actions.extend(held);
        }
        Ok(matches!(self.transact(actions).await?, Transacted::Done))
    }

    /// The request that each marker of these rows leads to.
    async fn owners(&self, rows: &[Interaction]) -> Result<HashMap<MarkerKey, Uuid>, StoreError> {
        let markers: BTreeSet<&MarkerKey> =
            rows.iter().filter_map(|row| row.marker.as_ref()).collect();
        let reads = markers
            .into_iter()
            .map(|marker| async move { Ok::<_, StoreError>((marker, self.owner(marker).await?)) });
        let reads: Vec<_> = reads.collect();
        let owners: Vec<_> =
            futures::stream::iter(reads).buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
        Ok(owners
            .into_iter()
            .filter_map(|(marker, owner)| Some((marker.clone(), owner?)))
            .collect())
    }

    /// The request that a marker leads to, also if its window is over.
    async fn owner(&self, marker: &MarkerKey) -> Result<Option<Uuid>, StoreError> {
        let item = self.suppression_item(marker.item_key()).await?;
        Ok(item.as_ref().and_then(First::read).map(|first| first.request_id))
    }

    /// Deletes a marker, if it still leads to this request.
    async fn free(&self, marker: &MarkerKey, request_id: Uuid) -> Result<(), StoreError> {
        // Clause: the marker still leads to that request. Otherwise a new close has just written
        // it, or it was deleted before.
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(marker.item_key()))
            .condition_expression("request_id = :mine")
            .expression_attribute_values(":mine", s(request_id.to_string()));
        applied(delete.send().await).map(drop)
    }
}

/// Whether a withdrawal is noted on an ended row: an admin could send it again. One that was
/// refused for do-not-send is checked for that once more before it is sent.
fn remembers(row: &Interaction, reason: Reason) -> bool {
    let says_so = reason == Reason::DoNotSend && row.reason == Some(Reason::DoNotSend);
    row.may_be_sent_again() && !row.is_withdrawn() && !says_so
}
