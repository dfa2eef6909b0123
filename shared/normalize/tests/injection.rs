//! Injection: a customer's text in every slot of every template, without escaping. No text changes
//! who is mailed, or about whom.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read ends the test")]

use liquid::ParserBuilder;
use normalize::{Inbound, Malformed, SurveyRequest, freshdesk, gorgias, zendesk};
use proptest::prelude::*;

type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

/// How a template names the agent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Agent {
    Email,
    Id,
}

struct Fixture {
    name: &'static str,
    parse: Parse,
    agent: Agent,
    customer_id: bool,
    text: &'static str,
}

const fn fixture(name: &'static str, parse: Parse, text: &'static str) -> Fixture {
    Fixture { name, parse, agent: Agent::Email, customer_id: false, text }
}

/// The vendor's templates, and other shapes that helpdesks and admins make.
const FIXTURES: &[Fixture] = &[
    fixture("zendesk/email", zendesk::parse, include_str!("templates/zendesk/email.liquid")),
    fixture("zendesk/chat", zendesk::parse, include_str!("templates/zendesk/chat.liquid")),
    fixture("zendesk/phone", zendesk::parse, include_str!("templates/zendesk/phone.liquid")),
    fixture("zendesk/brand", zendesk::parse, include_str!("templates/zendesk/brand.liquid")),
    fixture("zendesk/language", zendesk::parse, include_str!("templates/zendesk/language.liquid")),
    fixture(
        "zendesk/custom-channel",
        zendesk::parse,
        include_str!("templates/zendesk/custom-channel.liquid"),
    ),
    fixture(
        "zendesk/tags-from-one-field",
        zendesk::parse,
        include_str!("templates/zendesk/tags-from-one-field.liquid"),
    ),
    fixture(
        "zendesk/tags-from-two-fields",
        zendesk::parse,
        include_str!("templates/zendesk/tags-from-two-fields.liquid"),
    ),
    fixture("freshdesk/email", freshdesk::parse, include_str!("templates/freshdesk/email.liquid")),
    fixture("freshdesk/chat", freshdesk::parse, include_str!("templates/freshdesk/chat.liquid")),
    fixture("freshdesk/phone", freshdesk::parse, include_str!("templates/freshdesk/phone.liquid")),
    fixture("freshdesk/brand", freshdesk::parse, include_str!("templates/freshdesk/brand.liquid")),
    fixture(
        "freshdesk/language",
        freshdesk::parse,
        include_str!("templates/freshdesk/language.liquid"),
    ),
    Fixture {
        customer_id: true,
        ..fixture(
            "gorgias/object",
            gorgias::parse,
            include_str!("templates/gorgias/body.jinja.json"),
        )
    },
    Fixture {
        customer_id: true,
        ..fixture(
            "gorgias/pairs",
            gorgias::parse,
            r#"[{"key": "channel", "value": "chat"}, {"key": "meta", "value": "{{ticket.meta}}"},
                {"key": "ext_interaction_id", "value": "{{ticket.id}}"},
                {"key": "customer_custom_id", "value": "{{ticket.customer.id}}"},
                {"key": "employee_email", "value": "{{ticket.assignee_user.email}}"},
                {"key": "customer_name", "value": "{{ticket.customer.name}}"},
                {"key": "status", "value": "{{ticket.status}}"},
                {"key": "tags", "value": "{{ticket.tags}}"},
                {"key": "customer_email", "value": "{{ticket.customer.email}}"}]"#,
        )
    },
    fixture(
        "gorgias/pairs, address before name",
        gorgias::parse,
        r#"[{"key":"ext_interaction_id","value":"7"}, {"key":"channel","value":"chat"},
            {"key": "employee_email", "value": "{{ticket.assignee_user.email}}"},
            {"key": "customer_email", "value": "{{ticket.customer.email}}"},
            {"key": "status", "value": "closed"},
            {"key": "customer_name", "value": "{{ticket.customer.name}}"},
            {"key": "tags", "value": "{{ticket.tags}}"}]"#,
    ),
    fixture(
        "freshdesk/simple",
        freshdesk::parse,
        r#"{"freshdesk_webhook":{"ticket_id":7,"ticket_subject":"{{ticket.title}}",
            "ticket_tags":"{{ticket.tags}}","ticket_contact_name":"{{ticket.requester.name}}",
            "ticket_contact_email":"{{ticket.from_email}}",
            "ticket_agent_email":"{{ticket.agent.email}}","ticket_source":"Email",
            "ticket_status":"Resolved",
            "ticket_description":"{{ticket.description}}"}}"#,
    ),
    fixture(
        "freshdesk/simple, people first",
        freshdesk::parse,
        r#"{"freshdesk_webhook":{"ticket_contact_email":"{{ticket.from_email}}",
            "ticket_agent_email":"{{ticket.agent.email}}",
            "ticket_contact_name":"{{ticket.requester.name}}",
            "ticket_source":"Email","ticket_subject":"{{ticket.title}}","ticket_id":7,
            "ticket_description":"{{ticket.description}}"}}"#,
    ),
    fixture(
        "freshdesk/simple without its wrapper",
        freshdesk::parse,
        r#"{"ticket_contact_email":"{{ticket.from_email}}",
            "ticket_agent_email":"{{ticket.agent.email}}","ticket_subject":"{{ticket.title}}",
            "ticket_source":"Email","ticket_contact_name":"{{ticket.requester.name}}",
            "ticket_id":7,"ticket_tags":"{{ticket.tags}}"}"#,
    ),
    fixture(
        "freshdesk/advanced in its wrapper",
        freshdesk::parse,
        r#"{"freshdesk_webhook": {"employee": {"email": "{{ticket.agent.email}}"},
            "channel": "email", "brand": "{{ticket.brand}}",
            "customer": {"email": "{{ticket.from_email}}", "name": "{{ticket.requester.name}}"},
            "ext_interaction_id": "{{ticket.id}}",
            "tags": "{{ticket.tags}}"}}"#,
    ),
    Fixture {
        agent: Agent::Id,
        ..fixture(
            "freshdesk/agent by id",
            freshdesk::parse,
            r#"{"customer": {"email": "{{ticket.from_email}}",
                "name": "{{ticket.requester.name}}"},
                "employee": {"custom_id": "{{ticket.agent.id}}"},
                "channel": "email", "ext_interaction_id": "{{ticket.id}}",
                "custom_properties": {"subject": "{{ticket.title}}",
                "text": "{{ticket.description}}"}}"#,
        )
    },
    Fixture {
        agent: Agent::Id,
        customer_id: true,
        ..fixture(
            "zendesk/people by id",
            zendesk::parse,
            r#"{"channel": "email", "custom_properties": {"subject": "{{ticket.title}}"},
                "tags": ["{{ticket.tags}}"],
                "customer": {"name": "{{ticket.requester.name}}", "email": "{{ticket.from_email}}",
                "custom_id": "{{ticket.customer.id}}"},
                "employee": {"custom_id": "{{ticket.agent.id}}"},
                "ext_interaction_id": "{{ticket.id}}", "status": "{{ticket.status}}"}"#,
        )
    },
];

