//! Recording: one transaction of the interaction and its de-duplication markers.
//!
//! Two deliveries of the same webhook race like this:
//!
//! ```text
//! A: [put row a, put marker m → a]      committed
//! B:      [put row b, put marker m → b]     cancelled: m exists, and says that a is the first
//! ```
//!
//! If they overlap, DynamoDB cancels one of them with `TransactionConflict`. That one tries again
//! with jitter, and is B.

use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::Timestamp;

use crate::error::{StoreError, Transacted, condition_failed};
use crate::ground::{applied, built, seconds};
use crate::interaction::Interaction;
use crate::marker::{First, Marker};
use crate::store::Store;

/// Clauses of every write of a marker: there is no such marker; or its window is over (DynamoDB
/// deletes expired items late).
const FREE: &str = "attribute_not_exists(subject) OR expires_at <= :now";

/// How recording ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The row is there.
    New,
    /// It was seen before. The number is the index, among the markers, of the one that says so.
    Duplicate(usize, First),
    /// The person is being erased, or was erased after the request was received. Nothing is
    /// recorded.
    Erased,
}

impl Store {
    /// Records a row with its markers, or says which earlier request it repeats. One round trip.
    pub async fn record(
        &self,
        row: &Interaction,
        markers: &[Marker],
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        // Clause: no row has this id. It fails only if an earlier attempt of this very call was
        // written and its answer was lost.
        let put = Put::builder()
            .table_name(&self.tables.interactions)
            .set_item(Some(row.to_item()?))
            .condition_expression("attribute_not_exists(request_id)");
        let mut actions = vec![TransactWriteItem::builder().put(built(put.build())?).build()];
        let answered = First {
            request_id: row.request_id,
            status: row.status,
            reason: row.reason,
            fingerprint: None,
        };
        for marker in markers {
            // ALL_OLD returns the marker that is in the way, so a duplicate costs no read.
            let put = Put::builder()
                .table_name(&self.tables.suppression)
                .set_item(Some(marker.item(&answered, now)))
                .condition_expression(FREE)
                .expression_attribute_values(":now", seconds(now))
                .return_values_on_condition_check_failure(OnFailure::AllOld);
            actions.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        if let Some(subject) = &row.subject {
            actions.push(self.not_erased(subject, row.created_at)?);
        }
        let Transacted::Refused(reasons) = self.transact(actions).await? else {
            return Ok(Recorded::New);
        };
        for (index, reason) in reasons.iter().skip(1).enumerate() {
            if let Some(first) =
                reason.item().filter(|_| condition_failed(Some(reason))).and_then(First::read)
            {
                // The marker leads to this row: an earlier attempt of this very call was written,
                // and its answer was lost.
                return Ok(if first.request_id == row.request_id {
                    Recorded::New
                } else {
                    Recorded::Duplicate(index, first)
                });
            }
        }
        match condition_failed(reasons.first()) {
            true => Ok(Recorded::New),
            false if row.subject.is_some() && condition_failed(reasons.last()) => {
                Ok(Recorded::Erased)
            }
            false => Err(StoreError::Corrupt {
                table: "suppression",
                cause: "a marker without its request".into(),
            }),
        }
    }

    /// Writes one more marker that leads to `first`: of an `Idempotency-Key` or a delivery id that
    /// was unknown, while another marker of the same delivery was known.
    pub async fn remember(
        &self,
        marker: &Marker,
        first: &First,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .set_item(Some(marker.item(first, now)))
            .condition_expression(FREE)
            .expression_attribute_values(":now", seconds(now));
        // If the condition does not hold, another call has written the same answer before.
        applied(put.send().await).map(drop)
    }
}
