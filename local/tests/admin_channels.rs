//! `/admin/channels`: the switch, the forms, and what is in the way of each.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::admin::{FORM, ann, encoded, form};
use kit::forms::Filled;
use kit::{Reply, World, request};
use local::seed;
use serde_json::{Value, json};

const CHANNELS: &str = "/admin/channels";

fn item(world: &World, id: &str) -> Value {
    seed::get(&world.stack.database, "channel", id).unwrap()
}

fn on_phone(n: usize) -> Value {
    let mut body = request(&n.to_string(), &format!("c{n}@customers.example"));
    body["channel"] = json!("aircall");
    body
}

async fn edit(world: &World, id: &str) -> Filled {
    let page = world.page(&format!("{CHANNELS}?edit={}", encoded(id))).await;
    assert_eq!(page.status, 200, "{}", page.text);
    Filled::on(&page, "\"save\"")
}

fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn the_switch_says_what_will_happen_and_then_it_happens() {
    let mut world = World::new().await;
    world.configure(
        "channel",
        "phone",
        json!({ "mode": "manual", "aliases": ["aircall"], "note": "mine" }),
    );
    let mut refused = String::new();
    for n in 0..3 {
        refused = world.post("/v1/requests", &on_phone(n)).await.id();
    }
    world.post_as(kit::TEST, "/v1/requests", &on_phone(7)).await;
    world.post("/v1/requests", &request("8", "mail@customers.example")).await;
    assert_eq!(world.outcome(&refused).await, "invalid: channel_manual");
    let list = world.page(CHANNELS).await.text;
    assert!(list.contains("?flip=phone") && list.contains("manual</span>"), "{list}");
    let page = world.page(&format!("{CHANNELS}?flip=phone")).await;
    assert!(
        page.text.contains(
            "3 live requests came for this channel in the last 7 days; from now on they are sent."
        ),
        "{}",
        page.text
    );
    assert_eq!(item(&world, "phone")["mode"], json!({ "S": "manual" }), "a GET changes nothing");
    let flip = Filled::on(&page, "flip");
    assert_eq!(location(&flip.submit(&world, CHANNELS).await), "/admin/channels?done=integrated");
    let stored = item(&world, "phone");
    assert_eq!(stored["mode"], json!({ "S": "integrated" }));
    assert_eq!(stored["note"], json!({ "S": "mine" }));
    world.advance(SignedDuration::from_secs(31));
    let sent = world.post("/v1/requests", &on_phone(20)).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&sent).await, "delivered");
    // The same form once more is somebody else's change.
    let late = flip.submit(&world, CHANNELS).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("Somebody else was faster"));
    let back = Filled::on(&world.page(&format!("{CHANNELS}?flip=phone")).await, "flip");
    assert_eq!(back.value("to"), "manual");
    assert_eq!(location(&back.submit(&world, CHANNELS).await), "/admin/channels?done=manual");
    let audit = world.page("/admin/audit").await.text;
    assert!(audit.contains("channel set to integrated") && audit.contains("<bdi>ann</bdi>"));
}

#[tokio::test]
async fn what_the_reader_would_refuse_is_refused_at_the_field_and_nothing_is_saved() {
    let world = World::new().await;
    let before = item(&world, "phone");
    let long = "x".repeat(5_000);
    let many: String = (0..201).map(|n| format!("alias{n}\n")).collect();
    for (field, typed) in [
        ("delay_minutes", "soon"),
        ("delay_minutes", "-1"),
        ("delay_minutes", "1.5"),
        ("delay_minutes", "86401"),
        ("delay_minutes", "99999999999999999999"),
        ("enabled", "perhaps"),
        ("aliases", &long),
        ("aliases", &many),
        ("aliases", "gorgias_chat"),
        ("aliases", "EMAIL"),
    ] {
        let filled = edit(&world, "phone").await.with(field, typed);
        let reply = filled.submit(&world, CHANNELS).await;
        assert_eq!(reply.status, 422, "{field} {typed}: {}", reply.text);
        assert!(reply.text.contains(&format!("id=\"{field}-error\"")), "{field}: {}", reply.text);
        assert!(reply.text.contains(&format!("href=\"#{field}\"")), "{field}");
        assert!(reply.text.contains("aria-invalid=\"true\""));
        let again = Filled::on(&reply, "\"save\"");
        assert_eq!(again.value(field).trim(), typed.trim().replace('\n', "\r\n"), "kept");
        assert_eq!(item(&world, "phone"), before, "{field} {typed}");
    }
    let clash = edit(&world, "phone").await.with("aliases", "Sms\nnew");
    let clash = clash.submit(&world, CHANNELS).await.text;
    assert!(clash.contains("“Sms” is another name of the channel “chat” already."), "{clash}");
}

