//! `/admin`: whether requests arrive, and what goes wrong.
//!
//! The numbers are those of the hourly tallies, which `sweep` counts; the page reads a week of them
//! with one query. What is newest is read from the index of days, a bounded part of it.

mod chart;
mod troubles;

use std::collections::BTreeMap;

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::{Mode, Status};
use store::{Recent, Tallied};

use super::requests::line::{Line, shown};
use super::requests::{Bounds, Wanted, search};
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::{Frame, is_loopback};

use chart::{Chart, chart};
use troubles::{Trouble, troubles};

/// Hours of the picture.
const HOURS: i64 = 48;
/// Hours of a week, for the errors.
const WEEK: i64 = 7 * 24;
/// Requests that are listed.
const LATEST: usize = 20;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    frame: Frame,
    sources: Vec<OfSource>,
    chart: Chart,
    troubles: Vec<Trouble>,
    lines: Vec<Line>,
    example: String,
}

/// A source that sent something this week.
struct OfSource {
    name: &'static str,
    success: String,
    is_recent: bool,
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let now = context.now;
    let back = |hours: i64| {
        now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::UNIX_EPOCH)
    };
    let wanted = Wanted::default();
    let store = context.store();
    let (tallied, live, test, latest) = tokio::try_join!(
        async { Ok::<_, AdminError>(store.tallies(back(WEEK), now).await?) },
        async { Ok(store.recent(Mode::Live, now).await?) },
        async { Ok(store.recent(Mode::Test, now).await?) },
        search(context, &wanted, Bounds { rows: LATEST, read: 50 }),
    )?;
    let recent: Vec<Recent> = live.into_iter().chain(test).collect();
    let page = StatusPage {
        frame: context.frame("Status", "/admin"),
        sources: successes(&tallied, &recent, now),
        chart: chart(&tallied, now, HOURS),
        troubles: troubles(&tallied, now),
        lines: latest.rows.iter().map(Line::of).collect(),
        example: example(context),
    };
    Ok(Reply::html(200, page.render()?))
}

/// Whether the request was taken in: neither the sender nor an admin has to correct anything.
fn is_success(status: Status) -> bool {
    !matches!(status, Status::Invalid | Status::Failed)
}

/// When each source was last successful: to the minute, if it is among the newest requests; else
/// the hour, as the tallies have it.
fn successes(tallied: &[Tallied], recent: &[Recent], now: Timestamp) -> Vec<OfSource> {
    let mut last: BTreeMap<Source, Option<(Timestamp, bool)>> = BTreeMap::new();
    for tally in tallied {
        let entry = last.entry(tally.source).or_default();
        if is_success(tally.status) && entry.is_none_or(|(at, _)| at < tally.hour) {
            *entry = Some((tally.hour, false));
        }
    }
    for request in recent {
        let entry = last.entry(request.source).or_default();
        let (seconds, nanos) =
            request.request_id.get_timestamp().map(|at| at.to_unix()).unwrap_or_default();
        let at = i64::try_from(seconds).ok().zip(i32::try_from(nanos).ok());
        let Some(at) = at.and_then(|(seconds, nanos)| Timestamp::new(seconds, nanos).ok()) else {
            continue;
        };
        if is_success(request.status) && entry.is_none_or(|(last, _)| last <= at) {
            *entry = Some((at, true));
        }
    }
    last.into_iter()
        .map(|(source, at)| OfSource {
            name: source.as_str(),
            is_recent: at
                .is_some_and(|(at, _)| now.duration_since(at) < SignedDuration::from_hours(1)),
            success: match at {
                None => "none this week".to_owned(),
                Some((at, true)) => ago(at, now),
                Some((hour, false)) => format!("in the hour from {}", shown(hour)),
            },
        })
        .collect()
}

/// `3 minutes ago`.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(at).as_secs() / 60;
    let counted = |n: i64, unit: &str| match n {
        1 => format!("1 {unit} ago"),
        n => format!("{n} {unit}s ago"),
    };
    match minutes {
        ..1 => "just now".to_owned(),
        1..60 => counted(minutes, "minute"),
        _ => counted(minutes / 60, "hour"),
    }
}

/// A request to try, for a stack to which none has come yet.
fn example(context: &Context<'_>) -> String {
    let host = context.request.headers().get("host").and_then(|host| host.to_str().ok());
    let (scheme, key) = match is_loopback(context.request) {
        true => ("http", "aw_test_local"),
        false => ("https", "YOUR_TEST_KEY"),
    };
    let channel = context.settings.channels.first().map_or("email", |channel| &channel.name);
    format!(
        "curl {scheme}://{}/v1/requests -H 'x-api-key: {key}' \\\n  \
         -H 'content-type: application/json' \\\n  \
         -d '{{\"channel\": \"{channel}\", \"ext_interaction_id\": \"1\", \
         \"customer\": {{\"name\": \"Jane\", \"email\": \"jane@example.com\"}}, \
         \"employee\": {{\"email\": \"AGENT@YOUR.COMPANY\"}}}}'",
        host.unwrap_or("HOST")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_success_is_told_as_exactly_as_it_is_known() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-21T14:03:00Z");
        let tally = |hour, source, status| Tallied {
            hour: at(hour),
            mode: Mode::Live,
            source,
            status,
            reason: None,
            count: 2,
        };
        let tallied = [
            tally("2026-11-20T09:00:00Z", Source::Zendesk, Status::Delivered),
            tally("2026-11-21T13:00:00Z", Source::Zendesk, Status::Invalid),
            tally("2026-11-21T13:00:00Z", Source::Gladly, Status::Failed),
            tally("2026-11-21T14:00:00Z", Source::Requests, Status::Queued),
        ];
        let millis = u64::try_from(at("2026-11-21T14:00:00Z").as_millisecond()).unwrap();
        let request_id = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
        let recent = [Recent { request_id, source: Source::Requests, status: Status::Delivered }];
        let told: Vec<_> = successes(&tallied, &recent, now)
            .into_iter()
            .map(|source| (source.name, source.success))
            .collect();
        assert_eq!(
            told,
            [
                ("requests", "3 minutes ago".to_owned()),
                ("zendesk", "in the hour from 20 November 2026, 09:00".to_owned()),
                ("gladly", "none this week".to_owned()),
            ]
        );
        for (then, expected) in [
            ("2026-11-21T14:02:30Z", "just now"),
            ("2026-11-21T14:02:00Z", "1 minute ago"),
            ("2026-11-21T13:03:00Z", "1 hour ago"),
            ("2026-11-20T13:03:00Z", "25 hours ago"),
        ] {
            assert_eq!(ago(at(then), now), expected);
        }
    }
}
