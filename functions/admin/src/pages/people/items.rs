//! The items of an agent: the agent's own, and those of own ids that lead to the agent.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use store::{Change, StoredItem};

use super::agent;
use crate::context::Context;
use crate::error::AdminError;
use crate::stored_text;

/// The path of the page, and of its entry in the menu.
pub(crate) const HERE: &str = "/admin/people";

/// The agent with this e-mail. (An item whose id is not in lower case is found by its id alone.)
pub(super) async fn stored(
    context: &Context<'_>,
    email: &str,
) -> Result<Option<StoredItem>, AdminError> {
    let item = context.store().config_item("employee", email).await?;
    let id = agent::id_of(email);
    if item.is_none() && id != email {
        return Ok(context.store().config_item("employee", &id).await?);
    }
    Ok(item)
}

/// Whom an `employee_id` item leads to.
pub(crate) fn led_to(item: &StoredItem) -> Option<String> {
    Some(stored_text::text(&item.attributes, "email")?.to_lowercase())
}

/// What has to be written, so that the agent's item is `after` and the items of own ids agree with
/// it. `Err`: the own id belongs to this other agent.
pub(super) async fn changes(
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
