//! `/admin/people/export`: every agent as CSV, which can be imported again unchanged.

use csv::{Terminator, WriterBuilder};

use super::formula::protected;
use super::table::COLUMNS;
use crate::context::Context;
use crate::error::AdminError;
use crate::pages::people::Agent;
use crate::reply::Reply;

/// Agents that are read at once.
const READ: i32 = 1_000;
/// Bytes of the file at most: Lambda returns 6 MB, quotation marks in its JSON included.
const LARGEST: usize = 4_000_000;

pub(crate) async fn export(context: &Context<'_>) -> Result<Reply, AdminError> {
    let mut csv = Csv::default();
    csv.row(COLUMNS.map(str::to_owned))?;
    let mut after: Option<String> = None;
    loop {
        let store = context.store();
        let (items, more) = store.config_page("employee", "", after.as_deref(), READ).await?;
        for item in &items {
            let agent = Agent::read(item);
            let [name, status, custom_id, picture] = agent.values.clone();
            csv.row([agent.email, name, status, custom_id, picture])?;
        }
        after = items.last().map(|item| item.id().to_owned());
        if !more || after.is_none() {
            break;
        }
    }
    Ok(Reply::download("agents.csv", "text/csv; charset=utf-8", csv.0))
}

/// RFC 4180 with the mark by which Excel knows UTF-8.
#[derive(Default)]
struct Csv(String);

impl Csv {
    fn row(&mut self, cells: [String; 5]) -> Result<(), AdminError> {
        let told = |sentence: &str| AdminError::NotUnderstood(sentence.to_owned());
        if self.0.is_empty() {
            self.0.push('\u{feff}');
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        let cells = cells.map(|cell| protected(&cell));
        writer.write_record(cells).map_err(|_| told("an agent cannot be written as CSV"))?;
        let line = writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok());
        self.0.push_str(&line.ok_or_else(|| told("an agent cannot be written as CSV"))?);
        if self.0.len() > LARGEST {
            return Err(told(
                "there are more agents than one file can hold: read the config table instead",
            ));
        }
        Ok(())
    }
}
