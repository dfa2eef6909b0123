//! The words that every other module writes with: attribute values, keys, names of item kinds and
//! indexes. Imports no module but `error`.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::error::StoreError;

/// An item as the SDK has it: attribute name → value.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// `sweep` wakes a ready request again if nobody has claimed it after this time: its stream record
/// was lost.
pub(crate) const STALLED: SignedDuration = SignedDuration::from_mins(3);

/// Sort keys of the suppression table.
pub(crate) mod kind {
    /// The customer's suppression window.
    pub(crate) const WINDOW: &str = "window";
    /// A de-duplication marker.
    pub(crate) const MARKER: &str = "marker";
    /// The address bounced permanently.
    pub(crate) const BOUNCED: &str = "bounced";
    /// The customer unsubscribed from everything; with `#<brand>` behind it, from one brand.
    pub(crate) const UNSUBSCRIBED: &str = "unsubscribed";
    /// The person's erasure: when it began and ended, and what it took.
    pub(crate) const ERASED: &str = "erased";
}

/// Indexes of the interactions table.
pub(crate) mod index {
    /// By shard and `wake_at`: what `sweep` has to look at.
    pub(crate) const DUE: &str = "due";
    /// By day of receipt: lists and tallies.
    pub(crate) const DAY: &str = "day";
    /// By outcome and month of receipt: requests that did not reach the customer.
    pub(crate) const OUTCOME: &str = "outcome";
    /// By the helpdesk's id.
    pub(crate) const EXT_INTERACTION_ID: &str = "ext_interaction_id";
    /// By the pseudonym of the customer.
    pub(crate) const SUBJECT: &str = "subject";
}

/// A text attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A time as a number of milliseconds since 1970.
pub(crate) fn ms(at: Timestamp) -> AttributeValue {
    n(at.as_millisecond())
}

/// A time of TTL: whole seconds since 1970.
pub(crate) fn seconds(at: Timestamp) -> AttributeValue {
    n(at.as_second())
}

/// `2026-11-21T05`, UTC.
pub(crate) fn hour(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H").to_string()
}

/// The attribute as a text, if it is one.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The attribute as a number, if it is one of this type.
pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The `request_id` of a row, of an index entry, or of a marker.
pub(crate) fn request_id(item: &Item) -> Option<Uuid> {
    text(item, "request_id")?.parse().ok()
}

/// The key of a row of the interactions table.
pub(crate) fn row_key(request_id: Uuid) -> Item {
    HashMap::from([("request_id".to_owned(), s(request_id.to_string()))])
}

/// The key of an item of the suppression table.
pub(crate) fn suppression_key(subject: impl Into<String>, kind: impl Into<String>) -> Item {
    HashMap::from([("subject".to_owned(), s(subject)), ("kind".to_owned(), s(kind))])
}

/// The result of an SDK builder. A builder that lacks a required field is a fault of this program.
/// It is reported as [`StoreError::Unavailable`].
pub(crate) fn built<T>(result: Result<T, BuildError>) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Unavailable { operation: "build", cause: error.to_string() })
}

/// A single write that a condition can refuse.
pub(crate) trait Conditional {
    /// For [`StoreError::Unavailable`].
    const OPERATION: &'static str;
    /// Whether the error says that the condition did not hold.
    fn refused(&self) -> bool;
}

macro_rules! conditional {
    ($($error:ident $operation:literal,)*) => {$(
        impl Conditional for $error {
            const OPERATION: &'static str = $operation;
            fn refused(&self) -> bool {
                self.is_conditional_check_failed_exception()
            }
        }
    )*};
}

conditional! {
    UpdateItemError "UpdateItem",
    PutItemError "PutItem",
    DeleteItemError "DeleteItem",
}

/// True if the write was made, false if its condition did not hold.
pub(crate) fn applied<T, E>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, StoreError>
where
    E: Conditional + aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(E::refused) => Ok(false),
        Err(error) => Err(StoreError::of(E::OPERATION)(error)),
    }
}
