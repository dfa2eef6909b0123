//! The helpdesk guides are true: every payload that an admin copies is rendered with a real
//! template engine and posted to the real functions, every command is run, and every reply and
//! table is what the stack answers. `UPDATE_DOCS=1 cargo test -p local --test helpdesk_docs` writes
//! the replies anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod guide;
mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guide::command::{Curl, put_items};
use guide::ticket::Ticket;
use guide::{Block, Desk, Guide, code, includes, shown};
use hmac::{Hmac, Mac};
use jiff::SignedDuration;
use kit::{LIVE, Reply, World};
use local::faults::{Fault, InjectedReply};
use local::seed;
use local::stack::Options;
use policy::Item;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

const SECRET: &str = "a-signing-secret";

/// A stack with the channel `web`, which the guides add, one that is switched off, and one in
/// manual mode.
async fn world(options: Options) -> World {
    let world = World::with(options).await;
    world.configure("channel", "web", json!({ "mode": "integrated" }));
    world.configure("channel", "off", json!({ "mode": "integrated", "enabled": false }));
    world.configure("channel", "by-hand", json!({ "mode": "manual" }));
    world
}

/// Posts a body with the headers that the helpdesk sends.
async fn post(world: &World, desk: Desk, key: &str, body: &str) -> Reply {
    let basic = format!("Basic {}", STANDARD.encode(format!("connect:{key}")));
    let mut headers = vec![("content-type", "application/json")];
    headers.push(match desk {
        Desk::Gorgias => ("x-api-key", key),
        _ => ("authorization", &basic),
    });
    let (now, invocation) = (world.now().to_string(), format!("{:x}", Sha256::digest(body)));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update(&now).chain_update(body).finalize().into_bytes();
    let signature = STANDARD.encode(mac);
    if desk == Desk::Zendesk {
        headers.extend([
            ("x-zendesk-account-id", "21905"),
            ("x-zendesk-webhook-id", "01GX5Z6A8QW9T2"),
            ("x-zendesk-webhook-invocation-id", &*invocation),
            ("x-zendesk-webhook-signature", &*signature),
            ("x-zendesk-webhook-signature-timestamp", &*now),
        ]);
    }
    world.call("POST", &desk.route(), &headers, body).await
}

/// Names as customers have them, and as they are understood.
const NAMES: [(&str, Option<&str>); 9] = [
    ("Jane Doe", Some("Jane Doe")),
    ("Jane \"JD\" Doe", Some("Jane \"JD\" Doe")),
    ("Jane\nDoe", Some("Jane Doe")),
    ("C:\\Jane\\", Some("C:\\Jane\\")),
    ("Jane 🦊 O'Doe", Some("Jane 🦊 O'Doe")),
    ("יעל כהן", Some("יעל כהן")),
    ("}, {", Some("}, {")),
    ("-", None),
    ("", None),
];

