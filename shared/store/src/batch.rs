//! A batch of the interactions table's stream, as Lambda delivers it.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};

use crate::{Interaction, StoreError, interaction_from_image};

/// Hands each record's new image to `work`, `at_once` of them at a time, and returns Lambda's
/// partial batch response: the records that failed.
///
/// One record that cannot be read, fails or panics does not hold up the rest: Lambda delivers from
/// the first failed one on again, bisects, and in the end reports it to the failure destination.
/// That the others come again with it is harmless: every step is a conditional write.
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
                None => Ok(()), // a deletion
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