#[tokio::test]
async fn what_was_not_changed_stays_as_it_was_written() {
    let world = World::new().await;
    let odd = json!({
        "kind": { "S": "channel" }, "id": { "S": "phone" }, "mode": { "S": "Integrated" },
        "enabled": { "S": "yes" }, "delay_minutes": { "S": "5" },
        "aliases": { "S": "aircall, twilio" }, "owner": { "SS": ["ann", "bob"] },
        "photo": { "B": "AAEC" }, "weight": { "N": "12345678901234567890" },
    });
    seed::put(&world.stack.database, &odd).unwrap();
    let form = edit(&world, "phone").await;
    assert_eq!(form.value("enabled"), "true");
    assert_eq!(form.value("aliases"), "aircall\r\ntwilio");
    assert_eq!(location(&form.submit(&world, CHANNELS).await), "/admin/channels?done=unchanged");
    assert_eq!(item(&world, "phone"), odd);
    let form = form.with("delay_minutes", " 30 ");
    assert_eq!(location(&form.submit(&world, CHANNELS).await), "/admin/channels?done=saved");
    let mut changed = odd.clone();
    changed["delay_minutes"] = json!({ "N": "30" });
    assert_eq!(item(&world, "phone"), changed);
    let form = edit(&world, "phone").await.with("aliases", "twilio\r\n\r\n desk ");
    location(&form.with("enabled", "").submit(&world, CHANNELS).await);
    changed["aliases"] = json!({ "L": [{ "S": "twilio" }, { "S": "desk" }] });
    changed.as_object_mut().unwrap().remove("enabled");
    assert_eq!(item(&world, "phone"), changed);
    let page = world.page(&format!("{CHANNELS}?edit=phone")).await.text;
    assert!(page.contains("Remove <code>owner</code>"), "{page}");
    let form = edit(&world, "phone").await.with("remove", "owner");
    location(&form.submit(&world, CHANNELS).await);
    changed.as_object_mut().unwrap().remove("owner");
    assert_eq!(item(&world, "phone"), changed);
}

#[tokio::test]
async fn two_admins_at_once_lose_nothing() {
    let world = World::new().await;
    let mine = edit(&world, "phone").await.with("delay_minutes", "45");
    let theirs = edit(&world, "phone").await.with("delay_minutes", "10").with("enabled", "false");
    location(&theirs.submit(&world, CHANNELS).await);
    let stored = item(&world, "phone");
    let conflict = mine.submit(&world, CHANNELS).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(item(&world, "phone"), stored, "nothing of mine is written");
    assert!(conflict.text.contains("Somebody else was faster"));
    assert!(conflict.text.contains("<td><bdi>10</bdi></td><td><bdi>45</bdi></td>"));
    let merged = Filled::on(&conflict, "\"save\"");
    assert_eq!(merged.value("delay_minutes"), "45", "what I typed is kept");
    assert_eq!(merged.value("enabled"), "false", "what I did not touch is theirs");
    location(&merged.submit(&world, CHANNELS).await);
    let stored = item(&world, "phone");
    assert_eq!(stored["delay_minutes"], json!({ "N": "45" }));
    assert_eq!(stored["enabled"], json!({ "BOOL": false }));
    assert_eq!(mine.submit(&world, CHANNELS).await.status, 409, "the old form stays old");
}

