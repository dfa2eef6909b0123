//! Withdrawing what has not gone out: a ticket that is open again withdraws its surveys, and a
//! sender cancels one request.
//!
//! Both may race with a claim, with each other, and with their own repetition:
//!
//! ```text
//! reopening:  reads row (queued)            its write is refused: the row is no longer queued
//! dispatch:           claims row (sending)
//! reopening:                                reads row again (sending), and notes reopened_at
//! ```
//!
//! So a row is written on the condition that it stands as it was read, and again with what it has
//! become until that holds. A repetition of the whole finds the rows ended and their markers gone,
//! and writes nothing.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use normalize::Source;
use policy::{Mode, Reason, Status, saturating_add};
use uuid::Uuid;

use crate::error::{Transacted, pause};
use crate::interaction::{ms, n, s};
use crate::record::{built, first};
use crate::sending::{MARKER, applied, ended};
use crate::{Interaction, Store, StoreError};

/// Rows of one ticket that a withdrawal looks at, the newest first. A ticket has a few; only an id
/// that is no ticket's has thousands.
const MOST_ROWS: usize = 2_000;
/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 100;
/// Rows that were never claimed are withdrawn so many in one transaction, which takes 100 actions
/// at most.
const ROWS_TOGETHER: usize = 25;
/// Calls that are made at once.
const CALLS_AT_ONCE: usize = 16;
/// Writes to a row that moves on each time.
const ATTEMPTS: u32 = 6;

/// A ticket that its helpdesk shows open again.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    /// Which helpdesk.
    pub source: Source,
    /// Of the key that told: test and live requests do not touch each other.
    pub mode: Mode,
    /// The helpdesk's id of the ticket.
    pub ext_interaction_id: &'a str,
    /// Of what identifies the interaction, as this delivery tells it.
    pub marker: &'a Subject,
}

impl Store {
    /// Withdraws every survey of a ticket, for [`Reason::Reopened`] or [`Reason::DoNotSend`]. What
    /// waits becomes `not_sent` with the reason; what is being sent does if that comes to nothing.
    /// After a reopening the markers of them all go, of sent ones too, so that the next close
    /// counts anew.
    pub async fn withdraw(
        &self,
        ticket: &Ticket<'_>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mine = ticket.marker.as_text();
        // The index lags behind the table. The marker does not: it leads to a request that was
        // recorded a moment ago.
        let latest = self.owner(&mine).await?;
        if let Some(request_id) = latest {
            match self.interaction(request_id, now).await? {
                Some(row) => self.withdraw_row(row, reason, now).await?,
                None if reason == Reason::Reopened => self.free(&mine, request_id).await?,
                None => {}
            }
        }
        let (ids, more) =
            self.ids_by_ext(ticket.ext_interaction_id, ticket.mode, None, MOST_ROWS).await?;
        if more.is_some() {
            tracing::warn!(source = %ticket.source, rows = MOST_ROWS, "an open ticket has more requests than are withdrawn at once");
        }
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let mut rows: Vec<Interaction> =
                self.interactions(ids, now).await?.rows.into_values().collect();
            rows.retain(|row| {
                row.source == ticket.source
                    && row.mode == ticket.mode
                    && Some(row.request_id) != latest
            });
            // A marker that no longer leads to a row never does again, since only recording a
            // request puts its marker. To leave it out spares these transactions conflicts with
            // each other.
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
            let works: Vec<_> = groups.map(|rows| self.withdraw_rows(rows, reason, now)).collect();
            futures::stream::iter(works)
                .buffer_unordered(CALLS_AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }

    /// Withdraws several rows, none of which was claimed, in one transaction; or, if that is
    /// refused for whatever reason, each by itself.
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

    /// The row's marker is there only if it leads to the row.
    async fn withdraw_row(
        &self,
        mut row: Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owns_marker = row.marker.is_some();
        for attempt in 1..=ATTEMPTS {
            row.marker = row.marker.filter(|_| owns_marker);
            let done = match (row.status, &row.marker) {
                (Status::Unresolved | Status::Queued, _) => {
                    self.end_waiting(&row, reason, now).await?
                }
                (Status::Sending, _) if reason == Reason::DoNotSend => {
                    self.note_declined(&row, now).await?
                }
                (Status::Sending, _) => self.note_reopened(&row, now).await?,
                _ if reason == Reason::DoNotSend => return Ok(()),
                (_, Some(marker)) => return self.free(marker, row.request_id).await,
                (_, None) => return Ok(()),
            };
            if done {
                return Ok(());
            }
            pause(attempt).await;
            match self.interaction(row.request_id, now).await? {
                Some(moved_on) => row = moved_on,
                None => return Ok(()),
            }
        }
        Err(StoreError::Unavailable {
            operation: "withdraw",
            cause: "the request moved on at each attempt".into(),
        })
    }

    /// The sender says do-not-send about a request that it sent without that word before. One that
    /// waits becomes `not_sent: do_not_send`; one whose mail is under way does if that comes to
    /// nothing. The marker stays: it is the same interaction. True if the request has ended so.
    pub async fn decline(&self, request_id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        for attempt in 1..=ATTEMPTS {
            let Some(row) = self.interaction(request_id, now).await? else { return Ok(false) };
            match row.status {
                Status::Unresolved | Status::Queued
                    if self.refuse(&row, Reason::DoNotSend, now).await? =>
                {
                    return Ok(true);
                }
                Status::Sending if self.note_declined(&row, now).await? => return Ok(false),
                Status::Unresolved | Status::Queued | Status::Sending => pause(attempt).await,
                _ => return Ok(row.reason == Some(Reason::DoNotSend)),
            }
        }
        Err(StoreError::Unavailable {
            operation: "decline",
            cause: "the request moved on at each attempt".into(),
        })
    }

    /// Whether a delivery that withdraws was carried out before: [`Store::note_withdrawal`] was
    /// told so.
    pub async fn has_withdrawn(
        &self,
        delivery: &Subject,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = marker_key(&delivery.as_text());
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(key))
            .consistent_read(true);
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        let expires_at =
            item.and_then(|item| item.get("expires_at")?.as_n().ok()?.parse::<i64>().ok());
        Ok(expires_at.is_some_and(|at| at > now.as_second()))
    }

