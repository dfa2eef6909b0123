//! What went wrong, grouped by source and reason.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use policy::{Mode, Reason, Status, cure_of};
use store::Tallied;

/// Requests of one source that ended badly for one reason.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) source: &'static str,
    pub(super) code: &'static str,
    pub(super) sentence: &'static str,
    pub(super) day: u64,
    pub(super) week: u64,
    pub(super) of_test: u64,
    pub(super) cure: Option<(String, String)>,
    /// The query of the list of them.
    pub(super) query: String,
}

/// Invalid, failed, bounced and complained about, in the last 24 hours and 7 days: the most frequent
/// first.
pub(super) fn troubles(tallied: &[Tallied], now: Timestamp) -> Vec<Trouble> {
    let mut found: BTreeMap<(&'static str, &'static str), Trouble> = BTreeMap::new();
    let day = SignedDuration::from_hours(24);
    for tally in tallied {
        let Some((code, sentence)) = told(tally.status, tally.reason) else { continue };
        let source = tally.source.as_str();
        let trouble = found.entry((source, code)).or_insert_with(|| Trouble {
            source,
            code,
            sentence,
            day: 0,
            week: 0,
            of_test: 0,
            cure: tally
                .reason
                .and_then(|reason| cure_of(reason, source))
                .map(|cure| (cure.text, cure.path)),
            query: match tally.reason {
                Some(reason) => format!("source={source}&reason={}", reason.code()),
                None => format!("source={source}&status={}", tally.status.as_str()),
            },
        });
        trouble.week += tally.count;
        if now.duration_since(tally.hour) < day {
            trouble.day += tally.count;
        }
        if tally.mode == Mode::Test {
            trouble.of_test += tally.count;
        }
    }
    let mut found: Vec<Trouble> = found.into_values().collect();
    found.sort_by_key(|trouble| std::cmp::Reverse((trouble.day, trouble.week)));
    found
}

/// Code and sentence of what went wrong; `None` if nothing did.
fn told(status: Status, reason: Option<Reason>) -> Option<(&'static str, &'static str)> {
    match status {
        Status::Invalid | Status::Failed => {
            Some(reason.map_or((status.as_str(), ""), |reason| (reason.code(), reason.sentence())))
        }
        Status::SoftBounce => Some(("soft_bounce", "The mail bounced; the address may work again")),
        Status::HardBounce => Some(("hard_bounce", "The mail bounced; the address does not work")),
        Status::Complained => Some(("complained", "The customer reported the mail as spam")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use normalize::Source;

    use super::*;

    #[test]
    fn errors_are_grouped_by_source_and_reason() {
        let now: Timestamp = "2026-11-21T14:03:00Z".parse().unwrap();
        let tally = |hour: &str, mode, status, reason, count| Tallied {
            hour: hour.parse().unwrap(),
            mode,
            source: Source::Zendesk,
            status,
            reason,
            count,
        };
        let manual = Some(Reason::ChannelManual);
        let tallied = [
            tally("2026-11-21T14:00:00Z", Mode::Live, Status::Invalid, manual, 3),
            tally("2026-11-21T13:00:00Z", Mode::Test, Status::Invalid, manual, 1),
            tally("2026-11-18T13:00:00Z", Mode::Live, Status::Invalid, manual, 5),
            tally("2026-11-18T13:00:00Z", Mode::Live, Status::HardBounce, None, 9),
            tally("2026-11-21T13:00:00Z", Mode::Live, Status::Delivered, None, 70),
            tally("2026-11-21T13:00:00Z", Mode::Live, Status::NotSent, Some(Reason::NoEmail), 7),
        ];
        let found: Vec<_> = troubles(&tallied, now)
            .into_iter()
            .map(|t| (t.code, t.day, t.week, t.of_test, t.query))
            .collect();
        assert_eq!(
            found,
            [
                ("channel_manual", 4, 9, 1, "source=zendesk&reason=channel_manual".to_owned()),
                ("hard_bounce", 0, 9, 0, "source=zendesk&status=hard_bounce".to_owned()),
            ]
        );
    }
}
