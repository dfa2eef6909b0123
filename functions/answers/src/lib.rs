//! `GET /v2/data?after=&limit=`: answers as the vendor exports them (docs/facts.md, Vendor 6), oldest first, by cursor.
//!
//! The cursor never skips a row: rows younger than ten seconds are hidden, since one that was written a moment earlier may show a moment
//! later. An answer that is changed moves to the end, with the same `uuid`, so that whoever reads on sees the change. Name and address of
//! the customer are joined from the interaction, and so leave with it. Test keys see nothing: answers to test mails are not kept.

mod export;

use std::collections::HashMap;
use std::convert::Infallible;

use intake::{Intake, Query, fitting, json_reply, respond};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use policy::{Mode, Scope};
use serde_json::json;
use store::{ResponseRow, StoreError};

/// Rows of a page, unless asked otherwise, and at most (as the vendor's).
const PAGE: usize = 1_000;
/// A row is shown when no earlier one can still be on its way.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);
/// No answer is older than this software.
const FIRST_MONTH: (i16, i8) = (2026, 1);

/// Answers one request.
pub async fn handle(intake: &Intake, request: Request, now: Timestamp) -> Result<Response<Body>, Infallible> {
    respond(async {
        let entered = intake.enter(&request, Scope::Read, now).await?;
        let query = Query::of(&request);
        let after = query.get("after", "a sequence_id", |id| id.parse::<u64>().ok())?;
        let limit = query.get("limit", "a number from 1 to 1000", |n| n.parse().ok().filter(|n| (1..=PAGE).contains(n)))?.unwrap_or(PAGE);
        // One more than asked for shows whether there are more.
        let mut rows = match entered.key().mode {
            Mode::Live => page(intake, after.unwrap_or_default(), limit + 1, now).await?,
            Mode::Test => Vec::new(),
        };
        let more = rows.len() > limit;
        rows.truncate(limit);
        let requests: Vec<_> = rows.iter().filter_map(ResponseRow::request).collect();
        let interactions = intake.store.interactions(&requests, now).await?;
        let by_id: HashMap<_, _> = interactions.iter().map(|interaction| (interaction.request_id, interaction)).collect();
        let (data, all) = fitting(rows.iter().map(|row| export::row(row, row.request().and_then(|id| by_id.get(&id).copied()))));
        let last = data.len().checked_sub(1).and_then(|last| rows.get(last)).map(|row| row.sequence_id);
        let next = last.filter(|_| more || !all);
        Ok(json_reply(StatusCode::OK, "application/json", &json!({ "data": data, "next": next })))
    })
    .await
}

/// Rows after the cursor, month by month.
async fn page(intake: &Intake, after: u64, limit: usize, now: Timestamp) -> Result<Vec<ResponseRow>, StoreError> {
    let settled = now.checked_sub(SETTLED).unwrap_or(now);
    // A sequence id is the time in milliseconds, times a thousand.
    let until = u64::try_from(settled.as_millisecond()).unwrap_or_default().saturating_mul(1_000);
    let read_to = i64::try_from(after / 1_000).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let first = Date::new(FIRST_MONTH.0, FIRST_MONTH.1, 1).unwrap_or(Date::ZERO);
    let mut month = read_to.map_or(first, date).max(first).first_of_month();
    let mut rows = Vec::new();
    while month <= date(settled) && rows.len() < limit && after < until {
        let wanted = limit - rows.len();
        rows.extend(intake.store.responses(&month.strftime("%Y-%m").to_string(), after, until, wanted).await?);
        let Ok(next) = month.checked_add(1.month()) else { break };
        month = next;
    }
    Ok(rows)
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
