//! Removing an agent, after a question.

use askama::Template;
use store::{Changed, StoredItem};

use super::agent::Agent;
use super::items::{HERE, changes, stored};
use crate::config_link::encoded;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

#[derive(Template)]
#[template(path = "person_remove.html")]
struct RemovalPage {
    frame: Frame,
    agent: Agent,
    query: String,
    version: String,
    note: Option<&'static str>,
}

/// `?remove=EMAIL`: what follows from it, and a button.
pub(super) async fn show(
    context: &Context<'_>,
    email: &str,
    note: Option<&'static str>,
) -> Result<Reply, AdminError> {
    let Some(item) = stored(context, email).await? else {
        return Ok(Reply::see_other(HERE));
    };
    page(context, &item, note)
}

fn page(
    context: &Context<'_>,
    item: &StoredItem,
    note: Option<&'static str>,
) -> Result<Reply, AdminError> {
    let agent = Agent::read(item);
    let page = RemovalPage {
        frame: context.frame("Remove an agent", HERE),
        query: encoded(&agent.email),
        agent,
        version: item.version(),
        note,
    };
    let status = if note.is_some() { 409 } else { 200 };
    Ok(Reply::html(status, page.render()?))
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let email = context.form.first("original").unwrap_or_default();
    let removed = || Ok(Reply::see_other("/admin/people?done=removed"));
    let Some(before) = stored(context, email).await? else { return removed() };
    let changed = "Somebody has changed this agent meanwhile. This is how the agent stands now.";
    if context.form.text("version") != before.version() {
        return page(context, &before, Some(changed));
    }
    let changes = match changes(context, email, Some(before), None).await? {
        Ok(changes) => changes,
        // Nobody's own id is asked for.
        Err(_) => return Err(AdminError::NotFound),
    };
    match context.change("Remove an agent", &changes).await? {
        Changed::Yes => removed(),
        Changed::Conflict => show(context, email, Some(changed)).await,
    }
}
