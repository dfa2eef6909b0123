//! The alert: more than a share of an hour's live requests went wrong.
//!
//! The hour is the sixty minutes up to now, by the minute in which a request was received. A
//! request has gone wrong if it is `invalid` or `failed`; whatever else came counts as well. Test
//! requests do not count, neither as wrong nor as requests.
//!
//! After an alert there is none until the requests of the last forty minutes are within the limit.
//! What came before those forty minutes is then forgotten: it led to the alert, and must not lead
//! to another one.

use jiff::Timestamp;
use normalize::Source;
use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::config_table::alert as attributes;
use crate::fault::{ConfigFault, Severity};
use crate::item::Item;
use crate::mailbox::Mailbox;
use crate::notice::{ErrorsNotice, WrongRequests};
use crate::reason::Reason;
use crate::status::Status;

/// Minutes of the hour that is judged.
const HOUR: i64 = 60;
/// Minutes that have to be within the limit before there is another alert.
const RECOVERY: i64 = 40;
/// Reasons that an alert names.
const REASONS: usize = 5;

/// `alert/errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// `percent`: more of an hour's requests than this lead to an alert. Default 5.
    pub percent: u32,
    /// `at_least`: an hour with fewer requests leads to none. Default 20.
    pub at_least: u32,
    /// `to`: who is told. Without it, the company's test address.
    pub to: Option<Mailbox>,
    /// Values that cannot be understood. Their defaults are used.
    pub faults: Vec<ConfigFault>,
}

impl AlertSettings {
    /// The partition of the items.
    pub const KIND: &str = "alert";
    /// The id of the item.
    pub const ID: &str = "errors";
    /// The id of the item in which it is noted whether there is an alert.
    pub const STATE_ID: &str = "errors#state";

    /// Reads the item; an absent one has every default. A value that cannot be understood does not
    /// silence the alert: its default is used.
    pub fn read(item: &Map<String, Value>) -> Self {
        let mut reader = Reader::new(Item::new(item));
        let (percent, at_least, to) = (
            reader.read(&attributes::PERCENT),
            reader.read(&attributes::AT_LEAST),
            reader.read(&attributes::TO),
        );
        let faults = reader.faults.stopping.into_iter().chain(reader.faults.warnings);
        let faults = faults.map(|fault| ConfigFault { severity: Severity::Warning, ..fault });
        Self { percent, at_least, to, faults: faults.collect() }
    }

    /// Whether this is the item that describes the alert, in whatever case its id is written.
    pub(crate) fn is_described_by(item: &Map<String, Value>) -> bool {
        Item::new(item).id().eq_ignore_ascii_case(Self::ID)
    }

    /// Whether this is the item that tells whether there is an alert. No admin writes it.
    pub(crate) fn is_state(item: &Item<'_>) -> bool {
        (item.kind(), item.id()) == (Self::KIND, Self::STATE_ID)
    }

    /// Whether any number of wrong requests can lead to an alert.
    pub fn is_on(&self) -> bool {
        self.percent < 100
    }

    fn exceeded(&self, counted: Counted) -> bool {
        u128::from(counted.wrong) * 100 > u128::from(counted.requests) * u128::from(self.percent)
    }
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self::read(&Map::new())
    }
}

/// Whether there is an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// There is none.
    Quiet {
        /// When the last one was over.
        recovered_at: Option<Timestamp>,
    },
    /// There is one: whoever has to be told was told.
    Raised {
        /// Since when.
        at: Timestamp,
    },
}

/// Live requests that were received in one minute and stand in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Minutes since 1970.
    pub minute: i64,
    /// Who sent them.
    pub source: Source,
    /// Where they stand.
    pub status: Status,
    /// Why there is no mail.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

/// What becomes of the alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertStep {
    /// Nothing changes.
    Stay,
    /// There is one from now on, and this is told.
    Raise(ErrorsNotice),
    /// It is over.
    Recovered,
}