#[derive(Clone, Debug, Default)]
struct Texts {
    name: String,
    title: String,
    tags: String,
    brand: String,
    description: String,
    meta: String,
}

fn render(fixture: &Fixture, texts: &Texts) -> String {
    let template = fixture
        .text
        .replace("YOUR CUSTOM ID HERE", "360001")
        .replace("YOUR CUSTOM CHANNEL NAME", "Web form");
    let person = || {
        liquid::object!({
            "id": "9", "name": texts.name, "email": "jane@example.com",
            "locale": "pt-br", "language": "pt-BR",
        })
    };
    let agent = || liquid::object!({"id": "70", "email": "agent@example.com"});
    let mut ticket = liquid::object!({
        "id": "7", "link": "https://acme.zendesk.com/agent/tickets/7",
        "url": "acme.freshdesk.com/a/tickets/7", "status": "closed",
        "channel": "chat", "language": "en", "snooze_datetime": "None", "meta": texts.meta,
        "tags": texts.tags, "from_email": "jane@example.com",
        "title": texts.title, "description": texts.description, "ticket_field_360001": "",
        "cf_do_not_send_stella_connect_request": "",
        "ticket_field_option_title_360001": texts.title, "assignee": agent(), "agent": agent(),
        "assignee_user": agent(),
        "requester": person(), "contact": person(), "customer": person(),
    });
    let brand = liquid::model::Value::scalar(texts.brand.clone());
    let named = template.contains("ticket.brand.name");
    ticket.insert(
        "brand".into(),
        if named { liquid::model::Value::Object(liquid::object!({"name": brand})) } else { brand },
    );
    let parser = ParserBuilder::with_stdlib().build().unwrap();
    parser.parse(&template).unwrap().render(&liquid::object!({"ticket": ticket})).unwrap()
}

