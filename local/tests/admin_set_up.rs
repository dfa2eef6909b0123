//! Set-up pages: what they have admins paste, rendered by a real Liquid engine, is recorded as they
//! say; and what they say of other payloads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::admin::{encoded, unescaped};
use kit::{LIVE, TEST, World};
use liquid::ParserBuilder;
use liquid::model::Value as Liquid;
use serde_json::{Value, json};

const JSON: [(&str, &str); 2] = [("x-api-key", LIVE), ("content-type", "application/json")];

/// A ticket as a helpdesk's engine knows it.
struct Ticket {
    id: &'static str,
    name: &'static str,
    email: &'static str,
    words: &'static str,
}

const TICKETS: [Ticket; 3] = [
    Ticket { id: "11", name: "Jane Doe", email: "jane@customers.example", words: "Blue shoes" },
    Ticket {
        id: "12",
        name: "Joe \"JD\" O'Neil {a: \\b} 🦊\nDoe",
        email: "joe@customers.example",
        words: "He said: \"no\", \\ {\"a\": [1]} 🦊\r\nand\tleft {{x}} {% if",
    },
    Ticket { id: "13", name: "", email: "", words: "" },
];

fn render(template: &str, ticket: &Ticket, open: bool) -> String {
    let person = || {
        liquid::object!({
            "name": ticket.name, "email": ticket.email, "locale": "de", "language": "de",
        })
    };
    let agent = || liquid::object!({ "email": "paul@blancapeak.example" });
    let status = if open { "Open" } else { "Solved" };
    let mut object = liquid::object!({
        "id": ticket.id, "link": "https://acme.zendesk.com/agent/tickets/1",
        "url": "acme.freshdesk.com/a/tickets/1",
        "tags": "vip returns", "from_email": ticket.email, "status": status,
        "assignee": agent(), "agent": agent(), "requester": person(), "contact": person(),
        "ticket_field_360001": ticket.words, "ticket_field_77": "0",
        "ticket_field_option_title_360002": ticket.words,
        "cf_order": ticket.words, "cf_topic": ticket.words, "cf_no_survey": "false",
    });
    let brand = Liquid::scalar("Blanca Kids");
    let named = template.contains("ticket.brand.name");
    let brand = if named { Liquid::Object(liquid::object!({ "name": brand })) } else { brand };
    object.insert("brand".into(), brand);
    let parser = ParserBuilder::with_stdlib().build().unwrap();
    parser.parse(template).unwrap().render(&liquid::object!({ "ticket": object })).unwrap()
}

/// The payload of a page, by the id of its text area.
fn payload(page: &str, id: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("<textarea id=\"{id}\"")).unwrap_or_else(|| panic!("{page}"));
    let (_, rest) = rest.split_once('>').unwrap();
    unescaped(rest.split_once("</textarea>").unwrap().0)
}

