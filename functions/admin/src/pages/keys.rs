//! `/admin/keys`: what opens the API and these pages. A key is shown once, when it is made; only
//! its SHA-256 is stored.

mod making;
mod revoking;
mod row;

use askama::Template;
use serde_json::{Map, Value};
use store::{Change, Changed, StoredItem};

use crate::view::Frame;
use crate::{AdminError, Context, Reply};
use making::Making;
use row::Row;

/// The path of the page, and of its entry in the menu.
const HERE: &str = "/admin/keys";
/// Keys of a page.
const PAGE: i32 = 100;
/// Attempts at a change that meets the note of a key's use.
const TRIES: usize = 3;

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    making: Making,
    /// What could not be done to a key of the list.
    problem: Option<String>,
}

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

async fn list(
    context: &Context<'_>,
    making: Making,
    problem: Option<String>,
    status: u16,
) -> Result<Reply, AdminError> {
    let after = context.query("after");
    let (items, more) = context.store().config_page_of("key", after.as_deref(), PAGE).await?;
    let next = items.last().filter(|_| more).map(|item| item.id().to_owned());
    let mut rows: Vec<Row> = items.iter().map(|item| Row::of(item, &context.visitor.key)).collect();
    rows.sort_by_key(|row| (row.revoked, row.mode.clone(), row.label.to_lowercase()));
    let frame = context.frame("Keys", HERE);
    let page = KeysPage { frame, rows, next, making, problem };
    Ok(Reply::html(status, page.render()?))
}

async fn stored(context: &Context<'_>, id: &str) -> Result<Option<StoredItem>, AdminError> {
    Ok(context.store().config_item("key", id).await?)
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
        let label = match making::label(&typed) {
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

/// The item changes under our hands, again and again.
async fn busy(context: &Context<'_>) -> Result<Reply, AdminError> {
    let problem = "The key is being changed at this moment. Nothing was saved: try once more.";
    list(context, Making::default(), Some(problem.to_owned()), 409).await
}

async fn gone(context: &Context<'_>) -> Result<Reply, AdminError> {
    let problem = "There is no such key any more: somebody has deleted its item.";
    list(context, Making::default(), Some(problem.to_owned()), 404).await
}

fn changed(before: StoredItem, after: Map<String, Value>) -> Change {
    let id = before.id().to_owned();
    Change { kind: "key".to_owned(), id, before: Some(before), after: Some(after) }
}

fn without_key(item: &StoredItem) -> Map<String, Value> {
    let mut attributes = item.attributes.clone();
    attributes.retain(|name, _| !["kind", "id"].contains(&name.as_str()));
    attributes
}
