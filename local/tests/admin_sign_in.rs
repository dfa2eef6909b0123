//! Who gets into the admin pages, how, and until when.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::admin::{FORM, form, hidden, location};
use kit::{LIVE, Reply, TEST, World};
use local::seed::ADMIN_KEY;
use serde_json::json;

const HTML: (&str, &str) = ("accept", "text/html");

fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("ann:{key}")))
}

impl World {
    fn key(&self, key: &str, attributes: serde_json::Value) {
        self.configure("key", &intake::digest(key.as_bytes()), attributes);
    }

    async fn sign_in(&self, name: &str, key: &str) -> Reply {
        let body = form(&[("name", name), ("key", key)]);
        self.call("POST", "/admin/sign-in", &[FORM, HTML], body).await
    }

    /// The cookie of a new session.
    async fn session(&self, key: &str) -> String {
        let reply = self.sign_in("Ann", key).await;
        assert_eq!(location(&reply), "/admin");
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn visit(&self, path: &str, cookie: &str) -> Reply {
        self.call("GET", path, &[("cookie", cookie), HTML], "").await
    }

    /// Posts a change of a brand, with these headers besides.
    async fn brand(&self, cookie: &str, token: &str, headers: &[(&str, &str)]) -> Reply {
        let fields = [("form_token", token), ("action", "add"), ("id", "new"), ("name", "New")];
        let headers = [&[("cookie", cookie), FORM, HTML], headers].concat();
        self.call("POST", "/admin/brands", &headers, form(&fields)).await
    }
}

#[tokio::test]
async fn without_a_good_admin_key_nothing_opens() {
    let world = World::new().await;
    let stranger = world.call("GET", "/admin/people?page=2", &[HTML], "").await;
    assert_eq!(location(&stranger), "/admin/sign-in?next=%2Fadmin%2Fpeople%3Fpage%3D2");
    let script = world.call("GET", "/admin", &[], "").await;
    assert_eq!(script.status, 401);
    assert!(script.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    world.key("aw_admin_erase", json!({ "mode": "admin", "scopes": ["erase"] }));
    world.key("aw_admin_old", json!({ "mode": "admin", "scopes": ["admin"], "revoked": true }));
    for key in [TEST, LIVE, "aw_admin_erase", "aw_admin_old", "aw_admin_unknown", ""] {
        let reply = world.call("GET", "/admin", &[("authorization", &basic(key)), HTML], "").await;
        assert_eq!(reply.status, 401, "{key}");
    }
    for key in [TEST, "aw_admin_erase"] {
        let reply = world.sign_in("Ann", key).await;
        assert_eq!(reply.status, 422, "{key}");
        assert!(reply.text.contains("role=\"alert\"") && !reply.text.contains(key), "{key}");
    }
    // The page shows the name again, and never the key.
    let reply = world.sign_in("", ADMIN_KEY).await;
    assert!(reply.status == 422 && reply.text.contains("Type your name"), "{}", reply.text);
    let reply = world.sign_in(ADMIN_KEY, ADMIN_KEY).await;
    assert!(reply.status == 422 && reply.text.contains("This looks like a key"), "{}", reply.text);
    // And an admin key opens nothing else.
    let api = world.call("GET", "/v1/requests", &[("x-api-key", ADMIN_KEY)], "").await;
    assert_eq!(api.status, 403);
}

#[tokio::test]
async fn a_session_lasts_until_it_is_ended_by_sign_out_by_time_or_with_its_key() {
    let world = World::new().await;
    let reply = world.sign_in("Ann", ADMIN_KEY).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/admin", "; Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(world.visit("/admin", &cookie).await.status, 200);
    let mut tampered = cookie.clone().into_bytes();
    let last = tampered.len() - 1;
    tampered[last] ^= 1;
    let tampered = String::from_utf8(tampered).unwrap();
    assert_eq!(world.visit("/admin", &tampered).await.status, 303);

    // Sign-out ends it, also for whoever has copied the cookie.
    let token = hidden(&world.visit("/admin/brands", &cookie).await, "form_token");
    let body = form(&[("form_token", &token)]);
    let out = world.call("POST", "/admin/sign-out", &[("cookie", &cookie), FORM, HTML], body).await;
    assert_eq!(location(&out), "/admin/sign-in");
    assert_eq!(world.visit("/admin", &cookie).await.status, 303);
    assert_eq!(world.brand(&cookie, &token, &[]).await.status, 303);
    assert!(local::seed::get(&world.stack.database, "brand", "new").unwrap().is_null());

    // Twelve hours end it.
    world.advance(SignedDuration::from_secs(1));
    let cookie = world.session(ADMIN_KEY).await;
    world.advance(SignedDuration::from_hours(12) - SignedDuration::from_secs(1));
    assert_eq!(world.visit("/admin", &cookie).await.status, 200);
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(world.visit("/admin", &cookie).await.status, 303);

    // So does the end of its key.
    world.key("aw_admin_eve", json!({ "mode": "admin", "scopes": ["admin"] }));
    let cookie = world.session("aw_admin_eve").await;
    world.key("aw_admin_eve", json!({ "mode": "admin", "scopes": ["admin"], "revoked": true }));
    assert_eq!(world.visit("/admin", &cookie).await.status, 303);
}

#[tokio::test]
async fn a_post_from_elsewhere_or_without_the_sessions_token_changes_nothing() {
    let world = World::new().await;
    let cookie = world.session(ADMIN_KEY).await;
    let token = hidden(&world.visit("/admin/brands", &cookie).await, "form_token");
    world.advance(SignedDuration::from_secs(1));
    let other = world.session(ADMIN_KEY).await;
    let foreign_token = hidden(&world.visit("/admin/brands", &other).await, "form_token");
    for (token, headers) in [
        (&*token, &[("sec-fetch-site", "cross-site")][..]),
        (&*token, &[("sec-fetch-site", "same-site")]),
        (&*token, &[("origin", "https://evil.example")]),
        (&*token, &[("origin", "null")]),
        (&*foreign_token, &[]),
        ("", &[]),
    ] {
        let reply = world.brand(&cookie, token, headers).await;
        assert_eq!(reply.status, 403, "{token} {headers:?}: {}", reply.text);
    }
    // HTTP Basic needs no token, and is refused from elsewhere all the same.
    let authorization = basic(ADMIN_KEY);
    let headers = [("authorization", &*authorization), ("sec-fetch-site", "cross-site"), FORM];
    let body = form(&[("action", "add"), ("id", "new"), ("name", "New")]);
    assert_eq!(world.call("POST", "/admin/brands", &headers, body).await.status, 403);
    assert!(local::seed::get(&world.stack.database, "brand", "new").unwrap().is_null());
}

#[tokio::test]
async fn a_viewer_looks_at_everything_and_posts_nothing_but_sign_out() {
    let world = World::new().await;
    world.key("aw_admin_vic", json!({ "mode": "admin", "scopes": ["viewer"] }));
    let cookie = world.session("aw_admin_vic").await;
    let mut token = String::new();
    for page in [
        "/admin",
        "/admin/requests",
        "/admin/channels",
        "/admin/settings",
        "/admin/brands",
        "/admin/languages",
        "/admin/people",
        "/admin/keys",
        "/admin/suppression",
        "/admin/audit",
        "/admin/set-up/zendesk",
        "/admin/send-links",
    ] {
        let reply = world.visit(page, &cookie).await;
        assert_eq!(reply.status, 200, "{page}");
        token = hidden(&reply, "form_token");
    }
    for page in [
        "/admin/channels",
        "/admin/settings",
        "/admin/brands",
        "/admin/languages",
        "/admin/people",
        "/admin/people/import",
        "/admin/keys",
        "/admin/suppression",
        "/admin/send-links",
    ] {
        let body = form(&[("form_token", &token)]);
        let reply = world.call("POST", page, &[("cookie", &cookie), FORM, HTML], body).await;
        assert_eq!(reply.status, 403, "{page}");
    }
    let body = form(&[("form_token", &token)]);
    let out = world.call("POST", "/admin/sign-out", &[("cookie", &cookie), FORM, HTML], body).await;
    assert_eq!(location(&out), "/admin/sign-in");
}
