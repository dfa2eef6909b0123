//! Bodies that weigh too much, and the time to read the largest ones.
//!
//! That no request weighs more in the table than [`SurveyRequest::MAX_STORED`] is tested where its
//! stored form is: in `store/tests/weight.rs`.

use normalize::{Inbound, Note, SurveyRequest, freshdesk, gladly, gorgias, requests, zendesk};
use serde_json::{Map, Value, json};

/// The largest body that an inbound function reads.
const MAX_BODY: usize = 256 * 1024;

fn request(inbound: Inbound) -> Option<SurveyRequest> {
    match inbound {
        Inbound::Survey(request) | Inbound::Snoozed { request, .. } => Some(*request),
        _ => None,
    }
}

#[test]
fn too_heavy_values_are_an_error_for_programs_and_left_out_for_templates() {
    let property = "x".repeat(2_000);
    let many: Map<String, Value> = (0..49).map(|n| (format!("p{n:02}"), json!(property))).collect();
    let heavy = json!({ "channel": "email", "custom_properties": many });
    let refused = requests::parse(heavy.to_string().as_bytes()).unwrap_err();
    assert_eq!(
        (refused.code, refused.errors.len(), refused.errors[0].pointer.as_str()),
        ("invalid_body", 1, "/custom_properties/p48")
    );
    assert!(refused.detail.contains("96 KiB"), "{refused}");
    let kept = request(zendesk::parse(heavy.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(kept.custom_properties.len(), 48);
    assert_eq!(kept.notes, [Note::Dropped { pointer: "/custom_properties/p48".into() }]);

    // Tags are left out before properties, and a do-not-send tag among them still counts.
    let tags: Vec<String> =
        (0..19).map(|n| format!("t{n}")).chain(["stellaconnect-do-not-send".to_owned()]).collect();
    let full: Map<String, Value> = (0..48)
        .map(|n| (format!("p{n:02}"), json!(property)))
        .chain([("q".to_owned(), json!("x".repeat(1_700)))])
        .collect();
    let heavy = json!({ "channel": "email", "custom_properties": full, "tags": tags }).to_string();
    let refused = requests::parse(heavy.as_bytes()).unwrap_err();
    assert_eq!((refused.errors.len(), refused.errors[0].pointer.as_str()), (1, "/tags"));
    let kept = request(freshdesk::parse(heavy.as_bytes()).unwrap()).unwrap();
    assert_eq!(kept.custom_properties.len(), 49);
    assert!(kept.tags.len() < 20 && kept.has_tag("stellaconnect-do-not-send"));
    assert_eq!(kept.notes, [Note::Dropped { pointer: "/tags".into() }]);
}

#[test]
fn the_longest_bodies_are_read_in_linear_time() {
    // If any step took quadratic time, each of these would take minutes.
    let fill = |piece: &str, around: (&str, &str)| {
        let piece = piece.repeat((MAX_BODY - around.0.len() - around.1.len()) / piece.len());
        format!("{}{piece}{}", around.0, around.1).into_bytes()
    };
    let name = ("{\"channel\": \"x\", \"customer\": {\"name\": \"", "\"}}");
    let customer = ("{\"channel\": \"x\", \"customer\": {\"email\": \"", "\"}}");
    let tags = (
        "{\"channel\": \"x\", \"ext_interaction_id\": \"1\", \"status\": \"closed\", \"tags\": \"",
        "\"}",
    );
    let pair = ("[{\"key\": \"tags\", \"value\": \"", "\"}]");
    let key = format!("{{\"channel\": \"x\", \"{}\": {{\"a\":1", "k".repeat(4_096));
    let bodies = [
        fill("\",\" {\"", name),
        fill("\",\"a\":", name),
        fill("{\"email\":", name),
        fill(",\"a\"          ", name),
        fill("\u{fffd}@", customer),
        fill("ü", customer),
        fill("ü.", ("{\"channel\": \"x\", \"customer\": {\"email\": \"a@", "\"}}")),
        fill("[", tags),
        fill("f(", tags),
        fill("{'name': ", tags),
        fill("{{", tags),
        fill("&amp;\\\\", tags),
        fill("stellaconnect-do-not-sen ", tags),
        fill("{\"key\": \"a\", \"value\": ", pair),
        fill("\"},{\"key\": \"a\", \"value\": \"", pair),
        fill(",{          ", pair),
        fill(",\"a\":1", (&key, "}}")),
        fill(",{\"email\":1}", ("{\"channel\": [0", "]}")),
        fill("{\"a\":", ("", "")),
        fill("\n", ("{\"a\": \"", "\"}")),
        fill("~/", ("{\"custom_properties\": {\"", "\": {}}}")),
        vec![b' '; MAX_BODY],
        vec![0xFF; MAX_BODY],
        vec![b'"'; MAX_BODY],
    ];
    for body in bodies {
        assert!(body.len() <= MAX_BODY);
        for parse in
            [requests::parse, zendesk::parse, freshdesk::parse, gorgias::parse, gladly::parse]
        {
            if let Some(request) = parse(&body).ok().and_then(request) {
                assert!(!request.has_tag("stellaconnect-do-not-send"));
            }
        }
    }
}
