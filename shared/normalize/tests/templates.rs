//! Every template that admins paste, rendered by a Liquid engine with hostile tickets.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read ends the test")]

use liquid::ParserBuilder;
use normalize::{Inbound, Malformed, SurveyRequest, freshdesk, zendesk};
use proptest::prelude::*;

type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

const TEMPLATES: &[(&str, Parse, &str)] = &[
    ("zendesk/email", zendesk::parse, include_str!("templates/zendesk/email.liquid")),
    ("zendesk/chat", zendesk::parse, include_str!("templates/zendesk/chat.liquid")),
    ("zendesk/phone", zendesk::parse, include_str!("templates/zendesk/phone.liquid")),
    ("zendesk/brand", zendesk::parse, include_str!("templates/zendesk/brand.liquid")),
    ("zendesk/language", zendesk::parse, include_str!("templates/zendesk/language.liquid")),
    (
        "zendesk/custom-channel",
        zendesk::parse,
        include_str!("templates/zendesk/custom-channel.liquid"),
    ),
    (
        "zendesk/tags-from-one-field",
        zendesk::parse,
        include_str!("templates/zendesk/tags-from-one-field.liquid"),
    ),
    (
        "zendesk/tags-from-two-fields",
        zendesk::parse,
        include_str!("templates/zendesk/tags-from-two-fields.liquid"),
    ),
    ("freshdesk/email", freshdesk::parse, include_str!("templates/freshdesk/email.liquid")),
    ("freshdesk/chat", freshdesk::parse, include_str!("templates/freshdesk/chat.liquid")),
    ("freshdesk/phone", freshdesk::parse, include_str!("templates/freshdesk/phone.liquid")),
    ("freshdesk/brand", freshdesk::parse, include_str!("templates/freshdesk/brand.liquid")),
    ("freshdesk/language", freshdesk::parse, include_str!("templates/freshdesk/language.liquid")),
];

#[derive(Clone, Debug)]
struct Ticket<'a> {
    name: &'a str,
    email: &'a str,
    tags: &'a str,
    title: &'a str,
    brand: &'a str,
    do_not_send: &'a str,
}

const JANE: Ticket<'_> = Ticket {
    name: "Jane Doe",
    email: "jane@example.com",
    tags: "vip returns",
    title: "Late delivery",
    brand: "Blanca Kids",
    do_not_send: "",
};

fn render(template: &str, ticket: &Ticket<'_>) -> String {
    // An admin fills in the id of a field and a name for the channel.
    let template = template
        .replace("YOUR CUSTOM ID HERE", "360001")
        .replace("YOUR CUSTOM CHANNEL NAME", "Web form");
    let person = |email: &str| {
        liquid::object!({
            "name": ticket.name, "email": email, "locale": "pt-br", "language": "pt-BR",
        })
    };
    let mut object = liquid::object!({
        "id": "4711", "link": "https://acme.zendesk.com/agent/tickets/4711",
        "url": "acme.freshdesk.com/a/tickets/4711",
        "tags": ticket.tags, "from_email": ticket.email,
        "assignee": {"email": "agent@example.com"}, "agent": {"email": "agent@example.com"},
        "requester": person(ticket.email), "contact": person(ticket.email),
        "ticket_field_360001": ticket.do_not_send,
        "cf_do_not_send_stella_connect_request": ticket.do_not_send,
        "ticket_field_option_title_360001": ticket.title,
    });
    // Zendesk's brand is an object, Freshdesk's a text.
    let name = liquid::model::Value::scalar(ticket.brand.to_owned());
    let brand = if template.contains("ticket.brand.name") {
        liquid::model::Value::Object(liquid::object!({"name": name}))
    } else {
        name
    };
    object.insert("brand".into(), brand);
    let parser = ParserBuilder::with_stdlib().build().unwrap();
    parser.parse(&template).unwrap().render(&liquid::object!({"ticket": object})).unwrap()
}

fn survey(parse: Parse, body: &str) -> SurveyRequest {
    match parse(body.as_bytes()) {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{body}\n{other:?}"),
    }
}