/// Checks that people and ticket are the template's own. `None` if the body was refused.
fn check_people(fixture: &Fixture, body: &str) -> Result<Option<SurveyRequest>, String> {
    let request = match (fixture.parse)(body.as_bytes()) {
        Ok(Inbound::Survey(request) | Inbound::Snoozed { request, .. }) => request,
        Ok(_) => return Err(format!("{}: no survey\n{body}", fixture.name)),
        Err(_) => return Ok(None),
    };
    let employee = request.employee.as_ref();
    let read = (
        request.customer.address.valid().map(|address| address.as_mailbox()),
        request.customer.custom_id.as_deref(),
        employee.and_then(|e| e.email()),
        employee.and_then(|e| e.custom_id()),
        request.ext_interaction_id.as_deref(),
    );
    let (email, id) = if fixture.agent == Agent::Email {
        (Some("agent@example.com"), None)
    } else {
        (None, Some("70"))
    };
    let own = (
        Some("jane@example.com".to_owned()),
        fixture.customer_id.then_some("9"),
        email,
        id,
        Some("7"),
    );
    if read == own {
        Ok(Some(*request))
    } else {
        Err(format!("{}: {read:?}\n{body}", fixture.name))
    }
}

#[test]
fn plain_texts_pass_through_every_template() {
    for texts in [
        Texts {
            name: "Jane Doe".into(),
            title: "Late".into(),
            tags: "vip".into(),
            brand: "Kids".into(),
            description: "Hi".into(),
            meta: "None".into(),
        },
        Texts {
            name: "Jane \"JD\" Doe".into(),
            title: "It's {late}".into(),
            tags: "vip".into(),
            ..Texts::default()
        },
        Texts::default(),
    ] {
        for fixture in FIXTURES {
            let body = render(fixture, &texts);
            let request = check_people(fixture, &body).unwrap();
            assert!(
                request
                    .is_some_and(|request| request.customer.name.unwrap_or_default() == texts.name),
                "{body}"
            );
        }
    }
}

#[test]
fn known_attacks_are_refused() {
    let refused = |name: &str, texts: Texts| {
        let fixture = FIXTURES.iter().find(|fixture| fixture.name == name).unwrap();
        let body = render(fixture, &texts);
        (fixture.parse)(body.as_bytes()).expect_err(&body).errors[0].pointer.clone()
    };
    let title = |title: &str| Texts { title: title.into(), ..Texts::default() };
    let name = |name: &str| Texts { name: name.into(), ..Texts::default() };
    let agent = title(r#"x", "employee": {"custom_id": "1"}, "z": ""#);
    assert_eq!(refused("freshdesk/simple", agent), "/freshdesk_webhook/ticket_contact_name");
    let agent = name(r#"Eve"}, "ticket_agent_email": "other@example.com", "z": {"q": ""#);
    assert_eq!(refused("freshdesk/agent by id", agent), "/ticket_agent_email");
    let ticket = name(r#"Eve"}, "z": {"q": ""#);
    assert_eq!(refused("freshdesk/simple, people first", ticket), "/z");
    let address = name(
        "Eve\"}, {\"key\": \"customer_email\", \"value\": \"victim@example.com\"}, \
         {\"key\": \"z\", \"value\": \"",
    );
    assert_eq!(refused("gorgias/pairs", address), "/customer_email");
}

/// A property to inject, with its key in some spelling.
fn property() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "email",
        "custom_id",
        "name",
        "customer",
        "employee",
        "customer_email",
        "employee_email",
        "customer_custom_id",
        "ticket_agent_email",
        "ticket_contact_email",
        "ticket_contact_name",
        "ticket_id",
        "ext_interaction_id",
        "freshdesk_webhook",
        "custom_properties",
        "key",
        "value",
        "channel",
        "status",
        "ticket_status",
        "snooze_datetime",
        "tags",
        "z",
    ]);
    let spelled = (key, 0..6).prop_map(|(key, how)| match how {
        0 => key.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
        1 => key.to_uppercase(),
        2 => format!(" {key}"),
        _ => key.to_owned(),
    });
    let value = prop::sample::select(vec![
        "\"victim@example.com\"",
        "\"closed\"",
        "null",
        "7",
        "[]",
        "{}",
        "{\"email\": \"victim@example.com\"}",
        "{\"custom_id\": \"1\"}",
        "[{\"key\": \"customer_email\", \"value\": \"victim@example.com\"}]",
        "\"a\"b\"",
        "victim@example.com",
    ]);
    (spelled, value).prop_map(|(key, value)| format!("\"{key}\": {value}"))
}

