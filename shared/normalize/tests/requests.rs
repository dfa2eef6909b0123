//! `POST /v1/requests`, where anything wrong is an error.

use normalize::{
    CustomerAddress, Inbound, Malformed, Note, SurveyRequest, freshdesk, gladly, gorgias, requests,
    zendesk,
};
use proptest::prelude::*;
use serde_json::{Value, json};

type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

const PARSERS: [Parse; 5] =
    [requests::parse, zendesk::parse, freshdesk::parse, gorgias::parse, gladly::parse];

fn survey(body: &Value) -> SurveyRequest {
    match requests::parse(body.to_string().as_bytes()) {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{body}\n{other:?}"),
    }
}

fn refused(body: &str) -> Malformed {
    requests::parse(body.as_bytes()).expect_err(body)
}

fn pointers(body: &Value) -> Vec<String> {
    refused(&body.to_string()).errors.into_iter().map(|place| place.pointer).collect()
}

#[test]
fn every_wrong_place_is_named() {
    let body = json!({"chanel": "phone", "customer": {"name": 7, "e-mail": "x"},
                      "employee": {"email": [], "a/b~c": 1},
                      "tags": ["a", 1], "country": "USA", "do_not_send": "perhaps",
                      "custom_properties": {"a": {"b": 1}, "c": 1}});
    let expected = [
        "/chanel",
        "/customer/e-mail",
        "/employee/a~1b~0c",
        "/channel",
        "/customer/name",
        "/employee/email",
        "/tags/1",
        "/do_not_send",
        "/country",
        "/custom_properties/a",
        "/custom_properties/c",
    ];
    assert_eq!(pointers(&body), expected);
    assert_eq!(pointers(&json!([])), [""]);
    assert_eq!(
        pointers(&json!({"channel": "chat", "customer": "Jane", "employee": 1})),
        ["/customer", "/employee"]
    );
}

#[test]
fn syntax_errors_name_line_and_column() {
    for (body, code, detail) in [
        ("", "malformed_json", "the body is empty: send JSON"),
        (" \n", "malformed_json", "the body is empty: send JSON"),
        ("channel=email&customer%5Bemail%5D=a%40b.co", "malformed_json", "send JSON"),
        (
            "\n<request><channel>email</channel></request>",
            "malformed_json",
            "send JSON, not what begins at line 2 column 1",
        ),
        ("{", "malformed_json", "EOF while parsing an object at line 1 column 1"),
        ("{\"channel\":\n  \"ch\nat\"}", "malformed_json", "line 2 column 6"),
        ("{\"channel\": \"a\"} x", "malformed_json", "trailing characters at line 1 column 18"),
        (
            "{\"channel\": \"a\", \"channel\": \"b\"}",
            "duplicate_key",
            "/channel: this key stands twice",
        ),
        (
            "{\"channel\": \"a\", \"custom_properties\": {\"x\": \"1\", \"x\": \"2\"}}",
            "duplicate_key",
            "/custom_properties/x",
        ),
        (
            "{\"customer\": {\"email\": \"a@b.co\", \"em\\u0061il\": \"c@d.co\"}, \
             \"channel\": \"a\"}",
            "duplicate_key",
            "/customer/email",
        ),
    ] {
        let malformed = refused(body);
        assert_eq!(malformed.code, code, "{body}");
        assert!(malformed.detail.contains(detail), "{body}: {}", malformed.detail);
    }
    let malformed = requests::parse(b"{\"channel\": \"\xff\"}").unwrap_err();
    assert_eq!(malformed.detail, "invalid UTF-8 at line 1 column 14");
    assert_eq!(requests::parse("[".repeat(100_000).as_bytes()).unwrap_err().code, "malformed_json");
}

#[test]
fn long_values_are_cut_with_a_note() {
    let body = json!({
        "channel": " phone ",
        "customer": {"name": "é".repeat(2_001), "email": " Jane@EXAMPLE.com "},
        "tags": (0..25).map(|n| format!(" t{n} ")).collect::<Vec<_>>(),
        "ext_interaction_id": "é".repeat(600),
        "custom_properties": {"a": "x".repeat(3_000), "b": "two\nlines"},
        "external_url": "example.com/1",
    });
    let request = survey(&body);
    assert_eq!(request.channel, "phone");
    assert_eq!(request.customer.name.as_ref().unwrap().chars().count(), 2_000);
    assert_eq!(request.customer.address.valid().unwrap().canonical(), "jane@example.com");
    assert_eq!((request.tags.len(), request.surplus_tags.len()), (20, 5));
    assert!(
        request.has_tag("T24 ")
            && !request.has_tag("t25")
            && !request.has_tag("t")
            && !request.has_tag("")
    );
    assert_eq!(request.ext_interaction_id.as_ref().unwrap().len(), 1_024);
    assert_eq!(request.custom_properties["b"], "two\nlines");
    let truncated = |pointer: &str| Note::Truncated { pointer: pointer.into() };
    assert_eq!(
        request.notes,
        [
            truncated("/customer/name"),
            Note::Dropped { pointer: "/tags/20".into() },
            truncated("/ext_interaction_id"),
            truncated("/custom_properties/a"),
        ]
    );
    let note = serde_json::to_value(&request.notes[1]).unwrap();
    assert_eq!(note, json!({"note": "dropped", "pointer": "/tags/20"}));
}

