//! Revoking a key, after a question. A revoked key stays in the list.

use askama::Template;
use policy::{Item, KeyItem, Role};
use serde_json::Value;
use store::{Changed, StoredItem};

use super::item::{HERE, TRIES, changed, stored, without_key};
use super::list::{busy, gone};
use super::row::Row;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// Keys that are looked through for another admin key, at once.
const READ: i32 = 200;

#[derive(Template)]
#[template(path = "key_revoke.html")]
struct RevokePage {
    frame: Frame,
    row: Row,
    /// Why it was not revoked.
    problem: Option<String>,
    /// What is wrong with the box to tick.
    own_error: Option<&'static str>,
}

/// `?revoke=DIGEST`: what follows from it, and a button.
pub(super) async fn show(context: &Context<'_>, id: &str) -> Result<Reply, AdminError> {
    match stored(context, id).await? {
        Some(item) => page(context, &item, None, None, 200),
        None => Ok(Reply::see_other(HERE)),
    }
}

fn page(
    context: &Context<'_>,
    item: &StoredItem,
    problem: Option<&str>,
    own_error: Option<&'static str>,
    status: u16,
) -> Result<Reply, AdminError> {
    let row = Row::of(item, &context.visitor.key);
    let frame = context.frame("Revoke a key", HERE);
    let page = RevokePage { frame, row, problem: problem.map(str::to_owned), own_error };
    Ok(Reply::html(status, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let id = context.form.text("id");
    for _ in 0..TRIES {
        let Some(item) = stored(context, id).await? else { return gone(context).await };
        let row = Row::of(&item, &context.visitor.key);
        if row.revoked {
            return Ok(Reply::see_other("/admin/keys?done=revoked"));
        }
        if context.form.text("version") != row.version {
            let problem = "Somebody has changed this key meanwhile. This is how it stands now.";
            return page(context, &item, Some(problem), None, 409);
        }
        if row.own && context.form.text("own") != "yes" {
            let error = "This is the key that you are signed in with. Tick the box if you mean it.";
            return page(context, &item, None, Some(error), 422);
        }
        let mut changes = Vec::new();
        if is_admin(&item) {
            let Some(other) = another_admin_key(context, item.id()).await? else {
                let problem = "This is the last admin key: without it nobody could open these \
                               pages. Make another one first.";
                return page(context, &item, Some(problem), None, 422);
            };
            // It has to stay as it is, so that two admins who revoke each other's key at the same
            // moment do not both succeed.
            let as_it_is = without_key(&other);
            changes.push(changed(other, as_it_is));
        }
        let mut after = without_key(&item);
        after.insert("revoked".to_owned(), Value::Bool(true));
        changes.push(changed(item, after));
        if context.change("Revoke a key", &changes).await? == Changed::Yes {
            return Ok(Reply::see_other("/admin/keys?done=revoked"));
        }
    }
    busy(context).await
}

fn is_admin(item: &StoredItem) -> bool {
    let key = KeyItem::read(&Item::new(&item.attributes));
    matches!(key, KeyItem::Admin(key) if key.role == Some(Role::Admin))
}

/// A key besides this one that may change everything: the visitor's own, or the first that is
/// found.
async fn another_admin_key(
    context: &Context<'_>,
    but: &str,
) -> Result<Option<StoredItem>, AdminError> {
    if context.visitor.key != but
        && let Some(own) = stored(context, &context.visitor.key).await?
        && is_admin(&own)
    {
        return Ok(Some(own));
    }
    let mut after: Option<String> = None;
    loop {
        let (items, more) = context.store().config_page("key", "", after.as_deref(), READ).await?;
        after = items.last().map(|item| item.id().to_owned());
        let other = items.into_iter().find(|item| item.id() != but && is_admin(item));
        if other.is_some() || !more {
            return Ok(other);
        }
    }
}
