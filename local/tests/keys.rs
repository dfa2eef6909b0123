//! Which key opens what: one key a call, its sources, and the key that names a delivery.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::scenario::Post;
use kit::{LIVE, Reply, TEST, World, request};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("connect:{password}")))
}

fn told(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    (
        reply.status,
        json["detail"].as_str().or(json["status"].as_str()).unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn of_two_different_keys_in_one_call_none_wins() {
    let world = World::new().await;
    let (live, test) = (basic(LIVE), basic(TEST));
    let unknown = basic("aw_live_unknown");
    let joined = format!("{LIVE}, {TEST}");
    let joined_basic = format!("{live}, {test}");
    let padded = format!("  {LIVE}\t");
    let different: [&[(&str, &str)]; 9] = [
        &[("x-api-key", LIVE), ("authorization", &test)],
        &[("x-api-key", TEST), ("authorization", &live)],
        &[("x-api-key", LIVE), ("authorization", &unknown)],
        &[("x-api-key", "aw_live_unknown"), ("authorization", &live)],
        &[("x-api-key", LIVE), ("x-api-key", TEST)],
        &[("x-api-key", &joined)],
        &[("authorization", &live), ("authorization", &test)],
        &[("authorization", &joined_basic)],
        &[("x-api-key", LIVE), ("authorization", &live), ("authorization", &test)],
    ];
    let body = request("1", "jane@customers.example").to_string();
    for path in ["/v1/requests", "/v1/auth", "/v1/webhooks/zendesk", "/v1/webhooks/freshdesk"] {
        for headers in different {
            let reply = world.call("POST", path, &[&[JSON], headers].concat(), body.clone()).await;
            assert_eq!(
                told(&reply),
                (403, "two different keys came in one call: send one".to_owned()),
                "{path} {headers:?}"
            );
        }
    }
    for headers in different {
        assert_eq!(world.call("GET", "/v1/requests", headers, "").await.status, 403, "{headers:?}");
    }
    assert_eq!(
        (world.count("interactions"), world.count("suppression")),
        (0, 0),
        "nothing is recorded"
    );
    let same: [&[(&str, &str)]; 6] = [
        &[("x-api-key", LIVE), ("authorization", &live)],
        &[("x-api-key", &padded), ("authorization", &live)],
        &[("x-api-key", LIVE), ("x-api-key", LIVE)],
        &[("authorization", &live), ("authorization", &live)],
        &[("x-api-key", ""), ("authorization", &live)],
        // What is no key of ours is none.
        &[("x-api-key", LIVE), ("authorization", "Bearer another-systems")],
    ];
    for headers in same {
        let reply =
            world.call("POST", "/v1/requests", &[&[JSON], headers].concat(), body.clone()).await;
        assert_eq!(reply.status, 200, "{headers:?}: {}", reply.text);
    }
    let odd = world.call("POST", "/v1/requests", &[JSON, ("x-api-key", "schlüssel")], body).await;
    assert_eq!(odd.status, 403, "a key of odd bytes is an unknown key");
}

/// What a sender of one source posts.
struct Delivery {
    path: &'static str,
    source: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: Value,
}

/// A delivery that is recorded, on every route.
fn deliveries() -> Vec<Delivery> {
    let delivery = |path, source, body| Delivery { path, source, header: None, body };
    let vendors = || request("1", "jane@customers.example");
    vec![
        delivery("/v1/requests", "requests", vendors()),
        delivery("/v1/webhooks/zendesk", "zendesk", vendors()),
        Delivery {
            header: Some(("x-zendesk-webhook-id", "1")),
            ..delivery("/v1/auth", "zendesk", vendors())
        },
        delivery("/v1/auth", "freshdesk", vendors()),
        delivery("/v1/webhooks/freshdesk", "freshdesk", vendors()),
        delivery(
            "/v1/webhooks/gladly",
            "gladly",
            Post::gladly("event-1", "conversation-email").body,
        ),
        delivery(
            "/v1/webhooks/gorgias",
            "gorgias",
            Post::gorgias("1", "closed", "jane@customers.example").body,
        ),
    ]
}

#[tokio::test]
async fn a_key_opens_the_sources_that_it_names_and_one_that_names_none_opens_all() {
    let world = World::new().await;
    let item =
        |sources: Value| json!({ "mode": "live", "scopes": ["send", "read"], "sources": sources });
    let sources = ["requests", "zendesk", "freshdesk", "gladly", "gorgias"];
    for source in sources {
        world.configure(
            "key",
            &intake::digest(format!("aw_live_{source}").as_bytes()),
            item(json!([source.to_uppercase()])),
        );
    }
    world.configure("key", &intake::digest(b"aw_live_two"), item(json!("zendesk, gorgias")));
    world.configure("key", &intake::digest(b"aw_live_all"), item(json!([])));
    world.configure("key", &intake::digest(b"aw_live_typo"), item(json!(["zendesk", "zendesc"])));
    for Delivery { path, source, header, body } in deliveries() {
        let post = async |key: &str, body: String| {
            let mut headers = vec![JSON, ("x-api-key", key)];
            headers.extend(header);
            told(&world.call("POST", path, &headers, body).await)
        };
        for other in sources.iter().filter(|other| **other != source) {
            // Before the body is looked at.
            let refused = post(&format!("aw_live_{other}"), "{ broken".to_owned()).await;
            assert_eq!(
                refused,
                (403, "the key is not for this source".to_owned()),
                "{path} {other}"
            );
        }
        assert_eq!(post("aw_live_typo", body.to_string()).await.0, 403, "a typo opens nothing");
        let two = if ["zendesk", "gorgias"].contains(&source) { 200 } else { 403 };
        assert_eq!(post("aw_live_two", body.to_string()).await.0, two, "{path}");
        assert_eq!(post(&format!("aw_live_{source}"), body.to_string()).await.0, 200, "{path}");
        assert_eq!(post("aw_live_all", body.to_string()).await.0, 200, "{path}");
    }
    for path in ["/v1/requests", "/v2/data"] {
        assert_eq!(
            world.call("GET", path, &[("x-api-key", "aw_live_zendesk")], "").await.status,
            200,
            "reading is bound to no source"
        );
    }
}

#[tokio::test]
async fn a_key_bound_later_holds_back_nothing_that_it_let_in() {
    let mut world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    let id = intake::digest(b"aw_live_bound");
    world.configure("key", &id, json!({ "mode": "live", "scopes": ["send"] }));
    let request_id = world
        .post_as("aw_live_bound", "/v1/requests", &request("1", "jane@customers.example"))
        .await
        .id();
    world.configure(
        "key",
        &id,
        json!({ "mode": "live", "scopes": ["send"], "sources": ["zendesk"] }),
    );
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&request_id).await, "delivered");
}

