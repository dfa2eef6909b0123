//! The item of a key, and how it is changed.

use serde_json::{Map, Value};
use store::{Change, StoredItem};

use crate::context::Context;
use crate::error::AdminError;

/// The path of the page, and of its entry in the menu.
pub(super) const HERE: &str = "/admin/keys";
/// Attempts at a change that meets the note of a key's use.
pub(super) const TRIES: usize = 3;

pub(super) async fn stored(
    context: &Context<'_>,
    id: &str,
) -> Result<Option<StoredItem>, AdminError> {
    Ok(context.store().config_item("key", id).await?)
}

pub(super) fn changed(before: StoredItem, after: Map<String, Value>) -> Change {
    let id = before.id().to_owned();
    Change { kind: "key".to_owned(), id, before: Some(before), after: Some(after) }
}

pub(super) fn without_key(item: &StoredItem) -> Map<String, Value> {
    let mut attributes = item.attributes.clone();
    attributes.retain(|name, _| !["kind", "id"].contains(&name.as_str()));
    attributes
}
