//! Recording: one transaction of the interaction and its de-duplication markers.
//!
//! Two deliveries of the same webhook race like this:
//!
//! ```text
//! A: TransactWriteItems [put row a, put marker m → a]        committed
//! B:        TransactWriteItems [put row b, put marker m → b]     cancelled: m exists → answers with a, from m itself
//! ```
//!
//! or, if they overlap, one of them is cancelled with `TransactionConflict`, tries again with
//! jitter, and is B.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::{Reason, Status, saturating_add};
use uuid::Uuid;

use crate::error::{Transacted, condition_failed};
use crate::interaction::{n, s};
use crate::sending::MARKER;
use crate::{Interaction, Store, StoreError};

/// Something that, seen twice within its window, means the same request.
#[derive(Clone, Debug)]
pub struct Marker {
    /// HMAC of what identifies it (mode included).
    pub key: Subject,
    /// How long it counts. Markers with none are left out by the caller.
    pub window: SignedDuration,
    /// For an `Idempotency-Key`: digest of the body, which has to be the same.
    pub fingerprint: Option<String>,
}

/// The first request, as its markers remember it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its id.
    pub request_id: Uuid,
    /// What it was answered with.
    pub status: Status,
    /// Likewise.
    pub reason: Option<Reason>,
    /// The fingerprint of the marker that matched first.
    pub fingerprint: Option<String>,
}

/// How recording ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The row is there.
    New,
    /// It was seen before. The number is the index of the marker that says so.
    Duplicate(usize, First),
}

impl Store {
    /// Records a row with its markers, or says which earlier request it repeats. One round trip.
    pub async fn record(
        &self,
        row: &Interaction,
        markers: &[Marker],
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        // Clause: no row has this id. It can only fail for our own earlier attempt whose answer was
        // lost.
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
            // Clauses: there is no such marker; or it is over (DynamoDB deletes expired items
            // late). ALL_OLD brings the marker itself along, so that a duplicate costs no read.
            let put = Put::builder()
                .table_name(&self.tables.suppression)
                .set_item(Some(marker_item(marker, &answered, now)))
                .condition_expression("attribute_not_exists(subject) OR expires_at <= :now")
                .expression_attribute_values(":now", n(now.as_second()))
                .return_values_on_condition_check_failure(OnFailure::AllOld);
            actions.push(TransactWriteItem::builder().put(built(put.build())?).build());
        }
        let Transacted::Refused(reasons) = self.transact(actions).await? else {
            return Ok(Recorded::New);
        };
        for (index, reason) in reasons.iter().skip(1).enumerate() {
            if let Some(first) =
                reason.item().filter(|_| condition_failed(Some(reason))).and_then(first)
            {
                // Our own marker: an earlier attempt of this very call was written, and its answer
                // lost.
                return Ok(if first.request_id == row.request_id {
                    Recorded::New
                } else {
                    Recorded::Duplicate(index, first)
                });
            }
        }
        match condition_failed(reasons.first()) {
            true => Ok(Recorded::New),
            false => Err(StoreError::Corrupt {
                table: "suppression",
                cause: "a marker without its request".into(),
            }),
        }
    }

    /// Has one more marker lead to a request that was answered for it: an `Idempotency-Key` of
    /// which another marker said that it repeats `first`.
    pub async fn remember(
        &self,
        marker: &Marker,
        first: &First,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Clauses: there is no such marker; or it is over. Else somebody was faster, with the same
        // answer.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .set_item(Some(marker_item(marker, first, now)))
            .condition_expression("attribute_not_exists(subject) OR expires_at <= :now")
            .expression_attribute_values(":now", n(now.as_second()));
        match put.send().await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            other => other.map(drop).map_err(StoreError::of("PutItem")),
        }
    }
}

fn marker_item(marker: &Marker, first: &First, now: Timestamp) -> HashMap<String, AttributeValue> {
    let mut item = HashMap::from([
        ("subject".into(), s(marker.key.as_text())),
        ("kind".into(), s(MARKER)),
        ("request_id".into(), s(first.request_id.to_string())),
        ("status".into(), s(first.status.as_str())),
        ("expires_at".into(), n(saturating_add(now, marker.window).as_second())),
    ]);
    if let Some(reason) = first.reason {
        item.insert("reason".into(), s(reason.code()));
    }
    if let Some(fingerprint) = &marker.fingerprint {
        item.insert("fingerprint".into(), s(fingerprint));
    }
    item
}

/// The request that a marker leads to, as the marker remembers it.
pub(crate) fn first(item: &HashMap<String, AttributeValue>) -> Option<First> {
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok());
    Some(First {
        request_id: text("request_id")?.parse().ok()?,
        status: Status::from_name(text("status")?)?,
        reason: text("reason").and_then(|code| Reason::from_code(code)),
        fingerprint: text("fingerprint").cloned(),
    })
}

/// A builder that lacks a required field is our own mistake; it is answered like any other trouble
/// of ours.
pub(crate) fn built<T>(
    result: Result<T, aws_sdk_dynamodb::error::BuildError>,
) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Unavailable { operation: "build", cause: error.to_string() })
}