#[tokio::test]
async fn channels_of_the_companys_own_are_added_and_deleted() {
    let world = World::new().await;
    let page = world.page(&format!("{CHANNELS}?add=1")).await;
    let blank = Filled::on(&page, "\"add\"");
    for name in ["", "  ", "PHONE", "Aircall", &"x".repeat(101), "a\u{0}b"] {
        let reply = blank.clone().with("id", name).submit(&world, CHANNELS).await;
        assert_eq!(reply.status, 422, "{name:?}");
        assert!(reply.text.contains("id=\"id-error\""), "{name:?}: {}", reply.text);
    }
    let added = blank.with("id", " Walk <in> & \"more\" ").with("aliases", "desk");
    let added = added.with("mode", "integrated");
    assert_eq!(location(&added.submit(&world, CHANNELS).await), "/admin/channels?done=added");
    let name = "Walk <in> & \"more\"";
    assert_eq!(
        item(&world, name),
        json!({
            "kind": { "S": "channel" }, "id": { "S": name }, "mode": { "S": "integrated" },
            "aliases": { "L": [{ "S": "desk" }] },
        })
    );
    let twice = added.submit(&world, CHANNELS).await;
    assert_eq!(twice.status, 422, "it is there already");
    let list = world.page(CHANNELS).await.text;
    assert!(!list.contains("<in>") && list.contains("Walk &#60;in&#62;"), "{list}");
    edit(&world, name).await;
    let ask = world.page(&format!("{CHANNELS}?delete={}", encoded(name))).await;
    let delete = Filled::on(&ask, "delete");
    world.configure("channel", name, json!({ "mode": "manual" }));
    assert_eq!(delete.submit(&world, CHANNELS).await.status, 409, "it has changed meanwhile");
    let ask = world.page(&format!("{CHANNELS}?delete={}", encoded(name))).await;
    let delete = Filled::on(&ask, "delete");
    assert_eq!(location(&delete.submit(&world, CHANNELS).await), "/admin/channels?done=removed");
    assert!(item(&world, name).is_null());
    assert_eq!(world.page(&format!("{CHANNELS}?edit=none")).await.status, 404);
    let standard = world.page(&format!("{CHANNELS}?delete=phone")).await;
    assert_eq!(standard.status, 400);
}

#[tokio::test]
async fn forms_without_sense_are_refused() {
    let world = World::new().await;
    let headers = |body: &'static [u8]| {
        let world = &world;
        async move {
            let headers = [("authorization", &*ann()), ("accept", "text/html"), FORM];
            world.call("POST", CHANNELS, &headers, body).await.status
        }
    };
    for (body, status) in [
        (&b""[..], 400),
        (b"action=explode&id=phone", 400),
        (b"action=save&id=%FF%FE", 422),
        (b"action=save&id=phone", 409),
        (b"action=flip&id=phone&to=integrated", 409),
        (b"action=flip&id=phone&to=perhaps", 400),
        (b"action=flip&id=nosuch&to=manual", 404),
        (b"action=delete&id=", 404),
    ] {
        assert_eq!(headers(body).await, status, "{}", String::from_utf8_lossy(body));
    }
    // Of a field that comes twice, the first counts.
    let filled = edit(&world, "phone").await;
    let body = form(&[
        ("delay_minutes", "7"),
        ("delay_minutes", "soon"),
        ("action", "save"),
        ("id", "phone"),
        ("version", filled.value("version")),
    ]);
    let headers = [("authorization", &*ann()), ("accept", "text/html"), FORM];
    assert_eq!(world.call("POST", CHANNELS, &headers, body).await.status, 303);
    assert_eq!(item(&world, "phone")["delay_minutes"], json!({ "N": "7" }));
    assert_eq!(item(&world, "phone")["aliases"]["L"][0], json!({ "S": "aircall" }), "kept");
}
