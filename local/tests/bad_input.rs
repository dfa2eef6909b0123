//! What bad input and bad weather get: a clear error that names the place, never a panic, never a
//! lost request.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::SignedDuration;
use kit::{LIVE, TEST, World, link, request};
use local::faults::{Call, Fault, InjectedReply};
use local::stack::Options;
use serde_json::{Value, json};
use sha2::Sha256;

const JSON: (&str, &str) = ("content-type", "application/json");
const ROUTES: [&str; 6] = [
    "/v1/requests",
    "/v1/auth",
    "/v1/webhooks/zendesk",
    "/v1/webhooks/freshdesk",
    "/v1/webhooks/gladly",
    "/v1/webhooks/gorgias",
];

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn no_body_is_looked_at_before_its_key() {
    let world = World::new().await;
    world.configure(
        "key",
        &intake::digest(b"aw_live_reader"),
        json!({ "mode": "live", "scopes": ["read"] }),
    );
    world.configure(
        "key",
        &intake::digest(b"aw_live_revoked"),
        json!({ "mode": "live", "scopes": ["send"], "revoked": true }),
    );
    world.configure(
        "key",
        &intake::digest(b"aw_live_typo"),
        json!({ "mode": "life", "scopes": ["send"] }),
    );
    world.configure(
        "key",
        &intake::digest(b"aw_live_padded"),
        json!({ "mode": "live", "scopes": ["send"] }),
    );
    let wrong = [
        None,
        Some(("x-api-key", "aw_live_unknown".to_owned())),
        Some(("x-api-key", "aw_live_reader".to_owned())),
        Some(("x-api-key", "aw_live_revoked".to_owned())),
        Some(("x-api-key", "aw_live_typo".to_owned())),
        Some(("authorization", basic("admin", LIVE))),
        Some(("authorization", "Basic !".to_owned())),
        Some(("authorization", format!("Bearer {LIVE}"))),
    ];
    for route in ROUTES {
        for header in &wrong {
            let mut headers = vec![JSON];
            headers.extend(header.as_ref().map(|(name, value)| (*name, value.as_str())));
            let reply = world.call("POST", route, &headers, "{ broken").await;
            assert_eq!(
                (reply.status, &reply.json()["code"]),
                (403, &json!("forbidden")),
                "{route} {header:?}"
            );
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
        let in_query = world
            .call("POST", &format!("{route}?x-api-key={LIVE}"), &[JSON, ("x-api-key", LIVE)], "{}")
            .await;
        assert_eq!(in_query.status, 403, "a key in the query is refused");
        let good = basic("connect", "aw_live_padded");
        let unpadded = good.trim_end_matches('=').to_owned();
        assert_ne!(good, unpadded);
        // Forms leave a header empty, and some clients leave the padding out.
        for headers in [
            vec![("authorization", &*good)],
            vec![("authorization", &*unpadded)],
            vec![("authorization", &*good), ("x-api-key", " ")],
        ] {
            let reply = world
                .call("POST", route, &[vec![JSON], headers.clone()].concat(), "{ broken")
                .await;
            assert_eq!(reply.status, 400, "{route} {headers:?}");
        }
        let reply = world
            .call("POST", route, &[JSON, ("authorization", &good)], vec![b'x'; 256 * 1024 + 1])
            .await;
        assert_eq!(reply.status, 413, "{route}");
    }
    assert_eq!(world.count("interactions"), 0);
}

#[tokio::test]
async fn a_broken_body_is_a_400_that_names_the_place() {
    let world = World::new().await;
    let cases = [
        ("{ \"channel\": \"email\", ", "malformed_json", ""),
        (r#"{"channel":"email","channel":"phone"}"#, "duplicate_key", "/channel"),
        (
            r#"{"channel":"email","customer":{"email":"a@b.example","email":"c@d.example"}}"#,
            "duplicate_key",
            "/customer/email",
        ),
        (
            r#"{"channel":"email","customer":{"mail":"a@b.example"}}"#,
            "invalid_body",
            "/customer/mail",
        ),
        (r#"{"channel":7}"#, "invalid_body", "/channel"),
        (r#"{}"#, "invalid_body", "/channel"),
        (r#"[]"#, "invalid_body", ""),
    ];
    for (body, code, pointer) in cases {
        let reply = world.call("POST", "/v1/requests", &[JSON, ("x-api-key", LIVE)], body).await;
        let problem = reply.json();
        assert_eq!((reply.status, &problem["code"]), (400, &json!(code)), "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
    }
    let eve = r#"{ "employee": { "email": "paul@blancapeak.example" }, "channel": "email", "customer": { "name": "Eve", "email": "victim@customers.example", "email":"eve@customers.example" }, "ext_interaction_id": "1" }"#;
    for route in ["/v1/auth", "/v1/webhooks/zendesk", "/v1/webhooks/freshdesk"] {
        assert_eq!(world.call("POST", route, &[JSON, ("x-api-key", LIVE)], eve).await.status, 400);
    }
    assert_eq!(world.count("interactions"), 0);
}

#[tokio::test]
async fn invalid_for_the_company_is_400_for_an_api_and_200_for_a_helpdesk_and_a_row_for_both() {
    let mut world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["employee"]["email"] = json!("nobody@blancapeak.example");
    let api = world.post("/v1/requests", &body).await;
    assert_eq!((api.status, &api.json()["code"]), (400, &json!("employee_not_found")));
    let again = world.post("/v1/requests", &body).await;
    assert_eq!(
        (again.status, again.id(), &again.json()["duplicate"]),
        (400, api.id(), &json!(true))
    );
    let webhook = world.post("/v1/webhooks/zendesk", &body).await;
    let told = webhook.json();
    assert_eq!(
        (webhook.status, &told["status"], &told["reason"]),
        (200, &json!("invalid"), &json!("employee_not_found"))
    );
    for id in [api.id(), webhook.id()] {
        assert_eq!(world.outcome(&id).await, "invalid: employee_not_found");
    }
    // What an admin mends can come again after ten minutes, though Zendesk's window is a day.
    world.configure(
        "employee",
        "nobody@blancapeak.example",
        json!({ "status": "approved", "name": "Now Somebody" }),
    );
    world.advance(SignedDuration::from_mins(11));
    let mended = world.post("/v1/webhooks/zendesk", &body).await;
    world.settle().await;
    assert_eq!(world.outcome(&mended.id()).await, "delivered");
}

#[tokio::test]
async fn an_idempotency_key_names_one_body() {
    let world = World::new().await;
    let headers = [JSON, ("x-api-key", LIVE), ("idempotency-key", "k1")];
    let body = request("1", "jane@customers.example").to_string();
    let first = world.call("POST", "/v1/requests", &headers, body.clone()).await;
    world.advance(SignedDuration::from_hours(2));
    let again = world.call("POST", "/v1/requests", &headers, body).await;
    assert_eq!((again.id(), &again.json()["duplicate"]), (first.id(), &json!(true)));
    let other = world
        .call("POST", "/v1/requests", &headers, request("2", "joe@customers.example").to_string())
        .await;
    assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_key_reused")));
    let test = world
        .call(
            "POST",
            "/v1/requests",
            &[JSON, ("x-api-key", TEST), ("idempotency-key", "k1")],
            other.text,
        )
        .await;
    assert_ne!(test.status, 422, "test and live keys do not meet");
}

#[tokio::test]
async fn a_signed_zendesk_webhook_is_verified_once_a_secret_is_configured() {
    let world = World::with(Options {
        zendesk_secret: "old-secret,new-secret".into(),
        ..Options::default()
    })
    .await;
    let body = request("1", "jane@customers.example").to_string();
    let sign = |secret: &str, at: &str, body: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .unwrap()
            .chain_update(at)
            .chain_update(body);
        STANDARD.encode(mac.finalize().into_bytes())
    };
    let now = "2026-11-21T09:04:00Z";
    let cases = [
        ("new-secret", now, body.as_str(), 200),
        ("old-secret", now, &body, 200),
        ("this_secret_is_for_testing_only", now, &body, 403),
        ("new-secret", "2026-11-21T09:05:01Z", &body, 403),
        ("new-secret", "2026-11-21T08:54:59Z", &body, 403),
        ("new-secret", now, "another body", 403),
    ];
    for (secret, at, signed, status) in cases {
        let signature = sign(secret, at, signed);
        let headers = [
            JSON,
            ("x-api-key", LIVE),
            ("x-zendesk-webhook-id", "1"),
            ("x-zendesk-webhook-signature", &signature),
            ("x-zendesk-webhook-signature-timestamp", at),
        ];
        assert_eq!(
            world.call("POST", "/v1/webhooks/zendesk", &headers, body.clone()).await.status,
            status,
            "{secret} {at}"
        );
    }
    assert_eq!(
        world
            .call("POST", "/v1/webhooks/zendesk", &[JSON, ("x-api-key", LIVE)], body.clone())
            .await
            .status,
        403
    );
    let unsigned = [JSON, ("x-api-key", LIVE), ("x-zendesk-account-id", "1")];
    assert_eq!(
        world.call("POST", "/v1/auth", &unsigned, body.clone()).await.status,
        403,
        "any of Zendesk's headers makes it Zendesk's"
    );
    // Freshdesk and old targets on /v1/auth sign nothing, unless the company says that nobody may.
    assert_eq!(
        world.call("POST", "/v1/auth", &[JSON, ("x-api-key", LIVE)], body.clone()).await.status,
        200
    );
    world.configure("integration", "zendesk", json!({ "signature_required": "yes" }));
    world.advance(SignedDuration::from_secs(30));
    assert_eq!(
        world.call("POST", "/v1/auth", &[JSON, ("x-api-key", LIVE)], body).await.status,
        403
    );
}

#[tokio::test]
async fn hostile_names_reach_neither_a_header_nor_the_html_unescaped() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": 0 }));
    let names = [
        "Jane\r\nBcc: victim@customers.example",
        "<script>alert(1)</script>",
        "\u{202e}evil\u{0}\u{7}",
        &"x".repeat(10_000),
        "see https://phish.example now",
        "\"quoted\" & 'single'",
    ];
    for (n, name) in names.iter().enumerate() {
        let mut body = request(&format!("{n}"), "jane@customers.example");
        body["customer"]["name"] = json!(name);
        let reply = world.post("/v1/requests", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        world.settle().await;
        assert_eq!(world.outcome(&reply.id()).await, "delivered");
    }
    for mail in world.mails_to("jane@customers.example") {
        assert!(
            !mail.html.contains("<script>")
                && !mail.html.contains("phish.example")
                && !mail.text.contains("phish.example")
        );
        assert!(
            mail.headers.values().all(|value| !value.contains(['\r', '\n']))
                && !mail.headers.contains_key("Bcc")
        );
        assert!(mail.html.len() < 15_000);
        let page = world.call("GET", &link(&mail, "/s/"), &[], "").await;
        assert!(page.status == 200 && !page.text.contains("<script"));
    }
}

#[tokio::test]
async fn a_thousand_posts_to_one_token_leave_one_answer_and_a_bounded_history() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let survey = link(&world.mails_to("jane@customers.example").remove(0), "/s/");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for n in 0..1_000 {
        // As often as one link's pace lets through.
        world.advance(SignedDuration::from_mins(3));
        let posted =
            world.call("POST", &survey, &form, format!("stars={}&comment={n}", n % 5 + 1)).await;
        assert_eq!(posted.status, 303);
    }
    assert_eq!(world.count("responses"), 1);
    world.advance(SignedDuration::from_secs(11));
    let row = world.get("/v2/data").await.json()["data"][0].clone();
    assert_eq!(
        (&row["previous_answers"], &row["answers"]["agent_star_rating"]["comment"]),
        (&json!(999), &json!("999"))
    );
    let megabyte = format!("stars=5&comment={}", "a".repeat(1_000_000));
    assert_eq!(world.call("POST", &survey, &form, megabyte).await.status, 422);
    world.advance(SignedDuration::from_mins(3));
    let hostile = "stars=5&comment=%3Cb%3E%E2%80%AEbold%00%3C%2Fb%3E";
    assert_eq!(world.call("POST", &survey, &form, hostile).await.status, 303);
    let page = world.call("GET", &survey, &[], "").await.text;
    assert!(!page.contains("<b>") && page.contains("bold"));
}

#[tokio::test]
async fn throttling_and_conflicts_are_retried_and_a_503_can_be_retried_for_one_survey() {
    let mut world = World::proxied().await;
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    // Twice in conflict, twice throttled: retried, and nobody notices.
    dynamodb.plan(|call| match (call.operation.as_str(), call.nth) {
        ("TransactWriteItems", 0..2) => Fault::Reply(InjectedReply::transaction_conflict(call)),
        ("GetItem" | "ExecuteStatement", 0..2) => Fault::Reply(InjectedReply::throttled()),
        _ => Fault::None,
    });
    let first = world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert!(
        dynamodb.calls().iter().filter(|call| call.operation == "TransactWriteItems").count() == 3
    );
    // A single write that meets a transaction is tried again, too.
    dynamodb.fail_next(
        "UpdateItem",
        2,
        Fault::Reply(InjectedReply::error(
            StatusCode::BAD_REQUEST,
            "TransactionConflictException",
            "ongoing",
        )),
    );
    world.settle().await;
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    let updates: Vec<Call> = dynamodb
        .calls()
        .into_iter()
        .filter(|call| call.operation == "UpdateItem")
        .take(4)
        .collect();
    assert_eq!([1, 2, 3].map(|n| updates[n].body == updates[0].body), [true, true, false]);
    // Down for good: 503, whatever the sender then sends again is one request and one mail. Cut off
    // after it was written: the same.
    for (n, fault) in [Fault::Reply(InjectedReply::internal()), Fault::CutBefore, Fault::CutAfter]
        .into_iter()
        .enumerate()
    {
        let body = request(&format!("down-{n}"), &format!("down-{n}@customers.example"));
        dynamodb.fail_next("TransactWriteItems", 100, fault);
        let down = world.post("/v1/requests", &body).await;
        assert_eq!(
            (down.status, down.headers["retry-after"].to_str().unwrap()),
            (503, "30"),
            "{}",
            down.text
        );
        dynamodb.plan(|_| Fault::None);
        let retried = world.post("/v1/requests", &body).await;
        assert_eq!(retried.status, 200);
    }
    world.settle().await;
    let mails = world.stack.mailbox.messages();
    let mut recipients: Vec<&String> = mails.iter().flat_map(|mail| &mail.to).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!((mails.len(), recipients.len()), (4, 4));
}

#[tokio::test]
async fn an_accepted_request_costs_one_call_cached_and_a_mail_two() {
    let mut world = World::proxied().await;
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    dynamodb.plan(|_| Fault::None);
    world.post("/v1/requests", &request("1", "one@customers.example")).await;
    let operations = |calls: Vec<local::faults::Call>| {
        calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()
    };
    let mut cold = operations(dynamodb.calls());
    cold.sort();
    assert_eq!(
        cold,
        ["ExecuteStatement", "GetItem", "GetItem", "TransactWriteItems"],
        "key, settings, employee, record"
    );
    dynamodb.plan(|_| Fault::None);
    world.post("/v1/requests", &request("2", "two@customers.example")).await;
    assert_eq!(operations(dynamodb.calls()), ["TransactWriteItems"]);
    dynamodb.plan(|_| Fault::None);
    let duplicate = world.post("/v1/requests", &request("2", "two@customers.example")).await;
    assert_eq!(duplicate.json()["duplicate"], true);
    assert_eq!(operations(dynamodb.calls()), ["TransactWriteItems"]);
    world.settle().await; // dispatch now has its configuration
    for n in 3..5 {
        world
            .post("/v1/requests", &request(&format!("{n}"), &format!("{n}@customers.example")))
            .await;
    }
    let proxies = world.stack.proxies.as_ref().unwrap();
    proxies.dynamodb.plan(|_| Fault::None);
    proxies.ses.plan(|_| Fault::None);
    for pump in &mut world.stack.pumps {
        pump.drain().await.unwrap();
    }
    let proxies = world.stack.proxies.as_ref().unwrap();
    let mut mailed = operations(proxies.dynamodb.calls());
    mailed.sort();
    assert_eq!(
        mailed,
        ["TransactWriteItems", "TransactWriteItems", "UpdateItem", "UpdateItem"],
        "two mails: a claim and a note each"
    );
    assert_eq!(proxies.ses.calls().len(), 2);
}

#[tokio::test]
async fn an_odd_config_item_breaks_nothing_but_itself() {
    let world = World::new().await;
    let odd = json!({ "TableName": "config", "Item": {
        "kind": { "S": "channel" }, "id": { "S": "fax" }, "mode": { "B": "AAEC" },
        "aliases": { "SS": ["telefax"] }, "note": { "NULL": true },
    } });
    world.stack.database.put_item(serde_json::from_value(odd).unwrap()).unwrap();
    let set = json!({ "TableName": "config", "Item": {
        "kind": { "S": "key" }, "id": { "S": intake::digest(b"aw_live_set") },
        "mode": { "S": " Live " }, "scopes": { "SS": ["send", "READ"] },
    } });
    world.stack.database.put_item(serde_json::from_value(set).unwrap()).unwrap();
    assert_eq!(
        world
            .post_as("aw_live_set", "/v1/requests", &request("1", "jane@customers.example"))
            .await
            .status,
        200
    );
    let mut body = request("2", "jane@customers.example");
    body["channel"] = json!("TeleFax");
    assert_eq!(world.post("/v1/requests", &body).await.json()["code"], "channel_manual");
}

#[tokio::test]
async fn truncated_values_are_told_in_the_reply() {
    let world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["tags"] = json!((0..25).map(|n| format!("tag-{n}")).collect::<Vec<_>>());
    body["custom_properties"] = json!({ "note": "x".repeat(3_000) });
    let reply = world.post("/v1/requests", &body).await.json();
    assert_eq!(reply["tags"].as_array().unwrap().len(), 20);
    assert_eq!(reply["custom_properties"]["note"].as_str().unwrap().len(), 2_000);
    let notes: Vec<&Value> = reply["notes"].as_array().unwrap().iter().collect();
    assert!(notes.iter().any(|note| note["pointer"] == "/custom_properties/note"), "{notes:?}");
}
