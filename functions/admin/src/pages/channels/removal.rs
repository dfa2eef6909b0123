//! Deleting a channel that the company has made.

use store::{Change, Changed, StoredItem};

use super::item::{HERE, STANDARD};
use crate::context::Context;
use crate::edit::RemovalPage;
use crate::error::AdminError;
use crate::reply::Reply;

fn page(context: &Context<'_>, stored: &StoredItem, conflict: bool) -> Result<Reply, AdminError> {
    let id = stored.id().to_owned();
    let page = RemovalPage {
        frame: context.frame(&format!("Delete the channel “{id}”?"), HERE),
        path: HERE,
        version: stored.version(),
        sentences: vec![
            "Requests for this channel are invalid from then on: the channel is not enabled. Its \
             other names go with it."
                .to_owned(),
            "To stop surveys for a while, edit the channel and switch it off.".to_owned(),
        ],
        id,
        conflict,
    };
    page.reply()
}

async fn custom(context: &Context<'_>, id: &str) -> Result<StoredItem, AdminError> {
    if STANDARD.contains(&id) {
        return Err(AdminError::NotUnderstood(format!(
            "the channel “{id}” cannot be deleted, but switched off"
        )));
    }
    context.store().config_item("channel", id).await?.ok_or(AdminError::NotFound)
}

/// `?delete=NAME`: what will happen, and the button.
pub(super) async fn ask(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let stored = custom(context, id).await?;
    page(context, &stored, false)
}

/// The button was pressed.
pub(super) async fn submit(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    let stored = custom(context, id).await?;
    if context.form.text("version") != stored.version() {
        return page(context, &stored, true);
    }
    let change =
        Change { kind: "channel".to_owned(), id: id.to_owned(), before: Some(stored), after: None };
    match context.change("channel deleted", &[change]).await? {
        Changed::Yes => Ok(Reply::see_other(&format!("{HERE}?done=removed"))),
        Changed::Conflict => page(context, &custom(context, id).await?, true),
    }
}
