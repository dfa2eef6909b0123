//! Claiming a request, and what becomes of the claim.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};
use policy::{Ceiling, Mode, Outcome, Reason, Status, WaitingFor, saturating_add};
use uuid::Uuid;

use crate::error::{Transacted, condition_failed};
use crate::interaction::{STALLED, hour, ms, n, s, shard_of};
use crate::record::built;
use crate::suppression::kind as unsubscribed;
use crate::waking::SEEN;
use crate::{Due, Interaction, Store, StoreError};

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The lease is ours: send now.
    Yes,
    /// Somebody else has it, or had it, or the row is gone: nothing to do.
    Lost,
    /// The customer may not be mailed.
    No(Reason),
    /// The customer's suppression window is held by this other request.
    WindowOf(Uuid),
    /// The key has used up its mails of this hour.
    OverCeiling,
}

/// The terms of a claim.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// A new id, which the lease is known by.
    pub id: Uuid,
    /// How long the claimant has.
    pub lease: SignedDuration,
    /// The suppression window that is taken; zero = none.
    pub window: SignedDuration,
    /// How long the survey of this mail will be open.
    pub open: SignedDuration,
    /// The ceiling of the key that sent the request.
    pub ceiling: Option<&'a Ceiling>,
}

/// How long a row outlives the end of its survey, so that a late visitor is told that it is closed.
const AFTER_CLOSING: SignedDuration = SignedDuration::from_hours(48);
/// How long an hour's counter of mails is kept.
const COUNTER_KEPT: SignedDuration = SignedDuration::from_hours(3);

