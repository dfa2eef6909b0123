//! Bodies that Python's Jinja rendered (`fixtures/gorgias.py`), and the shapes that Gorgias sends them in.

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
fn every_rendered_ticket_is_understood_or_refused() {
    for fixture in fixtures() {
        let (case, body) = (fixture["case"].as_str().unwrap(), fixture["body"].as_str().unwrap());
        let ticket = &fixture["ticket"];
        let parsed = gorgias::parse(body.as_bytes());
        let request = match (case, parsed) {
            ("open", Ok(Inbound::Reopened { ext_interaction_id })) => {
                assert_eq!(ext_interaction_id, "48213");
                continue;
            }
            ("snoozed", Ok(Inbound::Ignored(Ignored::Snoozed))) => continue,
            (case, Err(Malformed { .. })) if case.contains("_injected") => continue,
            (_, Ok(Inbound::Survey(request))) => request,
            (case, other) => panic!("{case}: {body}\n{other:?}"),
        };
        assert!(!case.contains("_injected"), "{case} was accepted: {request:?}");
        if case == "no_email" {
            assert_eq!(request.customer.address, CustomerAddress::Missing);
        } else {
            assert_eq!(request.customer.address.valid().unwrap().as_mailbox(), "jane@example.com", "{case}");
        }
        let agent = request.employee.as_ref().and_then(|e| e.email());
        assert_eq!(agent, (case != "unassigned").then_some("agent@example.com"), "{case}");
        let tags: Vec<&str> = ticket["tags"].as_array().into_iter().flatten().map(|t| t["name"].as_str().unwrap()).collect();
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
    json!({"channel": "email", "ext_interaction_id": "7", "status": "closed", "customer_email": "jane@example.com",
           "employee_email": "agent@example.com", "customer_custom_id": 991})
}

#[test]
fn a_list_of_pairs_says_the_same_as_an_object() {
    let pairs: Vec<Value> = closed().as_object().unwrap().iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    assert_eq!(survey(&json!(pairs).to_string()), survey(&closed().to_string()));
    assert_eq!(survey(&json!(pairs).to_string()).customer.custom_id.as_deref(), Some("991"));
    let twice = json!([{"key": "status", "value": "closed"}, {"key": "status", "value": "open"}]);
    assert_eq!(gorgias::parse(twice.to_string().as_bytes()).unwrap_err().code, "duplicate_key");
}

#[test]
fn tags_in_every_spelling() {
    for (tags, expected) in [
        (json!([{"id": 1, "name": "a"}, {"name": "b c"}]), vec!["a", "b c"]),
        (json!(["a", "b"]), vec!["a", "b"]),
        (json!("[{\"name\": \"a\", \"x\": null}]"), vec!["a"]),
        (json!("[{'name': \"don't\", 'at': datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)}]"), vec!["don't"]),
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
        // The last resort may keep a scrap, but never lose a name.
        assert!(expected.iter().all(|tag| read.iter().any(|t| t == tag) || tag.contains('<')), "{tags}: {read:?}");
        assert!(tags.to_string().contains('<') || read.len() == expected.len(), "{tags}: {read:?}");
    }
}

#[test]
fn status_decides() {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Jinja without escaping is plain substitution.
    #[test]
    fn nobody_else_is_ever_mailed(
        name in hostile(), tags in hostile(), meta in hostile(),
    ) {
        let body = include_str!("templates/gorgias/body.jinja.json");
        let body = [
            ("ticket.customer.name", name.as_str()), ("ticket.tags", &tags), ("ticket.meta", &meta), ("ticket.channel", "chat"),
            ("ticket.id", "7"), ("ticket.customer.id", "9"), ("ticket.assignee_user.email", "agent@example.com"),
            ("ticket.snooze_datetime", "None"), ("ticket.status", "closed"), ("ticket.language", "en"),
            ("ticket.customer.email", "jane@example.com"),
        ].iter().fold(body.to_owned(), |body, (slot, value)| body.replacen(&format!("{{{{{slot}}}}}"), value, 1));
        match gorgias::parse(body.as_bytes()) {
            Ok(Inbound::Survey(request)) => {
                prop_assert_eq!(request.customer.address.valid().unwrap().as_mailbox(), "jane@example.com", "{}", body);
                prop_assert_eq!(request.employee.as_ref().and_then(|e| e.email()), Some("agent@example.com"), "{}", body);
                prop_assert_eq!(request.ext_interaction_id.as_deref(), Some("7"), "{}", body);
            }
            Ok(other) => prop_assert!(false, "{body}: {other:?}"),
            Err(_) => {}
        }
    }
}

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
