//! What the functions measure: every line is in CloudWatch's embedded metric format, says what
//! happened, and has metrics that `metrics::METRICS` declares. The runbook's table has the same,
//! which `template_rules.rs` compares with alarms and dashboard.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use jiff::SignedDuration;
use kit::scenario::Post;
use kit::{LIVE, World, request};
use local::faults::{Fault, InjectedReply};
use local::stack::Options;
use metrics::{METRICS, Metric, STACK};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// Keeps the field `metrics` of each line of this thread.
#[derive(Clone, Default)]
struct Measured(Arc<Mutex<Vec<String>>>);

struct OneField<'a>(&'a Measured);

impl Visit for OneField<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "metrics" {
            self.0.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl Subscriber for Measured {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut OneField(self));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// From here on what this thread measures is kept, until the guard is dropped.
fn measured() -> (Measured, DefaultGuard) {
    let measured = Measured::default();
    (measured.clone(), tracing::subscriber::set_default(measured))
}

impl Measured {
    /// The lines since the last call, as CloudWatch gets them. Each of them is checked.
    fn take(&self) -> Vec<Map<String, Value>> {
        let fields = std::mem::take(&mut *self.0.lock().unwrap());
        let lines = fields.iter().filter_map(|field| metrics::embedded(field, "local", 1_000));
        lines.inspect(conforms).collect()
    }

    /// The sums since the last call, by `Metric value of a dimension …`.
    fn sums(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for line in self.take() {
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                let name = directive["Metrics"][0]["Name"].as_str().unwrap();
                let dimensions = directive["Dimensions"][0].as_array().unwrap().iter();
                let dimensions = dimensions.filter(|dimension| **dimension != STACK);
                let values = dimensions.map(|name| line[name.as_str().unwrap()].as_str().unwrap());
                let of: Vec<&str> = std::iter::once(name).chain(values).collect();
                *sums.entry(of.join(" ")).or_default() += line[name].as_u64().unwrap();
            }
        }
        sums
    }
}

/// Requires what the JSON schema of the embedded metric format requires ("Specification: Embedded
/// metric format" in the CloudWatch user guide).
fn conforms(line: &Map<String, Value>) {
    const UNITS: [&str; 27] = [
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    ];
    let text = |value: &Value, most: usize| {
        let length = value.as_str().unwrap_or_else(|| panic!("{value} in {line:?}")).len();
        assert!((1..=most).contains(&length), "{value} in {line:?}");
    };
    let metadata = line["_aws"].as_object().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["CloudWatchMetrics", "Timestamp"]);
    assert!(metadata["Timestamp"].is_u64(), "milliseconds since 1970");
    let directives = metadata["CloudWatchMetrics"].as_array().unwrap();
    assert!(!directives.is_empty());
    let mut named = BTreeSet::new();
    for directive in directives {
        let keys: Vec<&String> = directive.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["Dimensions", "Metrics", "Namespace"]);
        text(&directive["Namespace"], 1_024);
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for set in sets {
            let set = set.as_array().unwrap();
            assert!((1..=30).contains(&set.len()));
            for dimension in set {
                text(dimension, 250);
                text(&line[dimension.as_str().unwrap()], 1_024);
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            text(&metric["Name"], 1_024);
            assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()), "{metric}");
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} in {line:?}");
            assert!(named.insert(name.to_owned()), "{name} twice");
        }
    }
}

fn sums<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected.map(|(name, sum)| (name.to_owned(), sum)).into()
}

#[test]
fn the_runbook_has_every_metric_with_its_unit_and_dimensions() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("<!-- begin metrics -->").unwrap();
    let (table, _) = table.split_once("<!-- end metrics -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeMap<String, (String, Vec<String>)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let dimensions = cells[3].split('`').skip(1).step_by(2).map(str::to_owned);
            (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), dimensions.collect()))
        })
        .collect();
    let declared = METRICS.iter().map(|Metric { name, unit, dimensions }| {
        let dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
        ((*name).to_owned(), ((*unit).to_owned(), dimensions))
    });
    assert_eq!(told, declared.collect());
}

#[tokio::test]
async fn calls_are_measured_by_source_and_outcome() {
    let (measured, _guard) = measured();
    let mut world = World::proxied().await;
    let body = request("1", "jane@customers.example");
    world.post("/v1/requests", &body).await;
    world.post("/v1/requests", &body).await;
    let mut open = request("2", "omar@customers.example");
    open["status"] = json!("open");
    world.post("/v1/webhooks/zendesk", &open).await;
    world.post("/v1/webhooks/freshdesk", &request("3", "ines@customers.example")).await;
    let gladly = Post::gladly("event-1", "conversation-closed");
    world.post(gladly.path, &gladly.body).await;
    world.call("POST", "/v1/webhooks/gorgias", &[("x-api-key", LIVE)], "no JSON").await;
    let mut unknown = request("4", "mia@customers.example");
    unknown["channel"] = json!("pigeon");
    assert_eq!(world.post("/v1/requests", &unknown).await.status, 400);
    let throttled = Fault::Reply(InjectedReply::throttled());
    world.stack.proxies.as_ref().unwrap().dynamodb.fail_next("TransactWriteItems", 9, throttled);
    let late = world.post("/v1/webhooks/freshdesk", &request("5", "leo@customers.example")).await;
    assert_eq!(late.status, 503);
    assert_eq!(
        measured.sums(),
        sums([
            ("Requests freshdesk queued", 1),
            ("Requests gladly unresolved", 1),
            ("Requests gorgias refused", 1),
            ("Requests requests duplicate", 1),
            ("Requests requests invalid", 1),
            ("Requests requests queued", 1),
            ("Requests zendesk ignored", 1),
            ("Unavailable", 1),
            ("WebhookDeliveries freshdesk", 2),
            ("WebhookDeliveries gladly", 1),
            ("WebhookDeliveries gorgias", 1),
            ("WebhookDeliveries zendesk", 1),
        ])
    );
    world.settle().await;
}

