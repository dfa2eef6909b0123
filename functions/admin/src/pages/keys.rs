//! `/admin/keys`: what opens the API and these pages. A key is shown once, when it is made; only
//! its SHA-256 is stored.

mod form;
mod item;
mod list;
mod making;
mod revoking;
mod row;

use askama::Template;
use serde_json::Value;
use store::Changed;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;
use form::{Making, label};
use item::{HERE, TRIES, changed, stored, without_key};
use list::{busy, gone, list};
use row::Row;

#[derive(Template)]
#[template(path = "key_rename.html")]
struct RenamePage {
    frame: Frame,
    row: Row,
    typed: String,
    error: Option<String>,
    note: Option<String>,
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    if let Some(id) = context.query("revoke") {
        revoking::show(context, &id).await
    } else if let Some(id) = context.query("rename") {
        let Some(item) = stored(context, &id).await? else { return Ok(Reply::see_other(HERE)) };
        let row = Row::of(&item, &context.visitor.key);
        let typed = row.label.clone();
        rename_page(context, row, typed, None, None, 200)
    } else {
        list(context, Making::default(), None, 200).await
    }
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    match context.form.text("action") {
        "make" => making::make(context).await,
        "rename" => rename(context).await,
        "revoke" => revoking::submit(context).await,
        _ => Err(AdminError::NotUnderstood("the form does not say what it is for".to_owned())),
    }
}

fn rename_page(
    context: &Context<'_>,
    row: Row,
    typed: String,
    error: Option<String>,
    note: Option<String>,
    status: u16,
) -> Result<Reply, AdminError> {
    let frame = context.frame("Rename a key", HERE);
    let page = RenamePage { frame, row, typed, error, note };
    Ok(Reply::html(status, page.render()?))
}

async fn rename(context: &Context<'_>) -> Result<Reply, AdminError> {
    let id = context.form.text("id");
    let typed = context.form.text("label").to_owned();
    for _ in 0..TRIES {
        let Some(item) = stored(context, id).await? else { return gone(context).await };
        let row = Row::of(&item, &context.visitor.key);
        let label = match label(&typed) {
            Ok(label) => label,
            Err(error) => return rename_page(context, row, typed, Some(error), None, 422),
        };
        if context.form.text("version") != row.version {
            let note = format!(
                "Somebody has changed this key meanwhile. It is called “{}” now. Nothing of \
                 yours is saved yet.",
                row.label
            );
            return rename_page(context, row, typed, None, Some(note), 409);
        }
        let mut after = without_key(&item);
        after.insert("label".to_owned(), Value::String(label));
        let change = changed(item, after);
        if context.change("Rename a key", &[change]).await? == Changed::Yes {
            return Ok(Reply::see_other("/admin/keys?done=renamed"));
        }
    }
    busy(context).await
}
