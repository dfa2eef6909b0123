//! Claiming a request, and ending a claim.

use aws_sdk_dynamodb::types::builders::{ConditionCheckBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::{Ceiling, EndedBy, Mode, Reason, Status, WaitingFor, freed, saturating_add};
use uuid::Uuid;

use crate::ending::ended;
use crate::error::{StoreError, Transacted, condition_failed};
use crate::ground::{applied, built, hour, kind, ms, n, request_id, s, seconds, suppression_key};
use crate::interaction::Interaction;
use crate::shards::shard_of;
use crate::step::Step;
use crate::store::Store;
use crate::suppression::unsubscribed;

const CLAIM: Step = Step::required(Status::Queued, Status::Sending);
const SENT: Step = Step::required(Status::Sending, Status::Sent);
const RELEASE: Step = Step::required(Status::Sending, Status::Queued);

/// How a claim ended.
#[derive(Clone, Copy, Debug)]
pub enum Claimed<'a> {
    /// The request is ours until the lease is over: send now.
    Yes(Lease<'a>),
    /// Somebody else has it, or had it, or the row is gone: nothing to do.
    Lost,
    /// The customer may not be mailed.
    No(Reason),
    /// The customer's suppression window is held by this other request.
    WindowOf(Uuid),
    /// The key has used up its mails of this hour.
    OverCeiling,
}

/// A request that is being sent by the holder of this value. [`Store::claim`] alone makes one, and
/// every write that ends a send needs one.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    row: &'a Interaction,
    id: Uuid,
}

impl Lease<'_> {
    /// The request that is claimed, as it was read before.
    pub fn row(&self) -> &Interaction {
        self.row
    }
}

/// The terms of a claim.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// A new id, by which the lease is known.
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

