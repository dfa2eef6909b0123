//! What can happen to a stack, so that every function makes every kind of call.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::SignedDuration;
use local::faults::{Fault, InjectedReply};
use local::seed::ADMIN_KEY;
use serde_json::json;

use crate::kit::admin::hidden;
use crate::kit::forms::Filled;
use crate::kit::scenario::Post;
use crate::kit::{LIVE, World, link, request};
use crate::{Deed, done};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];
const JANE: &str = "jane@customers.example";
const OMAR: &str = "omar@customers.example";

/// The next call finds no fingerprint of the subject secret, and nothing remembered.
fn forget_fingerprint(world: &World) {
    let key = json!({ "TableName": "config",
        "Key": { "kind": { "S": "deployment" }, "id": { "S": "subject_secret" } } });
    world.stack.database.delete_item(serde_json::from_value(key).unwrap()).unwrap();
    world.advance(SignedDuration::from_secs(31));
}

fn ses_answers(world: &World, reply: InjectedReply) {
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    ses.plan(move |_| Fault::Reply(reply.clone()));
}

/// The five ways in, with tickets that are closed, opened and told twice.
pub(crate) async fn helpdesks(deeds: &mut BTreeSet<Deed>) {
    let mut world = World::proxied().await;
    for channel in ["email", "phone"] {
        world.configure("channel", channel, json!({ "mode": "integrated", "delay_minutes": 30 }));
    }
    let ticket = |ext: &str, status: &str| {
        let mut body = request(ext, JANE);
        body["status"] = json!(status);
        body
    };
    let mut told = request("1", OMAR);
    told["employee"]["custom_id"] = json!("522743");
    forget_fingerprint(&world);
    let id = world.post("/v1/requests", &told).await.id();
    let mut declined = told.clone();
    declined["do_not_send"] = json!(true);
    for body in [&told, &declined] {
        assert_eq!(world.post("/v1/requests", body).await.status, 200);
    }
    let key = [("x-api-key", LIVE)];
    let mut cancelled = request("2", OMAR);
    cancelled["customer"]["email"] = json!(JANE);
    let cancelled = world.post("/v1/requests", &cancelled).await.id();
    let path = format!("/v1/requests/{cancelled}");
    assert_eq!(world.call("DELETE", &path, &key, "").await.status, 200);
    for query in ["", "?status=queued", "?status=not_sent", "?ext_interaction_id=1"] {
        assert_eq!(world.get(&format!("/v1/requests{query}")).await.status, 200);
    }
    world.request(&id).await;

    for (name, path, header) in [
        ("zendesk", "/v1/webhooks/zendesk", Some("x-zendesk-webhook-invocation-id")),
        ("freshdesk", "/v1/webhooks/freshdesk", None),
    ] {
        forget_fingerprint(&world);
        for (n, status) in ["solved", "solved", "open", "open"].into_iter().enumerate() {
            let delivery = format!("{name}-{n}");
            let mut headers = vec![key[0]];
            headers.extend(header.map(|header| (header, &*delivery)));
            let status = if name == "freshdesk" && n < 2 { "closed" } else { status };
            let body = ticket(name, status).to_string();
            let reply = world.call("POST", path, &headers, body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let mut declined = ticket("declined", if name == "zendesk" { "solved" } else { "closed" });
        assert_eq!(world.post(path, &declined).await.json()["status"], "queued");
        declined["do_not_send"] = json!(true);
        assert_eq!(world.post(path, &declined).await.json()["status"], "not_sent");
    }
    forget_fingerprint(&world);
    for status in ["closed", "closed", "open"] {
        let gorgias = Post::gorgias("gorgias", status, JANE);
        assert_eq!(world.post(gorgias.path, &gorgias.body).await.status, 200);
    }
    let mut declined = Post::gorgias("declined", "closed", JANE);
    world.post(declined.path, &declined.body).await;
    declined.body["tags"] = json!("[{'name': 'stellaconnect-do-not-send'}]");
    world.post(declined.path, &declined.body).await;
    forget_fingerprint(&world);
    let gladly = Post::gladly("event-1", "conversation-closed");
    assert_eq!(world.post(gladly.path, &gladly.body).await.json()["status"], "unresolved");
    let ping = json!({ "id": "event-p", "type": "PING", "timestamp": "2026-11-21T08:59:12Z",
        "content": {} });
    world.post(gladly.path, &ping).await;
    // Each notes by itself, once a day, that a key was used for nothing to be recorded.
    let mut declined = request("none", JANE);
    declined["do_not_send"] = json!(true);
    let opened = Post::gorgias("none", "open", JANE);
    for (path, body) in [
        ("/v1/webhooks/zendesk", &declined),
        ("/v1/webhooks/freshdesk", &declined),
        (opened.path, &opened.body),
        (gladly.path, &ping),
    ] {
        world.advance(SignedDuration::from_hours(25));
        assert_eq!(world.post(path, body).await.status, 200, "{path}");
    }

    // Gladly is asked; then a delay; then a newer closing; and one whose customer is erased.
    forget_fingerprint(&world);
    world.settle().await;
    world.configure("channel", "chat", json!({ "mode": "integrated", "delay_minutes": 30 }));
    world.advance(SignedDuration::from_secs(31));
    for event in ["event-2", "event-3"] {
        let gladly = Post::gladly(event, "conversation-closed");
        world.post(gladly.path, &gladly.body).await;
        world.settle().await;
    }
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    world.configure("channel", "chat", json!({ "mode": "integrated" }));
    world.advance(SignedDuration::from_secs(31));
    let gladly = Post::gladly("event-4", "conversation-closed");
    world.post(gladly.path, &gladly.body).await;
    world.advance(SignedDuration::from_secs(1));
    let erase = [("x-api-key", ADMIN_KEY)];
    let path = "/v1/people?email=jane.roe@customers.example";
    assert_eq!(world.call("DELETE", path, &erase, "").await.status, 200);
    world.advance(SignedDuration::from_secs(1));
    world.settle().await;
    done(&world, deeds);
}

/// Mails that leave, are refused, wait for each other, come back.
pub(crate) async fn sending(deeds: &mut BTreeSet<Deed>) {
    let mut world = World::proxied().await;
    for (ext, email) in [
        ("1", JANE),
        ("2", JANE),
        ("3", "bounce@simulator.amazonses.com"),
        ("4", "complaint@simulator.amazonses.com"),
    ] {
        world.post("/v1/requests", &request(ext, email)).await;
    }
    world.settle().await;
    done(&world, deeds);
    for (ext, reply) in [
        ("5", InjectedReply::too_many_requests()),
        ("6", InjectedReply::error(StatusCode::BAD_REQUEST, "MessageRejected", "no")),
        ("7", InjectedReply::internal()),
    ] {
        ses_answers(&world, reply);
        let email = format!("{ext}@customers.example");
        world.post("/v1/requests", &request(ext, &email)).await;
        world.settle().await;
        done(&world, deeds);
    }
    // A customer who has unsubscribed is refused, and so is one who became invalid.
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 1 }));
    world.advance(SignedDuration::from_secs(31));
    world.post("/v1/requests", &request("8", OMAR)).await;
    world.configure("channel", "email", json!({ "enabled": false }));
    world.advance(SignedDuration::from_mins(2));
    world.sweep().await;
    world.settle().await;
    // An event of a mail whose row is gone, and one of a mail that was given up.
    forget_fingerprint(&world);
    let event = |kind: &str, id: &str| {
        json!({
            "eventType": kind, "bounce": { "bounceType": "Permanent" },
            "mail": {
                "messageId": "1", "destination": ["mia@customers.example"],
                "tags": { "request_id": [id], "mode": ["live"],
                    "claimed_at": [world.now().as_millisecond().to_string()] },
            },
        })
    };
    let gone = event("Bounce", &uuid::Uuid::now_v7().to_string());
    world.stack.invoke("mail_events", gone).await.unwrap();
    let ids = world.get("/v1/requests?status=sending").await.json();
    let late = event("Send", ids["requests"][0]["request_id"].as_str().unwrap());
    world.advance(SignedDuration::from_hours(30));
    world.sweep().await;
    world.sweep().await;
    world.stack.invoke("mail_events", late).await.unwrap();
    done(&world, deeds);
}

