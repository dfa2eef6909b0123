//! `/admin/people`: the agents, one form to add and edit them, and their removal.

mod agent;
mod form;
mod list;
mod removal;
mod unknown;

pub(super) use agent::{ATTRIBUTES, Agent, check, is_id, leading_to, without_key, written};
pub(super) use unknown::Unknown;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use store::{Change, StoredItem};

use crate::{AdminError, Context, Reply, stored_text};

/// The path of the page, and of its entry in the menu.
pub(super) const HERE: &str = "/admin/people";

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

/// The agent with this e-mail. (An item whose id is not in lower case is found by its id alone.)
async fn stored(context: &Context<'_>, email: &str) -> Result<Option<StoredItem>, AdminError> {
    let item = context.store().config_item("employee", email).await?;
    let id = agent::id_of(email);
    if item.is_none() && id != email {
        return Ok(context.store().config_item("employee", &id).await?);
    }
    Ok(item)
}

/// Whom an `employee_id` item leads to.
pub(super) fn led_to(item: &StoredItem) -> Option<String> {
    Some(stored_text::text(&item.attributes, "email")?.to_lowercase())
}

/// What has to be written, so that the agent's item is `after` and the items of own ids agree with
/// it. `Err`: the own id belongs to this other agent.
async fn changes(
    context: &Context<'_>,
    email: &str,
    before: Option<StoredItem>,
    after: Option<Map<String, Value>>,
) -> Result<Result<Vec<Change>, String>, AdminError> {
    let own_id = |attributes: Option<&Map<String, Value>>| {
        attributes.and_then(|attributes| stored_text::text(attributes, "custom_id"))
    };
    let old = own_id(before.as_ref().map(|item| &item.attributes));
    let new = own_id(after.as_ref());
    let ids: BTreeSet<String> = old.into_iter().chain(new.clone()).collect();
    let held = context.store().config_items_at("employee_id", &ids).await?;
    let mut changes = Vec::new();
    for id in ids {
        let item = held.get(&id).cloned();
        let leads_to = item.as_ref().and_then(led_to);
        let here = leads_to.as_deref() == Some(email);
        let after = if new.as_ref() == Some(&id) {
            if here {
                continue;
            }
            // An id that leads to nobody, since an agent was removed by hand, is free.
            if let Some(other) = leads_to
                && stored(context, &other).await?.is_some()
            {
                return Ok(Err(other));
            }
            Some(agent::leading_to(email, item.as_ref()))
        } else if here {
            None
        } else {
            continue;
        };
        changes.push(Change { kind: "employee_id".to_owned(), id, before: item, after });
    }
    let same = match (&before, &after) {
        (Some(before), Some(after)) => agent::without_key(&before.attributes) == *after,
        _ => false,
    };
    if !same {
        changes.push(Change { kind: "employee".to_owned(), id: email.to_owned(), before, after });
    }
    Ok(Ok(changes))
}
