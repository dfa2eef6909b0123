//! Sending a request again that ended without a mail, once an admin has mended what prevented it.
//!
//! What ended stays: the request is recorded anew, and goes the one road like every other. At most
//! one new request comes of it, whoever asks and however often:
//!
//! - a marker of its own leads from the old request to the new one, so that of two admins who ask at
//!   once, the second is led to what the first has made;
//! - the marker of the interaction is taken over from the old request; if it leads to another one,
//!   the helpdesk has sent the interaction once more, and that one decides.
//!
//! What its sender has withdrawn since is not sent again: a refused row remembers that the ticket
//! was opened again (`reopened_at`), that it was taken back, or that do-not-send was said
//! (`declined_at`). Whichever is written first, no mail of a withdrawn request goes out:
//!
//! ```text
//! withdrawal first:  notes it on the old row   [record again: the old row's condition fails]
//! sent again first:  [record again: the old row leads to the new one]
//!                    withdrawal: notes it on the old row, reads it, withdraws the new one too
//! ```

use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::{SignedDuration, Timestamp};
use links::SubjectSecret;
use policy::{Reason, may_send_again};
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::error::{StoreError, Transacted, condition_failed};
use crate::ground::{applied, built, ms, s, seconds};
use crate::interaction::Interaction;
use crate::marker::{First, Marker, MarkerKey};
use crate::store::Store;

/// How sending again ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentAgain {
    /// The new request is recorded.
    Recorded,
    /// Nothing was written: this request of the same interaction came first.
    Already(Uuid),
    /// Nothing was written: the old request was withdrawn meanwhile, or is no longer as it was
    /// read.
    MovedOn,
}

/// Rows of one interaction that are looked at.
const OTHERS: usize = 24;
/// Where the update of the old row stands in the transaction.
const OF_THE_OLD_ROW: usize = 1;

impl Interaction {
    /// Whether what prevented it can have been mended, and it is certain that no mail left.
    pub fn may_be_sent_again(&self) -> bool {
        may_send_again(self.status, self.reason, self.claimed_at.is_some())
    }

    /// Whether its sender does not want it any more: the ticket was opened again, or the request
    /// was taken back, or do-not-send was said later.
    pub fn is_withdrawn(&self) -> bool {
        self.reopened_at.is_some() || self.declined_at.is_some()
    }
}

impl Store {
    /// Notes on a refused request that its sender has withdrawn it since, so that no admin sends it
    /// again. Status and reason stay. False if the row has moved on since it was read.
    ///
    /// Read the row again afterwards: [`Interaction::sent_again_as`] then leads to what has to be
    /// withdrawn with it.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn note_withdrawn(
        &self,
        row: &Interaction,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let attribute = if reason == Reason::Reopened { "reopened_at" } else { "declined_at" };
        // Clauses: the row exists; and it has ended as it was read.
        let update = self
            .update(row.request_id)
            .update_expression(format!("SET {attribute} = :now"))
            .condition_expression("attribute_exists(request_id) AND #status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(row.status.as_str()))
            .expression_attribute_values(":now", ms(now));
        applied(update.send().await)
    }

    /// Records `row`, which sends `original` again, with its entry in the audit trail. `identity`:
    /// the marker of the interaction, if repetitions are recognised.
    ///
    /// # Errors
    /// If the tables cannot be read or written.
    pub async fn record_again(
        &self,
        original: &Interaction,
        row: &Interaction,
        identity: Option<(MarkerKey, SignedDuration)>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<SentAgain, StoreError> {
        if let Some(other) = self.asked_since(original, now).await? {
            return Ok(SentAgain::Already(other));
        }
        let answered = First {
            request_id: row.request_id,
            status: row.status,
            reason: row.reason,
            fingerprint: None,
        };
        // As long as the new row exists, the old one leads to it.
        let kept = SignedDuration::from_secs(row.expires_at.saturating_sub(now.as_second()));
        let mut markers = vec![(again_marker(self.secret(now).await?, original), kept)];
        if let Some((key, window)) = identity {
            // The settings may have changed since: then the interaction has another marker now.
            markers
                .extend(original.marker.clone().filter(|old| *old != key).map(|old| (old, window)));
            markers.push((key, window));
        }
        // Clause: no row has this id.
        let put = Put::builder()
            .table_name(&self.tables.interactions)
            .set_item(Some(row.to_item()?))
            .condition_expression("attribute_not_exists(request_id)");
        // Clauses: the old row exists; it has ended as it was read; and its sender has not
        // withdrawn it since.
        let lead = self
            .transacted(original.request_id)
            .update_expression("SET sent_again_as = :new")
            .condition_expression(
                "attribute_exists(request_id) AND #status = :status \
                 AND attribute_not_exists(reopened_at) AND attribute_not_exists(declined_at)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(original.status.as_str()))
            .expression_attribute_values(":new", s(row.request_id.to_string()));
        let mut actions = vec![
            TransactWriteItem::builder().put(built(put.build())?).build(),
            TransactWriteItem::builder().update(built(lead.build())?).build(),
        ];
        for (key, window) in markers {
            let item = Marker { key, window, fingerprint: None }.item(&answered, now);
            // Clauses: there is no such marker; or its window is over; or it is the old request's.
            let put = Put::builder()
                .table_name(&self.tables.suppression)
                .set_item(Some(item))
                .condition_expression(
                    "attribute_not_exists(subject) OR expires_at <= :now OR request_id = :old",
                )
                .expression_attribute_values(":now", seconds(now))
                .expression_attribute_values(":old", s(original.request_id.to_string()))
                .return_values_on_condition_check_failure(OnFailure::AllOld);
            actions.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        actions.push(self.audited(entry)?);
        let Transacted::Refused(reasons) = self.transact(actions).await? else {
            return Ok(SentAgain::Recorded);
        };
        let mut failed = reasons.iter().filter(|reason| condition_failed(Some(reason)));
        let first = failed.find_map(|reason| reason.item().and_then(First::read));
        Ok(match first {
            // An earlier attempt of this very call was written, and its answer was lost.
            Some(first) if first.request_id == row.request_id => SentAgain::Recorded,
            Some(first) => SentAgain::Already(first.request_id),
            None if condition_failed(reasons.get(OF_THE_OLD_ROW)) => SentAgain::MovedOn,
            None => SentAgain::Recorded,
        })
    }

    /// The request by which an admin has sent this one again.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn sent_again_as(&self, row: &Interaction) -> Result<Option<Uuid>, StoreError> {
        let Some(secret) = &self.secret else { return Ok(None) };
        let item = self.suppression_item(again_marker(secret, row).item_key()).await?;
        Ok(item.as_ref().and_then(First::read).map(|first| first.request_id))
    }

    /// A later request of the same interaction that waits, or whose mail has left.
    async fn asked_since(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        let Some(ext) = &row.ext_interaction_id else { return Ok(None) };
        let (ids, _) = self.ids_by_ext(ext, row.mode, None, OTHERS).await?;
        let later: Vec<Uuid> = ids.into_iter().filter(|id| *id > row.request_id).collect();
        let found = self.interactions(&later, now).await?;
        let same = |other: &&Interaction| {
            other.source == row.source
                && other.subject == row.subject
                && (other.status.is_waiting() || other.status.mail_left())
        };
        Ok(found.rows.values().find(same).map(|other| other.request_id))
    }
}

fn again_marker(secret: &SubjectSecret, row: &Interaction) -> MarkerKey {
    MarkerKey::new(secret, "again", row.mode, &[row.request_id.to_string()])
}
