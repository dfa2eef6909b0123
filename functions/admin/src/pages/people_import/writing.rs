//! Writes the changes of a list: all of them or none.
//!
//! One transaction of DynamoDB takes 100 items, so a longer list is several. Each is conditional on
//! the items being as they were shown, and has its entry in the audit trail. If one of them does
//! not succeed, those before it are taken back in the same way: each item on the condition that it
//! is what this import has written. If this process dies half-way, what was written stays; the list
//! can be imported again then, and goes on from there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;
use store::{Change, Changed, MOST_CHANGES, StoredItem};

use crate::context::Context;
use crate::error::AdminError;

/// Transactions that are under way at the same time.
const AT_ONCE: usize = 4;
/// A visit ends after 25 seconds. The import is over before that, also if it has to be taken back.
const PATIENCE: Duration = Duration::from_secs(20);
/// Attempts to take one transaction back.
const TRIES: usize = 3;

pub(super) enum Written {
    All,
    Nothing {
        why: String,
    },
    /// So many items could not be taken back.
    Part {
        why: String,
        left: usize,
    },
}

/// Transactions, none of which separates the items of one agent.
pub(super) fn into_batches(groups: Vec<Vec<Change>>) -> Vec<Vec<Change>> {
    let mut batches: Vec<Vec<Change>> = Vec::new();
    for group in groups {
        match batches.last_mut() {
            Some(batch) if batch.len() + group.len() <= MOST_CHANGES => batch.extend(group),
            _ => batches.push(group),
        }
    }
    batches
}

/// `began` is when the visit began.
pub(super) async fn write(
    context: &Context<'_>,
    batches: &[Vec<Change>],
    began: Instant,
) -> Result<Written, AdminError> {
    let started = Instant::now();
    let of = batches.len();
    let mut failed = None;
    let mut done = 0;
    for some in batches.chunks(AT_ONCE) {
        // What was written takes as long again to be taken back.
        if began.elapsed() + started.elapsed() > PATIENCE {
            failed = Some("it took too long. Import a shorter list.");
            break;
        }
        let parts = some.iter().enumerate().map(|(n, batch)| async move {
            let what = match of {
                1 => "Import agents".to_owned(),
                _ => format!("Import agents, part {} of {of}", done + n + 1),
            };
            context.change(&what, batch).await
        });
        let written = join_all(parts).await;
        // One that failed may have been written all the same.
        done += some.len();
        for part in written {
            match part {
                Ok(Changed::Yes) => {}
                Ok(Changed::Conflict) => {
                    failed = Some("somebody has edited one of the agents at this moment.");
                }
                Err(error) => {
                    tracing::error!(%error, "an import could not be written: it is taken back");
                    failed = Some("the tables could not be written. Try again in a minute.");
                }
            }
        }
        if failed.is_some() {
            break;
        }
    }
    let Some(why) = failed.map(str::to_owned) else { return Ok(Written::All) };
    let mut left = 0;
    for some in batches.get(..done).unwrap_or_default().chunks(AT_ONCE) {
        left += if began.elapsed() > PATIENCE {
            some.iter().map(Vec::len).sum()
        } else {
            join_all(some.iter().map(|batch| take_back(context, batch))).await.iter().sum::<usize>()
        };
    }
    Ok(if left == 0 { Written::Nothing { why } } else { Written::Part { why, left } })
}

/// Takes one transaction back; returns how many of its items stay changed.
async fn take_back(context: &Context<'_>, batch: &[Change]) -> usize {
    for _ in 0..TRIES {
        let undone = async {
            let (back, foreign) = opposite(context, batch).await?;
            if back.is_empty() {
                return Ok((Changed::Yes, foreign));
            }
            let changed = context.change("Take an import back", &back).await?;
            Ok::<_, AdminError>((changed, foreign))
        };
        match undone.await {
            Ok((Changed::Yes, foreign)) => return foreign,
            Ok((Changed::Conflict, _)) => {}
            Err(error) => tracing::error!(%error, "a part of an import could not be taken back"),
        }
    }
    batch.len()
}

/// The changes that lead back, of those items that are as the import has written them; and how many
/// are neither so nor as they were before.
async fn opposite(
    context: &Context<'_>,
    batch: &[Change],
) -> Result<(Vec<Change>, usize), AdminError> {
    let (mut back, mut foreign) = (Vec::new(), 0);
    for kind in ["employee", "employee_id"] {
        let of_kind = || batch.iter().filter(|change| change.kind == kind);
        let ids: BTreeSet<String> = of_kind().map(|change| change.id.clone()).collect();
        let stored = context.store().config_items_at(kind, &ids).await?;
        for change in of_kind() {
            let now = stored.get(&change.id);
            if now.map(StoredItem::version) == change.before.as_ref().map(StoredItem::version) {
                continue; // it was never written
            }
            if now.map(without_key) != change.after.clone().map(Value::Object) {
                foreign += 1;
                continue;
            }
            let after = change.before.as_ref().map(|item| {
                let mut attributes = item.attributes.clone();
                attributes.retain(|name, _| !["kind", "id"].contains(&name.as_str()));
                attributes
            });
            let (kind, id) = (change.kind.clone(), change.id.clone());
            back.push(Change { kind, id, before: now.cloned(), after });
        }
    }
    Ok((back, foreign))
}

fn without_key(item: &StoredItem) -> Value {
    Value::Object(crate::pages::people::without_key(&item.attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_an_agent_stay_in_one_transaction() {
        let change = |id: usize| Change {
            kind: "employee".to_owned(),
            id: id.to_string(),
            before: None,
            after: None,
        };
        for (groups, size, expected) in [
            (0, 2, vec![]),
            (1, 3, vec![3]),
            (33, 3, vec![99]),
            (34, 3, vec![99, 3]),
            (50, 2, vec![98, 2]),
            (99, 1, vec![99]),
            (100, 1, vec![99, 1]),
        ] {
            let groups = (0..groups).map(|n| (0..size).map(|_| change(n)).collect()).collect();
            let batches: Vec<usize> = into_batches(groups).iter().map(Vec::len).collect();
            assert_eq!(batches, expected);
        }
    }
}
