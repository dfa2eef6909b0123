//! The item of a channel, and the page that it is edited on.

use store::StoredItem;

use crate::context::Context;
use crate::error::AdminError;

/// The path of the page.
pub(super) const HERE: &str = "/admin/channels";
/// The channels that every company has; they can be switched off, and not deleted.
pub(super) const STANDARD: [&str; 3] = ["phone", "email", "chat"];

/// The item; `None` only for a standard channel that has none yet.
pub(super) async fn stored(
    context: &Context<'_>,
    id: &str,
) -> Result<Option<StoredItem>, AdminError> {
    let stored = context.store().config_item("channel", id).await?;
    if stored.is_none() && !STANDARD.contains(&id) {
        return Err(AdminError::NotFound);
    }
    Ok(stored)
}
