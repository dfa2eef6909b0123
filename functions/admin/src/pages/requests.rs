//! `/admin/requests`: what came, and what became of it, newest first.
//!
//! The filters are parameters of the query, so that a view can be bookmarked. What an index can
//! filter, it filters; the rest is filtered here, among a bounded number of rows. A view that finds
//! little in them offers to look further back.

mod csv;
pub(super) mod line;
mod search;
mod wanted;

use askama::Template;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

use line::Line;
pub(super) use search::{Bounds, search};
pub(super) use wanted::Wanted;

/// Rows of a page.
const PAGE: usize = 50;
/// Rows that are read for a page at most.
const READ: usize = 400;
/// Rows of a download at most.
const DOWNLOAD: usize = 2_000;
/// Rows that are read for a download at most.
const DOWNLOAD_READ: usize = 4_000;

#[derive(Template)]
#[template(path = "requests.html")]
struct RequestsPage {
    frame: Frame,
    wanted: Wanted,
    errors: Vec<(&'static str, String)>,
    lines: Vec<Line>,
    /// The query of the next page.
    older: Option<String>,
    /// The query of the download.
    download: String,
    /// Fewer rows were found than a page has, among all that one page reads.
    further: bool,
    most: usize,
}

impl RequestsPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, text)| text.as_str())
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let (wanted, errors) = Wanted::read(context);
    let as_csv = context.query("format").as_deref() == Some("csv");
    if as_csv && errors.is_empty() {
        let bounds = Bounds { rows: DOWNLOAD, read: DOWNLOAD_READ };
        let found = search(context, &wanted, bounds).await?;
        return Ok(Reply::download(
            "requests.csv",
            "text/csv; charset=utf-8",
            csv::file(&found.rows),
        ));
    }
    let found = match errors.is_empty() {
        true => search(context, &wanted, Bounds { rows: PAGE, read: READ }).await?,
        false => search::Found::default(),
    };
    let page = RequestsPage {
        frame: context.frame("Requests", "/admin/requests"),
        older: found.next.map(|after| wanted.query(Some(after), None)),
        further: found.next.is_some() && found.rows.len() < PAGE,
        download: wanted.query(wanted.after, Some("csv")),
        lines: found.rows.iter().map(Line::of).collect(),
        most: DOWNLOAD,
        wanted,
        errors,
    };
    let status = if page.errors.is_empty() { 200 } else { 422 };
    Ok(Reply::html(status, page.render()?))
}