/// Asserts that people and ticket are those in the template's own places.
fn assert_people(request: &SurveyRequest, body: &str) {
    let address = request.customer.address.valid().map(|a| a.as_mailbox());
    assert_eq!(address.as_deref(), Some("jane@example.com"), "{body}");
    assert_eq!(
        request.employee.as_ref().and_then(|e| e.email()),
        Some("agent@example.com"),
        "{body}"
    );
    assert_eq!(request.ext_interaction_id.as_deref(), Some("4711"), "{body}");
}

#[test]
fn a_name_that_breaks_the_json_is_kept_whole() {
    for (name, expected) in [
        ("Jane Doe", Some("Jane Doe")),
        ("Jane \"JD\" Doe", Some("Jane \"JD\" Doe")),
        ("\"Jane\"", Some("\"Jane\"")),
        ("\"", Some("\"")),
        ("Jane, \"the boss\", Doe", Some("Jane, \"the boss\", Doe")),
        ("C:\\Users\\Jane", Some("C:\\Users\\Jane")),
        ("Jane\\", Some("Jane\\")),
        ("Jane\nDoe", Some("Jane Doe")),
        ("Jane\r\nBcc: victim@example.com", Some("Jane Bcc: victim@example.com")),
        ("Jane\tDoe \u{0}\u{7}", Some("Jane Doe")),
        ("Jane 🦊", Some("Jane 🦊")),
        ("יעל כהן", Some("יעל כהן")),
        ("\u{202E}Jane", Some("Jane")),
        ("Jane\u{2028}Doe", Some("Jane Doe")),
        ("", None),
        ("-", None),
        ("<b>Jane</b> & {Co}", Some("<b>Jane</b> & {Co}")),
        ("}, {", Some("}, {")),
        ("Null", Some("Null")),
    ] {
        for (template, parse, text) in TEMPLATES {
            let body = render(text, &Ticket { name, ..JANE });
            let request = survey(*parse, &body);
            assert_people(&request, &body);
            assert_eq!(request.customer.name.as_deref(), expected, "{template}: {body}");
            assert!(!request.do_not_send);
        }
    }
}

#[test]
fn a_name_that_imitates_the_template_is_refused() {
    for name in [
        "Eve\", \"email\": \"victim@example.com",
        "Eve\", \"email\":\"victim@example.com\" }, \"x\": { \"name\": \"",
        "Eve\", \"email\":\"victim@example.com\" }, \"custom_properties\": { \"name\": \"",
        "Eve\", \"em\\u0061il\":\"victim@example.com\" }, \"x\": { \"name\": \"",
        "Eve\", \"email\":\"victim@example.com\" }, \"customer\": { \"name\": \"\\",
        "Eve\", \"email\":\"victim@example.com\" }, \"customer\": { \"name\": \"",
        "Eve\" }, \"employee\": { \"email\": \"other@example.com\" }, \"x\": { \"y\": \"",
        "\\\", \"email\": \"victim@example.com\", \"x\":\"\n",
    ] {
        for (template, parse, text) in TEMPLATES {
            let body = render(text, &Ticket { name, ..JANE });
            let refused = parse(body.as_bytes());
            let malformed = refused.expect_err(&format!("{template}: {body}"));
            assert!(
                !malformed.errors.is_empty() && !malformed.detail.contains("victim"),
                "{malformed:?}"
            );
        }
    }
    let body =
        render(TEMPLATES[0].2, &Ticket { name: "Eve\", \"email\": \"victim@example.com", ..JANE });
    let malformed = zendesk::parse(body.as_bytes()).unwrap_err();
    assert_eq!(
        (malformed.code, malformed.errors[0].pointer.as_str()),
        ("duplicate_key", "/customer/email")
    );
}

