//! Working through a batch of records.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};

use store::{Interaction, StoreError};

use crate::interaction_from_image;

/// Hands the row of each record to `work`, `at_once` of them at a time, and returns Lambda's
/// partial batch response: the sequence numbers of the records that failed.
///
/// A record that cannot be read, or whose work fails or panics, does not hold up the others. Lambda
/// delivers the batch again from the first failed record on, splits it, and in the end reports the
/// record to the failure destination. The records after it are delivered again too, which is
/// harmless: every step is a conditional write.
pub async fn each_interaction<F, W>(event: &Value, at_once: usize, work: F) -> Value
where
    F: Fn(Interaction) -> W,
    W: Future<Output = Result<(), StoreError>>,
{
    let records =
        event.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let works = records.iter().map(|record| async {
        let sequence =
            record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default();
        let done = async {
            match record.pointer("/dynamodb/NewImage").and_then(Value::as_object) {
                Some(image) => work(interaction_from_image(image)?).await,
                None => Ok(()), // the record of a deletion has no new image
            }
        };
        let error = match AssertUnwindSafe(done).catch_unwind().await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "panicked".to_owned(),
        };
        tracing::error!(stream.sequence_number = sequence, error, "stream record failed");
        Some(json!({ "itemIdentifier": sequence }))
    });
    let works: Vec<_> = works.collect();
    let failures: Vec<Value> = futures::stream::iter(works)
        .buffered(at_once)
        .filter_map(std::future::ready)
        .collect()
        .await;
    json!({ "batchItemFailures": failures })
}
