//! `/admin/keys`: making, naming and revoking keys, and when each was last used.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::{LIVE, Reply, TEST, World, request};
use local::seed;
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const KEYS: &str = "/admin/keys";

fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("ann:{key}")))
}

async fn get(world: &World, path: &str) -> Reply {
    let basic = basic(seed::ADMIN_KEY);
    world.call("GET", path, &[("authorization", &basic), ("accept", "text/html")], "").await
}

async fn post_as(world: &World, key: &str, body: String) -> Reply {
    let basic = basic(key);
    world
        .call("POST", KEYS, &[("authorization", &basic), ("accept", "text/html"), FORM], body)
        .await
}

async fn post(world: &World, body: &str) -> Reply {
    post_as(world, seed::ADMIN_KEY, body.to_owned()).await
}

fn value(reply: &Reply, before: &str) -> String {
    let (_, rest) =
        reply.text.split_once(before).unwrap_or_else(|| panic!("no {before}: {}", reply.text));
    rest.split('"').next().unwrap().to_owned()
}

async fn make(world: &World, body: &str) -> String {
    let made = post(world, &format!("action=make&{body}")).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.headers["cache-control"], "no-store");
    value(&made, "id=\"key\" value=\"")
}

fn item(world: &World, key: &str) -> Value {
    seed::get(&world.stack.database, "key", &intake::digest(key.as_bytes())).unwrap()
}

/// The form that revokes a key, filled in.
async fn revocation(world: &World, key: &str) -> String {
    let id = intake::digest(key.as_bytes());
    let question = get(world, &format!("{KEYS}?revoke={id}")).await;
    format!("action=revoke&id={id}&version={}", value(&question, "name=\"version\" value=\""))
}

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let mut world = World::new().await;
    let key = make(&world, "label=Zendesk%20%3Cb%3E&mode=live&scope=send").await;
    assert!(key.starts_with("aw_live_") && key.len() >= 8 + 32);
    let stored = item(&world, &key);
    assert_eq!(stored["mode"], json!({ "S": "live" }));
    assert_eq!(stored["scopes"], json!({ "L": [{ "S": "send" }] }));
    assert_eq!(stored["prefix"], json!({ "S": &key[..12] }));
    assert_eq!(stored["revoked"], json!({ "BOOL": false }));
    assert!(!stored.to_string().contains(&key));
    for path in [KEYS, "/admin/audit"] {
        let page = get(&world, path).await.text;
        assert!(page.contains(&key[..12]) && !page.contains(&key), "{path}");
    }
    let list = get(&world, KEYS).await.text;
    assert!(list.contains("Zendesk &#60;b&#62;") && list.contains("21 November 2026, 09:00"));
    assert!(list.contains("by <bdi>ann</bdi>"));
    let sent = world.post_as(&key, "/v1/requests", &request("1", "a@customers.example")).await;
    assert_eq!(sent.status, 200);
    let reads = world.call("GET", "/v1/requests", &[("x-api-key", &key)], "").await;
    assert_eq!(reads.status, 403, "it has no scope for that");
    world.settle().await;
    let form = revocation(&world, &key).await;
    assert_eq!(post(&world, &form).await.headers["location"], "/admin/keys?done=revoked");
    assert_eq!(item(&world, &key)["revoked"], json!({ "BOOL": true }));
    world.advance(SignedDuration::from_secs(31));
    let refused = world.post_as(&key, "/v1/requests", &request("2", "b@customers.example")).await;
    assert_eq!(refused.status, 403);
    let list = get(&world, KEYS).await.text;
    assert!(list.contains(&key[..12]) && list.contains("revoked</span>"), "it stays in the list");
    assert_eq!(post(&world, &form).await.status, 303, "twice is once");
}

#[tokio::test]
async fn admin_keys_open_the_pages_as_their_scopes_say() {
    let world = World::new().await;
    let viewer = make(&world, "label=V&mode=admin&scope=viewer").await;
    let eraser = make(&world, "label=E&mode=admin&scope=admin&scope=erase&scope=erase").await;
    assert_eq!(
        item(&world, &eraser)["scopes"],
        json!({ "L": [{ "S": "admin" }, { "S": "erase" }] })
    );
    let page = |key: String| {
        let world = &world;
        async move {
            let basic = basic(&key);
            world.call("GET", KEYS, &[("authorization", &basic), ("accept", "text/html")], "").await
        }
    };
    let looked = page(viewer.clone()).await;
    assert_eq!(looked.status, 200);
    assert!(!looked.text.contains("Make a key") && !looked.text.contains("?revoke="));
    let refused = post_as(&world, &viewer, "action=make&label=X&mode=live&scope=send".into()).await;
    assert_eq!(refused.status, 403);
    assert!(page(eraser).await.text.contains("Make a key"));
    let live = make(&world, "label=L&mode=live&scope=send&scope=read").await;
    assert_eq!(page(live).await.status, 401);
    let api = world.call("GET", "/v1/requests", &[("x-api-key", &viewer)], "").await;
    assert_eq!(api.status, 403);
}

