//! What the functions measure: every line is in CloudWatch's embedded metric format, says what
//! happened, and has metrics that `metrics::METRICS` declares. The runbook's table has the same,
//! which `template_rules.rs` compares with alarms and dashboard.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::StatusCode;
use jiff::SignedDuration;
use jsonschema::Validator;
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

/// Requires what AWS's JSON schema of the embedded metric format requires, and what the text beside it
/// says of the members that a line's metadata names ("Specification: Embedded metric format" in the
/// CloudWatch user guide).
fn conforms(line: &Map<String, Value>) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema = include_str!("fixtures/emf.schema.json");
        jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
    });
    let whole = Value::Object(line.clone());
    SCHEMA.validate(&whole).unwrap_or_else(|error| panic!("{error} in {whole}"));
    let mut named = BTreeSet::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        for dimension in directive["Dimensions"].as_array().unwrap().iter().flat_map(members) {
            let value = line[dimension].as_str().unwrap();
            assert!((1..=1_024).contains(&value.len()), "{dimension} in {whole}");
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for name in metrics.iter().map(|metric| metric["Name"].as_str().unwrap()) {
            assert!(line[name].is_number(), "{name} in {whole}");
            assert!(named.insert(name), "{name} twice");
        }
    }
}

fn members(set: &Value) -> impl Iterator<Item = &str> {
    set.as_array().unwrap().iter().map(|name| name.as_str().unwrap())
}

#[test]
fn the_schema_refuses_what_cloudwatch_would_not_read() {
    let good = json!({
        "_aws": { "Timestamp": 1, "CloudWatchMetrics": [{
            "Namespace": "Afterword", "Dimensions": [["Stack"]],
            "Metrics": [{ "Name": "Mails", "Unit": "Count" }],
        }] },
        "Stack": "afterword", "Mails": 1,
    });
    conforms(good.as_object().unwrap());
    for (pointer, bad) in [
        ("/_aws/Timestamp", json!("now")),
        ("/_aws/CloudWatchMetrics/0/Namespace", json!("")),
        ("/_aws/CloudWatchMetrics/0/Dimensions", json!([])),
        ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", json!("Pieces")),
        ("/Mails", json!("1")),
        ("/Stack", json!(1)),
    ] {
        let mut line = good.clone();
        *line.pointer_mut(pointer).unwrap() = bad;
        let refused = std::panic::catch_unwind(|| conforms(line.as_object().unwrap()));
        assert!(refused.is_err(), "{pointer}");
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