impl Store {
    /// Claims a queued, ready request until `now + lease`. One round trip.
    ///
    /// For a live request everything that is about the customer is checked in the same transaction,
    /// so that two tickets of one customer in the same second yield one mail, and an unsubscribe
    /// that has been answered is in effect for this very send. The key's ceiling is counted there
    /// too. The row is kept at least until the survey of this mail has been closed for two days.
    pub async fn claim(
        &self,
        row: &Interaction,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let open_until = saturating_add(now, claim.open);
        // Clauses: the row still exists; it is queued and ready (a stale stream record of a request
        // that was put back finds it not ready), and its ticket was not opened and do-not-send was
        // not said since (a record from before that does not show it); or it is this very claim,
        // whose answer was lost on the way.
        let take = self
            .transacted(row.request_id)
            .update_expression(
                "SET #status = :sending, claim_id = :claim, claimed_at = :now, wake_at = :over, open_until = :open, expires_at = :kept \
                 REMOVE ready, doubted_at, waiting_for, woken",
            )
            .condition_expression(
                "attribute_exists(request_id) AND ((#status = :queued AND attribute_exists(ready) AND attribute_not_exists(reopened_at) AND attribute_not_exists(declined_at)) OR (#status = :sending AND claim_id = :claim))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":queued", s(Status::Queued.as_str()))
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":claim", s(claim.id.to_string()))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":over", ms(saturating_add(now, claim.lease)))
            .expression_attribute_values(":open", ms(open_until))
            .expression_attribute_values(":kept", n(row.expires_at.max(saturating_add(open_until, AFTER_CLOSING).as_second())));
        let mut actions = vec![TransactWriteItem::builder().update(built(take.build())?).build()];
        let mut about: Vec<fn(&CancellationReason) -> Claimed> = vec![];
        if let Some(subject) = row.subject.as_deref().filter(|_| row.mode == Mode::Live) {
            let brand = row.brand.as_deref().map(|brand| unsubscribed(Some(brand)));
            for kind in [Some(unsubscribed(None)), brand].into_iter().flatten() {
                // Clause: not unsubscribed.
                let check = self
                    .check(subject, &kind)
                    .condition_expression("attribute_not_exists(subject)");
                actions.push(
                    TransactWriteItem::builder().condition_check(built(check.build())?).build(),
                );
                about.push(|_| Claimed::No(Reason::Unsubscribed));
            }
            // Clauses: never bounced, or long enough ago (expired items are deleted late).
            let check = self
                .check(subject, "bounced")
                .condition_expression("attribute_not_exists(subject) OR expires_at <= :now")
                .expression_attribute_values(":now", n(now.as_second()));
            actions
                .push(TransactWriteItem::builder().condition_check(built(check.build())?).build());
            about.push(|_| Claimed::No(Reason::Rejected));
            if !claim.window.is_zero() {
                // Clauses: the window is absent; or over; or mine, from an attempt that has not yet
                // shown whether it mailed. ALL_OLD says whose it is.
                let put = Put::builder()
                    .table_name(&self.tables.suppression)
                    .item("subject", s(subject))
                    .item("kind", s(WINDOW))
                    .item("request_id", s(row.request_id.to_string()))
                    .item("expires_at", n(saturating_add(now, claim.window).as_second()))
                    .condition_expression(
                        "attribute_not_exists(subject) OR expires_at <= :now OR request_id = :mine",
                    )
                    .expression_attribute_values(":now", n(now.as_second()))
                    .expression_attribute_values(":mine", s(row.request_id.to_string()))
                    .return_values_on_condition_check_failure(OnFailure::AllOld);
                actions.push(TransactWriteItem::builder().put(built(put.build())?).build());
                about.push(window_holder);
            }
        }
        if let Some(ceiling) = claim.ceiling {
            actions.push(
                TransactWriteItem::builder().update(self.counted(row, ceiling, now)?).build(),
            );
            about.push(|_| Claimed::OverCeiling);
        }
        match self.transact(actions).await? {
            Transacted::Done => Ok(Claimed::Yes),
            Transacted::Refused(reasons) if condition_failed(reasons.first()) => Ok(Claimed::Lost),
            // In the order of the contract: unsubscribed, rejected, suppression; and only then the
            // ceiling.
            Transacted::Refused(reasons) => {
                let failed = reasons
                    .iter()
                    .skip(1)
                    .zip(about)
                    .find(|(reason, _)| condition_failed(Some(reason)));
                Ok(failed.map_or(Claimed::Lost, |(reason, about)| about(reason)))
            }
        }
    }

    /// Counts one more mail of the key in this hour.
    fn counted(
        &self,
        row: &Interaction,
        ceiling: &Ceiling,
        now: Timestamp,
    ) -> Result<Update, StoreError> {
        let (start, _) = Ceiling::hour(now);
        let part = shard_of(row.request_id, ceiling.parts().into());
        // Clauses: nothing is counted yet; or there is room. A ceiling that was lowered meanwhile
        // holds at once.
        let count = Update::builder()
            .table_name(&self.tables.suppression)
            .key("subject", s(&ceiling.key))
            .key("kind", s(format!("mails#{}#{part}", hour(start))))
            .update_expression("ADD mails :one SET expires_at = :expires")
            .condition_expression("attribute_not_exists(mails) OR mails < :most")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(ceiling.of_a_part()))
            .expression_attribute_values(
                ":expires",
                n(saturating_add(start, COUNTER_KEPT).as_second()),
            );
        built(count.build())
    }

    fn check(
        &self,
        subject: &str,
        kind: &str,
    ) -> aws_sdk_dynamodb::types::builders::ConditionCheckBuilder {
        ConditionCheck::builder()
            .table_name(&self.tables.suppression)
            .key("subject", s(subject))
            .key("kind", s(kind))
    }

    /// SES took the mail: `sending → sent`. False if an SES event has already said so, or the lease
    /// was lost.
    pub async fn sent(
        &self,
        request_id: Uuid,
        claim_id: Uuid,
        message_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.note_sent(request_id, claim_id, message_id, "", now).await {
            // A row at DynamoDB's limit, from before rows had one of ours: what the sender wrote
            // goes, the outcome stays.
            Err(StoreError::Invalid { .. }) => {
                self.note_sent(request_id, claim_id, message_id, ", body", now).await
            }
            other => other,
        }
    }

    async fn note_sent(
        &self,
        request_id: Uuid,
        claim_id: Uuid,
        message_id: &str,
        also_removed: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Clauses: the row exists; it is still sending; under this claim.
        let update = self
            .update(request_id)
            .update_expression(format!(
                "SET #status = :sent, sent_at = :now, message_id = :message REMOVE wake_at, due_shard, ready{also_removed}"
            ))
            .condition_expression("attribute_exists(request_id) AND #status = :sending AND claim_id = :claim")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sent", s(Status::Sent.as_str()))
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":claim", s(claim_id.to_string()))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":message", s(message_id));
        applied(update.send().await)
    }

    /// An attempt that ended without a mail: `sending → queued` until `wake_at`, and the customer's
    /// window is released. `counts`: whether it uses up an attempt.
    pub async fn release(
        &self,
        row: &Interaction,
        claim_id: Uuid,
        wake_at: Timestamp,
        counts: bool,
    ) -> Result<bool, StoreError> {
        let update = self
            .lease_end(row, claim_id)
            .update_expression("SET #status = :next, wake_at = :wake, waiting_for = :ses ADD attempts :one REMOVE ready, claim_id")
            .expression_attribute_values(":ses", s(WaitingFor::MailService.as_str()))
            .expression_attribute_values(":next", s(Status::Queued.as_str()))
            .expression_attribute_values(":wake", ms(wake_at))
            .expression_attribute_values(":one", n(u8::from(counts)));
        self.end(update, self.window(row)?).await
    }

    /// An attempt that ended without a mail, for good: `sending →` the reason's status, and the
    /// customer's window is released.
    pub async fn give_up(
        &self,
        row: &Interaction,
        claim_id: Uuid,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let end = ended(self.lease_end(row, claim_id), reason, now);
        self.end(end, self.window(row)?).await
    }

    /// The clauses of whoever ends its own lease: the row exists; it is still sending; under this
    /// claim.
    fn lease_end(&self, row: &Interaction, claim_id: Uuid) -> UpdateBuilder {
        self.transacted(row.request_id)
            .condition_expression(
                "attribute_exists(request_id) AND #status = :sending AND claim_id = :claim",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":claim", s(claim_id.to_string()))
    }

    /// Writes what `end` says of a row, and in the same transaction releases what it held, as far
    /// as that is still this row's.
    pub(crate) async fn end(
        &self,
        end: UpdateBuilder,
        held: impl IntoIterator<Item = TransactWriteItem>,
    ) -> Result<bool, StoreError> {
        let mut actions = vec![TransactWriteItem::builder().update(built(end.build())?).build()];
        actions.extend(held);
        loop {
            let Transacted::Refused(reasons) = self.transact(actions.clone()).await? else {
                return Ok(true);
            };
            if condition_failed(reasons.first()) {
                return Ok(false);
            }
            // Another's by now: it is left alone, and the rest is done all the same.
            let mut reasons = reasons.iter();
            actions.retain(|_| !condition_failed(reasons.next()));
        }
    }

    /// Releases the customer's window. Clauses: there is none (suppression is off); or it is this
    /// row's.
    pub(crate) fn window(
        &self,
        row: &Interaction,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let subject = row.subject.as_deref().filter(|_| row.mode == Mode::Live);
        subject.map(|subject| self.release_if_mine(subject, WINDOW, row.request_id)).transpose()
    }

    /// Has the next delivery of the same interaction count anew. Clauses: the marker is gone; or it
    /// is still this row's.
    pub(crate) fn marker(
        &self,
        row: &Interaction,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        row.marker
            .as_deref()
            .map(|marker| self.release_if_mine(marker, MARKER, row.request_id))
            .transpose()
    }

    fn release_if_mine(
        &self,
        subject: &str,
        kind: &str,
        request_id: Uuid,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.suppression)
            .key("subject", s(subject))
            .key("kind", s(kind))
            .condition_expression("attribute_not_exists(subject) OR request_id = :mine")
            .expression_attribute_values(":mine", s(request_id.to_string()));
        Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
    }

    /// No mail, for a row that waits: the status that it was read with → the reason's. False if the
    /// row has moved on.
    ///
    /// With a queued one goes what it may hold: the window of an attempt of which nobody knew what
    /// became; and, where an admin mended something or the helpdesk started anew, the marker, so
    /// that the same interaction may come again.
    pub async fn refuse(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Clauses: the row exists; nobody has moved it since it was judged.
        let update = self
            .transacted(row.request_id)
            .condition_expression("attribute_exists(request_id) AND #status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", s(row.status.as_str()));
        let queued = row.status == Status::Queued;
        let comes_again = reason.outcome() == Outcome::Invalid || reason == Reason::Reopened;
        let window =
            if queued && reason != Reason::SuppressionPeriod { self.window(row)? } else { None };
        let marker = if queued && comes_again { self.marker(row)? } else { None };
        self.end(ended(update, reason, now), window.into_iter().chain(marker)).await
    }

    /// The ticket is open again while a mail is under way; its marker goes. False if the row has
    /// moved on.
    pub(crate) async fn note_reopened(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end(self.noted_while_sending(row, "reopened_at", now), self.marker(row)?).await
    }

    /// The sender says do-not-send while a mail is under way. False if the row has moved on.
    pub(crate) async fn note_declined(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end(self.noted_while_sending(row, "declined_at", now), None).await
    }

    fn noted_while_sending(
        &self,
        row: &Interaction,
        attribute: &str,
        now: Timestamp,
    ) -> UpdateBuilder {
        // Clauses: the row exists; its mail is still under way.
        self.transacted(row.request_id)
            .update_expression(format!("SET {attribute} = :now"))
            .condition_expression("attribute_exists(request_id) AND #status = :sending")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sending", s(Status::Sending.as_str()))
            .expression_attribute_values(":now", ms(now))
    }

    /// Holds a queued request back until `wake_at`. One whose row would be gone by then, or about
    /// to go, ends as `failed: expired` instead, a day before nobody could see why. False if the
    /// row has moved on.
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

    /// Evidence shows that the claim sent no mail: `sending → queued`, ready at once, and the
    /// attempt counts. The window stays: it is this request's. False if the row has moved on, or
    /// has used up `most_attempts`.
    pub async fn send_again(
        &self,
        due: &Due,
        most_attempts: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Clauses: as for `wake`, which the claim's lease makes exact: no newer claim has been made
        // since the evidence was weighed; and an attempt is left, since SES may fail at this one
        // mail for ever.
        let update = self
            .seen(due)
            .update_expression("SET #status = :queued, ready = :one, wake_at = :stalled ADD attempts :one REMOVE claim_id")
            .condition_expression(format!("{SEEN} AND attempts < :last"))
            .expression_attribute_values(":queued", s(Status::Queued.as_str()))
            .expression_attribute_values(":last", n(most_attempts.saturating_sub(1)))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED)));
        applied(update.send().await)
    }

    /// No more is done for a row that was found due: it becomes `failed`. False if the row has
    /// moved on. Its customer's window is released, unless a mail may have left: then nobody saw it
    /// refused.
    pub async fn give_up_on(
        &self,
        due: &Due,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(row) = self.kept(due.request_id).await? else { return Ok(false) };
        // Clauses: as for `wake`.
        let update = self
            .transacted(due.request_id)
            .condition_expression(SEEN)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(due.status.as_str()))
            .expression_attribute_values(":seen", ms(due.wake_at));
        let may_have_left = due.status == Status::Sending && reason != Reason::SendAttempts;
        let window = if may_have_left { None } else { self.window(&row)? };
        self.end(ended(update, reason, now), window).await
    }

    /// An update of a row, alone.
    pub(crate) fn update(&self, request_id: Uuid) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.interactions)
            .key("request_id", s(request_id.to_string()))
    }

    /// An update of a row, as part of a transaction.
    pub(crate) fn transacted(&self, request_id: Uuid) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.interactions)
            .key("request_id", s(request_id.to_string()))
    }
}

