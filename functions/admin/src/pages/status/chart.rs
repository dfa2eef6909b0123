//! Requests per hour and source: bars, and the same numbers as a table.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use store::Tallied;

/// Width of an hour in the picture, and its height.
const STEP: i64 = 10;
const HEIGHT: u64 = 60;

/// The picture and its table.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// One row of bars for each source.
    pub(super) rows: Vec<Row>,
    /// One line for each hour with requests, newest first: the hour, and a number for each source.
    pub(super) hours: Vec<(String, Vec<u64>)>,
    pub(super) width: i64,
    pub(super) height: u64,
}

/// The bars of a source.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) source: &'static str,
    pub(super) total: u64,
    /// Requests of its busiest hour.
    pub(super) most: u64,
    pub(super) bars: Vec<Bar>,
}

/// One hour.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) x: i64,
    pub(super) y: u64,
    pub(super) height: u64,
}

/// The chart of the last `hours` hours, the running one included. Test requests count too.
pub(super) fn chart(tallied: &[Tallied], now: Timestamp, hours: i64) -> Chart {
    let hour = |at: Timestamp| at.as_second().div_euclid(3_600);
    let first = hour(now) - hours + 1;
    let mut counts: BTreeMap<Source, BTreeMap<i64, u64>> = BTreeMap::new();
    for tally in tallied.iter().filter(|tally| hour(tally.hour) >= first) {
        *counts.entry(tally.source).or_default().entry(hour(tally.hour)).or_default() +=
            tally.count;
    }
    // One scale for all, so that sources can be compared.
    let highest = counts.values().flat_map(BTreeMap::values).copied().max().unwrap_or(1).max(1);
    let rows = counts.iter().map(|(source, counts)| Row {
        source: source.as_str(),
        total: counts.values().sum(),
        most: counts.values().copied().max().unwrap_or_default(),
        bars: counts.iter().map(|(at, count)| bar(*at, *at - first, *count, highest)).collect(),
    });
    let mut with_requests: Vec<i64> = counts.values().flat_map(BTreeMap::keys).copied().collect();
    with_requests.sort_unstable();
    with_requests.dedup();
    let line = |at: &i64| {
        let of_source = |counts: &BTreeMap<i64, u64>| counts.get(at).copied().unwrap_or_default();
        (named(*at), counts.values().map(of_source).collect())
    };
    Chart {
        hours: with_requests.iter().rev().map(line).collect(),
        rows: rows.collect(),
        width: hours * STEP,
        height: HEIGHT,
    }
}

fn bar(at: i64, place: i64, count: u64, highest: u64) -> Bar {
    let height = (count.saturating_mul(HEIGHT) / highest).clamp(1, HEIGHT);
    Bar { title: format!("{}: {count}", named(at)), x: place * STEP, y: HEIGHT - height, height }
}

/// `21 November, 14:00`.
fn named(hour: i64) -> String {
    let at = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(hour));
    at.map(|at| at.strftime("%-d %B, %H:00").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use policy::{Mode, Status};

    use super::*;

    #[test]
    fn bars_and_table_have_the_same_numbers() {
        let now: Timestamp = "2026-11-21T14:03:00Z".parse().unwrap();
        let tally = |hour: &str, source, status, count| Tallied {
            hour: hour.parse().unwrap(),
            mode: Mode::Live,
            source,
            status,
            reason: None,
            count,
        };
        let tallied = [
            tally("2026-11-21T14:00:00Z", Source::Zendesk, Status::Queued, 10),
            tally("2026-11-21T14:00:00Z", Source::Zendesk, Status::Invalid, 2),
            tally("2026-11-21T13:00:00Z", Source::Requests, Status::Sent, 1),
            tally("2026-11-18T14:00:00Z", Source::Gladly, Status::Sent, 99),
        ];
        let chart = chart(&tallied, now, 48);
        let rows: Vec<_> = chart.rows.iter().map(|row| (row.source, row.total, row.most)).collect();
        assert_eq!(rows, [("requests", 1, 1), ("zendesk", 12, 12)]);
        assert_eq!(
            chart.hours,
            [
                ("21 November, 14:00".to_owned(), vec![0, 12]),
                ("21 November, 13:00".to_owned(), vec![1, 0]),
            ]
        );
        let expected = Bar { title: "21 November, 14:00: 12".into(), x: 470, y: 0, height: 60 };
        assert_eq!(chart.rows[1].bars, [expected]);
        assert_eq!(chart.rows[0].bars[0].height, 5);
        assert!(super::chart(&[], now, 48).rows.is_empty());
    }
}