#[test]
fn tags_links_and_do_not_send_are_read_from_every_template() {
    for (template, parse, text) in TEMPLATES {
        let blank = Ticket { name: "", email: "", tags: "", title: "-", ..JANE };
        let request = survey(*parse, &render(text, &blank));
        assert_eq!((request.tags.len(), request.customer.address.valid()), (0, None), "{template}");
        assert_eq!(
            request.external_url.as_deref().map(|u| u.starts_with("https://acme.")),
            Some(true),
            "{template}"
        );

        let many = (0..30).map(|n| format!("t{n}")).collect::<Vec<_>>().join(" ");
        let request = survey(
            *parse,
            &render(text, &Ticket { tags: &many, title: "Lost \"parcel\"", ..JANE }),
        );
        if text.contains("option_title") {
            assert!(
                request.tags.iter().all(|tag| tag == "Lost \"parcel\""),
                "{template}: {:?}",
                request.tags
            );
        } else {
            assert_eq!((request.tags.len(), request.surplus_tags.len()), (20, 10), "{template}");
        }
        for (spelling, wished) in [
            ("1", true),
            ("0", false),
            ("Yes", true),
            (" true ", true),
            ("{{x}}", false),
            ("Bitte nicht", true),
        ] {
            let request = survey(*parse, &render(text, &Ticket { do_not_send: spelling, ..JANE }));
            assert_eq!(request.do_not_send, wished, "{template} {spelling}");
        }
    }
}

#[test]
fn the_test_body_of_the_set_up_page_is_read() {
    let request = survey(zendesk::parse, include_str!("templates/zendesk/target-test.json"));
    assert!(request.do_not_send);
    assert_eq!(request.employee.unwrap().email(), Some("pete.sellar@stellaservice.com"));
}

/// Text made of pieces that could break or imitate a template.
fn hostile() -> impl Strategy<Value = String> {
    let scraps = prop::sample::select(vec![
        "\"",
        "\\",
        "\n",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        " ",
        "\", \"",
        "\":\"",
        "\"email\":",
        "\"email\":\"victim@example.com\"",
        "\"customer\": {",
        "\"employee\": {",
        "\"custom_id\":\"7\"",
        "\"name\":\"x\"",
        "\"tags\": [",
        "\"x\": {",
        "\"x\":\"",
        "\" }, ",
        "victim@example.com",
        "\\u0022",
        "\"em\\u0061il\":",
        "\"ext_interaction_id\":\"4711\"",
        "\"channel\":\"chat\"",
        "null",
        "é",
        "\u{2028}",
        "\"freshdesk_webhook\": {",
        "\"ticket_contact_email\":\"victim@example.com\"",
    ]);
    prop_oneof![
        4 => prop::collection::vec(scraps, 0..14).prop_map(|scraps| scraps.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_text_changes_who_is_mailed(
        name in hostile(), tags in hostile(), title in hostile(), brand in hostile(),
        pick in 0..TEMPLATES.len(),
    ) {
        let (_, parse, text) = TEMPLATES[pick];
        let ticket = Ticket { name: &name, tags: &tags, title: &title, brand: &brand, ..JANE };
        let body = render(text, &ticket);
        if let Ok(Inbound::Survey(request)) = parse(body.as_bytes()) {
            let address = request.customer.address.valid().map(|a| a.as_mailbox());
            prop_assert_eq!(address.as_deref(), Some("jane@example.com"), "{}", body);
            let employee = request.employee.as_ref();
            let email = employee.and_then(|e| e.email());
            prop_assert_eq!(email, Some("agent@example.com"), "{}", body);
            prop_assert_eq!(employee.and_then(|e| e.custom_id()), None, "{}", body);
        }
    }

    #[test]
    fn no_text_in_freshdesks_wrapper_changes_who_is_mailed(
        name in hostile(), tags in hostile(), pick in 8..TEMPLATES.len(),
    ) {
        let (_, parse, text) = TEMPLATES[pick];
        let body = render(text, &Ticket { name: &name, tags: &tags, ..JANE });
        let body = format!("{{\"freshdesk_webhook\": {body}}}");
        if let Ok(Inbound::Survey(request)) = parse(body.as_bytes()) {
            assert_people(&request, &body);
        }
    }

    #[test]
    fn a_hostile_name_alone_does_not_change_who_is_mailed(name in hostile(),
    pick in 0..TEMPLATES.len()) {
        let (_, parse, text) = TEMPLATES[pick];
        let body = render(text, &Ticket { name: &name, ..JANE });
        if let Ok(Inbound::Survey(request)) = parse(body.as_bytes()) {
            assert_people(&request, &body);
        }
    }
}