/// What customers do with a mail, and the export of it.
pub(crate) async fn customers(deeds: &mut BTreeSet<Deed>) {
    let mut world = World::proxied().await;
    world.post("/v1/requests", &request("1", JANE)).await;
    world.settle().await;
    let mail = world.mails_to(JANE).remove(0);
    let (survey, unsubscribe) = (link(&mail, "/s/"), link(&mail, "/u/"));
    assert_eq!(world.call("GET", &survey, &[], "").await.status, 200);
    for answer in ["stars=4", "stars=2&comment=Oh"] {
        assert_eq!(world.call("POST", &survey, &FORM, answer).await.status, 303);
    }
    assert_eq!(world.call("GET", &unsubscribe, &[], "").await.status, 200);
    world.call("POST", &unsubscribe, &FORM, "List-Unsubscribe=One-Click").await;
    let page = world.call("GET", &unsubscribe, &[], "").await;
    assert!(page.text.contains("name=\"undo\""), "{}", page.text);
    let undone = world.call("POST", &unsubscribe, &FORM, "undo=all").await;
    assert!(undone.status < 400, "{}", undone.text);
    world.advance(SignedDuration::from_hours(25));
    let export = world.get("/v2/data").await;
    assert_eq!(export.json()["data"].as_array().unwrap().len(), 1);
    done(&world, deeds);
}