#[tokio::test]
async fn what_the_pages_have_pasted_is_recorded_as_chosen() {
    let world = World::new().await;
    world.configure("brand", "peak", json!({ "name": "Peak" }));
    for (helpdesk, fields, property) in [
        ("zendesk", "do_not_send=77&tags=360002&properties=order%3D360001", "Blue shoes"),
        ("zendesk", "", ""),
        (
            "freshdesk",
            "do_not_send=cf_no_survey&tags=cf_topic&properties=order+%3D+cf_order",
            "Blue shoes",
        ),
        ("freshdesk", "", ""),
    ] {
        for (channel, brand, language) in [
            ("email", "ticket", "ticket"),
            ("phone", "%3Dpeak", "%3Dfr"),
            ("chat", "%3Dblancakids", ""),
        ] {
            let path = format!(
                "/admin/set-up/{helpdesk}?chosen=yes&channel={channel}&brand={brand}\
                 &language={language}&reopen=yes&{fields}"
            );
            let page = world.page(&path).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let route = format!("/v1/webhooks/{helpdesk}");
            assert!(
                page.text.contains("readonly value=\"http://127.0.0.1:"),
                "{path}: {}",
                page.text
            );
            assert!(page.text.contains(&route), "{path}");
            let template = payload(&page.text, &format!("payload-{channel}"));
            for ticket in &TICKETS {
                let body = render(&template, ticket, false);
                let reply = world.call("POST", &route, &JSON, body.clone()).await;
                assert_eq!(reply.status, 200, "{body}: {}", reply.text);
                let told = reply.json();
                if ticket.email.is_empty() {
                    assert_eq!(told["reason"], "no_email", "{told}");
                    continue;
                }
                assert_eq!(told["status"], "queued", "{body}: {told}");
                let brand = if brand == "%3Dpeak" { "peak" } else { "blancakids" };
                let language = match language {
                    "ticket" => "de",
                    "" => "en",
                    _ => "fr",
                };
                assert_eq!(
                    json!([
                        told["channel"],
                        told["brand"],
                        told["language"],
                        told["customer"]["email"],
                        told["do_not_send"]
                    ]),
                    json!([channel, brand, language, ticket.email, false]),
                    "{told}"
                );
                if ticket.id == "11" {
                    let tags = if property.is_empty() {
                        json!(["vip", "returns"])
                    } else {
                        json!([property])
                    };
                    assert_eq!(told["tags"], tags, "{told}");
                    assert_eq!(
                        told["custom_properties"]["order"].as_str().unwrap_or_default(),
                        property
                    );
                    assert_eq!(told["notes"], Value::Null, "nothing to mend: {told}");
                } else {
                    assert_eq!(
                        told["customer"]["name"], "Joe \"JD\" O'Neil {a: \\b} 🦊 Doe",
                        "{told}"
                    );
                }
                let open = render(&template, ticket, true);
                let told = world.call("POST", &route, &JSON, open).await.json();
                assert_eq!(told["status"], "ignored", "{told}");
            }
        }
    }
}

#[tokio::test]
async fn gorgias_and_gladly_are_set_up_too() {
    let world = World::new().await;
    let page =
        world.page("/admin/set-up/gorgias?chosen=yes&brand=%3Dblancakids&language=ticket").await;
    let template = payload(&page.text, "payload");
    let mut form: Value = serde_json::from_str(&template).unwrap();
    for (_, value) in form.as_object_mut().unwrap() {
        *value = json!(match value.as_str().unwrap() {
            "{{ticket.channel}}" => "gorgias_chat",
            "{{ticket.id}}" => "5",
            "{{ticket.customer.id}}" => "9",
            "{{ticket.assignee_user.email}}" => "paul@blancapeak.example",
            "{{ticket.customer.name}}" => "Jane \"JD\"",
            "{{ticket.customer.email}}" => "jane@customers.example",
            "{{ticket.status}}" => "closed",
            "{{ticket.language}}" => "de",
            "{{ticket.tags}}" => "[{'id': 1, 'name': 'vip'}]",
            "{{ticket.meta}}" | "{{ticket.snooze_datetime}}" => "None",
            fixed => fixed,
        });
    }
    let told = world.post("/v1/webhooks/gorgias", &form).await.json();
    assert_eq!(
        json!([told["status"], told["channel"], told["brand"], told["language"], told["tags"]]),
        json!(["queued", "chat", "blancakids", "de", ["vip"]]),
        "{told}"
    );
    let page = world.page("/admin/set-up/gladly").await;
    assert!(page.text.contains("/v1/webhooks/gladly"));
    let event = payload(&page.text, "payload");
    let told = world.call("POST", "/v1/webhooks/gladly", &JSON, event).await.json();
    assert_eq!(told["status"], "unresolved", "{told}");
    for path in ["/admin/set-up/intercom", "/admin/set-up/Zendesk", "/admin/set-up/zendesk/x"] {
        assert_eq!(world.page(path).await.status, 404, "{path}");
    }
    let first = world.page("/admin/set-up").await;
    assert!(first.status == 200 && first.text.contains("payload-email"));
}

