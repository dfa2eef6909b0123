//! Agents send surveys by hand: `/send/{token}`, and the links of `/admin/send-links`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::admin::{FORM, form, unescaped};
use kit::{LIVE, Reply, World, request};
use local::faults::{Fault, InjectedReply};
use local::seed::ADMIN_KEY;
use serde_json::json;
use sha2::{Digest as _, Sha256};

const PAUL: &str = "paul@blancapeak.example";

/// A company whose agents send by hand after calls.
async fn by_hand() -> World {
    let world = World::new().await;
    world.configure("channel", "phone", json!({ "mode": "manual" }));
    world
}

/// The path of an agent's link, as the page of links shows it.
async fn link(world: &World, employee: &str) -> String {
    let page = world.page(&format!("/admin/send-links?employee={employee}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let (_, rest) = page.text.split_once("/send/").unwrap_or_else(|| panic!("{}", page.text));
    format!("/send/{}", rest.split('<').next().unwrap())
}

async fn post(world: &World, path: &str, fields: &[(&str, &str)]) -> Reply {
    world.call("POST", path, &[FORM], form(fields)).await
}

async fn get(world: &World, path: &str) -> Reply {
    world.call("GET", path, &[], "").await
}

/// Where a recorded survey is shown, and its id.
fn recorded(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 303, "{}", reply.text);
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let id = location.split_once("?request=").unwrap().1.to_owned();
    (location, id)
}

const NONCE: &str = "01941f29-7c00-7000-8000-000000000001";

#[tokio::test]
async fn a_survey_is_sent_by_hand_on_a_manual_channel() {
    let mut world = by_hand().await;
    let link = link(&world, PAUL).await;
    let page = get(&world, &link).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<option value=\"phone\" selected>"), "{}", page.text);
    assert!(!page.text.contains("value=\"email\">") && !page.text.contains("value=\"chat\">"));
    let fields = [
        ("nonce", NONCE),
        ("email", " jane@customers.example "),
        ("name", "Jane Doe"),
        ("channel", "phone"),
        ("ticket", "call-7"),
        ("language", "de"),
    ];
    let (location, id) = recorded(&post(&world, &link, &fields).await);
    let told = get(&world, &location).await.text;
    assert!(
        told.contains("The survey is recorded") && told.contains("j***@c***.example"),
        "{told}"
    );
    world.settle().await;
    let mails = world.mails_to("jane@customers.example");
    assert_eq!(mails.len(), 1);
    let row = world.request(&id).await;
    assert_eq!(
        json!([row["requested_via"], row["source"], row["mode"], row["channel"], row["language"]]),
        json!(["manual", "requests", "live", "phone", "de"])
    );
    assert_eq!(row["ext_interaction_id"], "call-7");
    let told = get(&world, &location).await.text;
    assert!(told.contains("The survey was sent") && told.contains("Send another"), "{told}");
    // The answer says so in the export.
    let answer = kit::link(&mails[0], "/s/");
    let page = world.call("GET", &format!("{answer}?stars=4"), &[], "").await;
    assert_eq!(page.status, 200);
    world.call("POST", &answer, &[FORM], form(&[("stars", "4"), ("rating", "4")])).await;
    world.advance(SignedDuration::from_mins(1));
    let data = world.get("/v2/data").await.json();
    assert_eq!(data["data"][0]["requested_via"], "manual", "{data}");
    // The same call by a machine is refused, as ever.
    let mut machine = request("call-8", "joe@customers.example");
    machine["channel"] = json!("phone");
    assert_eq!(world.post("/v1/requests", &machine).await.json()["code"], "channel_manual");
}

#[tokio::test]
async fn integrated_channels_are_not_offered_nor_accepted() {
    let world = by_hand().await;
    let link = link(&world, PAUL).await;
    for (channel, message) in [
        ("email", "go out by themselves"),
        ("zendesk", "go out by themselves"),
        ("fax", "switched off, or does not exist"),
        ("", "Choose how you were in contact"),
    ] {
        let fields = [("email", "jane@customers.example"), ("channel", channel)];
        let reply = post(&world, &link, &fields).await;
        assert_eq!(reply.status, 422, "{channel}");
        assert!(reply.text.contains(message) && reply.text.contains("id=\"channel-error\""));
        assert!(reply.text.contains("jane@customers.example"), "what was typed is kept");
    }
    // Switched to integrated while the form was open.
    world.configure("channel", "phone", json!({ "mode": "integrated" }));
    let fields = [("email", "jane@customers.example"), ("channel", "phone")];
    let reply = post(&world, &link, &fields).await;
    assert_eq!((reply.status, world.count("interactions")), (422, 0));
    let none = get(&world, &link).await.text;
    assert!(none.contains("Nothing is to be sent by hand") && !none.contains("<form"), "{none}");
    // Nor where a typo leaves open what the channel is.
    world.configure("channel", "phone", json!({ "mode": "manuel" }));
    assert!(get(&world, &link).await.text.contains("Nothing is to be sent by hand"));
}

