//! Agents who are named in requests and are not here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use normalize::EmployeeRef;
use policy::{Mode, Reason, Status};
use store::{Filter, ListBounds};

use super::agent;
use crate::config_link::encoded;
use crate::context::Context;
use crate::error::AdminError;

/// How far back requests are looked for.
const DAYS: usize = 7;
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24 * DAYS as i64);
/// Requests that are read, the newest, of live and of test ones.
const READ: usize = 48;

/// An agent who is named in requests.
pub(crate) struct Unknown {
    pub(crate) email: String,
    pub(crate) custom_id: String,
    /// How many of the requests that were read name the agent.
    pub(crate) requests: usize,
    /// The e-mail as a query has it.
    pub(crate) query: String,
}

impl Unknown {
    /// The agent whom a request names, if an agent can be added from that: by e-mail.
    pub(crate) fn of(employee: &EmployeeRef) -> Option<Self> {
        let email = agent::is_id(employee.email()?).ok()?;
        let custom_id = employee.custom_id().unwrap_or_default().to_owned();
        Some(Self { query: encoded(&email), email, custom_id, requests: 1 })
    }
}

/// Whom the newest requests name without an agent of ours, the most frequent first.
pub(super) async fn seen(context: &Context<'_>) -> Result<Vec<Unknown>, AdminError> {
    let (store, now) = (context.store(), context.now);
    let oldest = now.checked_sub(LOOKED_BACK).unwrap_or(now);
    let filter = Filter {
        status: Some(Status::Invalid),
        reason: Some(Reason::EmployeeNotFound),
        ..Filter::default()
    };
    let bounds = ListBounds { after: None, limit: READ, oldest, days: DAYS, now };
    let ids = store.list(&[Mode::Live, Mode::Test], &filter, bounds).await?.ids;
    let found = store.interactions(&ids, now).await?;
    let mut unknown: BTreeMap<String, Unknown> = BTreeMap::new();
    for row in ids.iter().filter_map(|id| found.rows.get(id)) {
        let named = row.details.employee.as_ref().and_then(Unknown::of);
        let Some(named) = named.filter(|_| row.reason == filter.reason) else { continue };
        unknown.entry(named.email.clone()).and_modify(|known| known.requests += 1).or_insert(named);
    }
    let emails: BTreeSet<String> = unknown.keys().cloned().collect();
    let here = store.config_items_at("employee", &emails).await?;
    let mut unknown: Vec<Unknown> =
        unknown.into_values().filter(|agent| !here.contains_key(&agent.email)).collect();
    unknown.sort_by_key(|agent| std::cmp::Reverse(agent.requests));
    Ok(unknown)
}
