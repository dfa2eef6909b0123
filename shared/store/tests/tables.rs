//! Every conditional write against a real endpoint, clause by clause.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

#[path = "tables/claims.rs"]
mod claims;
#[path = "tables/due_rows.rs"]
mod due_rows;
#[path = "tables/recording.rs"]
mod recording;
#[path = "tables/rows.rs"]
mod rows;
#[path = "tables/withdrawing.rs"]
mod withdrawing;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use normalize::{Inbound, LanguageTag, Source, SurveyRequest};
use policy::{Approval, Mode, Profile, RequestedVia, Verdict};
use serde_json::{Value, json};
use store::{
    Arrival, Claim, Claimed, Interaction, Lease, Marker, MarkerKey, NewInteraction, Resolution,
    Store,
};
use test_tables::TestTables;
use uuid::Uuid;

const JANE: &str = "jane@customers.example";
const DAYS_90: SignedDuration = SignedDuration::from_hours(24 * 90);
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

/// When everything begins.
fn start() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// Minutes after the start.
fn minute(minutes: i64) -> Timestamp {
    start() + minutes.minutes()
}

/// A request of a customer about a ticket, as a parser reads it.
fn survey(ticket: &str, email: &str) -> SurveyRequest {
    let body = json!({
        "channel": "email", "ext_interaction_id": ticket,
        "customer": { "name": "Jane", "email": email },
        "employee": { "email": "paul@company.example" },
    });
    match normalize::requests::parse(body.to_string().as_bytes()).unwrap() {
        Inbound::Survey(request) => *request,
        other => panic!("{other:?}"),
    }
}

/// A live request that may be sent at once.
fn approved(store: &Store, ticket: &str, email: &str, now: Timestamp) -> NewInteraction {
    let approval = Approval {
        channel: "email".to_owned(),
        brand: Some("kids".to_owned()),
        language: LanguageTag::parse("en").unwrap(),
        employee: Profile {
            email: "paul@company.example".to_owned(),
            name: Some("Paul".to_owned()),
            custom_id: None,
            picture_url: None,
        },
        due: now,
    };
    let verdict = Verdict::Send(approval);
    let resolution = Resolution::of(&survey(ticket, email), verdict, store.secret());
    NewInteraction {
        mode: Mode::Live,
        key: "0".repeat(64),
        requested_via: RequestedVia::Api,
        source: Source::Zendesk,
        arrival: Arrival::Decided(Box::new(resolution)),
        due: now,
        ext_interaction_id: Some(ticket.to_owned()),
        body: None,
        more_tags: None,
        marker: Some(marker_key(store, ticket)),
        retention: DAYS_90,
    }
}

fn marker_key(store: &Store, ticket: &str) -> MarkerKey {
    MarkerKey::new(store.secret(), "interaction", Mode::Live, &[ticket.to_owned()])
}

fn marker(store: &Store, ticket: &str) -> Marker {
    Marker { key: marker_key(store, ticket), window: WEEK, fingerprint: None }
}

/// Records an approved request of Jane's with the marker of its ticket.
async fn recorded(tables: &TestTables, ticket: &str) -> Interaction {
    let row = approved(&tables.store, ticket, JANE, start()).into_row(start());
    let markers = [marker(&tables.store, ticket)];
    tables.store.record(&row, &markers, start()).await.unwrap();
    row
}

/// A claim for a minute, which takes a suppression window of a week.
fn terms() -> Claim<'static> {
    Claim {
        id: Uuid::now_v7(),
        lease: SignedDuration::from_mins(1),
        window: WEEK,
        open: SignedDuration::from_hours(24 * 14),
        ceiling: None,
    }
}

/// Claims; panics if the claim is refused.
async fn claimed<'a>(tables: &TestTables, row: &'a Interaction, now: Timestamp) -> Lease<'a> {
    match tables.store.claim(row, &terms(), now).await.unwrap() {
        Claimed::Yes(lease) => lease,
        refused => panic!("{refused:?}"),
    }
}

/// The row as it is.
async fn read(tables: &TestTables, row: &Interaction) -> Interaction {
    tables.store.interaction(row.request_id, start()).await.unwrap().unwrap()
}

/// Sort keys of the items about this subject or marker.
fn kinds(tables: &TestTables, subject: &str) -> Vec<String> {
    let items = tables.items("suppression");
    let about = items.iter().filter(|item| item["subject"]["S"] == json!(subject));
    about.map(|item| text(item, "kind")).collect()
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}
