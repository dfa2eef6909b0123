//! The list of agents.

use askama::Template;
use store::StoredItem;

use super::agent::{self, Agent, STATUSES};
use super::items::HERE;
use super::unknown::{Unknown, seen};
use crate::config_link::encoded;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// Agents of a page.
const PAGE: usize = 50;
/// Agents that one page looks at, at most; the next page goes on.
const LOOKED_AT: usize = 2_000;
/// Agents that are read at once.
const READ: i32 = 200;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    statuses: [(&'static str, &'static str, &'static str); 5],
    status: String,
    text: String,
    rows: Vec<Row>,
    /// The query of the first page.
    filtered: String,
    /// The query of the next page.
    next: Option<String>,
    /// Whether this page began at the first agent.
    first: bool,
    /// Who is named in requests and is not here; only on the first page of all agents.
    unknown: Vec<Unknown>,
}

struct Row {
    agent: Agent,
    query: String,
    status: String,
    consequence: &'static str,
}

impl Row {
    fn of(item: &StoredItem) -> Self {
        let agent = Agent::read(item);
        let status = STATUSES.iter().find(|(status, ..)| *status == agent.status());
        Self {
            query: encoded(&agent.email),
            status: status.map_or_else(|| agent.status(), |(_, label, _)| (*label).to_owned()),
            consequence: agent::consequence(item),
            agent,
        }
    }
}

/// Which agents are asked for.
struct Filter {
    status: String,
    text: String,
}

impl Filter {
    fn admits(&self, agent: &Agent) -> bool {
        let status = match &*self.status {
            "" => true,
            "faulty" => !agent.faults.is_empty(),
            status => agent.status() == status,
        };
        let texts = [&*agent.email, agent.name(), agent.own_id()];
        status && texts.iter().any(|text| text.to_lowercase().contains(&self.text))
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let typed = |name: &str| context.query(name).unwrap_or_default();
    let filter =
        Filter { status: typed("status").to_lowercase(), text: typed("text").to_lowercase() };
    let (mut rows, mut looked_at) = (Vec::new(), 0);
    let began_at = context.query("after");
    let mut after = began_at.clone();
    let mut is_over = false;
    while !is_over && rows.len() < PAGE && looked_at < LOOKED_AT {
        let store = context.store();
        let (items, more) = store.config_page("employee", "", after.as_deref(), READ).await?;
        is_over = !more;
        for (n, item) in items.iter().enumerate() {
            looked_at += 1;
            after = Some(item.id().to_owned());
            if filter.admits(&Agent::read(item)) {
                rows.push(Row::of(item));
            }
            if rows.len() == PAGE {
                is_over &= n + 1 == items.len();
                break;
            }
        }
    }
    let is_whole = began_at.is_none() && filter.status.is_empty() && filter.text.is_empty();
    let unknown = if is_whole { seen(context).await? } else { Vec::new() };
    let mut filtered = form_urlencoded::Serializer::new(String::new());
    filtered.append_pair("status", &filter.status).append_pair("text", &typed("text"));
    let filtered = filtered.finish();
    let next =
        after.filter(|_| !is_over).map(|after| format!("{filtered}&after={}", encoded(&after)));
    let page = PeoplePage {
        frame: context.frame("People", HERE),
        statuses: STATUSES,
        status: filter.status,
        text: typed("text"),
        rows,
        filtered,
        next,
        first: began_at.is_none(),
        unknown,
    };
    Ok(Reply::html(200, page.render()?))
}
