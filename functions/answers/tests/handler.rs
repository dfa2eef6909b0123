//! `GET /v2/data`, through the function.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use intake::Intake;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use normalize::{Inbound, Source};
use policy::{Approval, Mode, Profile, RequestedVia, Verdict};
use serde_json::{Value, json};
use store::{Answer, Answered, Arrival, Interaction, NewInteraction, Resolution};
use test_tables::{LIVE_KEY, TEST_KEY, TestTables, call, reply};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// A request of a customer, recorded at this time.
async fn recorded(tables: &TestTables, ticket: &str, at: Timestamp) -> Interaction {
    let body = json!({
        "channel": "email", "ext_interaction_id": ticket, "country": "de", "tags": ["vip"],
        "external_url": "https://desk.example/1", "custom_properties": { "plan": "gold" },
        "customer": { "name": "Jane Doe", "email": "jane@customers.example", "custom_id": "c1" },
        "employee": { "email": "paul@company.example" },
    });
    let parsed = normalize::requests::parse(body.to_string().as_bytes()).unwrap();
    let Inbound::Survey(request) = parsed else { panic!("{parsed:?}") };
    let verdict = Verdict::Send(Approval {
        channel: "email".to_owned(),
        brand: None,
        language: normalize::LanguageTag::parse("en").unwrap(),
        employee: Profile {
            email: "paul@company.example".to_owned(),
            name: Some("Paul de Peak".to_owned()),
            custom_id: Some("e1".to_owned()),
            picture_url: None,
        },
        due: at,
    });
    let resolution = Resolution::of(&request, verdict, tables.store.secret());
    let row = NewInteraction {
        mode: Mode::Live,
        key: "0".repeat(64),
        requested_via: RequestedVia::Api,
        source: Source::Requests,
        arrival: Arrival::Decided(Box::new(resolution)),
        due: at,
        ext_interaction_id: Some(ticket.to_owned()),
        body: None,
        more_tags: None,
        marker: None,
        retention: SignedDuration::from_hours(24 * 90),
    }
    .into_row(at);
    tables.store.record(&row, &[], at).await.unwrap();
    row
}

async fn answer(tables: &TestTables, row: &Interaction, stars: u8, at: Timestamp) {
    let answer = Answer { stars, comment: None, topics: vec!["speed".to_owned()], at };
    assert_eq!(tables.store.answer(row, &answer).await.unwrap(), Answered::Kept);
}

async fn export(tables: &TestTables, key: &str, query: &str, at: Timestamp) -> (u16, Value) {
    let intake = Intake::new(tables.store.clone());
    let request = call("GET", &format!("/v2/data{query}"), &[("x-api-key", key)], "");
    let Ok(response) = answers::handle(&intake, request, at).await;
    reply(response)
}

#[tokio::test]
async fn an_answer_is_exported_after_ten_seconds_and_joined_with_the_customer_while_kept() {
    let tables = TestTables::company().await;
    let row = recorded(&tables, "1", now()).await;
    answer(&tables, &row, 5, now()).await;
    let (_, early) = export(&tables, LIVE_KEY, "", now() + 9.seconds()).await;
    assert_eq!(early, json!({ "data": [], "next": null }));
    let (_, page) = export(&tables, LIVE_KEY, "", now() + 11.seconds()).await;
    let [row] = page["data"].as_array().unwrap().as_slice() else { panic!("{page}") };
    let customer = json!({
        "custom_id": "c1", "email": "jane@customers.example", "full_name": "Jane Doe",
    });
    let employee = json!({
        "custom_id": "e1", "email": "paul@company.example",
        "first_name": "Paul", "last_name": "de Peak",
    });
    assert_eq!((&row["customer"], &row["employee"]), (&customer, &employee));
    assert_eq!(
        (&row["tags"], &row["country"], &row["external_url"], &row["custom_properties"]),
        (
            &json!(["vip"]),
            &json!("DE"),
            &json!("https://desk.example/1"),
            &json!({ "plan": "gold" })
        )
    );
    let stars = &row["answers"]["agent_star_rating"]["selected_options"]["5"]["integer_value"];
    assert_eq!(stars, 5);
    assert!(row["answers"]["areas_of_excellence"]["selected_options"]["speed"].is_object());
    // The interaction has expired: what was the customer's has gone with it.
    let (_, later) = export(&tables, LIVE_KEY, "", now() + (24 * 91).hours()).await;
    let row = &later["data"][0];
    let nobody = json!({ "custom_id": "", "email": "", "full_name": "" });
    assert_eq!((&row["customer"], &row["tags"]), (&nobody, &json!([])));
    assert_eq!((&row["country"], &row["custom_properties"]), (&Value::Null, &json!({})));
    assert_eq!(row["ext_interaction_id"], "1");
}

#[tokio::test]
async fn a_changed_answer_moves_to_the_end_and_the_cursor_goes_on() {
    let tables = TestTables::company().await;
    let rows = [recorded(&tables, "1", now()).await, recorded(&tables, "2", now()).await];
    for (second, row) in rows.iter().enumerate() {
        answer(&tables, row, 4, now() + i64::try_from(second).unwrap().seconds()).await;
    }
    let after = async |next: &Value, at: Timestamp| {
        let query = next.as_u64().map_or("?limit=1".into(), |n| format!("?limit=1&after={n}"));
        export(&tables, LIVE_KEY, &query, at).await.1
    };
    let first = after(&Value::Null, now() + 1.minute()).await;
    assert_eq!(first["data"][0]["uuid"], json!(rows[0].request_id));
    let first_again = tables.store.interaction(rows[0].request_id, now()).await.unwrap().unwrap();
    answer(&tables, &first_again, 1, now() + 2.minutes()).await;
    let at = now() + 3.minutes();
    let second = after(&first["next"], at).await;
    assert_eq!(second["data"][0]["uuid"], json!(rows[1].request_id));
    let third = after(&second["next"], at).await;
    assert_eq!(third["data"][0]["uuid"], json!(rows[0].request_id));
    assert_eq!((&third["data"][0]["previous_answers"], &third["next"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn a_test_key_sees_nothing_and_a_bad_parameter_is_named() {
    let tables = TestTables::company().await;
    let row = recorded(&tables, "1", now()).await;
    answer(&tables, &row, 5, now()).await;
    let (status, page) = export(&tables, TEST_KEY, "", now() + 1.minute()).await;
    assert_eq!((status, page), (200, json!({ "data": [], "next": null })));
    for query in ["?limit=0", "?limit=1001", "?after=x"] {
        let (status, problem) = export(&tables, LIVE_KEY, query, now()).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")), "{query}");
    }
}

#[tokio::test]
async fn an_answer_that_somebody_has_broken_by_hand_does_not_stop_the_export() {
    let tables = TestTables::company().await;
    let row = recorded(&tables, "1", now()).await;
    let before = (now() - 1.minute()).as_millisecond() * 1_000;
    let broken = json!({
        "month": { "S": "2026-11" }, "sequence_id": { "N": before.to_string() },
        "request_id": { "BOOL": true },
    });
    tables.put("responses", &broken);
    answer(&tables, &row, 5, now()).await;
    for query in ["", "?limit=1"] {
        let (status, page) = export(&tables, LIVE_KEY, query, now() + 1.minute()).await;
        assert_eq!((status, page["data"].as_array().unwrap().len()), (200, 1), "{page}");
        assert_eq!(page["data"][0]["uuid"], json!(row.request_id));
    }
}
