//! Which tags are kept, and where a do-not-send tag is found.

use normalize::{Inbound, Malformed, SurveyRequest, freshdesk, gorgias, zendesk};
use serde_json::{Value, json};

const TAG: &str = "stellaconnect-do-not-send";

type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

fn tagged(parse: Parse, tags: &Value) -> SurveyRequest {
    let body =
        json!({"channel": "email", "ext_interaction_id": "7", "status": "closed", "tags": tags});
    match parse(body.to_string().as_bytes()) {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{tags}: {other:?}"),
    }
}

#[test]
fn a_do_not_send_tag_is_found_in_every_shape() {
    let cut = format!("{}{TAG}", "x ".repeat(1_000));
    let across = format!("{} {TAG}", "x".repeat(1_990));
    let many = (0..30).map(|n| format!("t{n}")).chain([TAG.to_owned()]).collect::<Vec<_>>();
    let heavy = (0..20)
        .map(|n| format!("{n}{}", "🦊".repeat(1_999)))
        .chain([TAG.to_owned()])
        .collect::<Vec<_>>();
    for tags in [
        json!([TAG]),
        json!([" STELLAconnect-Do-Not-Send "]),
        json!(TAG),
        json!(format!("vip {TAG}")),
        json!([format!("vip {TAG}")]),
        json!([format!("{TAG} vip")]),
        json!([format!("vip,{TAG}")]),
        json!(format!("vip,{TAG}")),
        json!(format!("vip {TAG}, Billing")),
        json!(format!("Billing, vip {TAG}")),
        json!(format!("vip;{TAG};x")),
        json!(format!("vip|{TAG}")),
        json!(format!("vip\n{TAG}\nx")),
        json!([format!("vip\t{TAG}")]),
        json!(format!("vip\u{a0}{TAG}\u{200b}x")),
        json!(format!("[\"vip\", \"{TAG}\"]")),
        json!(format!("['vip', '{TAG}']")),
        json!(format!("[{{'id': 1, 'name': '{TAG}', 'x': <Tag>}}]")),
        json!(format!("[{{'id': 1, 'name': '{TAG}'")),
        json!(format!("[{{&#39;id&#39;: 1, &#39;name&#39;: &#39;{TAG}&#39;}}]")),
        json!(format!(
            "[{{&#x27;name&#x27;: &#x27;vip&#x27;}}, {{&quot;name&quot;: &quot;{TAG}&quot;}}]"
        )),
        json!(format!("&lt;{TAG}&gt;")),
        json!(format!("[{{\\u0027name\\u0027: \\u0027{TAG}\\u0027}}]")),
        json!(format!("a\\n{TAG}")),
        json!([{"name": TAG}]),
        json!([[TAG]]),
        json!({"name": TAG}),
        json!({"0": {"title": TAG}}),
        json!({ TAG: true }),
        json!([cut]),
        json!(cut),
        json!([across]),
        json!(many),
        json!(many.join(" ")),
        json!(many.join(", ")),
        json!(heavy),
    ] {
        for parse in [zendesk::parse, freshdesk::parse, gorgias::parse] {
            assert!(tagged(parse, &tags).has_tag(TAG), "{tags}");
            let other = tags
                .to_string()
                .replace(TAG, "stellaconnect-do-not-send-2")
                .replace("STELLAconnect-Do-Not-Send", "x");
            let other: Value = serde_json::from_str(&other).unwrap_or_default();
            assert!(!tagged(parse, &other).has_tag(TAG), "{other}");
        }
    }
    // In Freshdesk's *Simple* content.
    let tags = format!("vip {TAG}, Billing");
    let flat = json!({"freshdesk_webhook": {"ticket_source": "Email", "ticket_tags": tags}});
    let parsed = freshdesk::parse(flat.to_string().as_bytes());
    assert!(matches!(parsed, Ok(Inbound::Survey(request)) if request.has_tag(TAG)));
}

#[test]
fn a_tag_is_found_as_a_whole_word_only() {
    for (tags, tag, found) in [
        (json!(["do not send"]), "Do Not Send", true),
        (json!("vip do not send x"), "do not send", true),
        (json!("vip, do not send"), "do not send", true),
        (json!(["please do not sends"]), "do not send", false),
        (json!(["x_quiet"]), "quiet", false),
        (json!(["quiet2"]), "quiet", false),
        (json!(["équiet"]), "quiet", false),
        (json!(["-quiet"]), "quiet", false),
        (json!(["(quiet)"]), "quiet", true),
        (json!(["vip#quiet"]), "#quiet", true),
        (json!(["x x x"]), "x x", true),
        (json!(["ax x x"]), "x x", true),
        (json!("R&amp;D"), "r&d", true),
        (json!("don&#39;t-send"), "don't-send", true),
        (json!("[{'name': 'don\\'t-send', 'x': <Tag>}]"), "don't-send", true),
        (json!("nicht_stören"), "NICHT_STÖREN", true),
        (json!("n\\u00e4chste"), "nächste", true),
        (json!(["any"]), " ", false),
        (json!(["&", "\\", "&#;", "&#xd800;", "\\u12"]), "quiet", false),
    ] {
        for parse in [zendesk::parse, freshdesk::parse, gorgias::parse] {
            assert_eq!(tagged(parse, &tags).has_tag(tag), found, "{tags} {tag}");
        }
    }
}

#[test]
fn tags_are_split_as_each_helpdesk_means_them() {
    for (tags, zendesks, freshdesks) in [
        (json!("vip returns"), vec!["vip", "returns"], vec!["vip", "returns"]),
        (
            json!("vip returns, Billing"),
            vec!["vip", "returns", "Billing"],
            vec!["vip returns", "Billing"],
        ),
        (json!("a,b"), vec!["a", "b"], vec!["a", "b"]),
        // In the vendor's own template, the title of a field's option is one tag.
        (json!(["Late delivery", "-"]), vec!["Late delivery"], vec!["Late delivery"]),
        (json!(["a, b c"]), vec!["a, b c"], vec!["a", "b c"]),
        (json!(["a", 7, null]), vec!["a", "7"], vec!["a", "7"]),
    ] {
        assert_eq!(tagged(zendesk::parse, &tags).tags, zendesks, "{tags}");
        assert_eq!(tagged(freshdesk::parse, &tags).tags, freshdesks, "{tags}");
    }
}
