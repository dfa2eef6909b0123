//! What a list would change, row by row.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};
use store::{Change, Store, StoredItem};

use super::table::{COLUMNS, Row, Table};
use super::writing::into_batches;
use crate::error::AdminError;
use crate::pages::people::{ATTRIBUTES, Agent, check, is_id, led_to, written};
use crate::stored_text;

/// Characters of a value that a page shows.
const SHOWN: usize = 100;

pub(super) struct Plan {
    pub(super) rows: Vec<Planned>,
    /// What has to be written, the items of an agent together.
    groups: Vec<Vec<Change>>,
}

/// A row as the page shows it.
pub(super) struct Planned {
    pub(super) line: u64,
    pub(super) email: String,
    /// `added`, `changed`, `the same`, `not understood`.
    pub(super) outcome: &'static str,
    pub(super) differences: Vec<Difference>,
    /// What cannot be understood: the column, and why.
    pub(super) problems: Vec<(&'static str, String)>,
}

pub(super) struct Difference {
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// A row whose cells were checked.
struct Checked<'a> {
    row: &'a Row,
    email: String,
    values: [Option<String>; 4],
    problems: Vec<(&'static str, String)>,
}

/// What the tables hold of the agents and own ids of a list.
struct Held {
    agents: HashMap<String, StoredItem>,
    ids: HashMap<String, StoredItem>,
    /// Agents outside the list to whom own ids of it lead.
    others: HashMap<String, StoredItem>,
}

impl Held {
    /// As many reads as the list has rows, however many agents there are.
    async fn read(store: &Store, checked: &[Checked<'_>]) -> Result<Self, AdminError> {
        let emails = checked.iter().map(|row| row.email.clone()).collect();
        let agents = store.config_items_at("employee", &emails).await?;
        let wanted = checked.iter().filter_map(|row| row.values[2].clone());
        let had = agents.values().map(|item| Agent::read(item).own_id().to_owned());
        let ids: BTreeSet<String> = wanted.chain(had).collect();
        let ids = store.config_items_at("employee_id", &ids).await?;
        let others = ids.values().filter_map(led_to);
        let others = others.filter(|email| !agents.contains_key(email)).collect();
        let others = store.config_items_at("employee", &others).await?;
        Ok(Self { agents, ids, others })
    }

    fn own_id(&self, email: &str) -> Option<String> {
        let item = self.agents.get(email).or_else(|| self.others.get(email))?;
        stored_text::text(&item.attributes, "custom_id")
    }

    /// Whom an own id leads to, if that agent exists.
    fn owner(&self, id: &str) -> Option<String> {
        let owner = self.ids.get(id).and_then(led_to)?;
        let exists = self.agents.contains_key(&owner) || self.others.contains_key(&owner);
        exists.then_some(owner)
    }
}

impl Plan {
    pub(super) async fn make(store: &Store, table: &Table) -> Result<Self, AdminError> {
        let mut checked: Vec<Checked<'_>> = table.rows.iter().map(checked_row).collect();
        repeated(&mut checked);
        let held = Held::read(store, &checked).await?;
        taken(&mut checked, &held);
        // Own ids as they will be, by which one knows what becomes free.
        let after: HashSet<String> =
            checked.iter().filter_map(|row| row.values[2].clone()).collect();
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        for row in checked {
            let (planned, group) = plan(row, &held, &after);
            rows.push(planned);
            groups.extend(Some(group).filter(|group| !group.is_empty()));
        }
        Ok(Self { rows, groups })
    }

    /// Whether every row was understood: else nothing is written.
    pub(super) fn is_understood(&self) -> bool {
        self.rows.iter().all(|row| row.problems.is_empty())
    }

    /// The same for the same changes of the same items.
    pub(super) fn digest(&self) -> String {
        let changes: Vec<Value> = self
            .groups
            .iter()
            .flatten()
            .map(|change| {
                let before = change.before.as_ref().map(StoredItem::version);
                json!([change.kind, change.id, before, change.after])
            })
            .collect();
        links::fingerprint(Value::Array(changes).to_string().as_bytes())
    }

    /// The changes as transactions.
    pub(super) fn batches(self) -> Vec<Vec<Change>> {
        into_batches(self.groups)
    }
}

fn checked_row(row: &Row) -> Checked<'_> {
    let mut problems = Vec::new();
    if let Some(problem) = row.problem {
        problems.push(("row", problem.to_owned()));
    }
    let [email, cells @ ..] = &row.cells;
    let email = is_id(email).unwrap_or_else(|problem| {
        problems.push((COLUMNS[0], problem));
        String::new()
    });
    let mut values = [const { None }; 4];
    for (n, cell) in cells.iter().enumerate() {
        let (name, _) = ATTRIBUTES[n];
        match check(name, cell) {
            // An empty cell leaves what is there.
            Ok(value) if value.is_empty() => {}
            Ok(value) if name == "custom_id" && is_shortened(&value) => problems.push((
                name,
                "The spreadsheet has shortened this number. Format the column as text.".to_owned(),
            )),
            Ok(value) => values[n] = Some(value),
            Err(problem) => problems.push((name, problem)),
        }
    }
    Checked { row, email, values, problems }
}

/// `5.22743E+11`: how spreadsheets write long numbers, whose last digits are lost then.
fn is_shortened(id: &str) -> bool {
    id.split_once("E+").is_some_and(|(number, power)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b",.".contains(&b));
        !number.is_empty() && digits(number) && !power.is_empty() && digits(power)
    })
}

