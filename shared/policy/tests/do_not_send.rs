//! A do-not-send tag stops the survey, in whatever shape a helpdesk's template renders it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use normalize::{Inbound, Malformed, SurveyRequest, freshdesk, gorgias, zendesk};
use policy::{Company, Reason, who};
use serde_json::{Value, json};

fn company(changes: Value) -> Company {
    let mut item = json!({ "kind": "company", "id": "settings" });
    item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Company::read(item.as_object().unwrap(), |_| true)
}

fn request(parse: fn(&[u8]) -> Result<Inbound, Malformed>, tags: &Value) -> SurveyRequest {
    // Each of the three reads its own keys of it.
    let body = json!({
        "channel": "email", "ext_interaction_id": "7", "status": "closed", "tags": tags,
        "customer": {"email": "jane@example.com"}, "employee": {"email": "paul@example.com"},
        "customer_email": "jane@example.com", "employee_email": "paul@example.com",
    });
    match parse(body.to_string().as_bytes()) {
        Ok(Inbound::Survey(request)) => *request,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn tags_in_every_shape_stop_a_survey() {
    const TAG: &str = "stellaconnect-do-not-send";
    let beyond = format!("{} {TAG}", "x".repeat(2_500));
    let surplus: Vec<String> = (0..25).map(|n| format!("t{n}")).chain([TAG.to_owned()]).collect();
    let shapes = [
        json!([TAG]),
        json!([format!("vip {TAG}")]),
        json!([format!("vip,{TAG}")]),
        json!(format!("vip {TAG}, Billing")),
        json!(format!("vip {TAG}")),
        json!(format!("vip;{TAG}")),
        json!(format!("vip|{TAG}")),
        json!(format!("vip\n{TAG}")),
        json!(format!("[{{&#39;id&#39;: 1, &#39;name&#39;: &#39;{TAG}&#39;}}]")),
        json!(format!("[{{'id': 1, 'name': '{TAG}', 'user': <User 7>}}]")),
        json!(format!("[{{\"name\": \"{TAG}\"")),
        json!(beyond),
        json!([beyond]),
        json!(surplus),
        json!(surplus.join(" ")),
    ];
    let company = company(json!({}));
    for tags in &shapes {
        for parse in [zendesk::parse, freshdesk::parse, gorgias::parse] {
            assert_eq!(
                who(&request(parse, tags), &company).err(),
                Some(Reason::DoNotSend),
                "{tags}"
            );
            let other: Value =
                serde_json::from_str(&tags.to_string().replace(TAG, "stellaconnect-do-not-send-2"))
                    .unwrap();
            assert!(who(&request(parse, &other), &company).is_ok(), "{other}");
        }
    }
}

#[test]
fn a_company_may_name_a_tag_with_blanks_and_none_at_all() {
    for (tag, tags, stopped) in [
        ("Keine Umfrage", json!("vip keine umfrage x"), true),
        ("Keine Umfrage", json!(["vip", "Keine Umfrage, bitte"]), true),
        ("Keine Umfrage", json!(["keine", "Umfrage"]), false),
        ("", json!(["vip"]), false),
    ] {
        let company = company(json!({ "do_not_send_tag": tag }));
        for parse in [zendesk::parse, freshdesk::parse, gorgias::parse] {
            assert_eq!(who(&request(parse, &tags), &company).is_err(), stopped, "{tag}: {tags}");
        }
    }
}
