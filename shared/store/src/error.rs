//! The errors of the tables, and which errors of single writes the SDK has to retry.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;

/// A table could not be read or written. The API answers each of these with the same 503.
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
    /// DynamoDB calls the write invalid, mostly because the item would be larger than 400 KB. To
    /// repeat the write does not help.
    #[error("DynamoDB {operation} is invalid: {cause}")]
    Invalid {
        /// Which call.
        operation: &'static str,
        /// Code and message.
        cause: String,
    },
    /// `SUBJECT_SECRET` is not the one under which the tables were written.
    #[error("SUBJECT_SECRET is not the secret of the tables")]
    SubjectSecret,
    /// An item does not have the shape that we write. The text names the attribute, never its
    /// content.
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
                // The SDK's own `DisplayErrorContext` would show the reply with `Debug`: a row with
                // a name and an address.
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

/// Tells the SDK to retry a single write that met a transaction on the same item, as it retries
/// throttling. DynamoDB asks for this ("Transaction conflict handling in DynamoDB"), but by default
/// the SDK does not retry `TransactionConflictException`.
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
