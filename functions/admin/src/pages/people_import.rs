//! `/admin/people/import`: a list of agents from a spreadsheet. First it is shown what would
//! change, then all of it is written or nothing. `/admin/people/export`: the list as it stands.
//!
//! Nothing is kept here between the two steps. The second form carries the list, and a digest of
//! every change that was shown, each with the version of the item that it changes. If the changes
//! would be others by then, they are shown again, and nothing is written.

mod export;
pub(super) mod formula;
mod plan;
mod table;
mod text;
mod writing;

use std::time::Instant;

use askama::Template;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;
use plan::{Plan, Planned};
use table::Table;
use writing::Written;

pub(super) use export::export;

/// Bytes of a page at most: Lambda returns 6 MB.
const LARGEST_PAGE: usize = 5_500_000;

#[derive(Template)]
#[template(path = "people_import.html")]
struct ImportPage {
    frame: Frame,
    /// What was pasted, or what was in the file.
    text: String,
    /// A digest of the text that the form held when it was shown; empty: none.
    was: String,
    /// Why nothing of it can be understood.
    error: Option<String>,
    /// Why the second step has not written anything.
    note: Option<String>,
    shown: Option<Shown>,
    most_rows: usize,
}

/// What would change.
struct Shown {
    rows: Vec<Planned>,
    left_out: Vec<String>,
    digest: String,
    added: usize,
    changed: usize,
    same: usize,
    faulty: usize,
}

impl Shown {
    /// The first rows that cannot be understood, for the summary.
    fn faulty_rows(&self) -> impl Iterator<Item = &Planned> {
        self.rows.iter().filter(|row| !row.problems.is_empty()).take(20)
    }
}

impl ImportPage {
    fn new(context: &Context<'_>, text: String) -> Self {
        Self {
            frame: context.frame("Import people", super::people::HERE),
            was: digest(&text),
            text,
            error: None,
            note: None,
            shown: None,
            most_rows: table::MOST_ROWS,
        }
    }

    fn planned(context: &Context<'_>, text: String, table: &Table, plan: Plan) -> Self {
        let count = |name: &str| plan.rows.iter().filter(|row| row.outcome == name).count();
        let shown = Shown {
            digest: plan.digest(),
            added: count("added"),
            changed: count("changed"),
            same: count("the same"),
            faulty: count("not understood"),
            left_out: table.left_out.clone(),
            rows: plan.rows,
        };
        Self { shown: Some(shown), ..Self::new(context, text) }
    }

    fn reply(self, status: u16) -> Result<Reply, AdminError> {
        let html = self.render()?;
        if html.len() > LARGEST_PAGE {
            return Err(AdminError::TooLarge("one page can show: split the list in two"));
        }
        Ok(Reply::html(status, html))
    }

    fn refused(self, error: impl Into<String>) -> Result<Reply, AdminError> {
        Self { error: Some(error.into()), ..self }.reply(422)
    }
}

/// The same for the same text, however a browser ends its lines; empty of none.
fn digest(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    match text.trim() {
        "" => String::new(),
        text => links::fingerprint(text.as_bytes()),
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    ImportPage::new(context, String::new()).reply(200)
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let began = Instant::now();
    let pasted = context.form.first("text").unwrap_or_default();
    // A browser sends the field of a file also if none was chosen: empty.
    let file = context.form.file().filter(|file| !file.is_empty());
    // What the field held when the form was shown is the list before: the file takes its place.
    let was = context.form.text("was");
    let typed = !pasted.trim().is_empty() && digest(pasted) != was;
    if file.is_some() && typed {
        let mut page = ImportPage::new(context, pasted.replace("\r\n", "\n"));
        was.clone_into(&mut page.was);
        return page.refused(
            "There are two lists: a file, and what stands in the field below it. Choose the file \
             once more and empty the field, or choose no file.",
        );
    }
    let text = match text::decode(file.unwrap_or(pasted.as_bytes())) {
        Ok(text) => text,
        Err(error) => return ImportPage::new(context, String::new()).refused(error),
    };
    let table = match Table::read(&text) {
        Ok(table) => table,
        Err(error) => return ImportPage::new(context, text).refused(error),
    };
    let plan = Plan::make(context.store(), &table).await?;
    if context.form.text("action") != "import" {
        let status = if plan.is_understood() { 200 } else { 422 };
        return ImportPage::planned(context, text, &table, plan).reply(status);
    }
    if !plan.is_understood() {
        return ImportPage::planned(context, text, &table, plan).reply(422);
    }
    if context.form.text("digest") != plan.digest() {
        let mut page = ImportPage::planned(context, text, &table, plan);
        page.note = Some(
            "Nothing was written: the agents are not as they were when the changes were shown. \
             Perhaps somebody has edited them, or an earlier import was cut off. These are the \
             changes as they would be now."
                .to_owned(),
        );
        return page.reply(409);
    }
    let note = match writing::write(context, &plan.batches(), began).await? {
        Written::All => return Ok(Reply::see_other("/admin/people?done=imported")),
        Written::Nothing { why } => format!("Nothing was written: {why}"),
        Written::Part { why, left } => format!(
            "The import stopped half-way: {why} What had been written was taken back, but for \
             {left} items. Import the list again: it goes on from there. The audit trail names \
             each item."
        ),
    };
    // As the table stands now.
    let plan = Plan::make(context.store(), &table).await?;
    let mut page = ImportPage::planned(context, text, &table, plan);
    page.note = Some(note);
    page.reply(409)
}