#[tokio::test]
async fn the_page_waits_for_the_first_delivery_and_shows_it() {
    let world = World::new().await;
    let before = kit::request("old", "old@customers.example");
    world.post("/v1/webhooks/zendesk", &before).await;
    world.advance(SignedDuration::from_mins(1));
    let page = world.page("/admin/set-up/zendesk?chosen=yes&channel=email").await;
    let (_, link) = page.text.split_once("class=\"button\" href=\"").unwrap();
    let link = unescaped(link.split('"').next().unwrap());
    let waiting = world.page(link.trim_end_matches("#deliveries")).await;
    assert!(waiting.text.contains("Waiting for the first delivery…"), "{}", waiting.text);
    assert_eq!(page.headers.get("refresh"), None);
    // To another address each time: with the same one, and its `#deliveries`, a browser scrolls.
    let next = |page: &kit::Reply| {
        let header = page.headers["refresh"].to_str().unwrap().to_owned();
        header.strip_prefix("5; url=").unwrap_or_else(|| panic!("{header}")).to_owned()
    };
    let (first, second) = (link.clone(), next(&waiting));
    let third = next(&world.page(second.trim_end_matches("#deliveries")).await);
    assert!(first != second && second != third && second.ends_with("#deliveries"), "{second}");
    let mut body = kit::request("t-77", "jane@customers.example");
    body["customer"]["name"] = json!("<b>Jane</b>");
    body["tags"] = json!("vip, new");
    body["external_url"] = json!("no link at all");
    world.post("/v1/webhooks/zendesk", &body).await;
    world.post("/v1/webhooks/freshdesk", &kit::request("t-78", "joe@customers.example")).await;
    body["ext_interaction_id"] = json!("t-79");
    body["employee"]["email"] = json!("nobody@blancapeak.example");
    world.post_as(TEST, "/v1/webhooks/zendesk", &body).await;
    let page = world.page(link.trim_end_matches("#deliveries")).await.text;
    for text in [
        "t-77",
        "t-79",
        "j***@c***.example",
        "vip, new",
        "/external_url is left out.",
        "queued",
        ">test<",
        ">live<",
        "invalid: Employee not found",
        "&#60;b&#62;Jane",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(
        !page.contains("t-78")
            && !page.contains("jane@customers")
            && !page.contains("<dd><bdi>old")
    );
    for odd in [
        "since=yesterday",
        "since=0001-01-01T00:00:00Z",
        "since=9999-01-01T00:00:00Z&refresh=1",
        "since=%FF",
    ] {
        assert_eq!(world.page(&format!("/admin/set-up/gladly?{odd}")).await.status, 200, "{odd}");
    }
}

#[tokio::test]
async fn a_payload_of_ones_own_is_tried_on_tickets() {
    let world = World::new().await;
    let good = include_str!("../../shared/normalize/tests/templates/zendesk/email.liquid")
        .replace("YOUR CUSTOM ID HERE", "360001");
    let page = world.submit("/admin/set-up/zendesk", &[("payload", &good)]).await;
    assert_eq!(page.status, 200);
    let text = unescaped(&page.text);
    for told in [
        "An ordinary ticket: <span class=\"good\">Understood</span>",
        "/customer/name had broken the JSON, and is mended.",
        "No survey: The customer has no e-mail address.",
        "<dd><bdi>agent@example.com</bdi></dd>",
        "A name that wants to be more than a name: <span class=\"bad\">Refused</span>",
        "/customer/name was too long, and is cut.",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(text.contains(&good), "what was pasted is shown again");
    for (helpdesk, payload, status, told) in [
        ("zendesk", "", 422, "Paste the payload"),
        ("zendesk", "no json", 200, "Refused"),
        ("zendesk", "{\n\n{% case x %}", 200, "Line 3: `{% case x %}` cannot be tried here"),
        (
            "zendesk",
            "{\"channel\": \"fax\", \"customer\": {\"email\": \"{{ticket.requester.email}}\"}}",
            200,
            "No channel that is switched on is called fax",
        ),
        ("zendesk", "{\"customer\": {\"email\": \"a@b.example\"}}", 200, "/channel: "),
        ("zendesk", "{\"a\": 1, \"a\": 2}", 200, "/a: "),
        (
            "freshdesk",
            "{\"channel\": \"email\", \"status\": \"{{ticket.status}}\", \
             \"do_not_send\": \"{{ticket.cf_x}}\", \
             \"customer\": {\"name\": \"\", \"email\": \"{{ticket.from_email}}\"}, \
             \"employee\": {\"email\": \"{{ticket.agent.email}}\"}}",
            200,
            "Understood<",
        ),
        ("gorgias", "{\"status\": \"{{ticket.status | upcase}}\"}", 200, "cannot be tried here"),
        (
            "gorgias",
            "{\"status\": \"open\", \"ext_interaction_id\": \"1\"}",
            200,
            "The ticket is not closed.",
        ),
        ("gladly", "{\"type\": \"PING\"}", 200, "The webhook works."),
        ("gladly", "{\"type\": \"CONVERSATION/CLOSED\"}", 200, "/content/conversationId: "),
    ] {
        let page =
            world.submit(&format!("/admin/set-up/{helpdesk}"), &[("payload", payload)]).await;
        let text = unescaped(&page.text);
        assert!(page.status == status && text.contains(told), "{payload}: {text}");
    }
    let gorgias = world.page("/admin/set-up/gorgias").await.text;
    let page =
        world.submit("/admin/set-up/gorgias", &[("payload", &payload(&gorgias, "payload"))]).await;
    assert_eq!(page.text.matches(">Understood<").count(), 3, "{}", page.text);
    // Bytes that are no text, and too many of them.
    let headers =
        [("authorization", &*kit::admin::ann()), ("accept", "text/html"), kit::admin::FORM];
    let bytes = world.call("POST", "/admin/set-up/zendesk", &headers, "payload=%ff%fe%00").await;
    assert!(bytes.status == 422 && bytes.text.contains("bytes that are no text"));
    for (size, status) in [(256 * 1024, 200), (256 * 1024 + 1, 422)] {
        let body = format!("payload={}", "x".repeat(size));
        let large = world.call("POST", "/admin/set-up/zendesk", &headers, body).await;
        assert_eq!(
            (large.status, large.text.contains("larger than 256 KiB")),
            (status, status == 422)
        );
    }
    let body = format!("payload={}", "x".repeat(5 * 1024 * 1024 + 1));
    assert_eq!(world.call("POST", "/admin/set-up/zendesk", &headers, body).await.status, 413);
    assert_eq!(world.count("interactions"), 0);
}

#[tokio::test]
async fn what_was_chosen_wrongly_comes_back_with_a_message() {
    let world = World::new().await;
    let many: String = (0..21).map(|n| format!("p{n} = 1\n")).collect();
    for (field, value, told) in [
        ("channel", "fax", "Choose at least one channel."),
        ("brand", "=nobody", "Choose one of the list."),
        ("language", "tlh", "Choose one of the list."),
        ("do_not_send", "my field", "Type the number of the field"),
        ("do_not_send", "{{ticket.x}}\"", "Type the number of the field"),
        ("tags", "1, x y", "Type the number of the field"),
        ("properties", "order", "Line 1: write name = field."),
        ("properties", "a = 1\nemail = 2", "Line 2: the payload itself has email"),
        ("properties", "a = 1\na = 2", "Line 2: a stands twice."),
        ("properties", "a b = 1", "Line 1: a name has 1 to 60 letters"),
        ("properties", &many, "Line 21: 20 properties are the most."),
    ] {
        let channel = if field == "channel" { "" } else { "&channel=email" };
        let path = format!("/admin/set-up/zendesk?chosen=yes{channel}&{field}={}", encoded(value));
        let page = world.page(&path).await;
        let text = unescaped(&page.text);
        assert!(page.status == 422 && text.contains(told), "{value}: {text}");
        assert!(
            text.contains(&format!("href=\"#{field}\"")) && !text.contains("id=\"payload-email\"")
        );
        if ["do_not_send", "tags", "properties"].contains(&field) {
            assert!(text.contains(value.trim()), "what was typed is kept");
        }
    }
}

#[tokio::test]
async fn a_viewer_looks_and_tries_nothing() {
    let world = World::new().await;
    use sha2::Digest as _;
    let key: String =
        sha2::Sha256::digest("aw_admin_viewer").iter().map(|b| format!("{b:02x}")).collect();
    world.configure("key", &key, json!({ "mode": "admin", "scopes": ["viewer"] }));
    let viewer = [
        ("authorization", "Basic dmVyYTphd19hZG1pbl92aWV3ZXI="),
        ("accept", "text/html"),
        kit::admin::FORM,
    ];
    let page = world.call("GET", "/admin/set-up/zendesk", &viewer, "").await;
    assert!(page.status == 200 && !page.text.contains("name=\"payload\""), "{}", page.text);
    let reply = world.call("POST", "/admin/set-up/zendesk", &viewer, "payload=x").await;
    assert_eq!(reply.status, 403);
}
