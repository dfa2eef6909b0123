//! What customers, agents and the mail service did in the three weeks of [`crate::history`]: each
//! request as its helpdesk sent it, and what happened to its mail. The same days have the same
//! history.

use fastrand::Rng;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use normalize::{Inbound, Malformed, Source, SurveyRequest};
use policy::{Mode, Reason, Status};
use serde_json::{Value, json};

/// How many requests came.
pub(crate) const REQUESTS: usize = 300;
/// In how many days.
const DAYS: i64 = 21;
/// How many of them came in the last hours, so that the status page shows a running system.
const RECENT: usize = 6;

/// Agents besides those of [`crate::seed`]: name, status, own id.
pub(crate) const AGENTS: [(&str, &str, &str); 9] = [
    ("Amara Okafor", "approved", "522751"),
    ("Bruno Keller", "approved", "522752"),
    ("Chloé Martin", "approved", "522753"),
    ("Dev Patel", "approved", "522754"),
    ("Elif Kaya", "approved", "522755"),
    ("Fiona Walsh", "approved", "522756"),
    ("Gabriel Sousa", "approved", "522757"),
    ("Hana Sato", "approved", "522758"),
    ("Igor Novak", "deactivated", "522759"),
];

/// The agents whom requests name, the busiest first: the last four cannot be rated.
const NAMED: [&str; 13] = [
    "paul", "amara", "bruno", "chloe", "dev", "elif", "fiona", "gabriel", "hana", "igor", "nora",
    "gus", "robin",
];

const FIRST: [&str; 24] = [
    "Alice", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira",
    "Liam", "Mia", "Noah", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim",
    "Yara",
];

const LAST: [&str; 20] = [
    "Abbott", "Berg", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haas", "Ito", "Jensen",
    "Klein", "Lopez", "Moreau", "Nowak", "Okoye", "Perez", "Quist", "Rossi", "Silva", "Tanaka",
];

/// As helpdesks spell them.
const LANGUAGES: [&str; 7] = ["en", "en", "en", "en-US", "de", "fr", "es"];

const PRAISE: [&str; 6] = [
    "Very friendly, and quick.",
    "Solved on the first try. Thank you!",
    "Explained everything clearly.",
    "I had an answer within minutes.",
    "Best support that I have had this year.",
    "Great help, thanks.",
];

const BLAME: [&str; 4] = [
    "I had to explain the problem three times.",
    "It took four days to get an answer.",
    "The refund has still not arrived.",
    "Friendly, but my question was not answered.",
];

const TOPICS: [&str; 4] = ["solution", "speed", "knowledge", "friendliness"];

/// One request, and what happened if a mail could go out.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) at: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) source: Source,
    /// As it arrived.
    pub(crate) body: String,
    /// As its helpdesk said it, or for Gladly, as Gladly told when it was asked.
    pub(crate) said: String,
    pub(crate) fate: Fate,
}

/// What happened to a request that passed the checks at receipt.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// The mail went out and arrived, bounced, or was complained about.
    Mailed(Status),
    /// It arrived, and was answered so much later.
    Answered { stars: u8, comment: Option<String>, topics: Vec<String>, after: SignedDuration },
    /// It arrived, and the customer unsubscribed.
    Unsubscribed,
    /// It ended without a mail.
    Ended(Reason),
}

impl Planned {
    /// The request as it is understood.
    pub(crate) fn understood(&self) -> Result<Option<SurveyRequest>, Malformed> {
        let body = self.said.as_bytes();
        let inbound = match self.source {
            Source::Zendesk => normalize::zendesk::parse(body),
            Source::Freshdesk => normalize::freshdesk::parse(body),
            Source::Gorgias => normalize::gorgias::parse(body),
            Source::Gladly | Source::Requests => normalize::requests::parse(body),
        }?;
        let Inbound::Survey(mut request) = inbound else { return Ok(None) };
        request.source = self.source;
        Ok(Some(*request))
    }
}

/// The history up to `now`, oldest first.
pub(crate) fn plan(now: Timestamp) -> Vec<Planned> {
    let day = now.as_second().div_euclid(24 * 3_600);
    let mut rng = Rng::with_seed(day.unsigned_abs());
    let mut times: Vec<Timestamp> = std::iter::from_fn(|| Some(time(&mut rng, now)))
        .flatten()
        .take(REQUESTS - RECENT)
        .collect();
    // 3 minutes ago, and every 25 minutes or so before.
    times.extend((0_i64..).take(RECENT).map(|n| back(now, 3 * 60 + n * 1_507)));
    times.sort_unstable();
    times.into_iter().zip(1_u64..).map(|(at, number)| request(&mut rng, at, number)).collect()
}