/// An e-mail or an own id that stands in two rows.
fn repeated(rows: &mut [Checked<'_>]) {
    let (mut emails, mut ids) = (HashMap::new(), HashMap::new());
    for row in rows {
        let line = row.row.line;
        if !row.email.is_empty()
            && let Some(first) = emails.insert(row.email.clone(), line)
        {
            emails.insert(row.email.clone(), first);
            row.problems.push((COLUMNS[0], format!("Row {first} has the same e-mail.")));
        }
        if let Some(id) = &row.values[2]
            && let Some(first) = ids.insert(id.clone(), line)
        {
            ids.insert(id.clone(), first);
            row.problems.push(("custom_id", format!("Row {first} has the same own id.")));
        }
    }
}

/// An own id of another agent, unless the list gives that one another.
fn taken(rows: &mut [Checked<'_>], held: &Held) {
    let given: HashMap<String, String> =
        rows.iter().filter_map(|row| Some((row.email.clone(), row.values[2].clone()?))).collect();
    for row in rows {
        let Some(id) = &row.values[2] else { continue };
        let Some(owner) = held.owner(id).filter(|owner| *owner != row.email) else { continue };
        if given.get(&owner).is_none_or(|other| other == id) {
            row.problems.push(("custom_id", format!("This own id belongs to {owner}.")));
        }
    }
}

fn plan(row: Checked<'_>, held: &Held, after: &HashSet<String>) -> (Planned, Vec<Change>) {
    let Checked { row, email, mut values, problems } = row;
    let before = held.agents.get(&email);
    let shown = if email.is_empty() { shortened(&row.cells[0]) } else { email.clone() };
    let mut planned = Planned {
        line: row.line,
        email: shown,
        outcome: "not understood",
        differences: Vec::new(),
        problems,
    };
    if !planned.problems.is_empty() {
        return (planned, Vec::new());
    }
    if before.is_none() && values[1].is_none() {
        values[1] = Some("approved".to_owned());
    }
    let attributes = written(before, &values);
    let was = before.map(Agent::read).unwrap_or_default();
    for ((n, (_, label)), value) in ATTRIBUTES.into_iter().enumerate().zip(&values) {
        let Some(value) = value else { continue };
        let same = was.values[n] == *value || n == 1 && was.values[1].eq_ignore_ascii_case(value);
        if !same {
            let (before, after) = (shortened(&was.values[n]), shortened(value));
            planned.differences.push(Difference { label, before, after });
        }
    }
    let mut group = Vec::new();
    let as_before = before.is_some_and(|item| {
        attributes.iter().all(|(name, value)| item.attributes.get(name) == Some(value))
    });
    if !as_before {
        let (kind, after) = ("employee".to_owned(), Some(attributes));
        group.push(Change { kind, id: email.clone(), before: before.cloned(), after });
    }
    group.extend(ids(&email, values[2].as_deref(), held, after));
    planned.outcome = match (before, group.is_empty()) {
        (None, _) => "added",
        (Some(_), true) => "the same",
        (Some(_), false) => "changed",
    };
    (planned, group)
}

/// The items of own ids follow the agents: the new one leads here, and the old one goes, unless
/// another row of the list takes it.
fn ids(email: &str, new: Option<&str>, held: &Held, after: &HashSet<String>) -> Vec<Change> {
    let mut changes = Vec::new();
    let leads_here = |id: &str| held.ids.get(id).and_then(led_to).as_deref() == Some(email);
    let change = |id: &str, after| {
        let (kind, before) = ("employee_id".to_owned(), held.ids.get(id).cloned());
        Change { kind, id: id.to_owned(), before, after }
    };
    let Some(new) = new else { return changes };
    if !leads_here(new) {
        let item = crate::pages::people::leading_to(email, held.ids.get(new));
        changes.push(change(new, Some(item)));
    }
    if let Some(old) = held.own_id(email)
        && old != new
        && !after.contains(&old)
        && leads_here(&old)
    {
        changes.push(change(&old, None));
    }
    changes
}

fn shortened(value: &str) -> String {
    if value.chars().count() <= SHOWN {
        value.to_owned()
    } else {
        value.chars().take(SHOWN - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_a_spreadsheet_shortened_is_known() {
        for (id, shortened) in [
            ("5.22743E+11", true),
            ("5,2E+11", true),
            ("522743", false),
            ("E+11", false),
            ("ABE+1", false),
            ("12E+", false),
        ] {
            assert_eq!(is_shortened(id), shortened, "{id}");
        }
    }
}