#[test]
fn booleans_are_read_in_every_spelling_and_blanks_are_absent() {
    for (value, expected) in [
        (json!(true), true),
        (json!("Yes"), true),
        (json!("1"), true),
        (json!(" ON "), true),
        (json!(1), true),
        (json!("TRUE"), true),
        (json!(false), false),
        (json!("no"), false),
        (json!("0"), false),
        (json!("off"), false),
        (json!(""), false),
        (json!(0), false),
        (json!(null), false),
    ] {
        assert_eq!(
            survey(&json!({"channel": "a", "do_not_send": value})).do_not_send,
            expected,
            "{value}"
        );
    }
    for value in [json!("perhaps"), json!(2), json!([]), json!("{{x}}")] {
        assert_eq!(pointers(&json!({"channel": "a", "do_not_send": value})), ["/do_not_send"]);
    }
    for email in [json!(null), json!(""), json!("  "), json!("no_email")] {
        let request = survey(
            &json!({"channel": "a", "customer": {"email": email}, "employee": {"email": " "}}),
        );
        assert_eq!((request.customer.address, request.employee), (CustomerAddress::Missing, None));
    }
    let request = survey(
        &json!({"channel": "a", "employee": {"email": " Paul@Example.com ", "custom_id": " 7 "}}),
    );
    let employee = request.employee.unwrap();
    assert_eq!((employee.email(), employee.custom_id()), (Some("paul@example.com"), Some("7")));
}

#[test]
fn only_addresses_that_ses_accepts_are_valid() {
    for (text, mailbox) in [
        ("jane@example.com", Some("jane@example.com")),
        ("Jane+tag@Example.COM", Some("Jane+tag@example.com")),
        ("jane@bücher.example", Some("jane@xn--bcher-kva.example")),
        ("jäne@example.com", None),
        ("jane", None),
        ("jane@", None),
        ("@example.com", None),
        ("jane@localhost", None),
        ("jane@example..com", None),
        ("jane@example.com, eve@example.com", None),
        ("Jane <jane@example.com>", None),
        ("\"a b\"@example.com", None),
        ("jane\r\nbcc: eve@example.com", None),
        ("jane@example.com\u{0}", None),
        ("jane@exa mple.com", None),
        ("ja(x)ne@example.com", None),
        ("jane@[127.0.0.1]", None),
        ("jane@-example.com", None),
        (".jane@example.com", None),
    ] {
        let request = survey(&json!({"channel": "a", "customer": {"email": text}}));
        assert_eq!(
            request.customer.address.valid().map(|a| a.as_mailbox()).as_deref(),
            mailbox,
            "{text}"
        );
        assert_ne!(request.customer.address, CustomerAddress::Missing);
    }
    let long = format!("{}@example.com", "a".repeat(65));
    assert_eq!(
        survey(&json!({"channel": "a", "customer": {"email": long}})).customer.address.valid(),
        None
    );
}

#[test]
fn links_get_a_scheme_or_are_left_out() {
    for (text, expected) in [
        ("https://a.example/1?x=y#z", Some("https://a.example/1?x=y#z")),
        ("HTTP://a.example", Some("http://a.example")),
        ("a.example/1", Some("https://a.example/1")),
        ("a.example:8443/1", Some("https://a.example:8443/1")),
        ("//a.example/1", Some("https://a.example/1")),
        ("a.example/r?u=http://b.example", Some("https://a.example/r?u=http://b.example")),
        ("javascript:alert(1)", None),
        ("javascript://a.example/%0aalert(1)", None),
        ("mailto:a@b.example", None),
        ("data:text/html,x", None),
        ("/agent/tickets/1", None),
        ("https:///x", None),
        ("https://a.example/ x", None),
        ("https://a.example/\"><script>", None),
        ("ftp://a.example", None),
    ] {
        let request = survey(&json!({"channel": "a", "external_url": text}));
        assert_eq!(request.external_url.as_deref(), expected, "{text}");
        assert_eq!(request.notes.is_empty(), expected.is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for parse in PARSERS {
            let _ = parse(&body);
        }
        prop_assert!(normalize::masked_body(&body, 50).len() <= 50);
    }

    #[test]
    fn no_mutation_panics(cut in 0..900_usize, byte in any::<u8>(), pick in 0..8_usize) {
        let bodies: [&[u8]; 8] = [
            include_bytes!("bodies/requests.json"), include_bytes!("bodies/zendesk.json"),
            include_bytes!("bodies/zendesk_broken.json"),
            include_bytes!("bodies/freshdesk.json"),
            include_bytes!("bodies/freshdesk_simple.json"), include_bytes!("bodies/gorgias.json"),
            include_bytes!("bodies/gorgias_pairs.json"),
            include_bytes!("bodies/gladly_closed.json"),
        ];
        let mut body = bodies[pick].to_vec();
        let at = cut % body.len();
        body[at] = byte;
        let halved = body[..at].to_vec();
        for body in [body, halved] {
            for parse in PARSERS {
                if let Err(malformed) = parse(&body) {
                    prop_assert!(!malformed.errors.is_empty() && !malformed.detail.is_empty());
                }
            }
        }
    }
}
