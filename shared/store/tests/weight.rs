//! No request that a parser lets through weighs more in its row than
//! [`SurveyRequest::MAX_STORED`].

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use normalize::{Inbound, Malformed, Note, SurveyRequest, freshdesk, gorgias, requests, zendesk};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use store::RequestDetails;

/// The largest body that an inbound function reads.
const MAX_BODY: usize = 256 * 1024;

type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

const PARSERS: [Parse; 4] = [requests::parse, zendesk::parse, freshdesk::parse, gorgias::parse];

fn request(inbound: Inbound) -> Option<SurveyRequest> {
    match inbound {
        Inbound::Survey(request) | Inbound::Snoozed { request, .. } => Some(*request),
        _ => None,
    }
}

/// Bytes in DynamoDB, as its developer guide counts them ("DynamoDB item sizes and formats").
fn stored(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(_) => 21,
        Value::String(text) => text.len(),
        Value::Array(items) => 3 + items.iter().map(|item| 1 + stored(item)).sum::<usize>(),
        Value::Object(fields) => {
            3 + fields.iter().map(|(name, value)| 1 + name.len() + stored(value)).sum::<usize>()
        }
    }
}

/// Asserts that the request that a parser makes of the body is within every limit. Returns the
/// bytes that it takes in DynamoDB, or 0 if the body was refused.
fn check_limits(parse: Parse, body: &[u8]) -> usize {
    let Some(request) = parse(body).ok().and_then(request) else { return 0 };
    assert!(request.weight() <= SurveyRequest::MAX_WEIGHT);
    assert!(request.notes.len() <= SurveyRequest::MAX_NOTES);
    assert!(request.status.as_ref().is_none_or(|status| status.len() <= SurveyRequest::MAX_ID));
    assert!(
        request
            .language
            .as_ref()
            .is_none_or(|language| language.given.len() <= SurveyRequest::MAX_ID)
    );
    let employee = request.employee.as_ref();
    for id in [employee.and_then(|e| e.email()), employee.and_then(|e| e.custom_id())]
        .into_iter()
        .flatten()
    {
        assert!(id.len() <= SurveyRequest::MAX_ID);
    }
    for note in &request.notes {
        let (Note::Truncated { pointer }
        | Note::Dropped { pointer }
        | Note::Assumed { pointer }
        | Note::Repaired { pointer }) = note;
        assert!(pointer.len() <= 256);
    }
    let stored = stored(&serde_json::to_value(RequestDetails::of(&request)).unwrap());
    assert!(stored <= SurveyRequest::MAX_STORED, "{stored}");
    stored
}

/// One body in the shape of every parser. `text` makes all texts; it takes a length in characters.
fn bodies(
    text: &dyn Fn(usize) -> String,
    properties: &Map<String, Value>,
    tags: usize,
) -> Vec<Value> {
    let tags: Vec<String> = (0..tags).map(|_| text(3_000)).collect();
    let vendors = json!({
        "channel": text(1_100), "ext_interaction_id": text(1_100), "brand": text(1_100),
        "language": text(1_100), "country": "de",
        "external_url": format!("{}.example/{}", text(900), text(1_080)), "tags": tags,
        "custom_properties": properties,
        "customer": { "custom_id": text(1_100), "email": text(2_100), "name": text(2_100) },
        "employee": { "email": text(1_100), "custom_id": text(1_100) },
    });
    let mut templated = vendors.clone();
    templated["status"] = json!(text(1_100));
    let flat = json!({ "freshdesk_webhook": {
        "ticket_id": text(1_100), "ticket_source": text(1_100), "ticket_contact_name": text(2_100),
        "ticket_contact_email": text(2_100),
        "ticket_agent_email": text(1_100), "ticket_url": format!("{}.example", text(1_900)),
        "ticket_tags": tags.join(","),
        "ticket_status": text(1_100), "custom_properties": properties,
    }});
    let form = json!({
        "channel": text(1_100), "ext_interaction_id": text(1_100), "status": "closed",
        "snooze_datetime": text(1_100), "customer_name": text(2_100),
        "customer_email": text(2_100), "customer_custom_id": text(1_100),
        "employee_email": text(1_100), "brand": text(1_100),
        "language": text(1_100), "external_url": format!("{}.example", text(1_900)), "tags": tags,
        "meta": properties,
    });
    let pairs = form
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect::<Vec<_>>();
    let wrapped = json!({ "freshdesk_webhook": templated });
    vec![vendors, templated, wrapped, flat, form, json!(pairs)]
}