/// When the oldest request was received that [`alert_step`] looks at: the start of a minute.
pub fn alert_looks_back_to(now: Timestamp) -> Timestamp {
    start_of(minute_of(now) - HOUR + 1)
}

/// Decides about the alert. `received` are the live requests of the last sixty minutes.
pub fn alert_step(
    settings: &AlertSettings,
    state: AlertState,
    received: &[Received],
    now: Timestamp,
) -> AlertStep {
    let this_minute = minute_of(now);
    // A clock that is ahead has received it a moment later than now.
    let since = |minute: i64| received.iter().filter(move |group| group.minute > minute);
    match state {
        AlertState::Raised { at } => {
            let recent = Counted::of(since(this_minute - RECOVERY));
            // A time to come is one that somebody has written by hand.
            let long_enough = at > now || this_minute - minute_of(at) >= RECOVERY;
            if long_enough && !settings.exceeded(recent) {
                AlertStep::Recovered
            } else {
                AlertStep::Stay
            }
        }
        AlertState::Quiet { recovered_at } => {
            let recovered = recovered_at.filter(|at| *at <= now);
            let forgotten = recovered.map_or(i64::MIN, |at| minute_of(at) - RECOVERY);
            let from = forgotten.max(this_minute - HOUR);
            let counted = Counted::of(since(from));
            let enough = counted.requests >= u64::from(settings.at_least.max(1));
            if !enough || !settings.exceeded(counted) {
                return AlertStep::Stay;
            }
            let reasons = most_frequent(since(from));
            AlertStep::Raise(ErrorsNotice {
                from: start_of(from + 1),
                until: now,
                requests: counted.requests,
                wrong: counted.wrong,
                percent: settings.percent,
                reasons,
            })
        }
    }
}

#[derive(Clone, Copy)]
struct Counted {
    requests: u64,
    wrong: u64,
}

impl Counted {
    fn of<'a>(received: impl Iterator<Item = &'a Received>) -> Self {
        received.fold(Self { requests: 0, wrong: 0 }, |sum, group| Self {
            requests: sum.requests.saturating_add(group.count),
            wrong: sum.wrong.saturating_add(if is_wrong(group) { group.count } else { 0 }),
        })
    }
}

fn is_wrong(group: &Received) -> bool {
    matches!(group.status, Status::Invalid | Status::Failed)
}

