//! `/v1/requests`: any system posts an interaction, and asks what became of it.
//!
//! - `POST /v1/requests` (scope `send`): strict; what is invalid for this company is a 400 with the
//!   reason as `code`.
//! - `GET /v1/requests/{request_id}` (scope `read`): one request.
//! - `DELETE /v1/requests/{request_id}` (scope `send`): takes back one whose mail has not gone out.
//! - `GET /v1/requests?ext_interaction_id=&status=&after=&limit=` (scope `read`): newest first; a
//!   page may hold fewer than `limit`, even none, while `next` leads on.
//!
//! A test key reads only what test keys sent. A live key's lists hold only what live keys sent. A
//! key cancels only what keys of its own kind sent, from a source that it is for.

mod shown;

use std::convert::Infallible;

use intake::{
    Delivery, Entered, Intake, Problem, Query, Room, Style, in_time, json_reply, respond,
    respond_to,
};
use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use normalize::Source;
use policy::{Cancellation, KeyScope, Mode, Reason, Status};
use serde_json::json;
use store::{Filter, Interaction, ListBounds, ROWS_AT_ONCE};
use uuid::Uuid;

/// Rows of a page, unless asked otherwise.
const PAGE: usize = 50;
/// Rows of a page at most.
const LARGEST_PAGE: usize = 500;
/// Bytes of an `ext_interaction_id` at most, as it is recorded.
const LONGEST_ID: usize = 1_024;
/// Days that one page of the list looks back through at most. Most companies keep requests for less
/// time, so their list ends with `next: null`.
const DAYS_A_PAGE: usize = 400;

/// Answers one request.
pub async fn handle(
    intake: &Intake,
    request: Request,
    now: Timestamp,
) -> Result<Response<Body>, Infallible> {
    if request.method() == Method::POST {
        return respond_to(Source::Requests, in_time(post(intake, &request, now))).await;
    }
    respond(async {
        match (request.method(), named(&request)) {
            (&Method::DELETE, Some(request_id)) => {
                in_time(cancel(intake, &request, &request_id, now)).await
            }
            (_, Some(request_id)) => get(intake, &request, &request_id, now).await,
            (_, None) => list(intake, &request, now).await,
        }
    })
    .await
}

/// What follows `/v1/requests/` in the path.
fn named(request: &Request) -> Option<String> {
    let (_, id) = request.raw_http_path().split_once("/v1/requests/")?;
    Some(id.trim_end_matches('/').to_owned()).filter(|id| !id.is_empty())
}

async fn post(
    intake: &Intake,
    request: &Request,
    now: Timestamp,
) -> Result<Response<Body>, Problem> {
    let entered = intake.enter(request, KeyScope::Send, now).await?;
    let delivery = Delivery {
        source: Source::Requests,
        id: None,
        parse: normalize::requests::parse,
        style: Style::Api,
    };
    intake.accept(&entered, delivery, now).await
}

async fn get(
    intake: &Intake,
    request: &Request,
    request_id: &str,
    now: Timestamp,
) -> Result<Response<Body>, Problem> {
    let entered = intake.enter(request, KeyScope::Read, now).await?;
    let request_id: Uuid = request_id.parse().map_err(|_| Problem::NotFound)?;
    let row = intake.store.interaction(request_id, now).await?;
    // To a test key a live request is answered like none: whether it exists is not its business.
    let row = row
        .filter(|row| row.mode == Mode::Test || entered.key().mode == Mode::Live)
        .ok_or(Problem::NotFound)?;
    Ok(json_reply(StatusCode::OK, "application/json", &shown::request(&row)))
}

