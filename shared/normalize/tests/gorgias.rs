//! Gorgias: bodies that Python's Jinja rendered (`fixtures/gorgias.py`), as an object and as a list
//! of pairs.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read ends the test")]

use normalize::{CustomerAddress, Ignored, Inbound, Malformed, SurveyRequest, gorgias};
use proptest::prelude::*;
use serde_json::{Value, json};

fn survey(body: &str) -> SurveyRequest {
    match gorgias::parse(body.as_bytes()) {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{body}\n{other:?}"),
    }
}

fn fixtures() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/gorgias.json")).unwrap()
}

#[test]
fn every_rendered_ticket_is_read_or_refused() {
    for fixture in fixtures() {
        let (case, body) = (fixture["case"].as_str().unwrap(), fixture["body"].as_str().unwrap());
        let ticket = &fixture["ticket"];
        let parsed = gorgias::parse(body.as_bytes());
        let request = match (case, parsed) {
            ("open", Ok(Inbound::Reopened { ext_interaction_id })) => {
                assert_eq!(ext_interaction_id, "48213");
                continue;
            }
            ("snoozed", Ok(Inbound::Snoozed { until, request })) => {
                assert_eq!(
                    until.map(|until| until.to_string()).as_deref(),
                    Some("2030-01-01T00:00:00Z")
                );
                assert_eq!(request.ext_interaction_id.as_deref(), Some("48213"));
                continue;
            }
            (case, Err(Malformed { .. })) if case.contains("_injected") => continue,
            (_, Ok(Inbound::Survey(request))) => request,
            (case, other) => panic!("{case}: {body}\n{other:?}"),
        };
        assert!(!case.contains("_injected"), "{case} was accepted: {request:?}");
        if case == "no_email" {
            assert_eq!(request.customer.address, CustomerAddress::Missing);
        } else {
            assert_eq!(
                request.customer.address.valid().unwrap().as_mailbox(),
                "jane@example.com",
                "{case}"
            );
        }
        let agent = request.employee.as_ref().and_then(|e| e.email());
        assert_eq!(agent, (case != "unassigned").then_some("agent@example.com"), "{case}");
        let tags: Vec<&str> = ticket["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|t| t["name"].as_str().unwrap())
            .collect();
        if case != "tags_newline" && case != "tags_backslash" {
            assert_eq!(request.tags, tags[..tags.len().min(20)], "{case}: {body}");
            assert_eq!(request.surplus_tags, tags[tags.len().min(20)..], "{case}");
        }
        assert!(tags.is_empty() || request.has_tag(tags.last().unwrap()), "{case}");
        if case != "no_language_no_meta" {
            assert_eq!(request.custom_properties["order"], "17", "{case}");
            assert_eq!(request.custom_properties["note"], "it's", "{case}");
            assert!(!request.custom_properties.contains_key("nested"), "{case}");
        }
        let name = request.customer.name.as_deref();
        match case {
            "name_quote" => assert_eq!(name, Some("Jane \"JD\" Doe")),
            "name_apostrophe" => assert_eq!(name, Some("Jane O'Doe")),
            "name_trailing_backslash" => assert_eq!(name, Some("Jane\\")),
            "name_newline" => assert_eq!(name, Some("Jane Bcc: x@y.example")),
            "name_emoji" => assert_eq!(name, Some("Jane 🦊")),
            "name_rtl" => assert_eq!(name, Some("יעל כהן")),
            "name_separators" => assert_eq!(name, Some("Jane Doe")),
            "name_nobody" | "name_empty" | "name_template" => assert_eq!(name, None),
            _ => assert!(name.is_some(), "{case}"),
        }
    }
}

fn closed() -> Value {
    json!({"channel": "email", "ext_interaction_id": "7", "status": "closed",
           "customer_email": "jane@example.com",
           "employee_email": "agent@example.com", "customer_custom_id": 991})
}

#[test]
fn a_list_of_pairs_means_the_same_as_an_object() {
    let pairs: Vec<Value> = closed()
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    assert_eq!(survey(&json!(pairs).to_string()), survey(&closed().to_string()));
    assert_eq!(survey(&json!(pairs).to_string()).customer.custom_id.as_deref(), Some("991"));
    let twice = json!([{"key": "status", "value": "closed"}, {"key": "status", "value": "open"}]);
    assert_eq!(gorgias::parse(twice.to_string().as_bytes()).unwrap_err().code, "duplicate_key");
}

#[test]
fn tags_are_read_in_every_spelling() {
    for (tags, expected) in [
        (json!([{"id": 1, "name": "a"}, {"name": "b c"}]), vec!["a", "b c"]),
        (json!(["a", "b"]), vec!["a", "b"]),
        (json!("[{\"name\": \"a\", \"x\": null}]"), vec!["a"]),
        (
            json!(
                "[{'name': \"don't\", \
                 'at': datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)}]"
            ),
            vec!["don't"],
        ),
        (json!("({'name': u'a'}, 'b', 7)"), vec!["a", "b", "7"]),
        (json!("['a\\x41\\u00e9\\n']"), vec!["aAé"]),
        (json!("a, b ,, -"), vec!["a", "b"]),
        (json!("[{'id': 1, 'name': 'a', 'x': <Tag>}, {'name': 'b'}]"), vec!["a", "x': <Tag>", "b"]),
        (json!("None"), vec![]),
        (json!("[]"), vec![]),
        (json!(""), vec![]),
        (json!(null), vec![]),
        (json!("{'name': 'only'}"), vec!["only"]),
    ] {
        let mut body = closed();
        body["tags"] = tags.clone();
        let read = survey(&body.to_string()).tags;
        // A list that cannot be parsed may yield a surplus piece, but no name may be missing.
        assert!(
            expected.iter().all(|tag| read.iter().any(|t| t == tag) || tag.contains('<')),
            "{tags}: {read:?}"
        );
        assert!(tags.to_string().contains('<') || read.len() == expected.len(), "{tags}: {read:?}");
    }
}

#[test]
fn the_status_decides_what_becomes_of_a_ticket() {
    for (status, expected) in [
        (json!("open"), Ok(Inbound::Reopened { ext_interaction_id: "7".into() })),
        (json!("Open "), Ok(Inbound::Reopened { ext_interaction_id: "7".into() })),
        (json!("pending"), Ok(Inbound::Ignored(Ignored::NotClosed))),
        (json!("None"), Err("/status")),
        (json!("{{ticket.status}}"), Err("/status")),
    ] {
        let mut body = closed();
        body["status"] = status;
        let parsed = gorgias::parse(body.to_string().as_bytes());
        match expected {
            Ok(expected) => assert_eq!(parsed.unwrap(), expected),
            Err(pointer) => assert_eq!(parsed.unwrap_err().errors[0].pointer, pointer),
        }
    }
    assert_eq!(gorgias::parse(b"{}").unwrap_err().errors.len(), 3);
}

#[test]
fn a_snoozed_ticket_has_the_end_of_its_snooze_if_it_can_be_read() {
    for (snooze, expected) in [
        ("2030-01-01T00:00:00", Some("2030-01-01T00:00:00Z")),
        ("2030-01-01 02:00:00.000001+02:00", Some("2030-01-01T00:00:00.000001Z")),
        (
            "datetime.datetime(2030, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)",
            Some("2030-01-01T00:00:00Z"),
        ),
        ("next week", None),
    ] {
        let mut body = closed();
        body["snooze_datetime"] = json!(snooze);
        match gorgias::parse(body.to_string().as_bytes()) {
            Ok(Inbound::Snoozed { until, request }) => {
                assert_eq!(until, expected.map(|time| time.parse().unwrap()), "{snooze}");
                assert_eq!(*request, survey(&closed().to_string()), "{snooze}");
            }
            other => panic!("{snooze}: {other:?}"),
        }
    }
    for none in [
        json!(null),
        json!(""),
        json!("None"),
        json!(" null "),
        json!("{{ticket.snooze_datetime}}"),
    ] {
        let mut body = closed();
        body["snooze_datetime"] = none;
        survey(&body.to_string());
    }
}

#[test]
fn a_broken_list_of_pairs_is_repaired_or_refused() {
    let list = |name: &str| {
        format!(
            r#"[{{"key": "channel", "value": "chat"}},
 {{"key":"customer_name","value":"{name}"}},
 {{"key": "customer_email", "value": "jane@example.com"}},
 {{"key": "ext_interaction_id", "value": 7}}, {{"key": "status", "value": "closed"}},
 {{"key": "tags", "value": "[{{'name': 'vip'}}]"}}]"#
        )
    };
    for (name, expected) in [
        ("Jane \"JD\" Doe", "Jane \"JD\" Doe"),
        ("Jane\\", "Jane\\"),
        ("Jane\nDoe", "Jane Doe"),
        ("\"}, {\"", "\"}, {\""),
        ("\"Jane\"", "\"Jane\""),
    ] {
        let request = survey(&list(name));
        assert_eq!(request.customer.name.as_deref(), Some(expected));
        assert_eq!(request.customer.address.valid().unwrap().as_mailbox(), "jane@example.com");
        assert_eq!((request.ext_interaction_id.as_deref(), request.tags.len()), (Some("7"), 1));
        assert_eq!(request.notes, [normalize::Note::Repaired { pointer: "/customer_name".into() }]);
    }
    let trailing = list("Jane").replace("]\"}]", "]\"},\n]");
    assert_eq!(survey(&trailing).customer.name.as_deref(), Some("Jane"));
    for (body, code, place) in [
        (
            list("Eve\"}, {\"key\": \"customer_email\", \"value\": \"v@example.com"),
            "duplicate_key",
            "/customer_email",
        ),
        (
            list("\"Eve\"}, {\"key\": \"customer_email\", \"value\": \"v@example.com"),
            "duplicate_key",
            "/customer_email",
        ),
        (
            list(
                "Eve\"}, {\"key\": \"z\", \
                 \"value\": [{\"key\": \"customer_email\", \"value\": \"\"}]}, \
                 {\"key\": \"y\", \"value\": \"",
            ),
            "invalid_body",
            "/2",
        ),
        (list("Eve\", \"x\": {\"key\": \" customer_email\"}, \"y\": \""), "invalid_body", "/1"),
        (list("Jane").replace("jane@example.com", "jane\"@example.com"), "malformed_json", ""),
        (list("Jane \"JD\"").replace("closed\"}", "closed\""), "malformed_json", ""),
        (
            "[{\"value\": \"Jane \"JD\"\", \"key\": \"customer_name\"}]".to_owned(),
            "malformed_json",
            "",
        ),
        ("[".to_owned(), "malformed_json", ""),
    ] {
        let malformed = gorgias::parse(body.as_bytes()).expect_err(&body);
        assert_eq!(
            (malformed.code, malformed.errors[0].pointer.as_str()),
            (code, place),
            "{body}: {malformed:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Jinja does not escape, so that plain substitution renders the same.
    #[test]
    fn no_text_changes_who_is_mailed(
        name in hostile(), tags in hostile(), meta in hostile(),
    ) {
        let body = include_str!("templates/gorgias/body.jinja.json");
        let values = [
            ("ticket.customer.name", name.as_str()),
            ("ticket.tags", &tags),
            ("ticket.meta", &meta),
            ("ticket.channel", "chat"),
            ("ticket.id", "7"),
            ("ticket.customer.id", "9"),
            ("ticket.assignee_user.email", "agent@example.com"),
            ("ticket.snooze_datetime", "None"),
            ("ticket.status", "closed"),
            ("ticket.language", "en"),
            ("ticket.customer.email", "jane@example.com"),
        ];
        let body = values.iter().fold(body.to_owned(), |body, (slot, value)| {
            body.replacen(&format!("{{{{{slot}}}}}"), value, 1)
        });
        match gorgias::parse(body.as_bytes()) {
            Ok(Inbound::Survey(request)) => {
                let address = request.customer.address.valid().unwrap().as_mailbox();
                prop_assert_eq!(address, "jane@example.com", "{}", body);
                let employee = request.employee.as_ref().and_then(|e| e.email());
                prop_assert_eq!(employee, Some("agent@example.com"), "{}", body);
                prop_assert_eq!(request.ext_interaction_id.as_deref(), Some("7"), "{}", body);
            }
            Ok(other) => prop_assert!(false, "{body}: {other:?}"),
            Err(_) => {}
        }
    }
}

/// Text made of pieces that could break or imitate the form.
fn hostile() -> impl Strategy<Value = String> {
    let scraps = vec![
        "\"",
        "\\",
        "\n",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "'",
        "\", \"",
        "\": \"",
        "\"customer_email\": \"victim@example.com\"",
        "\"status\": \"open\"",
        "\"z\": {",
        "\"z\": \"",
        "\"}",
        "\"employee_email\": \"x@example.com\"",
        "{'name': 'x'}",
        "None",
        "\"customer_em\\u0061il\": \"v@example.com\"",
    ];
    prop::collection::vec(prop::sample::select(scraps), 0..10).prop_map(|scraps| scraps.concat())
}
