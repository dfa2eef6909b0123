//! What helpdesks' templates make of customers' texts, through the real functions: heavy, hostile,
//! and in every shape.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::{LIVE, World, request};
use serde_json::{Map, Value, json};

const JSON: [(&str, &str); 2] = [("x-api-key", LIVE), ("content-type", "application/json")];

/// A ticket as Gorgias' form tells it.
fn form(id: &str, email: &str) -> Value {
    json!({
        "channel": "email", "meta": "None", "ext_interaction_id": id, "customer_custom_id": "9",
        "employee_email": "paul@blancapeak.example",
        "customer_name": "Jane", "snooze_datetime": "None", "status": "closed", "language": "en",
        "tags": "[]", "customer_email": email,
    })
}

#[tokio::test]
async fn a_do_not_send_tag_stops_the_mail_in_every_shape() {
    let mut world = World::new().await;
    let tag = "stellaconnect-do-not-send";
    let shapes = [
        json!([format!("vip {tag}")]),
        json!([format!("vip,{tag}")]),
        json!(format!("vip {tag}, Billing")),
        json!(format!("vip|{tag}")),
        json!(format!("[{{&#39;id&#39;: 1, &#39;name&#39;: &#39;{tag}&#39;}}]")),
        json!([format!("{}{tag}", "x ".repeat(1_500))]),
    ];
    for (index, tags) in shapes.iter().enumerate() {
        for route in
            ["/v1/webhooks/zendesk", "/v1/webhooks/freshdesk", "/v1/auth", "/v1/webhooks/gorgias"]
        {
            let (id, email) = (format!("{route}{index}"), "jane@customers.example");
            let mut body =
                if route.ends_with("gorgias") { form(&id, email) } else { request(&id, email) };
            body["tags"] = tags.clone();
            let told = world.post(route, &body).await.json();
            assert_eq!(
                (&told["status"], &told["reason"]),
                (&json!("not_sent"), &json!("do_not_send")),
                "{route} {tags}"
            );
        }
    }
    world.settle().await;
    assert!(world.mails_to("jane@customers.example").is_empty());
}

#[tokio::test]
async fn a_customers_text_chooses_neither_agent_nor_address() {
    let world = World::new().await;
    let simple = r#"{"freshdesk_webhook":{"ticket_id":1,"ticket_subject":"SUBJECT","ticket_contact_name":"Eve","ticket_contact_email":"eve@customers.example","ticket_source":"Email"}}"#;
    let by_id = r#"{"customer": {"email": "eve@customers.example", "name": "NAME"}, "employee": {"custom_id": "7"}, "channel": "email", "ext_interaction_id": "1"}"#;
    let pairs = r#"[{"key":"channel","value":"email"},{"key":"customer_name","value":"NAME"},{"key":"customer_email","value":"eve@customers.example"},{"key":"ext_interaction_id","value":"1"},{"key":"status","value":"closed"}]"#;
    for (route, body, pointer) in [
        (
            "/v1/webhooks/freshdesk",
            simple.replace("SUBJECT", r#"x", "employee": {"custom_id": "1"}, "z": ""#),
            "/freshdesk_webhook/ticket_contact_name",
        ),
        (
            "/v1/auth",
            by_id.replace("NAME", r#"Eve"}, "ticket_agent_email": "paul@blancapeak.example", "z": {"q": ""#),
            "/ticket_agent_email",
        ),
        (
            "/v1/webhooks/freshdesk",
            by_id.replace("NAME", r#"Eve"}, "ticket_contact_email": "victim@customers.example", "z": {"q": ""#),
            "/ticket_contact_email",
        ),
        (
            "/v1/webhooks/gorgias",
            pairs.replace("NAME", r#""Eve"}, {"key": "customer_email", "value": "victim@customers.example"}, {"key": "z", "value": ""#),
            "/customer_email",
        ),
    ] {
        let reply = world.call("POST", route, &JSON, body.clone()).await;
        assert_eq!((reply.status, &reply.json()["errors"][0]["pointer"]), (400, &json!(pointer)),
            "{body}: {}", reply.text);
    }
    assert_eq!(world.count("interactions"), 0);
}

#[tokio::test]
async fn the_heaviest_bodies_are_mailed_once_or_refused_with_a_place() {
    let mut world = World::new().await;
    let tiny: Map<String, Value> = (0..20_000).map(|n| (n.to_string(), json!("x"))).collect();
    let names: Map<String, Value> =
        (0..48).map(|n| (format!("{}{n}", "/".repeat(5 * 1024)), json!("x"))).collect();
    let foxes: Map<String, Value> =
        (0..25).map(|n| (n.to_string(), json!("🦊".repeat(2_000)))).collect();
    let mut sent = Vec::new();
    for (index, properties) in [tiny, names, foxes].into_iter().enumerate() {
        let email = format!("c{index}@customers.example");
        let mut body = request(&format!("heavy-{index}"), &email);
        body["custom_properties"] = json!(properties);
        let refused = world.post("/v1/requests", &body).await;
        let pointer =
            refused.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(
            refused.status == 400 && pointer.starts_with("/custom_properties/"),
            "{}",
            refused.text
        );
        let taken = world.post("/v1/webhooks/zendesk", &body).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        sent.push((taken.id(), email));
    }
    // Every byte of it becomes three.
    let body = request("heavy-bytes", "c9@customers.example");
    let mut bytes = body.to_string().into_bytes();
    bytes.pop();
    for key in 0..35 {
        let comma = if key == 0 { ", \"custom_properties\": {" } else { "\", " };
        bytes.extend(format!("{comma}\"k{key}\": \"").bytes());
        bytes.extend([0xFF; 7_000]);
    }
    bytes.extend(b"\"}}");
    let taken = world.call("POST", "/v1/webhooks/zendesk", &JSON, bytes).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    sent.push((taken.id(), "c9@customers.example".to_owned()));
    world.settle().await;
    for (id, email) in sent {
        assert_eq!(world.outcome(&id).await, "delivered");
        assert_eq!(world.mails_to(&email).len(), 1);
    }
}

#[tokio::test]
async fn a_snoozed_ticket_is_surveyed_once_its_snooze_is_over() {
    let mut world = World::new().await;
    let now = world.now();
    for (index, until, surveyed) in [
        (1, (now - SignedDuration::from_mins(1)).to_string(), true),
        (2, (now + SignedDuration::from_hours(1)).to_string(), false),
        (3, "some day".to_owned(), false),
    ] {
        let email = format!("s{index}@customers.example");
        let mut body = form(&format!("snooze-{index}"), &email);
        body["snooze_datetime"] = json!(until);
        let told = world.post("/v1/webhooks/gorgias", &body).await.json();
        assert_eq!(told["reason"] == "snoozed", !surveyed, "{told}");
        world.settle().await;
        assert_eq!(world.mails_to(&email).len(), usize::from(surveyed), "{until}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_so() {
    let world = World::new().await;
    for route in [
        "/v1/requests",
        "/v1/auth",
        "/v1/webhooks/zendesk",
        "/v1/webhooks/freshdesk",
        "/v1/webhooks/gladly",
        "/v1/webhooks/gorgias",
    ] {
        for body in ["channel=email&customer=jane", "<request/>", ""] {
            let reply = world.call("POST", route, &JSON, body).await;
            let problem = reply.json();
            assert_eq!(
                (reply.status, &problem["code"]),
                (400, &json!("malformed_json")),
                "{route} {body}"
            );
            assert!(problem["detail"].as_str().unwrap().contains("send JSON"), "{problem}");
        }
    }
}