#[tokio::test]
async fn every_link_that_opens_nothing_shows_the_same_page() {
    let world = by_hand().await;
    let old = link(&world, PAUL).await;
    let mut pages = Vec::new();
    let renewed = world.submit("/admin/send-links", &[("employee", PAUL)]).await;
    assert_eq!(renewed.status, 303, "{}", renewed.text);
    pages.push(get(&world, &old).await);
    pages.push(post(&world, &old, &[("email", "a@b.example"), ("channel", "phone")]).await);
    let new = link(&world, PAUL).await;
    assert_ne!(old, new);
    assert_eq!(get(&world, &new).await.status, 200);
    pages.push(get(&world, &format!("{new}?request=01941f29-7c00-7000-8000-000000000009")).await);
    let foreign = world.post("/v1/requests", &request("1", "joe@customers.example")).await.id();
    pages.push(get(&world, &format!("{new}?request={foreign}")).await);
    for item in [
        json!({ "status": "deactivated", "send_box": 1 }),
        json!({ "status": "pending", "send_box": 1 }),
        json!({ "status": "approved", "send_box": "often" }),
        json!({ "status": "approved", "send_box": 2 }),
        json!({ "status": "approved" }),
    ] {
        world.configure("employee", PAUL, item);
        pages.push(get(&world, &new).await);
    }
    for path in ["/send/x", "/send/%00", "/send/aaaa.bbbb", &format!("{new}a")] {
        pages.push(get(&world, path).await);
    }
    let first = pages[0].text.clone();
    for (number, page) in pages.iter().enumerate() {
        assert_eq!((page.status, &page.text), (404, &first), "page {number}");
    }
    assert!(first.contains("This link opens nothing"));
    world.configure("employee", PAUL, json!({ "status": "approved", "send_box": " 1 " }));
    assert_eq!(get(&world, &new).await.status, 200);
}