#[tokio::test]
async fn an_idempotency_key_that_cannot_be_honoured_is_refused_and_never_left_out_in_silence() {
    let world = World::new().await;
    let post = async |key: &str, n: usize| {
        let body = request(&n.to_string(), &format!("c{n}@customers.example")).to_string();
        let reply = world
            .call(
                "POST",
                "/v1/requests",
                &[JSON, ("x-api-key", LIVE), ("idempotency-key", key)],
                body,
            )
            .await;
        (reply.status, reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (400, "invalid_idempotency_key".to_owned());
    for (n, key) in [
        "k".repeat(256),
        "k".repeat(8 * 1024),
        "schlüssel".to_owned(),
        "a\tb".to_owned(),
        "键".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(post(key, n).await, refused, "{} bytes", key.len());
    }
    assert_eq!(
        (world.count("interactions"), world.count("suppression")),
        (0, 0),
        "nothing is recorded"
    );
    let longest = format!(" {} ", "k".repeat(255));
    assert_eq!(post(&longest, 10).await, (200, String::new()));
    assert_eq!(
        post(&longest, 11).await,
        (422, "idempotency_key_reused".to_owned()),
        "all of it counts"
    );
    assert_eq!(post(&"k".repeat(254), 12).await, (200, String::new()));
    assert_eq!(post("order 7: \"first\" ~", 13).await, (200, String::new()));
    assert_eq!(post("  ", 14).await, (200, String::new()), "an empty header says nothing");
}
