//! The list of keys, with the form to make one below.

use askama::Template;

use super::form::Making;
use super::item::HERE;
use super::row::Row;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// Keys of a page.
const PAGE: i32 = 100;

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

pub(super) async fn list(
    context: &Context<'_>,
    making: Making,
    problem: Option<String>,
    status: u16,
) -> Result<Reply, AdminError> {
    let after = context.query("after");
    let (items, more) = context.store().config_page("key", "", after.as_deref(), PAGE).await?;
    let next = items.last().filter(|_| more).map(|item| item.id().to_owned());
    let mut rows: Vec<Row> = items.iter().map(|item| Row::of(item, &context.visitor.key)).collect();
    rows.sort_by_key(|row| (row.revoked, row.mode.clone(), row.label.to_lowercase()));
    let frame = context.frame("Keys", HERE);
    let page = KeysPage { frame, rows, next, making, problem };
    Ok(Reply::html(status, page.render()?))
}

/// The item changes under our hands, again and again.
pub(super) async fn busy(context: &Context<'_>) -> Result<Reply, AdminError> {
    let problem = "The key is being changed at this moment. Nothing was saved: try once more.";
    list(context, Making::default(), Some(problem.to_owned()), 409).await
}

pub(super) async fn gone(context: &Context<'_>) -> Result<Reply, AdminError> {
    let problem = "There is no such key any more: somebody has deleted its item.";
    list(context, Making::default(), Some(problem.to_owned()), 404).await
}
