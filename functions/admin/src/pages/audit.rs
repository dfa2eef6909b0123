//! `/admin/audit?month=2026-11&after=`: who changed what.

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use store::AuditEntry;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

/// Entries of a page.
const PAGE: usize = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    month: String,
    month_before: String,
    rows: Vec<Row>,
    older: Option<String>,
}

struct Row {
    at: String,
    shown_at: String,
    who: String,
    what: String,
    items: String,
    before: String,
    after: String,
}

impl Row {
    fn of(entry: &AuditEntry) -> Self {
        let shown = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
        let at = entry.done_at().map(|at| at.to_string()).unwrap_or_default();
        let shown_at = entry.done_at().map(|at| at.strftime("%-d %B %Y, %H:%M:%S").to_string());
        Self {
            at,
            shown_at: shown_at.unwrap_or_default(),
            who: entry.who.clone(),
            what: entry.what.clone(),
            items: entry.items.join(", "),
            before: shown(&entry.before),
            after: shown(&entry.after),
        }
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let this = context.now.to_zoned(TimeZone::UTC).date().first_of_month();
    let month = context.query("month").and_then(|month| format!("{month}-01").parse().ok());
    let month: Date = month.unwrap_or(this);
    let after = context.query("after");
    let at = month.to_zoned(TimeZone::UTC).map_or(context.now, |zoned| zoned.timestamp());
    let limit = i32::try_from(PAGE).unwrap_or(i32::MAX);
    let entries = context.store().audit_entries(at, after.as_deref(), limit).await?;
    let named = |date: Date| date.strftime("%Y-%m").to_string();
    let last = entries.last().filter(|_| entries.len() >= PAGE);
    let older = last.map(|entry| {
        let after: String = form_urlencoded::byte_serialize(entry.at.as_bytes()).collect();
        format!("month={}&after={after}", named(month))
    });
    let page = AuditPage {
        frame: context.frame("Audit trail", "/admin/audit"),
        month: named(month),
        month_before: named(month.checked_sub(1.month()).unwrap_or(month)),
        rows: entries.iter().map(Row::of).collect(),
        older,
    };
    Ok(Reply::html(200, page.render()?))
}