fn back(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

/// A time of the last three weeks, or none: most requests come in working hours.
fn time(rng: &mut Rng, now: Timestamp) -> Option<Timestamp> {
    // More than three hours ago, so that the last ones are those of `plan`.
    let at = back(now, rng.i64(3 * 3_600..DAYS * 24 * 3_600));
    let local = at.to_zoned(TimeZone::UTC);
    let free = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
    let at_work = (7..19).contains(&local.hour());
    let likely = match (free, at_work) {
        (false, true) => 100,
        (true, true) => 25,
        (_, false) => 5,
    };
    (rng.u32(0..100) < likely).then_some(at)
}

fn request(rng: &mut Rng, at: Timestamp, number: u64) -> Planned {
    let source = match rng.u32(0..100) {
        0..45 => Source::Zendesk,
        45..65 => Source::Freshdesk,
        65..80 => Source::Gorgias,
        80..92 => Source::Requests,
        _ => Source::Gladly,
    };
    let mode = if rng.u32(0..100) < 4 { Mode::Test } else { Mode::Live };
    let (first, last) = (pick(rng, &FIRST), pick(rng, &LAST));
    let address = match rng.u32(0..100) {
        0..4 => String::new(),
        4 => format!("{first}.{last}(at)customers.example").to_lowercase(),
        5 => "office@blancapeak.example".to_owned(),
        _ => format!("{first}.{last}@customers.example").to_lowercase(),
    };
    // Squared, so that the first are named most; the others now and then.
    let agent = match rng.u32(0..100) {
        0..8 => NAMED.get(9 + rng.usize(0..4)),
        _ => NAMED.get(rng.usize(0..81).isqrt()),
    };
    let agent = format!("{}@blancapeak.example", agent.unwrap_or(&"paul"));
    let channel = match rng.u32(0..100) {
        0..52 => "email",
        52..90 => "chat",
        90..97 => "phone",
        97..99 => "contact_form",
        _ => "fax",
    };
    let language = pick(rng, &LANGUAGES);
    let said = Said {
        channel,
        ext: match source {
            Source::Gladly => format!("conversation-{number}"),
            _ => (35_000 + 7 * number).to_string(),
        },
        name: format!("{first} {last}"),
        address,
        agent,
        language,
        tags: match rng.u32(0..100) {
            0..5 => &["do_not_send", "stellaconnect-do-not-send"],
            5..30 => &["billing"],
            30..50 => &["delivery", "vip"],
            _ => &[],
        },
    };
    Planned {
        at,
        mode,
        source,
        body: said.arrived(source),
        said: said.text(source),
        fate: fate(rng),
    }
}

fn fate(rng: &mut Rng) -> Fate {
    match rng.u32(0..1_000) {
        0..430 => answered(rng),
        430..440 => Fate::Unsubscribed,
        440..452 => Fate::Mailed(Status::HardBounce),
        452..462 => Fate::Mailed(Status::SoftBounce),
        462..467 => Fate::Mailed(Status::Complained),
        467..482 => Fate::Ended(Reason::Reopened),
        482..488 => Fate::Ended(Reason::Cancelled),
        488..496 => Fate::Ended(Reason::SendAttempts),
        496..500 => Fate::Ended(Reason::Unconfirmed),
        _ => Fate::Mailed(Status::Delivered),
    }
}

fn answered(rng: &mut Rng) -> Fate {
    let stars = match rng.u32(0..100) {
        0..62 => 5,
        62..82 => 4,
        82..90 => 3,
        90..95 => 2,
        _ => 1,
    };
    let words: &[&str] = if stars > 3 { &PRAISE } else { &BLAME };
    let comment = (rng.u32(0..100) < 40).then(|| (*pick(rng, words)).to_owned());
    let topics = (rng.u32(0..100) < 50).then(|| (*pick(rng, &TOPICS)).to_owned());
    // Most within hours, some days later.
    let hours = if rng.bool() { 5 } else { 70 };
    let after = SignedDuration::from_secs(rng.i64(240..hours * 3_600));
    Fate::Answered { stars, comment, topics: topics.into_iter().collect(), after }
}

fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    // Never called with an empty list: the lists are constants of this module.
    &of[rng.usize(0..of.len())]
}

/// What the helpdesk knows.
struct Said<'a> {
    channel: &'a str,
    ext: String,
    name: String,
    address: String,
    agent: String,
    language: &'a str,
    tags: &'a [&'a str],
}

impl Said<'_> {
    /// The fields in the source's own shape.
    fn text(&self, source: Source) -> String {
        match source {
            Source::Gorgias => json!({
                "channel": self.channel, "meta": "None", "ext_interaction_id": self.ext,
                "customer_custom_id": "77", "employee_email": self.agent,
                "customer_name": self.name, "snooze_datetime": "None", "status": "closed",
                "language": self.language, "customer_email": self.address,
                "tags": Value::from(self.tags.iter().map(|tag| format!("{{'name': '{tag}'}}"))
                    .collect::<Vec<_>>()).to_string().replace('"', ""),
            }),
            _ => json!({
                "employee": { "email": self.agent }, "channel": self.channel,
                "customer": { "name": self.name, "email": self.address },
                "ext_interaction_id": self.ext, "brand": "Blanca Kids",
                "language": self.language, "tags": self.tags,
            }),
        }
        .to_string()
    }

    /// What arrived: of Gladly, only who was in it.
    fn arrived(&self, source: Source) -> String {
        if source != Source::Gladly {
            return self.text(source);
        }
        json!({
            "type": "CONVERSATION/CLOSED", "initiator": { "type": "AGENT" },
            "content": { "conversationId": self.ext, "customerId": format!("of-{}", self.ext) },
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_day_has_the_same_history_and_every_request_is_understood() {
        let now: Timestamp = "2026-11-21T14:03:00Z".parse().unwrap();
        let (one, other) = (plan(now), plan(now));
        assert_eq!(one.len(), REQUESTS);
        for (one, other) in one.iter().zip(&other) {
            assert_eq!((one.at, &one.body, &one.said), (other.at, &other.body, &other.said));
            assert!(one.understood().unwrap().is_some(), "{}", one.said);
            assert!(one.at < now);
        }
        assert!(one.is_sorted_by_key(|request| request.at));
        assert!(plan(now + SignedDuration::from_hours(24))[0].said != one[0].said);
    }

    #[test]
    fn no_hour_is_busy_enough_for_an_alert() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for day in (0..400).step_by(9) {
            let now = start + SignedDuration::from_hours(24 * day + day % 24);
            let requests = plan(now);
            for (first, later) in requests.iter().zip(requests.iter().skip(19)) {
                assert!(later.at.duration_since(first.at) > SignedDuration::from_hours(1), "{now}");
            }
        }
    }
}