/// What went wrong, by source and reason, the most frequent first.
fn most_frequent<'a>(received: impl Iterator<Item = &'a Received>) -> Vec<WrongRequests> {
    let mut found: Vec<WrongRequests> = Vec::new();
    for group in received.filter(|group| is_wrong(group)) {
        let same = |other: &&mut WrongRequests| {
            (other.source, other.reason) == (group.source, group.reason)
        };
        match found.iter_mut().find(same) {
            Some(other) => other.count = other.count.saturating_add(group.count),
            None => found.push(WrongRequests {
                source: group.source,
                reason: group.reason,
                count: group.count,
            }),
        }
    }
    let code = |wrong: &WrongRequests| wrong.reason.map_or("", Reason::code);
    found.sort_by(|a, b| {
        b.count.cmp(&a.count).then(a.source.cmp(&b.source)).then(code(a).cmp(code(b)))
    });
    found.truncate(REASONS);
    found
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

fn start_of(minute: i64) -> Timestamp {
    let start = minute.checked_mul(60).and_then(|second| Timestamp::from_second(second).ok());
    start.unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        let nine: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        crate::saturating_add(nine, SignedDuration::from_mins(minute))
    }

    fn settings(attributes: Value) -> AlertSettings {
        let mut item = attributes.as_object().expect("an object").clone();
        item.extend([("kind".to_owned(), json!("alert")), ("id".to_owned(), json!("errors"))]);
        AlertSettings::read(&item)
    }

    /// Good and wrong requests that were received in this minute.
    fn came(minute: i64, good: u64, wrong: u64) -> Vec<Received> {
        let of = |status, reason, count| Received {
            minute: minute_of(at(minute)),
            source: Source::Zendesk,
            status,
            reason,
            count,
        };
        let wrong = of(Status::Invalid, Some(Reason::ChannelManual), wrong);
        vec![of(Status::Delivered, None, good), wrong]
    }

    const QUIET: AlertState = AlertState::Quiet { recovered_at: None };

    fn step(state: AlertState, received: &[Received], now: i64) -> &'static str {
        match alert_step(&settings(json!({})), state, received, at(now)) {
            AlertStep::Stay => "stay",
            AlertStep::Raise(_) => "raise",
            AlertStep::Recovered => "recovered",
        }
    }

    #[test]
    fn more_than_the_share_of_enough_requests_raises_an_alert() {
        for (good, wrong, expected) in [
            (0, 0, "stay"),
            (949, 51, "raise"),
            (951, 49, "stay"),
            (950, 50, "stay"),
            (37, 2, "raise"),
            (39, 2, "stay"),
            (0, 19, "stay"),
            (0, 20, "raise"),
            (18, 1, "stay"),
            (18, 2, "raise"),
            (u64::MAX / 2, u64::MAX, "raise"),
        ] {
            assert_eq!(step(QUIET, &came(0, good, wrong), 0), expected, "{good} {wrong}");
        }
    }

    #[test]
    fn the_settings_move_the_limits() {
        for (attributes, good, wrong, expected) in [
            (json!({ "percent": 0 }), 1_000, 1, true),
            (json!({ "percent": 0 }), 1_000, 0, false),
            (json!({ "percent": "10" }), 90, 10, false),
            (json!({ "percent": 10 }), 89, 11, true),
            (json!({ "percent": 100 }), 0, 1_000, false),
            (json!({ "at_least": 1 }), 0, 1, true),
            (json!({ "at_least": 0 }), 0, 1, true),
            (json!({ "at_least": 0 }), 0, 0, false),
            (json!({ "at_least": 1_000 }), 0, 999, false),
        ] {
            let decided =
                alert_step(&settings(attributes.clone()), QUIET, &came(0, good, wrong), at(0));
            assert_eq!(
                matches!(decided, AlertStep::Raise(_)),
                expected,
                "{attributes} {good} {wrong}"
            );
        }
        assert!(settings(json!({})).is_on() && !settings(json!({ "percent": 100 })).is_on());
    }

    #[test]
    fn what_cannot_be_understood_is_a_fault_and_its_default_is_used() {
        let plain = settings(json!({}));
        assert_eq!((plain.percent, plain.at_least, &plain.to), (5, 20, &None));
        for (attributes, attribute) in [
            (json!({ "percent": "five" }), "percent"),
            (json!({ "percent": 101 }), "percent"),
            (json!({ "percnt": 50 }), "percnt"),
            (json!({ "at_least": -1 }), "at_least"),
            (json!({ "to": "nobody" }), "to"),
            (json!({ "to": ["ops@acme.example"] }), "to"),
        ] {
            let read = settings(attributes.clone());
            assert_eq!((read.percent, read.at_least), (5, 20), "{attributes}");
            let [fault] = read.faults.as_slice() else { panic!("{attributes}: {:?}", read.faults) };
            assert_eq!(
                (fault.item.as_str(), fault.attribute.as_str()),
                ("alert/errors", attribute)
            );
            assert_eq!(fault.severity, Severity::Warning);
        }
        let named = settings(json!({ "to": "Support <ops@acme.example>" }));
        assert_eq!(named.to.map(|to| to.address.as_mailbox()).as_deref(), Some("ops@acme.example"));
    }

    #[test]
    fn an_hour_is_the_sixty_minutes_up_to_now() {
        for (received, now, expected) in [
            (0, 0, "raise"),
            (0, 59, "raise"),
            (0, 60, "stay"),
            // A machine's clock is ahead.
            (1, 0, "raise"),
        ] {
            assert_eq!(step(QUIET, &came(received, 0, 20), now), expected, "{received} {now}");
            assert_eq!(at(received) >= alert_looks_back_to(at(now)), expected == "raise");
        }
        let two = [came(0, 0, 10), came(59, 0, 10)].concat();
        assert_eq!(step(QUIET, &two, 59), "raise");
        assert_eq!(step(QUIET, &two, 60), "stay", "ten are too few");
    }

    #[test]
    fn there_is_no_other_alert_until_forty_minutes_were_within_the_limit() {
        let raised = AlertState::Raised { at: at(0) };
        let bad = came(0, 0, 20);
        for (received, now, expected) in [
            (&[][..], 39, "stay"),
            (&[][..], 40, "recovered"),
            (&bad, 39, "stay"),
            (&bad, 40, "recovered"),
            (&came(1, 0, 1), 40, "stay"),
            (&came(1, 0, 1), 41, "recovered"),
            (&came(30, 19, 1), 40, "recovered"),
            (&came(30, 18, 1), 40, "stay"),
        ] {
            assert_eq!(step(raised, received, now), expected, "{received:?} at {now}");
        }
        // What led to the first alert does not lead to another one.
        let recovered = AlertState::Quiet { recovered_at: Some(at(40)) };
        assert_eq!(step(recovered, &bad, 40), "stay");
        assert_eq!(step(recovered, &[bad.clone(), came(41, 0, 19)].concat(), 41), "stay");
        assert_eq!(step(recovered, &[bad, came(41, 0, 20)].concat(), 41), "raise");
        assert_eq!(step(recovered, &came(1, 0, 20), 50), "raise", "it came within the forty");
    }

    #[test]
    fn a_time_in_the_future_is_not_waited_for() {
        let raised = AlertState::Raised { at: at(1_000) };
        assert_eq!(step(raised, &came(0, 20, 1), 0), "recovered");
        assert_eq!(step(raised, &came(0, 0, 20), 0), "stay");
        let later = AlertState::Quiet { recovered_at: Some(at(1_000)) };
        assert_eq!(step(later, &came(0, 0, 20), 0), "raise");
        let far = AlertState::Quiet { recovered_at: Some(Timestamp::MIN) };
        assert_eq!(step(far, &came(0, 0, 20), 0), "raise");
    }

    #[test]
    fn an_alert_says_what_went_wrong_the_most_frequent_first() {
        let group = |source, reason: Reason, minute, count| Received {
            minute: minute_of(at(minute)),
            source,
            status: reason.outcome().status(),
            reason: Some(reason),
            count,
        };
        let received = [
            group(Source::Zendesk, Reason::ChannelManual, 0, 3),
            group(Source::Zendesk, Reason::ChannelManual, 1, 4),
            group(Source::Requests, Reason::EmployeeNotFound, 1, 5),
            group(Source::Gladly, Reason::Unconfirmed, 1, 5),
            group(Source::Gladly, Reason::NoEmail, 1, 100),
            group(Source::Gorgias, Reason::BrandMissing, 1, 1),
            group(Source::Gorgias, Reason::BrandInvalid, 1, 1),
            group(Source::Freshdesk, Reason::StatusUnknown, 1, 1),
        ];
        let AlertStep::Raise(notice) = alert_step(&settings(json!({})), QUIET, &received, at(2))
        else {
            panic!("no alert")
        };
        assert_eq!((notice.requests, notice.wrong, notice.percent), (120, 20, 5));
        assert_eq!((notice.from, notice.until), (at(-57), at(2)));
        let told: Vec<_> = notice
            .reasons
            .iter()
            .map(|wrong| {
                (wrong.source.as_str(), wrong.reason.map_or("", Reason::code), wrong.count)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("zendesk", "channel_manual", 7),
                ("requests", "employee_not_found", 5),
                ("gladly", "unconfirmed", 5),
                ("freshdesk", "status_unknown", 1),
                ("gorgias", "brand_invalid", 1),
            ]
        );
    }
}