#[tokio::test]
async fn every_payload_of_zendesk_and_freshdesk_ends_in_one_mail_whatever_the_customer_is_called() {
    let mut world =
        world(Options { zendesk_secret: SECRET.to_owned(), ..Options::default() }).await;
    for desk in [Desk::Zendesk, Desk::Freshdesk] {
        for (payload, text) in Guide::read(desk).payloads() {
            if payload == "zendesk-test" {
                continue;
            }
            for (index, (name, understood)) in NAMES.into_iter().enumerate() {
                let ticket = Ticket {
                    name: name.to_owned(),
                    ..Ticket::closed(desk, &format!("{payload}-{index}"))
                };
                let body = ticket.render(desk, &text);
                let reply = post(&world, desk, LIVE, &body).await;
                let told = reply.json();
                assert_eq!((reply.status, &told["status"]), (200, &json!("queued")), "{body}");
                assert_eq!(told["customer"]["name"].as_str(), understood, "{body}");
                assert_eq!(told["ext_interaction_id"], json!(ticket.id));
                assert!(told["external_url"].as_str().unwrap().starts_with("https://"), "{told}");
                assert!(told["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{told}");
                world.settle().await;
                assert_eq!(world.outcome(&reply.id()).await, "delivered");
                assert_eq!(world.mails_to(&ticket.email).len(), 1, "{payload} {name}");
            }
        }
    }
}

#[tokio::test]
async fn the_payloads_take_empty_and_hostile_values_and_do_not_send() {
    let mut world =
        world(Options { zendesk_secret: SECRET.to_owned(), ..Options::default() }).await;
    let mut posted = 0;
    for desk in [Desk::Zendesk, Desk::Freshdesk] {
        for (payload, text) in Guide::read(desk).payloads() {
            if payload == "zendesk-test" {
                continue;
            }
            posted += 1;
            let ticket = |id: &str| Ticket::closed(desk, &format!("{payload}-{id}"));
            // What may be empty is empty.
            let empty = Ticket {
                name: String::new(),
                status: String::new(),
                language: String::new(),
                tags: String::new(),
                brand: String::new(),
                field: String::new(),
                ..ticket("empty")
            };
            let field = "a \"b\"\nc\\";
            let odd = Ticket { field: field.to_owned(), ..ticket("odd") };
            for ticket in [&empty, &odd] {
                let reply = post(&world, desk, LIVE, &ticket.render(desk, &text)).await;
                assert_eq!(reply.json()["status"], json!("queued"), "{payload}: {}", reply.text);
                if payload.ends_with("-fields") && ticket.field == field {
                    let property = &reply.json()["custom_properties"]["order_number"];
                    assert!(property.as_str().unwrap().starts_with("a \"b\""), "{property}");
                }
                world.settle().await;
                assert_eq!(world.mails_to(&ticket.email).len(), 1, "{payload}");
            }
            let refused = |id: &str, reason: &'static str| (ticket(id), reason);
            let (mut checkbox, mut tag) = (ticket("checkbox"), ticket("tag"));
            checkbox.do_not_send = "1".to_owned();
            tag.tags.push_str(" stellaconnect-do-not-send");
            let (mut nobody, mut unassigned) = (refused("no", "no_email"), ticket("unassigned"));
            nobody.0.email = String::new();
            unassigned.agent = String::new();
            let declined = "do_not_send";
            for (ticket, reason) in
                [(checkbox, declined), (tag, declined), nobody, (unassigned, "no_employee")]
            {
                let told = post(&world, desk, LIVE, &ticket.render(desk, &text)).await.json();
                // These two payloads say in the guide that they have no checkbox, or no tags.
                let has = match ticket.id.rsplit('-').next() {
                    Some("checkbox") => text.contains("do_not_send"),
                    Some("tag") => text.contains("ticket.tags"),
                    _ => true,
                };
                let wanted = if has { json!(reason) } else { Value::Null };
                assert_eq!(told["reason"], wanted, "{payload} {}: {told}", ticket.id);
            }
            let eve = Ticket {
                name: "Eve\", \"email\": \"victim@customers.example".to_owned(),
                ..ticket("eve")
            };
            let reply = post(&world, desk, LIVE, &eve.render(desk, &text)).await;
            assert_eq!(reply.status, 400, "{payload}: {}", reply.text);
            world.settle().await;
            assert!(world.mails_to("victim@customers.example").is_empty());
        }
    }
    assert_eq!(posted, 13);
}

#[tokio::test]
async fn the_payloads_of_gorgias_are_understood_as_jinja_renders_them() {
    let mut world = world(Options::default()).await;
    let guide = Guide::read(Desk::Gorgias);
    let fixture: Value = serde_json::from_str(include_str!("fixtures/gorgias_guide.json")).unwrap();
    let payloads: Map<String, Value> =
        guide.payloads().into_iter().map(|(name, text)| (name, json!(text))).collect();
    assert_eq!(
        fixture["payloads"],
        json!(payloads),
        "a payload changed: run local/tests/fixtures/gorgias_guide.py"
    );
    for (index, row) in fixture["rows"].as_array().unwrap().iter().enumerate() {
        let (case, becomes) = (&row["case"], row["becomes"].as_str().unwrap());
        let (id, email) = (format!("jinja-{index}"), format!("jinja-{index}@customers.example"));
        let body = row["body"].as_str().unwrap().replace("TICKET", &id).replace("EMAIL", &email);
        let reply = post(&world, Desk::Gorgias, LIVE, &body).await;
        let told = reply.json();
        let became = told["reason"].as_str().or(told["status"].as_str());
        assert_eq!((reply.status, became), (200, Some(becomes)), "{case} {body}: {told}");
        if told["status"] != "ignored" {
            assert_eq!(told["customer"]["name"], row["name"], "{case}: {told}");
        }
        world.settle().await;
        let mails = usize::from(becomes == "queued");
        assert_eq!(world.mails_to(&email).len(), mails, "{case}");
    }
}

#[tokio::test]
async fn the_payloads_of_gladly_and_the_set_up_test_are_answered_as_the_guides_say() {
    let mut world =
        world(Options { zendesk_secret: SECRET.to_owned(), ..Options::default() }).await;
    let gladly = Guide::read(Desk::Gladly);
    let ping = post(&world, Desk::Gladly, LIVE, &gladly.payload("ping")).await;
    assert_eq!((ping.status, &ping.json()["reason"]), (200, &json!("ping")));
    let closed = post(&world, Desk::Gladly, LIVE, &gladly.payload("closed")).await;
    assert_eq!((closed.status, &closed.json()["status"]), (200, &json!("unresolved")));
    world.settle().await;
    assert_eq!(world.outcome(&closed.id()).await, "delivered");
    assert_eq!(world.mails_to("jane.roe@customers.example").len(), 1);

    let set_up = Guide::read(Desk::Zendesk).payload("test");
    let reply = post(&world, Desk::Zendesk, LIVE, &set_up).await;
    assert_eq!((reply.status, &reply.json()["reason"]), (200, &json!("do_not_send")));
    world.settle().await;
    assert_eq!(world.stack.mailbox.messages().len(), 1);
}

/// A closed ticket's body in the helpdesk's first payload.
fn body(guide: &Guide, ticket: &Ticket) -> String {
    let payload = if guide.desk == Desk::Gorgias { "form" } else { "email" };
    ticket.render(guide.desk, &guide.payload(payload))
}

#[tokio::test]
async fn the_tables_of_languages_say_what_is_mailed() {
    for desk in [Desk::Zendesk, Desk::Freshdesk, Desk::Gorgias] {
        let mut world =
            world(Options { zendesk_secret: SECRET.to_owned(), ..Options::default() }).await;
        let guide = Guide::read(desk);
        let rows = guide.table(&["sent", "mailed in"]);
        assert!(rows.len() > 10, "{desk:?}");
        for row in rows {
            let [sent, mailed] = [&row[0], &row[1]].map(|cell| code(cell));
            let id = format!("in-{}", sent.replace([' ', '(', ')'], ""));
            let mut ticket = Ticket::closed(desk, &id);
            ticket.language = sent.to_owned();
            let reply = post(&world, desk, LIVE, &body(&guide, &ticket)).await;
            assert_eq!(reply.json()["language"], json!(mailed), "{desk:?} {sent}");
            world.settle().await;
            let mail = &world.mails_to(&ticket.email)[0];
            let tag = format!("<html lang=\"{mailed}\"");
            assert!(mail.html.contains(&tag), "{desk:?} {sent}: {}", &mail.html[..200]);
        }
    }
}

#[tokio::test]
async fn the_tables_of_replies_hold_for_each_row() {
    for desk in Desk::ALL {
        let guide = Guide::read(desk);
        let rows = guide.table(&["code", "body has", "what it means, and what to do"]);
        assert!(rows.len() > 10, "{desk:?}");
        let mut world = world(Options { proxied: true, ..Options::default() }).await;
        for (index, row) in rows.iter().enumerate() {
            let wanted: Map<String, Value> = serde_json::from_str(code(&row[1])).unwrap();
            let reply = provoke(&mut world, &guide, &wanted, &format!("row-{index}")).await;
            assert_eq!(reply.status.to_string(), row[0], "{desk:?} {wanted:?}: {}", reply.text);
            assert!(includes(&reply.json(), &wanted), "{desk:?} {wanted:?}: {}", reply.text);
        }
    }
}

/// Brings about the reply that has `wanted`.
async fn provoke(world: &mut World, guide: &Guide, wanted: &Map<String, Value>, id: &str) -> Reply {
    let desk = guide.desk;
    let mut ticket = Ticket::closed(desk, id);
    let kind = ["reason", "code", "status"].into_iter().find_map(|key| wanted.get(key)?.as_str());
    let (mut channel, mut brand) = ("email", "Blanca Kids");
    match kind.unwrap_or("duplicate") {
        "queued" | "unresolved" | "brand_missing" | "duplicate" => {}
        "do_not_send" => ticket.tags = "stellaconnect-do-not-send".to_owned(),
        "no_email" => ticket.email = String::new(),
        "no_employee" => ticket.agent = String::new(),
        "self_survey" => ticket.email = "boss@blancapeak.example".to_owned(),
        "invalid_customer" => ticket.email = "not an address".to_owned(),
        "employee_not_found" => ticket.agent = "nobody@blancapeak.example".to_owned(),
        "employee_deactivated" => ticket.agent = "gus@blancapeak.example".to_owned(),
        "employee_profile_incomplete" => ticket.agent = "nora@blancapeak.example".to_owned(),
        "status_unknown" => ticket.status = "Gelöst".to_owned(),
        "ticket_not_closed" => ticket.status = "open".to_owned(),
        "snoozed" => {
            let body = body(guide, &ticket).replace("\"None\"", "\"2099-01-01T00:00:00\"");
            return post(world, desk, LIVE, &body).await;
        }
        "channel_not_enabled" => channel = "off",
        "channel_manual" => channel = "by-hand",
        "brand_invalid" => brand = "Blanca Pets",
        "ping" => return post(world, desk, LIVE, &guide.payload("ping")).await,
        "unknown_event" => {
            let body = guide.payload("closed").replace("CLOSED", "REOPENED");
            return post(world, desk, LIVE, &body).await;
        }
        "no_agent" => {
            let body = guide.payload("closed").replace("\"AGENT\"", "\"AUTOMATION\"");
            return post(world, desk, LIVE, &body.replace("agentId", "nobody")).await;
        }
        "malformed_json" => return post(world, desk, LIVE, "channel=email").await,
        "invalid_body" => return post(world, desk, LIVE, "{}").await,
        "duplicate_key" if desk == Desk::Gladly => {
            return post(world, desk, LIVE, r#"{"type": "PING", "type": "PING"}"#).await;
        }
        "duplicate_key" => {
            let key = if desk == Desk::Gorgias { "customer_email" } else { "email" };
            ticket.name = format!("Eve\", \"{key}\": \"victim@customers.example");
        }
        "forbidden" => return post(world, desk, "aw_live_unknown", "{}").await,
        "too_large" => return post(world, desk, LIVE, &" ".repeat(300 * 1024)).await,
        "unavailable" => {
            let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
            dynamodb.plan(|_| Fault::Reply(InjectedReply::internal()));
            let reply = post(world, desk, LIVE, &delivered(guide, &ticket, id)).await;
            dynamodb.plan(|_| Fault::None);
            return reply;
        }
        other => panic!("{desk:?}: how does {other} come about?"),
    }
    let several = kind == Some("brand_missing");
    if several {
        world.configure("brand", "pets", json!({ "name": "Pets" }));
        world.advance(SignedDuration::from_secs(31));
    }
    channel.clone_into(&mut ticket.channel);
    let mut text = delivered(guide, &ticket, id);
    text = text.replace("\"channel\": \"email\"", &format!("\"channel\": \"{channel}\""));
    if kind == Some("brand_invalid") {
        text = text.replacen('{', &format!("{{\"brand\": \"{brand}\", "), 1);
    }
    let mut reply = post(world, desk, LIVE, &text).await;
    if kind.is_none() {
        reply = post(world, desk, LIVE, &text).await;
    }
    if several {
        world.configure("brand", "pets", json!({ "name": "Pets", "active": false }));
        world.advance(SignedDuration::from_secs(31));
    }
    reply
}

/// A closed ticket's or conversation's body.
fn delivered(guide: &Guide, ticket: &Ticket, id: &str) -> String {
    match guide.desk {
        Desk::Gladly => guide.payload("closed").replace("yHaHXjD4SR-moMR9LbULDb", id),
        _ => body(guide, ticket),
    }
}

#[tokio::test]
async fn every_command_is_answered_with_the_reply_that_follows_it() {
    for desk in Desk::ALL {
        let guide = Guide::read(desk);
        let mut world = world(Options::default()).await;
        let (mut told, mut replies) = (None, Vec::<(Block, Value)>::new());
        let mut commands = 0;
        for block in guide.blocks() {
            if let Some(curl) =
                Some(&block).filter(|b| b.info == "sh").and_then(|b| Curl::read(&b.text))
            {
                assert!(told.is_none(), "{desk:?}: a command without its reply: {curl:?}");
                let headers: Vec<(&str, &str)> =
                    curl.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
                let reply = world.call(curl.method, &curl.path, &headers, curl.body.clone()).await;
                assert_eq!(reply.status, 200, "{curl:?}: {}", reply.text);
                world.settle().await;
                told = Some(shown(&reply.json()));
                commands += 1;
            } else if block.info == "json reply" {
                let told = told.take().unwrap_or_else(|| panic!("{desk:?}: a reply to nothing"));
                replies.push((block, told));
            }
        }
        assert!(told.is_none() && commands > 2, "{desk:?}: {commands} commands");
        // The mails of a test key went to the company's test address, and the guide promises one.
        assert_eq!(world.mails_to("test@blancapeak.example").len(), 1, "{desk:?}");
        assert_eq!(world.stack.mailbox.messages().len(), 1, "{desk:?}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let mut text = guide.text.clone();
            for (block, told) in replies.into_iter().rev() {
                let pretty = serde_json::to_string_pretty(&told).unwrap() + "\n";
                text.replace_range(block.place, &pretty);
            }
            std::fs::write(guide::path(&format!("docs/{}.md", desk.name())), text).unwrap();
            continue;
        }
        for (block, told) in replies {
            let written: Value = serde_json::from_str(&block.text).unwrap();
            let update = "run UPDATE_DOCS=1 cargo test -p local --test helpdesk_docs";
            assert_eq!(written, told, "{desk:?}: {update}");
        }
    }
}

#[tokio::test]
async fn the_commands_that_make_keys_and_items_are_understood() {
    let world = world(Options::default()).await;
    for desk in Desk::ALL {
        let guide = Guide::read(desk);
        let key = format!("aw_test_{}", desk.name());
        let digest: String = Sha256::digest(&key).iter().map(|b| format!("{b:02x}")).collect();
        let variables = [("$digest", &*digest), ("${key:0:12}", "aw_test_1234")];
        let blocks = guide.blocks().into_iter().filter(|block| block.info == "sh");
        let items: Vec<Value> =
            blocks.flat_map(|block| put_items(&block.text, &variables)).collect();
        assert_eq!(items.len(), 1 + usize::from(desk == Desk::Gladly), "{desk:?}");
        for item in items {
            let plain: Map<String, Value> = item.as_object().unwrap().clone();
            let unknown = Item::new(&plain).unknown();
            assert_eq!(unknown, Vec::<String>::new(), "{desk:?} {item}");
            if item["kind"]["S"] == "key" {
                seed::put(&world.stack.database, &item).unwrap();
            }
        }
        // It opens this webhook, and no other.
        for other in Desk::ALL {
            let reply = post(&world, other, &key, "{}").await;
            let opened = if other == desk { 400 } else { 403 };
            assert_eq!(reply.status, opened, "{desk:?} {other:?}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn the_aliases_in_the_guide_of_gorgias_are_the_local_stacks() {
    let world = World::new().await;
    let head = ["channel", "names that the local stack knows as aliases"];
    let rows = Guide::read(Desk::Gorgias).table(&head);
    assert_eq!(rows.len(), 3);
    for row in rows {
        let item = seed::get(&world.stack.database, "channel", code(&row[0])).unwrap();
        let aliases: Vec<&str> = item["aliases"]["L"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|a| a["S"].as_str())
            .collect();
        let names: Vec<&str> = row[1].split(", ").map(code).collect();
        assert_eq!(names, aliases, "{}", row[0]);
    }
}