    /// Notes that a delivery that withdraws was carried out, so that its repetition withdraws
    /// nothing that came later.
    pub async fn note_withdrawal(
        &self,
        delivery: &Subject,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: to note it again is the same.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .set_item(Some(marker_key(&delivery.as_text())));
        let put = put.item("expires_at", n(saturating_add(now, window).as_second()));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }

    /// Keeps what a repetition told of tags, while a fault of the settings makes it unknown which
    /// tag means do-not-send. The latest is kept.
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

    /// A sender takes back a request that waits: it becomes `not_sent: cancelled`, and its marker
    /// goes, so that the same interaction may come again. False if the row has moved on since it
    /// was read.
    pub async fn cancel(&self, row: &Interaction, now: Timestamp) -> Result<bool, StoreError> {
        self.end_waiting(row, Reason::Cancelled, now).await
    }

    /// Ends a request that waits, and lets go of its marker and of the customer's window. False if
    /// the row has moved on since it was read.
    async fn end_waiting(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (update, held) = self.ending(row, reason, now)?;
        self.end(update, held).await
    }

    /// The same for several. False if one of them has moved on, or its marker is another's by now:
    /// then nothing is written.
    async fn end_together(
        &self,
        rows: &[Interaction],
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut actions = Vec::new();
        for row in rows {
            let (update, held) = self.ending(row, reason, now)?;
            actions.push(TransactWriteItem::builder().update(built(update.build())?).build());
            actions.extend(held);
        }
        Ok(matches!(self.transact(actions).await?, Transacted::Done))
    }

    /// What ends a request that waits: the update of its row, and the release of what it holds.
    fn ending(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(UpdateBuilder, Vec<TransactWriteItem>), StoreError> {
        let update = self
            .transacted(row.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", s(row.status.as_str()));
        // Clauses: the row exists; it waits as it did when it was read; and it was not claimed in
        // between, so that what is read of its claims tells whether it may hold a window.
        let stands = "attribute_exists(request_id) AND #status = :from";
        let update = match row.claimed_at {
            None => update
                .condition_expression(format!("{stands} AND attribute_not_exists(claimed_at)")),
            Some(at) => update
                .condition_expression(format!("{stands} AND claimed_at = :claimed_at"))
                .expression_attribute_values(":claimed_at", ms(at)),
        };
        // Only a claim takes the window. Whoever was never claimed leaves it out of the
        // transaction, which then meets no other of this customer.
        let window = if row.claimed_at.is_some() { self.window(row)? } else { None };
        // Of what was declined the marker stays: it is the same interaction, and is not to be asked
        // about.
        let marker = if reason == Reason::DoNotSend { None } else { self.marker(row)? };
        Ok((ended(update, reason, now), window.into_iter().chain(marker).collect()))
    }

    /// To which request each of the rows' markers leads.
    async fn owners(&self, rows: &[Interaction]) -> Result<HashMap<String, Uuid>, StoreError> {
        let markers: BTreeSet<&String> =
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

    /// To which request a marker leads. One that is over still does: whoever frees it may as well.
    async fn owner(&self, marker: &str) -> Result<Option<Uuid>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(marker_key(marker)))
            .consistent_read(true);
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        Ok(item.as_ref().and_then(first).map(|first| first.request_id))
    }

    /// Deletes a marker, if it still leads to this request.
    async fn free(&self, marker: &str, request_id: Uuid) -> Result<(), StoreError> {
        // Clause: the marker is still that request's. Otherwise a new close has just taken it over,
        // or it is gone already.
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(marker_key(marker)));
        let delete = delete
            .condition_expression("request_id = :mine")
            .expression_attribute_values(":mine", s(request_id.to_string()));
        match delete.send().await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            other => other.map(drop).map_err(StoreError::of("DeleteItem")),
        }
    }
}

fn marker_key(marker: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("subject".to_owned(), s(marker)), ("kind".to_owned(), s(MARKER))])
}
