//! Mails of notices: the alert as it is mailed, and to whom.

#![expect(
    clippy::expect_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use std::fmt::Write as _;

use jiff::Timestamp;
use links::{Links, TokenSecrets};
use mail::RenderedMail;
use normalize::Source;
use policy::{ErrorsNotice, Notice, Reason, Settings, WaitingFor, WrongRequests};
use serde_json::{Value, json};
use survey_mail::{NoMail, compose_notice};

fn settings(items: &[Value]) -> Settings {
    let items: Vec<_> =
        items.iter().map(|item| item.as_object().expect("an item").clone()).collect();
    Settings::read(&items, language::is_spoken)
}

fn compose(
    items: &[Value],
    wrong: &[(Source, Option<Reason>, u64)],
) -> Result<RenderedMail, NoMail> {
    let secrets = TokenSecrets::parse("v1:0123456789abcdef").expect("secrets");
    let links = Links::new("https://survey.acme.example", secrets).expect("a URL");
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let of = |(source, reason, count): &(Source, Option<Reason>, u64)| WrongRequests {
        source: *source,
        reason: *reason,
        count: *count,
    };
    let errors = ErrorsNotice {
        from: at("2026-11-21T08:41:00Z"),
        until: at("2026-11-21T09:40:12Z"),
        requests: 1_234,
        wrong: 71,
        percent: 5,
        reasons: wrong.iter().map(of).collect(),
    };
    let id = "01987a3e-5c1b-7d52-9f3a-2b6e8c0d4f11".parse().expect("an id");
    let now = at("2026-11-21T09:40:13Z");
    compose_notice(&links, None, id, &Notice::Errors(errors), &settings(items), now)
}

const WRONG: [(Source, Option<Reason>, u64); 5] = [
    (Source::Zendesk, Some(Reason::ChannelManual), 41),
    (Source::Requests, Some(Reason::EmployeeNotFound), 20),
    (Source::Gladly, Some(Reason::SourceUnreachable), 5),
    (Source::Gorgias, Some(Reason::Unconfirmed), 2),
    (Source::Freshdesk, None, 1),
];

fn company(attributes: Value) -> Value {
    let mut company = json!({
        "kind": "company", "id": "settings", "name": "Acme",
        "from": "Acme <survey@acme.example>", "test_email": "test@acme.example",
    });
    for (name, value) in attributes.as_object().into_iter().flatten() {
        company[name] = value.clone();
    }
    company
}

#[test]
fn the_alert_as_it_is_mailed() {
    let mail = compose(&[company(json!({}))], &WRONG).expect("a mail");
    let mut whole = format!("To: {}\nFrom: {}\nSubject: {}\n", mail.to, mail.from, mail.subject);
    for (name, value) in &mail.headers {
        writeln!(whole, "{name}: {value}").expect("a line");
    }
    write!(whole, "Tags: {:?}\n\n{}\n\n{}", mail.tags, mail.text, mail.html).expect("parts");
    insta::assert_snapshot!("alert", whole);
}

#[test]
fn it_goes_to_whom_the_alert_names_or_else_to_the_test_address() {
    let alert = |to: &str| json!({ "kind": "alert", "id": "errors", "to": to });
    let nobody = company(json!({ "test_email": "" }));
    for (items, expected) in [
        (vec![company(json!({}))], Some("test@acme.example")),
        (vec![company(json!({})), alert("ops@acme.example")], Some("ops@acme.example")),
        (vec![company(json!({})), alert("Ops <o@käse.example>")], Some("o@xn--kse-qla.example")),
        (vec![company(json!({})), alert("nobody")], Some("test@acme.example")),
        (vec![nobody.clone(), alert("ops@acme.example")], Some("ops@acme.example")),
        (vec![nobody], None),
        (vec![], None),
    ] {
        let composed = compose(&items, &WRONG);
        assert_eq!(composed.as_ref().ok().map(|mail| mail.to.as_str()), expected, "{items:?}");
        if let Err(no_mail) = composed {
            assert!(matches!(no_mail, NoMail::Held(WaitingFor::TestEmail, _)), "{no_mail:?}");
        }
    }
    let sender = company(json!({ "from": "" }));
    let held = compose(&[sender], &WRONG).expect_err("no sender");
    assert!(matches!(held, NoMail::Held(WaitingFor::Sender, _)), "{held:?}");
}

#[test]
fn every_reason_can_be_told() {
    for reason in Reason::ALL {
        for source in Source::ALL {
            let mail = compose(&[company(json!({}))], &[(source, Some(*reason), 1)]);
            let text = mail.expect("a mail").text;
            assert!(text.contains(reason.sentence()), "{text}");
            assert!(text.contains("https://survey.acme.example/admin/requests?"), "{text}");
        }
    }
}
