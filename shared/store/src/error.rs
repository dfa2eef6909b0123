//! What can go wrong with a table, and the retries that the SDK does not do: those of conflicts.

use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use crate::Store;

/// A table could not be read or written. To a caller outside they are all the same: our trouble,
/// try again later.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Down, throttled, or in conflict after every retry; the text is for the log and holds no
    /// item.
    #[error("DynamoDB {operation}: {cause}")]
    Unavailable {
        /// Which call.
        operation: &'static str,
        /// Code and message.
        cause: String,
    },
    /// DynamoDB calls the write invalid: mostly the item would be larger than 400 KB. No repetition
    /// mends that.
    #[error("DynamoDB {operation} is invalid: {cause}")]
    Invalid {
        /// Which call.
        operation: &'static str,
        /// Code and message.
        cause: String,
    },
    /// An item is not of the shape that we write; names the item, never its content.
    #[error("item of {table} cannot be understood: {cause}")]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        cause: String,
    },
}

impl StoreError {
    pub(crate) fn of<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        move |error| {
            let cause = match (error.code(), error.message()) {
                (Some(code), message) => format!("{code}: {}", message.unwrap_or_default()),
                // Not the SDK's own way to show causes, which ends with `Debug`, and that with the
                // reply: a row with name and address.
                _ => causes(&error),
            };
            match error.code() {
                Some("ValidationException") => Self::Invalid { operation, cause },
                _ => Self::Unavailable { operation, cause },
            }
        }
    }

    pub(crate) fn corrupt(table: &'static str) -> impl Fn(serde_dynamo::Error) -> Self {
        move |error| Self::Corrupt { table, cause: error.to_string() }
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// How a transaction ended.
pub(crate) enum Transacted {
    /// All of it was written.
    Done,
    /// Nothing was written: at least one condition did not hold. One reason for each action, in
    /// order.
    Refused(Vec<CancellationReason>),
}

/// Whether this action's condition did not hold.
pub(crate) fn condition_failed(reason: Option<&CancellationReason>) -> bool {
    reason.and_then(CancellationReason::code) == Some("ConditionalCheckFailed")
}

/// Has the SDK retry a single write that met a transaction on its item, as it retries throttling.
/// DynamoDB asks for it ("Transaction conflict handling in DynamoDB"); the SDK by itself takes
/// `TransactionConflictException` for final.
#[derive(Debug)]
pub(crate) struct SingleWriteConflicts;

impl ClassifyRetry for SingleWriteConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context
            .output_or_error()
            .and_then(Result::err)
            .and_then(|error| error.as_operation_error());
        let conflict = error.is_some_and(|error| {
            error.downcast_ref().is_some_and(UpdateItemError::is_transaction_conflict_exception)
                || error.downcast_ref().is_some_and(PutItemError::is_transaction_conflict_exception)
                || error
                    .downcast_ref()
                    .is_some_and(DeleteItemError::is_transaction_conflict_exception)
        });
        if conflict { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "conflicts of single writes"
    }
}

/// Attempts at a transaction that meets another one.
const CONFLICT_ATTEMPTS: u32 = 6;
/// Half of the first ceiling of the wait between them, in milliseconds; it doubles.
const CONFLICT_WAIT: u64 = 10;

impl Store {
    /// Runs a transaction. DynamoDB cancels one that meets another on the same item, or a throttled
    /// partition, with `TransactionConflict` or `ThrottlingError` among its reasons; the SDK does
    /// not retry that, so it is done here, with full jitter (at most 0.6 s in all).
    pub(crate) async fn transact(
        &self,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        self.transact_within(CONFLICT_ATTEMPTS, actions).await
    }

    /// As [`Store::transact`], for who can wait longer for others: with so many attempts.
    pub(crate) async fn transact_within(
        &self,
        attempts: u32,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        let mut attempt = 0;
        loop {
            let request =
                self.client.transact_write_items().set_transact_items(Some(actions.clone()));
            let Err(error) = request.send().await else { return Ok(Transacted::Done) };
            let (again, reasons) = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons().to_vec();
                    if let Some(invalid) =
                        reasons.iter().find(|reason| reason.code() == Some("ValidationError"))
                    {
                        let cause = invalid.message().unwrap_or_default().to_owned();
                        return Err(StoreError::Invalid { operation: OPERATION, cause });
                    }
                    if reasons.iter().any(|reason| condition_failed(Some(reason))) {
                        return Ok(Transacted::Refused(reasons));
                    }
                    (true, reasons)
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    (true, Vec::new())
                }
                _ => (false, Vec::new()),
            };
            attempt += 1;
            if !again || attempt >= attempts {
                let codes: Vec<&str> =
                    reasons.iter().filter_map(CancellationReason::code).collect();
                return Err(match codes.is_empty() {
                    true => StoreError::of(OPERATION)(error),
                    false => {
                        StoreError::Unavailable { operation: OPERATION, cause: codes.join(", ") }
                    }
                });
            }
            pause(attempt).await;
        }
    }
}

/// Waits before the attempt after the `attempt`th, with full jitter.
pub(crate) async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=CONFLICT_WAIT << attempt.min(6))))
        .await;
}