#[tokio::test]
async fn a_key_that_cannot_be_made_says_why_and_nothing_is_stored() {
    let world = World::new().await;
    let before = world.count("config");
    let long = "n".repeat(101);
    for (body, field) in [
        ("label=&mode=live&scope=send", "label"),
        ("label=%20%09&mode=live&scope=send", "label"),
        (&*format!("label={long}&mode=live&scope=send"), "label"),
        ("label=aw_live_secret&mode=live&scope=send", "label"),
        ("label=%00%FF&mode=live&scope=send", "label"),
        ("label=X&scope=send", "mode-test"),
        ("label=X&mode=Live&scope=send", "mode-test"),
        ("label=X&mode=live", "scope-send"),
        ("label=X&mode=live&scope=admin", "scope-send"),
        ("label=X&mode=admin&scope=send", "scope-send"),
        ("label=X&mode=live&scope=send&scope=everything", "scope-send"),
    ] {
        let reply = post(&world, &format!("action=make&{body}")).await;
        assert_eq!(reply.status, 422, "{body}");
        assert!(reply.text.contains(&format!("href=\"#{field}\"")), "{body}: {}", reply.text);
    }
    for body in ["", "action=nonsense", "%%%"] {
        assert_eq!(post(&world, body).await.status, 400, "{body}");
    }
    assert_eq!(world.count("config"), before);
    let kept = post(&world, "action=make&label=Kept&mode=test").await.text;
    assert!(kept.contains("value=\"Kept\"") && kept.contains("value=\"test\" checked"));
}

#[tokio::test]
async fn keys_are_renamed_and_two_admins_do_not_overwrite_each_other() {
    let world = World::new().await;
    let id = intake::digest(LIVE.as_bytes());
    let form = get(&world, &format!("{KEYS}?rename={id}")).await;
    let version = value(&form, "name=\"version\" value=\"");
    // The key is used in between: that is nobody's edit.
    world.post("/v1/webhooks/freshdesk", &json!({ "status": "open" })).await;
    let rename = |label: &str, version: &str| {
        format!("action=rename&id={id}&label={label}&version={version}")
    };
    let renamed = post(&world, &rename("Helpdesk", &version)).await;
    assert_eq!(renamed.headers["location"], "/admin/keys?done=renamed", "{}", renamed.text);
    assert_eq!(item(&world, LIVE)["label"], json!({ "S": "Helpdesk" }));
    let late = post(&world, &rename("Mine", &version)).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("Helpdesk") && late.text.contains("value=\"Mine\""));
    let version = value(&late, "name=\"version\" value=\"");
    assert_eq!(post(&world, &rename("", &version)).await.status, 422);
    assert_eq!(post(&world, &rename("Mine", &version)).await.status, 303);
    let nobody = post(&world, "action=rename&id=0000&label=X&version=").await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn ones_own_key_needs_a_tick_and_the_last_admin_key_stays() {
    let world = World::new().await;
    let form = revocation(&world, seed::ADMIN_KEY).await;
    let unticked = post(&world, &form).await;
    assert_eq!(unticked.status, 422);
    assert!(unticked.text.contains("name=\"own\""));
    let last = post(&world, &format!("{form}&own=yes")).await;
    assert_eq!(last.status, 422);
    assert!(last.text.contains("last admin key"), "{}", last.text);
    // Neither a viewer nor a revoked one could take over.
    make(&world, "label=V&mode=admin&scope=viewer").await;
    assert_eq!(post(&world, &format!("{form}&own=yes")).await.status, 422);
    let other = make(&world, "label=B&mode=admin&scope=admin").await;
    assert_eq!(get(&world, "/admin/people").await.status, 200);
    let ended = post(&world, &format!("{form}&own=yes")).await;
    assert_eq!(ended.status, 303, "{}", ended.text);
    assert_eq!(get(&world, KEYS).await.status, 401);
    let basic = basic(&other);
    let still = world.call("GET", KEYS, &[("authorization", &basic)], "").await;
    assert_eq!(still.status, 200);
}