#[tokio::test]
async fn mails_and_sweeps_are_measured_by_what_became_of_them() {
    let (measured, _guard) = measured();
    let mut world = World::proxied().await;
    for (ext, email) in [
        ("1", "jane@customers.example"),
        ("2", "bounce@simulator.amazonses.com"),
        ("3", "complaint@simulator.amazonses.com"),
    ] {
        world.post("/v1/requests", &request(ext, email)).await;
    }
    measured.take();
    world.settle().await;
    let of_mails = measured.sums();
    for (name, sum) in [
        ("Mails sent", 3),
        ("Mails delivered", 2),
        ("Mails hard_bounce", 1),
        ("Mails complained", 1),
        ("Bounces", 1),
        ("Complaints", 1),
    ] {
        assert_eq!(of_mails.get(name), Some(&sum), "{name}: {of_mails:?}");
    }

    let ses = |world: &World, fault: Fault| {
        let ses = &world.stack.proxies.as_ref().unwrap().ses;
        ses.plan(move |_| fault.clone());
    };
    ses(
        &world,
        Fault::Reply(InjectedReply::error(
            StatusCode::BAD_REQUEST,
            "SendingPausedException",
            "Sending is paused.",
        )),
    );
    world.post("/v1/requests", &request("4", "omar@customers.example")).await;
    measured.take();
    world.settle().await;
    assert_eq!(measured.sums(), sums([("Mails refused", 1), ("SendingPaused", 1)]));

    ses(&world, Fault::CutAfter);
    world.post("/v1/requests", &request("5", "ines@customers.example")).await;
    measured.take();
    world.settle().await;
    let unknown = measured.sums();
    assert_eq!(unknown.get("UnknownOutcomes"), Some(&1), "{unknown:?}");
    assert_eq!(unknown.get("Mails unknown"), Some(&1), "{unknown:?}");
    ses(&world, Fault::None);

    world.company(json!({ "from": "nobody" }));
    world.post("/v1/requests", &request("6", "mia@customers.example")).await;
    world.advance(SignedDuration::from_secs(11));
    measured.take();
    world.settle().await;
    let held = measured.sums();
    assert_eq!(held.get("HeldRequests"), Some(&1), "{held:?}");
    assert_eq!(held.get("Mails held"), Some(&1), "{held:?}");
    assert!(held["ConfigurationFaults"] > 0);

    world.advance(SignedDuration::from_mins(90));
    world.sweep().await;
    let swept = measured.sums();
    assert_eq!(swept["Sweeps"], 1, "{swept:?}");
    assert!(swept["SweptRows"] >= 1, "{swept:?}");
    assert!(swept["OldestDueSeconds"] > 80 * 60, "{swept:?}");

    world.advance(SignedDuration::from_hours(24 * 100));
    for _ in 0..4 {
        world.sweep().await;
        world.settle().await;
        world.advance(SignedDuration::from_hours(24));
    }
    let ended = measured.sums();
    assert!(ended.get("GivenUp").is_some_and(|requests| *requests > 0), "{ended:?}");
}

#[tokio::test]
async fn another_subject_secret_is_measured() {
    let (measured, _guard) = measured();
    let subject_secret = "another".to_owned();
    let world = World::with(Options { subject_secret, ..Options::default() }).await;
    assert_eq!(world.post("/v1/requests", &request("1", "j@customers.example")).await.status, 503);
    let expected = sums([("SubjectSecretMismatches", 1), ("Unavailable", 1)]);
    assert_eq!(measured.sums(), expected);
}

/// Each declared metric is emitted by one of the tests above, or by a unit test beside the code.
#[test]
fn every_metric_is_emitted_somewhere() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut text, mut folders) = (String::new(), vec![folder.join("functions")]);
    folders.extend(["intake", "store"].map(|name| folder.join("shared").join(name)));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for metric in METRICS {
        let measure = format!("Measure::{}", metric.name);
        let names = text.match_indices(&measure).any(|(at, _)| {
            let next = text[at + measure.len()..].chars().next();
            !next.is_some_and(char::is_alphanumeric)
        });
        assert!(names, "{measure} is measured nowhere");
    }
}