/// What every end without a mail writes.
pub(crate) fn ended(update: UpdateBuilder, reason: Reason, now: Timestamp) -> UpdateBuilder {
    // A row that is too large for a write has to get smaller to be ended at all.
    let also_removed = if reason == Reason::NotStorable { ", body" } else { "" };
    update
        .update_expression(format!(
            "SET #status = :next, #reason = :reason, ended_at = :now REMOVE wake_at, due_shard, ready, waiting_for, woken{also_removed}"
        ))
        .expression_attribute_names("#reason", "reason")
        .expression_attribute_values(":next", s(reason.outcome().status().as_str()))
        .expression_attribute_values(":reason", s(reason.code()))
        .expression_attribute_values(":now", ms(now))
}

/// Who holds the window that could not be taken; if it does not say, the customer was asked by
/// somebody.
fn window_holder(reason: &CancellationReason) -> Claimed {
    let holder = reason.item().and_then(|item| item.get("request_id")?.as_s().ok()?.parse().ok());
    holder.map_or(Claimed::No(Reason::SuppressionPeriod), Claimed::WindowOf)
}

pub(crate) const WINDOW: &str = "window";
pub(crate) const MARKER: &str = "marker";

type Updated<T> = Result<
    T,
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>,
>;

/// Whether the condition held.
pub(crate) fn applied<T>(result: Updated<T>) -> Result<bool, StoreError> {
    match result {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::of("UpdateItem")(error)),
    }
}