async fn cancel(
    intake: &Intake,
    request: &Request,
    request_id: &str,
    now: Timestamp,
) -> Result<Response<Body>, Problem> {
    let entered = intake.enter(request, KeyScope::Send, now).await?;
    intake.note_key_use(&entered, now).await;
    let request_id: Uuid = request_id.parse().map_err(|_| Problem::NotFound)?;
    let row = taken_back(intake, &entered, request_id, now).await?.ok_or(Problem::NotFound)?;
    let mut too_late = is_too_late(&row);
    // What an admin has made of a refused request by sending it again is taken back with it.
    let mut next = row.sent_again_as;
    while let Some(again) = next {
        let again = taken_back(intake, &entered, again, now).await?;
        too_late |= again.as_ref().is_some_and(is_too_late);
        next = again.and_then(|again| again.sent_again_as);
    }
    if too_late {
        return Err(Problem::AlreadySent);
    }
    Ok(json_reply(StatusCode::OK, "application/json", &shown::request(&row)))
}

fn is_too_late(row: &Interaction) -> bool {
    row.status.cancellation(row.reason) == Cancellation::TooLate
}

/// Takes one request back, as far as that is possible. Returns it as it stands then; `None` if
/// there is none that this key may cancel.
async fn taken_back(
    intake: &Intake,
    entered: &Entered<'_>,
    request_id: Uuid,
    now: Timestamp,
) -> Result<Option<Interaction>, Problem> {
    // Each round shows how the request stands now: at first, after it was cancelled, or after it
    // moved on meanwhile. The deadline ends this.
    loop {
        let row = intake.store.interaction(request_id, now).await?;
        let Some(row) = row.filter(|row| row.mode == entered.key().mode) else { return Ok(None) };
        entered.is_for(row.source)?;
        if row.status.cancellation(row.reason) == Cancellation::Possible {
            let cancelled = intake.store.cancel(&row, now).await?;
            let mode = row.mode.as_str();
            let source = row.source.as_str();
            tracing::info!(%request_id, source, mode, cancelled, "request cancelled");
        } else if row.may_be_sent_again() && !row.is_withdrawn() {
            // A refused request stays as it is, and remembers that nobody is to send it again.
            intake.store.note_withdrawn(&row, Reason::Cancelled, now).await?;
        } else {
            return Ok(Some(row));
        }
    }
}

async fn list(
    intake: &Intake,
    request: &Request,
    now: Timestamp,
) -> Result<Response<Body>, Problem> {
    let entered = intake.enter(request, KeyScope::Read, now).await?;
    let query = Query::of(request);
    let status = query.get("status", "one of the statuses", Status::from_name)?;
    let after =
        query.get("after", "the `next` of an earlier page", |id| id.parse::<Uuid>().ok())?;
    let limit = query.get("limit", "a number from 1 to 500", |n| {
        n.parse().ok().filter(|n| (1..=LARGEST_PAGE).contains(n))
    })?;
    let ext_interaction_id = query.get("ext_interaction_id", "at most 1024 bytes long", |id| {
        (id.len() <= LONGEST_ID).then(|| id.to_owned())
    })?;
    let filter = Filter { ext_interaction_id, status, ..Filter::default() };
    let settings = intake.store.settings(now).await?;
    let longest_delay =
        settings.channels.iter().map(|channel| channel.delay).max().unwrap_or_default();
    let oldest = now
        .checked_sub(settings.company.kept() + settings.company.open + longest_delay)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let limit = limit.unwrap_or(PAGE);
    let bounds = ListBounds { after, limit, oldest, days: DAYS_A_PAGE, now };
    let page = intake.store.list(&[entered.key().mode], &filter, bounds).await?;
    let (mut room, mut next, mut seen) = (Room::default(), page.next, None);
    'rows: for ids in page.ids.chunks(ROWS_AT_ONCE) {
        if room.is_full() {
            next = seen;
            break;
        }
        let found = intake.store.interactions(ids, now).await?;
        room.has_read(&found);
        for id in ids {
            let row = found.rows.get(id).filter(|row| filter.admits(entered.key().mode, row));
            if row.is_some_and(|row| !room.takes(shown::request(row))) {
                next = seen;
                break 'rows;
            }
            seen = Some(*id);
        }
    }
    Ok(json_reply(
        StatusCode::OK,
        "application/json",
        &json!({ "requests": room.into_rows(), "next": next }),
    ))
}
