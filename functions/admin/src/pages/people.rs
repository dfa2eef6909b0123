//! `/admin/people`: the agents, one form to add and edit them, and their removal.

mod agent;
mod form;
mod items;
mod list;
mod removal;
mod unknown;

pub(super) use agent::{ATTRIBUTES, Agent, check, is_id, leading_to, without_key, written};
pub(super) use items::{HERE, led_to};
pub(super) use unknown::Unknown;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    if let Some(email) = context.query("remove") {
        removal::show(context, &email, None).await
    } else if let Some(email) = context.query("edit") {
        form::edit(context, &email).await
    } else if context.request_has("add") {
        form::add(context).await
    } else {
        list::show(context).await
    }
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    match context.form.text("action") {
        "add" => form::add_at_once(context).await,
        "save" => form::save(context).await,
        "remove" => removal::submit(context).await,
        _ => Err(AdminError::NotUnderstood("the form does not say what it is for".to_owned())),
    }
}
