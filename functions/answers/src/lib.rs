//! `GET /v2/data?after=&limit=`: answers as the vendor exports them (docs/facts.md, Vendor 6),
//! oldest first, by cursor.
//!
//! The cursor never skips a row: rows younger than ten seconds are hidden, because a row that was
//! written earlier may become visible later. A changed answer moves to the end with the same
//! `uuid`, so that a reader with a cursor sees the change. Name and address of the customer are
//! read from the interaction, so they are gone once it has expired. A test key sees nothing:
//! answers to test mails are not kept.

mod export;

use std::convert::Infallible;

use intake::{Intake, Query, Room, json_reply, respond};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use policy::{KeyScope, Mode};
use serde_json::json;
use store::{ROWS_AT_ONCE, ResponseRow, StoreError};

/// Rows of a page, unless asked otherwise, and at most (as the vendor's).
const PAGE: usize = 1_000;
/// A row is shown once no row with a lower id can become visible any more.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);
/// No answer is older than this software.
const FIRST_MONTH: Date = jiff::civil::date(2026, 1, 1);

/// Answers one request.
pub async fn handle(
    intake: &Intake,
    request: Request,
    now: Timestamp,
) -> Result<Response<Body>, Infallible> {
    respond(async {
        let entered = intake.enter(&request, KeyScope::Read, now).await?;
        let query = Query::of(&request);
        let after = query.get("after", "a sequence_id", |id| id.parse::<u64>().ok())?;
        let limit = query
            .get("limit", "a number from 1 to 1000", |n| {
                n.parse().ok().filter(|n| (1..=PAGE).contains(n))
            })?
            .unwrap_or(PAGE);
        let (rows, more) = match entered.key().mode {
            Mode::Live => page(intake, after.unwrap_or_default(), limit, now).await?,
            Mode::Test => (Vec::new(), false),
        };
        let (mut room, mut shown, mut all) = (Room::default(), None, true);
        'rows: for rows in rows.chunks(ROWS_AT_ONCE) {
            let requests: Vec<_> = rows.iter().filter_map(ResponseRow::request).collect();
            all = !room.is_full();
            if !all {
                break;
            }
            let found = intake.store.interactions(&requests, now).await?;
            room.has_read(&found);
            for row in rows {
                let interaction = row.request().and_then(|id| found.rows.get(&id));
                all = room.takes(export::row(row, interaction));
                if !all {
                    break 'rows;
                }
                shown = Some(row.sequence_id);
            }
        }
        let next = shown.filter(|_| more || !all);
        Ok(json_reply(
            StatusCode::OK,
            "application/json",
            &json!({ "data": room.into_rows(), "next": next }),
        ))
    })
    .await
}

/// Rows after the cursor, month by month, at most `limit`. The flag: there are more, or may be.
async fn page(
    intake: &Intake,
    after: u64,
    limit: usize,
    now: Timestamp,
) -> Result<(Vec<ResponseRow>, bool), StoreError> {
    let settled = now.checked_sub(SETTLED).unwrap_or(now);
    // A sequence id is the time in milliseconds, times a thousand.
    let until = u64::try_from(settled.as_millisecond()).unwrap_or_default().saturating_mul(1_000);
    let read_to =
        i64::try_from(after / 1_000).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let mut month = read_to.map_or(FIRST_MONTH, date).max(FIRST_MONTH).first_of_month();
    let mut rows = Vec::new();
    // One row more than `limit` is read, which shows whether there are more.
    while month <= date(settled) && rows.len() <= limit && after < until {
        let wanted = limit + 1 - rows.len();
        let found = intake
            .store
            .responses(&month.strftime("%Y-%m").to_string(), after, until, wanted)
            .await?;
        for error in &found.unreadable {
            tracing::error!(%error, "an answer is left out of the export");
        }
        rows.extend(found.rows);
        if found.broken_off {
            return Ok((rows, true));
        }
        let Ok(next) = month.checked_add(1.month()) else { break };
        month = next;
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, more))
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