/// The clock: late requests, an alert, an erasure that was broken off.
pub(crate) async fn sweeping(deeds: &mut BTreeSet<Deed>) {
    let mut world = World::proxied().await;
    for n in 0..25 {
        let mut body = request(&n.to_string(), &format!("{n}@customers.example"));
        body["channel"] = json!("fax");
        assert_eq!(world.post("/v1/requests", &body).await.status, 400);
    }
    for (ext, email) in [("a", JANE), ("b", OMAR)] {
        assert_eq!(world.post("/v1/requests", &request(ext, email)).await.status, 200);
    }
    world.settle().await;
    let survey = link(&world.mails_to(JANE)[0], "/s/");
    for answer in ["stars=4&comment=I+am+Jane", "stars=3&comment=Jane+again"] {
        world.call("POST", &survey, &FORM, answer).await;
    }
    world.advance(SignedDuration::from_secs(30));
    world.sweep().await;
    done(&world, deeds);
    for answers in ["keep", "delete"] {
        let name = if answers == "keep" { JANE } else { OMAR };
        if answers == "delete" {
            let survey = link(&world.mails_to(OMAR)[0], "/s/");
            world.call("POST", &survey, &FORM, "stars=4&comment=I+am+Omar").await;
        }
        done(&world, deeds);
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|call| {
            match (call.operation.as_str(), call.nth) {
                ("TransactWriteItems", 1..) => Fault::Reply(InjectedReply::internal()),
                _ => Fault::None,
            }
        });
        let path = format!("/v1/people?email={name}&answers={answers}");
        let begun = world.call("DELETE", &path, &[("x-api-key", ADMIN_KEY)], "").await;
        assert_eq!(begun.status, 202, "{}", begun.text);
        done(&world, deeds);
        world.advance(SignedDuration::from_secs(61));
        world.sweep().await;
        world.advance(SignedDuration::from_mins(6));
        world.sweep().await;
        done(&world, deeds);
    }
    // A mail of which nobody knows, and evidence that it never left.
    ses_answers(&world, InjectedReply::internal());
    world.post("/v1/requests", &request("c", "ines@customers.example")).await;
    world.settle().await;
    done(&world, deeds);
    let claimed = world.now();
    let minutes = SignedDuration::from_mins;
    world.others_were_mailed(claimed - minutes(5), claimed + minutes(6));
    for _ in 0..14 {
        world.advance(minutes(6));
        world.sweep().await;
        world.settle().await;
    }
    ses_answers(&world, InjectedReply::internal());
    world.post("/v1/requests", &request("d", "mia@customers.example")).await;
    world.settle().await;
    done(&world, deeds);
    for _ in 0..4 {
        world.advance(SignedDuration::from_hours(12));
        world.sweep().await;
        world.settle().await;
    }
    done(&world, deeds);
}