/// A text that ends its own value, adds properties, and begins another value, which the rest of the
/// template then belongs to.
fn injection() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["", "\"", "\"}", "\"}}", "\"]", "\"}]", "\\\"", "\" \"}"]);
    let begin = prop::sample::select(vec![
        "",
        "\"z\": \"",
        "\"z\": {\"q\": \"",
        "\"z\": {\"y\": {\"q\": \"",
        "\"z\": [{\"q\": \"",
        "\"z\": [\"",
        "{\"key\": \"z\", \"value\": \"",
        "{\"key\": \"z\", \"value\": [{\"q\": \"",
        "\"customer\": {\"name\": \"",
        "\"employee\": {\"email\": \"",
        "\"custom_properties\": {\"q\": \"",
        "\\",
    ]);
    let pair = prop::sample::select(vec![
        "{\"key\": \"customer_email\", \"value\": \"victim@example.com\"}",
        "{\"value\": \"victim@example.com\", \"key\": \"employee_email\"}",
        "{\"key\": \"customer_custom_id\", \"value\": \"1\"}",
    ]);
    let more = prop_oneof![4 => property(), 1 => pair.prop_map(str::to_owned)];
    (prop::sample::select(vec!["Eve", "", "\"Eve"]), end, prop::collection::vec(more, 0..4), begin)
        .prop_map(|(text, end, more, begin)| {
            let parts: Vec<String> = std::iter::once(format!("{text}{end}"))
                .chain(more)
                .chain((!begin.is_empty()).then(|| begin.to_owned()))
                .collect();
            parts.join(", ")
        })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => injection(), 5 => Just("Jane".to_owned()), 1 => "[\"\\\\,:{}\\[\\] a\n]{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn one_text_does_not_change_who_is_mailed(
        text in injection(), slot in 0..6_usize, pick in 0..FIXTURES.len(),
    ) {
        let mut texts = Texts { name: "Jane".into(), ..Texts::default() };
        let slot = match slot {
            0 => &mut texts.title,
            1 => &mut texts.tags,
            2 => &mut texts.brand,
            3 => &mut texts.meta,
            _ => &mut texts.name,
        };
        *slot = text;
        if let Err(problem) = check_people(&FIXTURES[pick], &render(&FIXTURES[pick], &texts)) {
            prop_assert!(false, "{}", problem);
        }
    }

    #[test]
    fn several_texts_do_not_change_who_is_mailed(
        name in text(), title in text(), tags in text(), brand in text(), description in text(),
        meta in text(), pick in 0..FIXTURES.len(),
    ) {
        let texts = Texts { name, title, tags, brand, description, meta };
        if let Err(problem) = check_people(&FIXTURES[pick], &render(&FIXTURES[pick], &texts)) {
            prop_assert!(false, "{}", problem);
        }
    }
}
