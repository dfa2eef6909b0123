//! Zendesk, Freshdesk and Gladly: the sample bodies, and bodies that no template of the vendor
//! makes.

use normalize::{
    Ignored, Inbound, Malformed, Note, SurveyRequest, freshdesk, gladly, gorgias, masked_body,
    zendesk,
};
use serde_json::{Value, json};

fn survey(parsed: Result<Inbound, Malformed>) -> SurveyRequest {
    match parsed {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn email(request: &SurveyRequest) -> Option<String> {
    request.customer.address.valid().map(|a| a.as_mailbox())
}

#[test]
fn sample_bodies_are_surveys() {
    for (parsed, name) in [
        (zendesk::parse(include_bytes!("bodies/zendesk.json")), "Jane Doe"),
        (zendesk::parse(include_bytes!("bodies/zendesk_broken.json")), "Jane \"JD\" Doe"),
        (freshdesk::parse(include_bytes!("bodies/freshdesk.json")), "Jane Doe"),
        (freshdesk::parse(include_bytes!("bodies/freshdesk_wrapped.json")), "Jane Doe"),
        (freshdesk::parse(include_bytes!("bodies/freshdesk_simple.json")), "Jane Doe"),
        (gorgias::parse(include_bytes!("bodies/gorgias.json")), "Jane Doe"),
        (gorgias::parse(include_bytes!("bodies/gorgias_pairs.json")), "Jane Doe"),
    ] {
        let request = survey(parsed);
        assert_eq!(request.customer.name.as_deref(), Some(name));
        assert_eq!(email(&request).as_deref(), Some("jane.doe@example.com"));
        assert_eq!(request.employee.as_ref().unwrap().email(), Some("paul.agent@example.com"));
        assert!(["email", "chat"].contains(&request.channel.as_str()));
        assert!(
            request.ext_interaction_id.is_some()
                && request.external_url.as_deref().is_none_or(|u| u.starts_with("https://"))
        );
        assert_eq!(request.notes.is_empty(), !name.contains('"'));
    }
    let broken = survey(zendesk::parse(include_bytes!("bodies/zendesk_broken.json")));
    assert_eq!(broken.notes, [Note::Repaired { pointer: "/customer/name".into() }]);
}

#[test]
fn numbers_and_unknown_properties_are_accepted() {
    let body = json!({"channel": "email", "ext_interaction_id": 4711, "subject": "x",
                      "nested": {"a": [1]}, "brand": null, "language": "None",
                      "customer": {"email": "jane@example.com", "age": 3},
                      "employee": {"custom_id": 7}, "country": "Germany", "tags": "a b",
                      "custom_properties": {"n": 1, "b": true, "o": {}},
                      "external_url": "{{ticket.url}}"});
    let request = survey(zendesk::parse(body.to_string().as_bytes()));
    assert_eq!(request.ext_interaction_id.as_deref(), Some("4711"));
    assert_eq!(request.employee.unwrap().custom_id(), Some("7"));
    assert_eq!(request.tags, ["a", "b"]);
    assert_eq!(
        (request.brand, request.language, request.country, request.external_url),
        (None, None, None, None)
    );
    assert_eq!(
        request.custom_properties.into_iter().collect::<Vec<_>>(),
        [("b".into(), "true".into()), ("n".into(), "1".into())]
    );
    let dropped = |pointer: &str| Note::Dropped { pointer: pointer.into() };
    assert_eq!(request.notes, [dropped("/country"), dropped("/custom_properties/o")]);
    for channel in [json!(""), json!(null), json!("{{ticket.via}}"), json!({})] {
        let body = json!({"channel": channel});
        assert_eq!(zendesk::parse(body.to_string().as_bytes()).unwrap_err().code, "invalid_body");
    }
}

#[test]
fn the_status_of_the_ticket_is_kept_as_written() {
    let long = "x".repeat(2_000);
    for (status, expected) in [
        (json!("open"), Some("open")),
        (json!(" En attente "), Some("En attente")),
        (json!(2), Some("2")),
        (json!(""), None),
        (json!("-"), None),
        (json!("None"), None),
        (json!("null"), None),
        (json!(null), None),
        (json!("{{ticket.status}}"), None),
        (json!(long), Some(&long[..1_024])),
    ] {
        let body = json!({"channel": "email", "status": status}).to_string();
        for parse in [zendesk::parse, freshdesk::parse] {
            assert_eq!(survey(parse(body.as_bytes())).status.as_deref(), expected, "{status}");
        }
        assert_eq!(
            normalize::requests::parse(body.as_bytes()).unwrap_err().errors[0].pointer,
            "/status"
        );
    }
    assert_eq!(survey(zendesk::parse(b"{\"channel\": \"email\"}")).status, None);
    // The status is not free text, so that a broken one is refused and not repaired.
    let broken = br#"{"status": "solved", "customer": {"name": "Jane "JD"", "email": "j@b.co"},
                      "channel": "email"}"#;
    assert_eq!(survey(zendesk::parse(broken)).status.as_deref(), Some("solved"));
    assert!(zendesk::parse(b"{\"status\": \"sol\"ved\", \"channel\": \"email\"}").is_err());
}

#[test]
fn a_freshdesk_body_in_both_shapes_is_refused() {
    let people = json!({"customer": {"name": "J", "email": "j@b.co"},
                        "employee": {"custom_id": "7"}, "channel": "email"});
    let flat = json!({"ticket_contact_name": "J", "ticket_contact_email": "j@b.co", "ticket_id": 1,
                      "ticket_source": "Email"});
    for (shape, more, place) in [
        (&people, json!({"ticket_agent_email": "x@b.co"}), "/ticket_agent_email"),
        (&people, json!({"ticket_contact_email": "x@b.co"}), "/ticket_contact_email"),
        (&people, json!({"ticket_contact_name": null}), "/ticket_contact_name"),
        (&flat, json!({"employee": {"custom_id": "1"}}), "/ticket_contact_name"),
        (&flat, json!({"employee": null}), "/ticket_contact_name"),
        (&flat, json!({"customer": {"custom_id": "1"}}), "/ticket_contact_name"),
        (&flat, json!({"z": [{"ticket_id": 2}]}), "/z/0/ticket_id"),
        (
            &flat,
            json!({"custom_properties": {"ticket_tags": "x"}}),
            "/custom_properties/ticket_tags",
        ),
    ] {
        let mut body = shape.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for (body, base) in
            [(body.clone(), ""), (json!({ "freshdesk_webhook": body }), "/freshdesk_webhook")]
        {
            let malformed =
                freshdesk::parse(body.to_string().as_bytes()).expect_err(&body.to_string());
            assert_eq!(
                (malformed.code, malformed.errors[0].pointer.as_str()),
                ("invalid_body", &*format!("{base}{place}")),
                "{body}"
            );
        }
    }
    // A body in the vendor's shape may have `ticket_id`, and a custom property `ticket_tags`.
    let mut body = people.clone();
    body["ticket_id"] = json!(24);
    body["custom_properties"] = json!({"ticket_tags": "x"});
    let request = survey(freshdesk::parse(body.to_string().as_bytes()));
    assert_eq!(
        (request.ext_interaction_id.as_deref(), request.custom_properties.len()),
        (Some("24"), 1)
    );
    let beside = json!({"freshdesk_webhook": people, "z": {"ticket_id": 1}});
    assert_eq!(
        freshdesk::parse(beside.to_string().as_bytes()).unwrap_err().errors[0].pointer,
        "/z"
    );
}

#[test]
fn the_customers_id_is_left_out_where_a_name_could_have_injected_it() {
    for (customer, expected) in [
        (r#"{"name": "J", "email": "j@b.co", "custom_id": "7"}"#, Some("7")),
        (r#"{"custom_id": "7", "name": "J", "email": "j@b.co"}"#, Some("7")),
        (r#"{"email": "j@b.co", "custom_id": "7", "name": "J"}"#, Some("7")),
        (r#"{"custom_id": "7"}"#, Some("7")),
        (r#"{"name": "J", "custom_id": "7", "email": "j@b.co"}"#, None),
        (r#"{"email": "j@b.co", "name": "J", "custom_id": "7"}"#, None),
        (r#"{"name": "J", "custom_id": "7"}"#, None),
        // The same in broken JSON.
        (r#"{"name": "J "JD"", "email": "j@b.co", "custom_id": "7"}"#, Some("7")),
        (r#"{"name": "J "JD"", "custom_id": "7", "email": "j@b.co"}"#, None),
    ] {
        let body = format!("{{\"channel\": \"email\", \"customer\": {customer}}}");
        let request = survey(zendesk::parse(body.as_bytes()));
        assert_eq!(request.customer.custom_id.as_deref(), expected, "{customer}");
        let dropped =
            request.notes.contains(&Note::Dropped { pointer: "/customer/custom_id".into() });
        assert_eq!(dropped, expected.is_none(), "{customer}");
    }
    // Nothing can be injected into a program's body.
    let body = br#"{"channel": "email", "customer": {"name": "J", "custom_id": "7"}}"#;
    assert_eq!(survey(normalize::requests::parse(body)).customer.custom_id.as_deref(), Some("7"));
}

#[test]
fn people_in_other_places_are_refused() {
    for body in [
        json!({"channel": "a", "customer": {"name": "Eve", "email": "victim@example.com"},
               "x": {"email": "eve@example.com"}}),
        json!({"channel": "a", "x": [{"customer": {"email": "eve@example.com"}}]}),
        json!({"channel": "a", "x".repeat(5_000): {"email": "eve@example.com"}}),
        json!({"channel": "a", "customer": {"x": {"email": "eve@example.com"}}}),
        json!({"freshdesk_webhook": {"channel": "a"}, "customer": {"email": "eve@example.com"}}),
        json!({"freshdesk_webhook": {"channel": "a", "customer": {"email": "v@example.com"},
               "ticket_contact_email": "eve@example.com"}}),
        json!({"freshdesk_webhook": {"channel": "a", "ticket_contact_email": "v@example.com"},
               "z": {"ticket_contact_email": "eve@example.com"}}),
    ] {
        assert_eq!(
            freshdesk::parse(body.to_string().as_bytes()).expect_err(&body.to_string()).code,
            "invalid_body"
        );
    }
}

#[test]
fn broken_bodies_of_other_shapes_are_repaired_or_refused() {
    // Another order, line breaks, unknown keys, numbers, trailing commas, and quotation marks in a
    // free text.
    let body = r#"{
 "subject": "He said "hi"",
 "customer": {"email": "jane@example.com", "name": "J",},
 "employee": {"email": "a@example.com"},
 "ext_interaction_id": 24,
 "channel": "chat",
}"#;
    let request = survey(zendesk::parse(body.as_bytes()));
    assert_eq!(
        (email(&request).as_deref(), request.ext_interaction_id.as_deref()),
        (Some("jane@example.com"), Some("24"))
    );
    let body = body.replace(
        "\"channel\"",
        "\"custom_properties\": {\"k\": \"v\", \"w\": \"a \"b\"\"}, \"channel\"",
    );
    assert_eq!(survey(zendesk::parse(body.as_bytes())).custom_properties["w"], "a \"b\"");
    // Empty objects and null are read.
    let body = r#"{"customer": {"name": "a"b", "email": "j@b.co"}, "custom_properties": {},
                   "channel": "x", "employee": null}"#;
    let request = survey(zendesk::parse(body.as_bytes()));
    assert_eq!((email(&request).as_deref(), request.employee), (Some("j@b.co"), None));
    for (body, place) in [
        ("{\"channel\": \"em\"ail\", \"customer\": {\"email\": \"a@b.co\"}}", "line 1 column 2"),
        ("{\"customer\": {\"email\": \"a\"@b.co\"},\n \"channel\": \"x\"}", "line 1 column 15"),
        ("{\n\"channel\": \"x\",\n\"email\": \"a\nb\"}", "line 3 column 1"),
        ("hello", "line 1 column 1"),
        ("{\"channel\": \"x\"", "line 1 column"),
        ("{\"channel\": \"x\", \"customer\": {\"name\": \"a\"b\"}", "line 1 column"),
    ] {
        let malformed = zendesk::parse(body.as_bytes()).expect_err(body);
        assert_eq!(malformed.code, "malformed_json", "{body}");
        assert!(malformed.detail.contains(place), "{body}: {}", malformed.detail);
    }
    // Latin-1 is repaired, with a note.
    let request =
        survey(zendesk::parse(b"{\"channel\": \"x\", \"customer\": {\"name\": \"Ren\xe9\"}}"));
    assert_eq!(request.customer.name.as_deref(), Some("Ren\u{fffd}"));
    assert_eq!(request.notes.len(), 1);
    // A long body with many possible keys is read in linear time.
    let long = format!(
        "{{\"channel\": \"x\", \"customer\": {{\"name\": \"{}\"}}}}",
        "\",\" {\"".repeat(40_000)
    );
    let _ = zendesk::parse(long.as_bytes());
}

#[test]
fn freshdesks_simple_content_is_read() {
    let body = |more: Value| {
        let mut flat = json!({"ticket_id": 24, "ticket_url": "acme.freshdesk.com/24",
            "ticket_tags": "a, two words,b", "ticket_contact_name": "Jane",
            "ticket_contact_email": "jane@example.com", "ticket_agent_email": "paul@example.com",
            "ticket_source": "Email"});
        flat.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"freshdesk_webhook": flat}).to_string()
    };
    let request = survey(freshdesk::parse(body(json!({})).as_bytes()));
    assert_eq!(
        (request.channel.as_str(), request.tags.len(), request.tags[1].as_str()),
        ("email", 3, "two words")
    );
    for (source, channel) in [
        (json!(1), "email"),
        (json!("2"), "email"),
        (json!("Portal"), "email"),
        (json!(3), "phone"),
        (json!(" Chat "), "chat"),
        (json!(7), "chat"),
        (json!("Feedback Widget"), "Feedback Widget"),
    ] {
        assert_eq!(
            survey(freshdesk::parse(body(json!({"ticket_source": source})).as_bytes())).channel,
            channel
        );
    }
    for (status, expected) in [
        (json!(" Resolved "), Some("Resolved")),
        (json!(4), Some("4")),
        (json!("Gelöst"), Some("Gelöst")),
        (json!("Open"), Some("Open")),
        (json!(""), None),
        (json!(null), None),
        (json!("{{ticket.status}}"), None),
    ] {
        for key in ["ticket_status", "status"] {
            assert_eq!(
                survey(freshdesk::parse(body(json!({ key: status })).as_bytes())).status.as_deref(),
                expected,
                "{key}: {status}"
            );
        }
    }
    let both = body(json!({"ticket_status": "Closed", "status": "Open"}));
    assert_eq!(
        freshdesk::parse(both.as_bytes()).unwrap_err().errors[0].pointer,
        "/freshdesk_webhook/ticket_status"
    );
    // A quotation mark in the name, which Freshdesk does not escape.
    let broken = body(json!({})).replace("Jane", "Jane \"JD\"");
    let request = survey(freshdesk::parse(broken.as_bytes()));
    assert_eq!(
        (request.customer.name.as_deref(), email(&request).as_deref()),
        (Some("Jane \"JD\""), Some("jane@example.com"))
    );
    assert_eq!(
        request.notes,
        [Note::Repaired { pointer: "/freshdesk_webhook/ticket_contact_name".into() }]
    );
    let injected =
        body(json!({})).replace("Jane", "Eve\", \"ticket_contact_email\": \"victim@example.com");
    assert_eq!(freshdesk::parse(injected.as_bytes()).unwrap_err().code, "duplicate_key");
    assert_eq!(freshdesk::parse(b"{\"freshdesk_webhook\": []}").unwrap_err().code, "invalid_body");
}

#[test]
fn gladlys_events_are_read() {
    let closed = |initiator: Value, assignee: Value| {
        let body = json!({"id": "e1", "type": "CONVERSATION/CLOSED",
            "timestamp": "2019-07-03T04:30:12.07Z", "initiator": initiator,
            "content": {"customerId": "cu1", "conversationId": "co1",
                        "context": {"assignee": assignee}}});
        gladly::parse(body.to_string().as_bytes()).unwrap()
    };
    for (kind, assignee, expected) in [
        ("AGENT", json!({"inboxId": "i", "agentId": "a1"}), Some(Some("a1"))),
        ("AGENT", json!({"inboxId": "i"}), Some(None)),
        ("AUTOMATION", json!({"agentId": "a1"}), Some(Some("a1"))),
        ("API", json!({"agentId": "a1"}), Some(Some("a1"))),
        ("API", json!({"agentId": ""}), None),
        ("AUTOMATION", json!(null), None),
        ("CUSTOMER", json!({}), Some(None)),
        ("NEWLY_INVENTED", json!({"agentId": "a1"}), Some(Some("a1"))),
    ] {
        match (closed(json!({"id": "u1", "type": kind}), assignee.clone()), expected) {
            (Inbound::Conversation(closed), Some(agent)) => {
                assert_eq!(closed.agent_id.as_deref(), agent);
                assert_eq!(
                    (
                        closed.event_id.as_str(),
                        closed.conversation_id.as_str(),
                        closed.customer_id.as_str()
                    ),
                    ("e1", "co1", "cu1")
                );
            }
            (Inbound::Ignored(Ignored::NoAgent), None) => {}
            (other, _) => panic!("{kind} {assignee}: {other:?}"),
        }
    }
    for (body, expected) in [
        (json!({"type": "PING"}), Ignored::Ping),
        (json!({"type": "PING", "id": null, "content": [1], "initiator": 7}), Ignored::Ping),
        (json!({"type": "CONVERSATION/REOPENED", "id": "e"}), Ignored::UnknownEvent),
        (json!({"type": "CUSTOMER/MERGED"}), Ignored::UnknownEvent),
    ] {
        assert_eq!(
            gladly::parse(body.to_string().as_bytes()),
            Ok(Inbound::Ignored(expected)),
            "{body}"
        );
    }
    let malformed =
        gladly::parse(b"{\"type\": \"CONVERSATION/CLOSED\", \"content\": {\"customerId\": 7}}")
            .unwrap_err();
    let places: Vec<&str> = malformed.errors.iter().map(|place| place.pointer.as_str()).collect();
    assert_eq!(places, ["/id", "/content/conversationId", "/content/customerId"]);
    assert_eq!(gladly::parse(b"{}").unwrap_err().errors[0].pointer, "/type");
    assert!(matches!(
        gladly::parse(include_bytes!("bodies/gladly_closed.json")),
        Ok(Inbound::Conversation(_))
    ));
    assert_eq!(
        gladly::parse(include_bytes!("bodies/gladly_ping.json")),
        Ok(Inbound::Ignored(Ignored::Ping))
    );
}

#[test]
fn addresses_and_long_numbers_of_a_body_are_masked() {
    let body = concat!(
        r#"{"name":"Jane","email":" jane.doe+x@mail.example.com","#,
        r#""u":"https://x.example/?m=eve%40example.org","j":"a\u0040b.co","id":"4711","#,
        r#""phone":"+4915112345678","é":"ü@ö.example"}"#
    );
    let masked = concat!(
        r#"{"name":"Jane","email":" j***@m***.com","#,
        r#""u":"https://x.example/?m=e***@e***.org","j":"a***@b***.co","id":"4711","#,
        r#""phone":"+***78","é":"ü***@ö***.example"}"#
    );
    assert_eq!(masked_body(body.as_bytes(), 8_192), masked);
    assert_eq!(masked_body("ééé".as_bytes(), 3), "é");
    assert_eq!(masked_body(b"a@", 99), "a***@***");
    let groups = b"card 4111 1111-1111 1111, on 2026-11-21 10:00, version 1.2.3, \
        call 030.123456.78 or +1 (415) 555-2671";
    assert_eq!(
        masked_body(groups, 199),
        "card ***11, on 2026-11-21 10:00, version 1.2.3, call ***78 or +***71"
    );
}
