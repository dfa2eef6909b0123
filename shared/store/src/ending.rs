//! Ending a request without a mail, and holding one back.

use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use jiff::Timestamp;
use policy::{EndedBy, Freed, Mode, Reason, Status, WaitingFor, freed};

use crate::error::StoreError;
use crate::ground::{applied, kind, ms, s};
use crate::interaction::Interaction;
use crate::step::Step;
use crate::store::Store;

/// What is set besides when a sender's do-not-send ends a request: no admin sends it again.
const DECLINED: &str = ", declined_at = :now";

impl Store {
    /// Ends a waiting row: the status that it was read with → the reason's. False if the row has
    /// moved on.
    pub async fn refuse(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end_waiting(row, reason, "", now).await
    }

    /// As [`Store::refuse`], because the sender says do-not-send by now.
    pub(crate) async fn refuse_declined(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end_waiting(row, Reason::DoNotSend, DECLINED, now).await
    }

    async fn end_waiting(
        &self,
        row: &Interaction,
        reason: Reason,
        also_set: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(step) = Step::end(row.status, reason) else { return Ok(false) };
        // Clauses: the row exists; and nobody has moved it since it was read.
        let update = self
            .transacted(row.request_id)
            .condition_expression("attribute_exists(request_id) AND #status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", step.from());
        let freed = freed(row.status, reason, EndedBy::Check);
        let update = ended_and_set(update, row, step, reason, also_set, now);
        self.write_with(update, self.releases(row, freed)?).await
    }

    /// Takes back a waiting row. The update of the row, and the release of what it holds; `None` if
    /// it does not wait.
    pub(crate) fn taking_back(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Option<(UpdateBuilder, Vec<TransactWriteItem>)>, StoreError> {
        let Some(step) = Step::end(row.status, reason) else { return Ok(None) };
        let update = self
            .transacted(row.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", step.from());
        // Clauses: the row exists; it waits as it did when it was read; and it was not claimed in
        // between, so that the claim that was read tells whether the row may hold a window.
        let stands = "attribute_exists(request_id) AND #status = :from";
        let update = match row.claimed_at {
            None => update
                .condition_expression(format!("{stands} AND attribute_not_exists(claimed_at)")),
            Some(at) => update
                .condition_expression(format!("{stands} AND claimed_at = :claimed_at"))
                .expression_attribute_values(":claimed_at", ms(at)),
        };
        // A row that was never claimed leaves the window out of its transaction, which then cannot
        // conflict with another one of the same customer.
        let by = EndedBy::Withdrawal { was_claimed: row.claimed_at.is_some() };
        let held = self.releases(row, freed(row.status, reason, by))?;
        let also_set = if reason == Reason::DoNotSend { DECLINED } else { "" };
        Ok(Some((ended_and_set(update, row, step, reason, also_set, now), held)))
    }

    /// A sender takes back a waiting request: it becomes `not_sent: cancelled`, and its marker
    /// goes, so that the same interaction may come again. False if the row has moved on since it
    /// was read.
    pub async fn cancel(&self, row: &Interaction, now: Timestamp) -> Result<bool, StoreError> {
        self.take_back(row, Reason::Cancelled, now).await
    }

    /// As [`Store::cancel`], for any reason.
    pub(crate) async fn take_back(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.taking_back(row, reason, now)? {
            Some((update, held)) => self.write_with(update, held).await,
            None => Ok(false),
        }
    }

    /// The actions that release what a row lets go of, each only if it still belongs to the row.
    pub(crate) fn releases(
        &self,
        row: &Interaction,
        freed: Freed,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        // A test request takes no window.
        let subject = row.subject.as_ref().filter(|_| freed.window && row.mode == Mode::Live);
        let marker = row.marker.as_ref().filter(|_| freed.marker);
        let window = subject.map(|subject| (subject.as_text(), kind::WINDOW));
        let marker = marker.map(|marker| (marker.as_str().to_owned(), kind::MARKER));
        window
            .into_iter()
            .chain(marker)
            .map(|(subject, kind)| self.release_if_mine(subject, kind, row.request_id))
            .collect()
    }

    /// Notes that the ticket was reopened while a mail is being sent; its marker goes. False if the
    /// row has moved on.
    pub(crate) async fn note_reopened(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let marker = self.releases(row, Freed { window: false, marker: true })?;
        self.write_with(self.noted_while_sending(row, "reopened_at", now), marker).await
    }

    /// Notes that the sender said do-not-send while a mail is being sent. False if the row has
    /// moved on.
    pub(crate) async fn note_declined(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_with(self.noted_while_sending(row, "declined_at", now), None).await
    }

    fn noted_while_sending(
        &self,
        row: &Interaction,
        attribute: &str,
        now: Timestamp,
    ) -> UpdateBuilder {
        // Clauses: the row exists; its mail is still being sent.
        self.transacted(row.request_id)
            .update_expression(format!("SET {attribute} = :now"))
            .condition_expression("attribute_exists(request_id) AND #status = :sending")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":now", ms(now))
    }

    /// Holds a queued request back until `wake_at`. If its row would expire before, or within a day
    /// after, it ends as `failed: expired` instead. False if the row has moved on.
    pub async fn hold(
        &self,
        row: &Interaction,
        waiting_for: WaitingFor,
        wake_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if row.ends_before(wake_at) {
            return self.refuse(row, Reason::Expired, now).await;
        }
        // Clauses: the row exists; it is still queued; and it was ready (else it is held already).
        let update = self
            .update(row.request_id)
            .update_expression("SET wake_at = :wake, waiting_for = :waiting REMOVE ready, woken")
            .condition_expression(
                "attribute_exists(request_id) AND #status = :queued AND attribute_exists(ready)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":queued", s(Status::Queued.as_str()))
            .expression_attribute_values(":waiting", s(waiting_for.as_str()))
            .expression_attribute_values(":wake", ms(wake_at));
        applied(update.send().await)
    }
}

/// What every end without a mail writes.
pub(crate) fn ended(
    update: UpdateBuilder,
    row: &Interaction,
    step: Step,
    reason: Reason,
    now: Timestamp,
) -> UpdateBuilder {
    ended_and_set(update, row, step, reason, "", now)
}

/// As [`ended`], and `also_set` among what is set.
fn ended_and_set(
    update: UpdateBuilder,
    row: &Interaction,
    step: Step,
    reason: Reason,
    also_set: &str,
    now: Timestamp,
) -> UpdateBuilder {
    // A row that is too large for any write has to get smaller to be ended at all.
    let also_removed = if reason == Reason::NotStorable { ", body" } else { "" };
    let month = row.outcome_month(reason.outcome().status());
    let listed = if month.is_some() { ", outcome_month = :month" } else { "" };
    let update = match month {
        Some(month) => update.expression_attribute_values(":month", month),
        None => update,
    };
    update
        .update_expression(format!(
            "SET #status = :next, #reason = :reason, ended_at = :now{listed}{also_set} \
             REMOVE wake_at, due_shard, ready, waiting_for, woken{also_removed}"
        ))
        .expression_attribute_names("#reason", "reason")
        .expression_attribute_values(":next", step.to())
        .expression_attribute_values(":reason", s(reason.code()))
        .expression_attribute_values(":now", ms(now))
}