/// Every page, and every kind of change.
pub(crate) async fn admins(deeds: &mut BTreeSet<Deed>) {
    let mut world = World::proxied().await;
    let mut stranger = request("1", JANE);
    stranger["employee"] = json!({ "email": "new@blancapeak.example" });
    let refused = world.post("/v1/requests", &stranger).await.id();
    let sent = world.post("/v1/requests", &request("2", JANE)).await.id();
    world.settle().await;
    let survey = link(&world.mails_to(JANE)[0], "/s/");
    world.call("POST", &survey, &FORM, "stars=4&comment=I+am+Jane").await;
    world.sweep().await;
    done(&world, deeds);
    for page in [
        "",
        "/requests",
        "/requests?status=invalid",
        "/requests?ext_interaction_id=1",
        "/requests?status=queued",
        "/channels",
        "/settings",
        "/brands",
        "/languages",
        "/people",
        "/keys",
        "/suppression",
        "/audit",
        "/send-links?employee=paul@blancapeak.example",
        "/set-up",
    ] {
        let reply = world.page(&format!("/admin{page}")).await;
        assert_eq!(reply.status, 200, "{page}: {}", reply.text);
    }
    for id in [&refused, &sent] {
        assert_eq!(world.page(&format!("/admin/requests/{id}")).await.status, 200);
    }
    // A person who is read from a request is looked at, and the request is sent again.
    let (people, path) = ("/admin/people", format!("/admin/requests/{refused}"));
    let fields = [
        ("action", "save"),
        ("original", ""),
        ("email", "new@blancapeak.example"),
        ("name", "New"),
        ("status", "approved"),
        ("custom_id", "N1"),
    ];
    assert_eq!(world.submit(people, &fields).await.status, 303);
    world.submit(&path, &[("action", "reveal")]).await;
    world.submit(&path, &[("action", "send")]).await;
    let question = world.page("/admin/people?remove=new@blancapeak.example").await;
    let version = hidden(&question, "version");
    let remove =
        [("action", "remove"), ("original", "new@blancapeak.example"), ("version", &*version)];
    assert_eq!(world.submit(people, &remove).await.status, 303);
    let list = "email;name;status\r\nagent@a.example;Agent;approved\r\n";
    let import = "/admin/people/import";
    let shown = world.submit(import, &[("action", "check"), ("text", list)]).await;
    let digest = hidden(&shown, "digest");
    let confirmed = [("action", "import"), ("digest", &*digest), ("text", list)];
    assert_eq!(world.submit(import, &confirmed).await.status, 303);
    let export = world.page("/admin/people/export").await;
    assert!(export.status == 200 || export.status == 404);
    let settings = world.page("/admin/settings").await;
    let saved = Filled::on(&settings, "name=\"name\"").with("name", "Blanca");
    assert_eq!(saved.submit(&world, "/admin/settings").await.status, 303);
    // The last admin key cannot be revoked: another one is required to stay.
    for key in [("live", "send"), ("admin", "admin")] {
        let made = [("action", "make"), ("label", "x"), ("mode", key.0), ("scope", key.1)];
        let made = world.submit("/admin/keys", &made).await;
        let (_, rest) = made.text.split_once("id=\"key\" value=\"").unwrap();
        let id = intake::digest(rest.split('"').next().unwrap().as_bytes());
        let question = world.page(&format!("/admin/keys?revoke={id}")).await;
        let version = hidden(&question, "version");
        let revoke = [("action", "revoke"), ("id", &*id), ("version", &*version)];
        assert_eq!(world.submit("/admin/keys", &revoke).await.status, 303);
    }
    // An address is looked up, released, unsubscribed, rehearsed and erased.
    let suppression = "/admin/suppression";
    forget_fingerprint(&world);
    let looked = world.submit(suppression, &[("action", "look"), ("email", JANE)]).await;
    let (subject, version) = (hidden(&looked, "subject"), hidden(&looked, "version"));
    let release =
        [("action", "release"), ("subject", &*subject), ("kind", "window"), ("version", &*version)];
    assert_eq!(world.submit(suppression, &release).await.status, 303);
    let unsubscribe = [("action", "unsubscribe"), ("subject", &*subject), ("scope", "")];
    assert_eq!(world.submit(suppression, &unsubscribe).await.status, 303);
    let whom = [("subject", &*subject), ("email", JANE)];
    let rehearse = [&[("action", "rehearse")][..], &whom].concat();
    assert_eq!(world.submit(suppression, &rehearse).await.status, 200);
    let erase = [("action", "erase"), ("answers", "delete"), ("confirm", "yes")];
    let erase = [&erase[..], &whom].concat();
    assert_eq!(world.submit(suppression, &erase).await.status, 303);
    world.post("/v1/requests", &request("3", OMAR)).await;
    world.settle().await;
    let survey = link(&world.mails_to(OMAR)[0], "/s/");
    world.call("POST", &survey, &FORM, "stars=4&comment=I+am+Omar").await;
    let path = format!("/v1/people?email={OMAR}");
    assert_eq!(world.call("DELETE", &path, &[("x-api-key", ADMIN_KEY)], "").await.status, 200);
    // A survey that is sent by hand.
    world.configure("channel", "phone", json!({ "mode": "manual" }));
    world.advance(SignedDuration::from_secs(31));
    let page = world.page("/admin/send-links?employee=paul@blancapeak.example").await;
    let (_, rest) = page.text.split_once("/send/").unwrap();
    let path = format!("/send/{}", rest.split('<').next().unwrap());
    assert_eq!(world.call("GET", &path, &[], "").await.status, 200);
    let by_hand = "nonce=01941f29-7c00-7000-8000-000000000001&email=mia%40customers.example&\
                   name=Mia&channel=phone&ext_interaction_id=77";
    let reply = world.call("POST", &path, &FORM, by_hand).await;
    assert!(reply.status == 303, "{}", reply.text);
    done(&world, deeds);
}