#[tokio::test]
async fn two_admins_who_revoke_each_others_key_do_not_both_succeed() {
    for _ in 0..12 {
        let world = World::new().await;
        let other = make(&world, "label=B&mode=admin&scope=admin").await;
        let (first, second) =
            (revocation(&world, &other).await, revocation(&world, seed::ADMIN_KEY).await);
        let (a, b) =
            tokio::join!(post_as(&world, seed::ADMIN_KEY, first), post_as(&world, &other, second));
        let revoked = [seed::ADMIN_KEY, &other]
            .map(|key| item(&world, key)["revoked"] == json!({ "BOOL": true }));
        assert_ne!(revoked, [true, true], "{} {}", a.status, b.status);
        // And what is said is what was done.
        let said = [&b, &a].map(|reply| {
            reply.headers.get("location").is_some_and(|to| to == "/admin/keys?done=revoked")
        });
        assert_eq!(said, revoked, "{} {}", a.status, b.status);
    }
}

#[tokio::test]
async fn the_last_use_is_noted_to_the_day_with_one_write() {
    let mut world = World::proxied().await;
    let last_used =
        |world: &World, key: &str| item(world, key)["last_used"]["S"].as_str().map(str::to_owned);
    assert!(get(&world, KEYS).await.text.contains("never"));
    let updates = |world: &World| {
        let calls = world.stack.proxies.as_ref().unwrap().dynamodb.calls();
        calls.iter().filter(|call| call.body.contains("last_used = :day")).count()
    };
    world.post("/v1/requests", &request("1", "a@customers.example")).await;
    assert_eq!(updates(&world), 0, "an accepted request costs what it did");
    world.settle().await;
    assert_eq!(last_used(&world, LIVE).as_deref(), Some("2026-11-21"));
    for n in 2..8 {
        world
            .post("/v1/requests", &request(&n.to_string(), &format!("{n}@customers.example")))
            .await;
        world.settle().await;
        world.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(updates(&world), 1);
    assert!(
        get(&world, KEYS)
            .await
            .text
            .contains("<time datetime=\"2026-11-21\">21 November 2026</time>")
    );
    // What is refused, what is ignored, and what reads, count too.
    world.advance(SignedDuration::from_hours(24));
    world.post_as(TEST, "/v1/requests", &json!({ "channel": "fax" })).await;
    assert_eq!(last_used(&world, TEST).as_deref(), Some("2026-11-22"));
    world.get("/v2/data").await;
    assert_eq!(last_used(&world, LIVE).as_deref(), Some("2026-11-22"));
    world.call("GET", "/v1/requests", &[("x-api-key", "aw_live_unknown")], "").await;
    // A page that is looked at changes nothing; a change is a use.
    assert_eq!(last_used(&world, seed::ADMIN_KEY), None);
    make(&world, "label=N&mode=test&scope=send").await;
    assert_eq!(last_used(&world, seed::ADMIN_KEY).as_deref(), Some("2026-11-22"));
}

#[tokio::test]
async fn keys_that_were_edited_by_hand_show_what_is_wrong_with_them() {
    let world = World::new().await;
    let id = |n: usize| format!("{n:064x}");
    world.configure("key", &id(1), json!({ "mode": "life", "scopes": ["send"], "label": "one" }));
    world.configure("key", &id(2), json!({ "mode": "admin", "scopes": ["send"], "label": "two" }));
    world.configure("key", &id(3), json!({ "mode": "live", "revokd": true, "label": "three" }));
    world.configure("key", "aw_live_plain", json!({ "mode": "live", "label": "four" }));
    world.configure(
        "key",
        &id(5),
        json!({ "mode": "test", "scopes": "send, READ", "last_used": 7 }),
    );
    let list = get(&world, KEYS).await;
    assert_eq!(list.status, 200);
    for text in [
        "mode cannot be understood",
        "scopes cannot be understood",
        "did you mean revoked",
        "no SHA-256",
        "send, READ",
    ] {
        assert!(list.text.contains(text), "{text}: {}", list.text);
    }
    let odd = format!("action=revoke&id={}&version=0", id(5));
    assert_eq!(post(&world, &odd).await.status, 409);
    assert_eq!(get(&world, &format!("{KEYS}?revoke=nothing")).await.status, 303);
}