#[test]
fn the_heaviest_requests_are_within_the_limit() {
    let fox = |length: usize| "🦊".repeat(length);
    // This letter takes two bytes in upper case and three in lower case.
    let growing = |length: usize| "Ⱥ".repeat(length);
    let quotes = |length: usize| "\"\\".repeat(length / 2);
    let slashes = |length: usize| "~/".repeat(length / 2);
    let texts: [&dyn Fn(usize) -> String; 4] = [&fox, &growing, &quotes, &slashes];
    let long = |text: &dyn Fn(usize) -> String, n: usize| -> Map<String, Value> {
        (0..n).map(|n| (format!("{n}{}", text(200)), json!(text(2_500)))).collect()
    };
    let left_out =
        |length: usize| (0..45).map(move |n| (format!("{}{n}", "/".repeat(length)), json!({})));
    let tiny = |n: usize| (0..n).map(|n| (format!("{n}"), json!("x")));
    let mut heaviest = 0;
    for (index, text) in texts.into_iter().enumerate() {
        let mut all: Vec<Map<String, Value>> =
            vec![long(text, 12).into_iter().chain(left_out(300)).collect()];
        if index == 0 {
            let mixed = long(text, 5).into_iter().chain(tiny(10_000)).collect();
            all.extend([Map::new(), left_out(4 * 1024).collect(), tiny(20_000).collect(), mixed]);
        }
        for properties in all {
            for body in bodies(text, &properties, 4) {
                let body = body.to_string();
                for parse in PARSERS.iter().filter(|_| body.len() <= MAX_BODY) {
                    heaviest = heaviest.max(check_limits(*parse, body.as_bytes()));
                }
            }
        }
    }
    assert!(
        heaviest > SurveyRequest::MAX_STORED * 4 / 5,
        "the limit is far too high, or these are not the heaviest: {heaviest}"
    );
}

#[test]
fn bytes_that_are_not_utf_8_are_within_the_limit() {
    // Each of these bytes becomes U+FFFD, which takes three bytes.
    let mut body =
        br#"{"channel": "email", "customer": {"email": "j@b.co"}, "custom_properties": {"x": ""#
            .to_vec();
    for key in 0..40 {
        body.extend(format!("\", \"k{key}\": \"").bytes());
        body.extend(vec![0xFF; 6_400]);
    }
    body.extend(br#""}}"#);
    assert!(body.len() > MAX_BODY * 9 / 10);
    assert!(check_limits(zendesk::parse, &body) > SurveyRequest::MAX_WEIGHT * 9 / 10);
    let kept = request(zendesk::parse(&body).unwrap()).unwrap();
    assert_eq!(kept.customer.address.valid().unwrap().as_mailbox(), "j@b.co");
    let needed = [("channel", "\"email\""), ("ext_interaction_id", "1"), ("status", "\"closed\"")];
    for field in [
        "channel",
        "tags",
        "brand",
        "language",
        "ext_interaction_id",
        "external_url",
        "status",
        "customer_name",
        "customer_email",
        "meta",
    ] {
        let others: String = needed
            .iter()
            .filter(|(key, _)| *key != field)
            .map(|(key, value)| format!("\"{key}\": {value}, "))
            .collect();
        let mut body = format!("{{{others}\"{field}\": \"").into_bytes();
        body.resize(MAX_BODY - 2, 0xFF);
        body.extend(b"\"}");
        for parse in PARSERS {
            check_limits(parse, &body);
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = ["🦊", "Ⱥ", "\u{fffd}", "a", "/", "~", "\"", "\\", "\n", "'", ",", "é "];
    let pieces = pieces.into_iter().chain(["\u{202e}", "İ"]).collect::<Vec<_>>();
    prop::sample::select(pieces).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_request_is_beyond_the_limit(
        pieces in prop::collection::vec(piece(), 1..4), tags in 0..8_usize,
        properties in prop::collection::vec((0..1_500_usize, 0..3_000_usize), 0..24),
        cut in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let text = |length: usize| pieces.concat().chars().cycle().take(length).collect::<String>();
        let property = |(n, (name, value)): (usize, &(usize, usize))| {
            let value = if name % 7 == 0 { json!([]) } else { json!(text(*value)) };
            (format!("{n}{}", text(*name)), value)
        };
        let properties: Map<String, Value> = properties.iter().enumerate().map(property).collect();
        for body in bodies(&text, &properties, tags) {
            let mut body = body.to_string().into_bytes();
            for parse in PARSERS {
                check_limits(parse, &body);
            }
            // The same with one wrong byte.
            let at = cut.index(body.len());
            body[at] = byte;
            for parse in PARSERS {
                check_limits(parse, &body);
            }
        }
    }
}