#[tokio::test]
async fn a_form_sends_once_however_often_it_is_sent() {
    let mut world = by_hand().await;
    let link = link(&world, PAUL).await;
    let jane = [("nonce", NONCE), ("email", "jane@customers.example"), ("channel", "phone")];
    let (one, other) = tokio::join!(post(&world, &link, &jane), post(&world, &link, &jane));
    assert_eq!(recorded(&one), recorded(&other));
    world.settle().await;
    assert_eq!(recorded(&one), recorded(&post(&world, &link, &jane).await));
    // A new form, the same customer, a moment later.
    let again = [("email", "jane@customers.example"), ("channel", "phone")];
    assert_eq!(recorded(&one), recorded(&post(&world, &link, &again).await));
    // The old form, with another customer: it may be meant, so it is shown again.
    let joe = [("nonce", NONCE), ("email", "joe@customers.example"), ("channel", "phone")];
    let reply = post(&world, &link, &joe).await;
    assert!(reply.status == 422 && reply.text.contains("sent before, with other values"));
    assert!(!reply.text.contains(NONCE));
    world.settle().await;
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    assert!(world.mails_to("joe@customers.example").is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_comes_back_as_it_was_typed() {
    let mut world = by_hand().await;
    let link = link(&world, PAUL).await;
    let long = "x".repeat(501);
    for (fields, message) in [
        (vec![("email", ""), ("channel", "phone")], "Type the customer"),
        (vec![("email", "jane"), ("channel", "phone")], "This is no e-mail address"),
        (vec![("email", "j@x@y"), ("channel", "phone")], "This is no e-mail address"),
        (vec![("email", "j@a.example"), ("channel", "phone"), ("name", &long)], "too long"),
        (vec![("email", "j@a.example"), ("channel", "phone"), ("brand", "x")], "brand cannot"),
        (vec![("email", "j@a.example"), ("channel", "phone"), ("language", "tlh")], "language"),
        (vec![], "Type the customer"),
    ] {
        let reply = post(&world, &link, &fields).await;
        assert!(reply.status == 422 && reply.text.contains(message), "{message}: {}", reply.text);
        assert!(reply.text.contains("role=\"alert\""));
        let typed = fields.iter().filter(|(name, _)| !["brand", "language"].contains(name));
        assert!(typed.into_iter().all(|(_, value)| reply.text.contains(value)), "{message}");
    }
    let bytes = world.call("POST", &link, &[FORM], b"email=%ff%fe&channel=\xff".to_vec()).await;
    assert_eq!(bytes.status, 422);
    let large = world.call("POST", &link, &[FORM], vec![b'a'; 64 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    assert_eq!(world.count("interactions"), 0);
    // HTML in a name stays text, on the pages and in the mail.
    let evil = "<script>alert(1)</script>\"'&";
    world.configure("employee", PAUL, json!({ "status": "approved", "name": evil }));
    let reply = post(&world, &link, &[("email", "jane"), ("name", evil), ("ticket", evil)]).await;
    assert!(!reply.text.contains("<script") && unescaped(&reply.text).contains(evil));
    let fields = [("email", "jane@customers.example"), ("channel", "phone"), ("name", evil)];
    let (location, _) = recorded(&post(&world, &link, &fields).await);
    assert!(!get(&world, &location).await.text.contains("<script"));
    world.settle().await;
    assert!(!world.mails_to("jane@customers.example")[0].html.contains("<script"));
}

#[tokio::test]
async fn the_rules_about_customers_apply_as_always_and_are_told() {
    let mut world = by_hand().await;
    let link = link(&world, PAUL).await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    for (email, told, outcome) in [
        ("jane@customers.example", "within the suppression period", "not_sent: suppression_period"),
        ("nora@blancapeak.example", "The customer is a colleague", "not_sent: self_survey"),
    ] {
        let fields = [("email", email), ("channel", "phone")];
        let (location, id) = recorded(&post(&world, &link, &fields).await);
        world.settle().await;
        let page = get(&world, &location).await.text;
        assert!(page.contains("No survey is sent") && page.contains(told), "{page}");
        assert_eq!(world.outcome(&id).await, outcome);
    }
    // What a machine was refused, because agents send by hand, does not stand in an agent's way.
    let mut machine = request("call-9", "ada@customers.example");
    machine["channel"] = json!("phone");
    assert_eq!(world.post("/v1/requests", &machine).await.json()["code"], "channel_manual");
    let fields = [("email", "ada@customers.example"), ("channel", "phone"), ("ticket", "call-9")];
    let (_, ada) = recorded(&post(&world, &link, &fields).await);
    world.settle().await;
    assert_eq!(world.outcome(&ada).await, "delivered");
    // Deactivated between the form and the mail; and a channel that was switched meanwhile.
    let fields = [("email", "joe@customers.example"), ("channel", "phone")];
    let (_, joe) = recorded(&post(&world, &link, &fields).await);
    let fields = [("email", "jim@customers.example"), ("channel", "phone")];
    world.configure("employee", PAUL, json!({ "status": "deactivated" }));
    // Functions remember a profile for ten seconds.
    world.advance(SignedDuration::from_secs(30));
    world.settle().await;
    assert_eq!(world.outcome(&joe).await, "invalid: employee_deactivated");
    world.configure("employee", PAUL, json!({ "status": "approved" }));
    let (_, jim) = recorded(&post(&world, &link, &fields).await);
    world.configure("channel", "phone", json!({ "mode": "integrated" }));
    world.settle().await;
    assert_eq!(world.outcome(&jim).await, "delivered");
}

#[tokio::test]
async fn nothing_is_sent_to_a_person_who_is_being_erased() {
    let world = World::proxied().await;
    world.configure("channel", "phone", json!({ "mode": "manual" }));
    let link = link(&world, PAUL).await;
    world.post("/v1/requests", &request("1", "zoe@customers.example")).await;
    // The first transaction begins the erasure; the ones that erase fail.
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    dynamodb.plan(|call| match (call.operation.as_str(), call.nth) {
        ("TransactWriteItems", 1..) => Fault::Reply(InjectedReply::internal()),
        _ => Fault::None,
    });
    let erase = "/v1/people?email=zoe@customers.example";
    let begun = world.call("DELETE", erase, &[("x-api-key", ADMIN_KEY)], "").await;
    assert_eq!(begun.status, 202, "{}", begun.text);
    dynamodb.plan(|_| Fault::None);
    let before = world.count("interactions");
    let fields = [("email", "zoe@customers.example"), ("channel", "phone")];
    let reply = post(&world, &link, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(reply.text.contains("No survey is sent") && reply.text.contains("being erased"));
    assert_eq!(world.count("interactions"), before);
}

#[tokio::test]
async fn a_link_sends_a_hundred_mails_an_hour_at_most() {
    let mut world = by_hand().await;
    let link = link(&world, PAUL).await;
    let digest: String =
        Sha256::digest(format!("send-box\n{PAUL}")).iter().map(|b| format!("{b:02x}")).collect();
    let hour = world.now().strftime("%Y-%m-%dT%H").to_string();
    let counted = json!({ "TableName": "suppression", "Item": {
        "subject": { "S": digest }, "kind": { "S": format!("mails#{hour}#0") },
        "mails": { "N": "99" },
    }});
    world.stack.database.put_item(serde_json::from_value(counted).unwrap()).unwrap();
    let mut ids = Vec::new();
    for email in ["a@customers.example", "b@customers.example"] {
        let reply = post(&world, &link, &[("email", email), ("channel", "phone")]).await;
        ids.push(recorded(&reply));
        world.settle().await;
    }
    assert_eq!(world.outcome(&ids[0].1).await, "delivered");
    assert_eq!(world.outcome(&ids[1].1).await, "queued");
    assert!(get(&world, &ids[1].0).await.text.contains("goes out in the next one"));
}

#[tokio::test]
async fn other_sites_and_other_methods_are_refused() {
    let world = by_hand().await;
    let link = link(&world, PAUL).await;
    let body = form(&[("email", "jane@customers.example"), ("channel", "phone")]);
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let reply = world.call("POST", &link, &[FORM, header], body.clone()).await;
        assert_eq!(reply.status, 403, "{header:?}");
    }
    assert_eq!(world.count("interactions"), 0);
    // The link opens the box alone; no key opens another page by it.
    assert_eq!(
        world.call("GET", "/admin/send-links", &[("x-api-key", LIVE)], "").await.status,
        401
    );
}

#[tokio::test]
async fn links_are_for_admins_and_a_renewal_is_in_the_audit_trail() {
    let world = by_hand().await;
    let page = world.page("/admin/send-links").await.text;
    assert!(page.contains("Has none: deactivated.") && page.contains("not approved"), "{page}");
    assert_eq!(page.matches("/send/").count(), 1, "Paul's alone");
    // By a browser's session.
    let sign_in = [("name", "Bea"), ("key", "aw_admin_local")];
    let reply = world.call("POST", "/admin/sign-in", &[FORM], form(&sign_in)).await;
    let cookie =
        reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let headers = [("cookie", &*cookie), ("accept", "text/html"), FORM];
    let page = world.call("GET", "/admin/send-links", &headers, "").await.text;
    let token = page.split("name=\"form_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let body = form(&[("employee", PAUL)]);
    assert_eq!(world.call("POST", "/admin/send-links", &headers, body).await.status, 403);
    let body = form(&[("employee", PAUL), ("form_token", token)]);
    let reply = world.call("POST", "/admin/send-links", &headers, body).await;
    assert_eq!(
        reply.headers["location"],
        "/admin/send-links?done=renewed&employee=paul%40blancapeak.example"
    );
    let audit = world.page("/admin/audit").await.text;
    assert!(audit.contains("Bea") && audit.contains("renewed the link of a send box"), "{audit}");
    let reply = world.submit("/admin/send-links", &[("employee", "nobody@x.example")]).await;
    assert!(reply.status == 422 && reply.text.contains("There is no agent"));
    // Other attributes stay.
    let item = local::seed::get(&world.stack.database, "employee", PAUL).unwrap();
    assert_eq!(
        (&item["custom_id"], &item["send_box"]),
        (&json!({ "S": "522743" }), &json!({ "N": "1" }))
    );
    // A viewer sees no link.
    let key =
        Sha256::digest("aw_admin_viewer").iter().map(|b| format!("{b:02x}")).collect::<String>();
    world.configure("key", &key, json!({ "mode": "admin", "scopes": ["viewer"] }));
    let viewer =
        [("authorization", "Basic dmVyYTphd19hZG1pbl92aWV3ZXI="), ("accept", "text/html"), FORM];
    let page = world.call("GET", "/admin/send-links", &viewer, "").await;
    assert!(page.status == 200 && !page.text.contains("/send/"), "{}", page.text);
    let body = form(&[("employee", PAUL)]);
    assert_eq!(world.call("POST", "/admin/send-links", &viewer, body).await.status, 403);
}