/// An action beside the claim, and what it means if its condition does not hold.
type Check = (TransactWriteItem, fn(&CancellationReason) -> Claimed<'static>);

impl Store {
    /// Claims a queued, ready request until `now + lease`. One round trip.
    ///
    /// For a live request everything that is about the customer is checked in the same transaction:
    /// two tickets of one customer in the same second lead to one mail, and an unsubscribe that was
    /// answered a moment ago is in effect. The key's ceiling is counted there too. The row is kept
    /// at least until the survey of this mail has been closed for two days.
    ///
    /// A live row that does not say whom it concerns is refused, since nothing could be checked.
    pub async fn claim<'a>(
        &self,
        row: &'a Interaction,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<Claimed<'a>, StoreError> {
        let open_until = saturating_add(now, claim.open);
        let kept_until = row.expires_at.max(saturating_add(open_until, AFTER_CLOSING).as_second());
        // Clauses: the row still exists; and it is queued and ready (a stale stream record of a
        // request that was put back finds it not ready), and since that record neither was its
        // ticket reopened nor do-not-send said; or it is this very claim, whose answer was lost.
        let take = self
            .transacted(row.request_id)
            .update_expression(
                "SET #status = :sending, claim_id = :claim, claimed_at = :now, wake_at = :over, \
                 open_until = :open, expires_at = :kept \
                 REMOVE ready, doubted_at, waiting_for, woken",
            )
            .condition_expression(
                "attribute_exists(request_id) AND \
                 ((#status = :queued AND attribute_exists(ready) \
                 AND attribute_not_exists(reopened_at) AND attribute_not_exists(declined_at)) \
                 OR (#status = :sending AND claim_id = :claim))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":queued", CLAIM.from())
            .expression_attribute_values(":sending", CLAIM.to())
            .expression_attribute_values(":claim", s(claim.id.to_string()))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":over", ms(saturating_add(now, claim.lease)))
            .expression_attribute_values(":open", ms(open_until))
            .expression_attribute_values(":kept", n(kept_until));
        let take = TransactWriteItem::builder().update(built(take.build())?).build();
        let mut checks: Vec<Check> = Vec::new();
        if row.mode == Mode::Live {
            let Some(subject) = &row.subject else { return Ok(Claimed::No(Reason::NoEmail)) };
            checks.extend(self.customer_checks(row, subject, claim.window, now)?);
        }
        if let Some(ceiling) = claim.ceiling {
            let count = self.count(row, ceiling, now)?;
            let count = TransactWriteItem::builder().update(count).build();
            checks.push((count, |_| Claimed::OverCeiling));
        }
        let (actions, meanings): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
        let actions = std::iter::once(take).chain(actions).collect();
        match self.transact(actions).await? {
            Transacted::Done => Ok(Claimed::Yes(Lease { row, id: claim.id })),
            Transacted::Refused(reasons) if condition_failed(reasons.first()) => Ok(Claimed::Lost),
            // In the order of the contract: unsubscribed, rejected, suppression; then the ceiling.
            Transacted::Refused(reasons) => {
                let mut checked = reasons.iter().skip(1).zip(meanings);
                let failed = checked.find(|(reason, _)| condition_failed(Some(reason)));
                Ok(failed.map_or(Claimed::Lost, |(reason, meaning)| meaning(reason)))
            }
        }
    }

    /// What is required of the customer: not unsubscribed, not bounced, and the window is free.
    fn customer_checks(
        &self,
        row: &Interaction,
        subject: &Subject,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<Vec<Check>, StoreError> {
        let mut checks: Vec<Check> = Vec::new();
        let check = |check: ConditionCheckBuilder| {
            Ok::<_, StoreError>(
                TransactWriteItem::builder().condition_check(built(check.build())?).build(),
            )
        };
        let of_brand = row.brand.as_deref().map(|brand| unsubscribed(Some(brand)));
        for kind in std::iter::once(unsubscribed(None)).chain(of_brand) {
            // Clause: not unsubscribed.
            let absent =
                self.check(subject, &kind).condition_expression("attribute_not_exists(subject)");
            checks.push((check(absent)?, |_| Claimed::No(Reason::Unsubscribed)));
        }
        // Clauses: never bounced, or long enough ago (expired items are deleted late).
        let absent = self
            .check(subject, kind::BOUNCED)
            .condition_expression("attribute_not_exists(subject) OR expires_at <= :now")
            .expression_attribute_values(":now", seconds(now));
        checks.push((check(absent)?, |_| Claimed::No(Reason::Rejected)));
        if !window.is_zero() {
            // Clauses: there is no window; or it is over; or it is mine, of an attempt whose
            // outcome is unknown. ALL_OLD says whose it is.
            let put = Put::builder()
                .table_name(&self.tables.suppression)
                .set_item(Some(suppression_key(subject.as_text(), kind::WINDOW)))
                .item("request_id", s(row.request_id.to_string()))
                .item("expires_at", seconds(saturating_add(now, window)))
                .condition_expression(
                    "attribute_not_exists(subject) OR expires_at <= :now OR request_id = :mine",
                )
                .expression_attribute_values(":now", seconds(now))
                .expression_attribute_values(":mine", s(row.request_id.to_string()))
                .return_values_on_condition_check_failure(OnFailure::AllOld);
            let put = TransactWriteItem::builder().put(built(put.build())?).build();
            checks.push((put, window_holder));
        }
        Ok(checks)
    }

    fn check(&self, subject: &Subject, kind: &str) -> ConditionCheckBuilder {
        ConditionCheck::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject.as_text(), kind)))
    }

    /// Counts one more mail of the key in this hour.
    fn count(
        &self,
        row: &Interaction,
        ceiling: &Ceiling,
        now: Timestamp,
    ) -> Result<Update, StoreError> {
        let (start, _) = Ceiling::hour(now);
        let part = shard_of(row.request_id, ceiling.parts().into());
        let counter = format!("mails#{}#{part}", hour(start));
        // Clauses: nothing is counted yet; or there is room. A ceiling that an admin lowers is in
        // effect at once.
        let count = Update::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(&ceiling.key, counter)))
            .update_expression("ADD mails :one SET expires_at = :expires")
            .condition_expression("attribute_not_exists(mails) OR mails < :most")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(ceiling.of_a_part()))
            .expression_attribute_values(":expires", seconds(saturating_add(start, COUNTER_KEPT)));
        built(count.build())
    }

    /// SES accepted the mail: `sending → sent`. False if an SES event has already said so, or the
    /// lease was lost.
    pub async fn sent(
        &self,
        lease: Lease<'_>,
        message_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.note_sent(lease, message_id, "", now).await {
            // A row at DynamoDB's size limit, from before rows had a limit of ours: the sender's
            // body is removed, the outcome is written.
            Err(StoreError::Invalid { .. }) => {
                self.note_sent(lease, message_id, ", body", now).await
            }
            other => other,
        }
    }

    async fn note_sent(
        &self,
        lease: Lease<'_>,
        message_id: &str,
        also_removed: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .update(lease.row.request_id)
            .update_expression(format!(
                "SET #status = :sent, sent_at = :now, message_id = :message \
                 REMOVE wake_at, due_shard, ready{also_removed}"
            ))
            .condition_expression(HELD)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sent", SENT.to())
            .expression_attribute_values(":sending", SENT.from())
            .expression_attribute_values(":claim", s(lease.id.to_string()))
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":message", s(message_id));
        applied(update.send().await)
    }

    /// An attempt ended without a mail: `sending → queued` until `wake_at`. `counts`: whether it
    /// uses up an attempt. False if the lease was lost.
    pub async fn release(
        &self,
        lease: Lease<'_>,
        wake_at: Timestamp,
        counts: bool,
    ) -> Result<bool, StoreError> {
        let update = self
            .held(lease)
            .update_expression(
                "SET #status = :next, wake_at = :wake, waiting_for = :ses \
                 ADD attempts :one REMOVE ready, claim_id",
            )
            .expression_attribute_values(":ses", s(WaitingFor::MailService.as_str()))
            .expression_attribute_values(":next", RELEASE.to())
            .expression_attribute_values(":wake", ms(wake_at))
            .expression_attribute_values(":one", n(u8::from(counts)));
        let freed = freed(Status::Sending, Reason::SendAttempts, EndedBy::Claimant);
        self.write_with(update, self.releases(lease.row, freed)?).await
    }

    /// The last attempt ended without a mail: `sending →` the reason's status. False if the lease
    /// was lost.
    pub async fn give_up(
        &self,
        lease: Lease<'_>,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(step) = Step::end(Status::Sending, reason) else { return Ok(false) };
        let end = ended(self.held(lease), lease.row, step, reason, now);
        let freed = freed(Status::Sending, reason, EndedBy::Claimant);
        self.write_with(end, self.releases(lease.row, freed)?).await
    }

    fn held(&self, lease: Lease<'_>) -> UpdateBuilder {
        self.transacted(lease.row.request_id)
            .condition_expression(HELD)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":sending", RELEASE.from())
            .expression_attribute_values(":claim", s(lease.id.to_string()))
    }
}

/// Clauses of every write that ends a claim: the row exists; it is still sending; and under this
/// claim.
const HELD: &str = "attribute_exists(request_id) AND #status = :sending AND claim_id = :claim";

/// Who holds the window that could not be taken. If the item does not say, some other request has
/// asked the customer.
fn window_holder(reason: &CancellationReason) -> Claimed<'static> {
    let holder = reason.item().and_then(request_id);
    holder.map_or(Claimed::No(Reason::SuppressionPeriod), Claimed::WindowOf)
}
