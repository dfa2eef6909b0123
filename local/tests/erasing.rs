//! Erasing a person by `DELETE /v1/people`: afterwards no table holds the person, whatever was cut
//! off on the way, and nothing brings the person back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::scenario::Post;
use kit::{LIVE, Reply, TEST, World, link, request, request_id};
use local::faults::{Call, Fault, InjectedReply};
use local::seed::ADMIN_KEY;
use serde_json::{Value, json};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

async fn erase(world: &World, query: &str) -> Reply {
    world.call("DELETE", &format!("/v1/people?{query}"), &[("x-api-key", ADMIN_KEY)], "").await
}

/// Every item of every table, as JSON in lower case.
fn items(world: &World) -> Vec<(&'static str, String)> {
    let mut items = Vec::new();
    for table in ["config", "interactions", "suppression", "responses", "audit"] {
        let scan = serde_json::from_value(json!({ "TableName": table })).unwrap();
        let page = serde_json::to_value(world.stack.database.scan(scan).unwrap()).unwrap();
        assert!(page["LastEvaluatedKey"].is_null());
        let found = page["Items"].as_array().cloned().unwrap_or_default();
        items.extend(found.iter().map(|item| (table, item.to_string().to_lowercase())));
    }
    items
}

/// Items that hold one of these texts.
fn holding(world: &World, texts: &[&str]) -> Vec<(&'static str, String)> {
    let mut items = items(world);
    items.retain(|(_, item)| texts.iter().any(|text| item.contains(&text.to_lowercase())));
    items
}

/// A request of a customer who is known by the part before the `@` in every table.
fn of(ext: &str, name: &str) -> Value {
    json!({
        "channel": "email", "ext_interaction_id": ext,
        "customer": { "name": format!("{name} Doe"), "email": format!("{name}@customers.example"),
            "custom_id": format!("own-{name}") },
        "employee": { "email": "paul@blancapeak.example" },
        "tags": [format!("tag-{name}")], "custom_properties": { "note": format!("calls {name}") },
    })
}

/// Two live requests, a test request, and an answer that was changed, with comments.
async fn live_a_life(world: &mut World, name: &str) {
    let address = format!("{name}@customers.example");
    assert_eq!(world.post("/v1/requests", &of(&format!("1-own-{name}"), name)).await.status, 200);
    assert_eq!(world.post_as(TEST, "/v1/requests", &of("test", name)).await.status, 200);
    world.settle().await;
    let survey = link(&world.mails_to(&address).remove(0), "/s/");
    for body in ["stars=2&comment=I+am", "stars=5&topics=speed&comment=Now+I+am"] {
        let body = format!("{body}+{name}");
        assert_eq!(world.call("POST", &survey, &FORM, body).await.status, 303);
    }
    assert_eq!(world.post("/v1/requests", &of("2", name)).await.status, 200);
    world.settle().await;
}

/// The receipt of [`live_a_life`].
fn receipt(kept: bool) -> Value {
    json!({
        "live_requests": 2, "test_requests": 1, "answers_deleted": u8::from(!kept),
        "answers_without_person": u8::from(kept), "markers": 3, "windows": 1,
    })
}

fn nothing() -> Value {
    json!({
        "live_requests": 0, "test_requests": 0, "answers_deleted": 0,
        "answers_without_person": 0, "markers": 0, "windows": 0,
    })
}

#[tokio::test]
async fn nothing_of_the_person_is_left_and_everything_of_others_is() {
    let mut world = World::new().await;
    live_a_life(&mut world, "zoelle").await;
    live_a_life(&mut world, "maxwell").await;
    let others = holding(&world, &["maxwell"]);
    assert!(holding(&world, &["zoelle"]).len() >= 3 && others.len() >= 3);

    let reply = erase(&world, "email=%20ZOELLE%40Customers.EXAMPLE").await;
    assert_eq!((reply.status, &reply.json()["erased"]), (200, &receipt(true)), "{}", reply.text);
    assert!(!reply.text.to_lowercase().contains("zoelle"), "{}", reply.text);
    assert_eq!(holding(&world, &["zoelle"]), []);
    assert_eq!(holding(&world, &["maxwell"]), others);

    world.advance(SignedDuration::from_mins(1));
    let data = world.get("/v2/data").await.json()["data"].clone();
    let hers: Vec<&Value> =
        data.as_array().unwrap().iter().filter(|row| row["customer"]["email"] == "").collect();
    let [hers] = hers.try_into().unwrap();
    let stars = &hers["answers"]["agent_star_rating"];
    assert_eq!(stars["selected_options"]["5"]["integer_value"], json!(5));
    assert_eq!((&stars["comment"], &hers["previous_answers"]), (&json!(null), &json!(1)));
    assert_eq!(hers["customer"], json!({ "custom_id": "", "email": "", "full_name": "" }));
    assert!(hers["answers"]["areas_of_excellence"]["selected_options"]["speed"].is_object());
    assert_eq!(hers["ext_interaction_id"], json!(null), "this one named her");

    let again = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((again.status, &again.json()["erased"]), (200, &nothing()));
    let unknown = erase(&world, "email=nobody@customers.example").await;
    assert_eq!((unknown.status, &unknown.json()["erased"]), (200, &nothing()));

    let deleted = erase(&world, "email=maxwell@customers.example&answers=delete").await;
    assert_eq!((deleted.status, &deleted.json()["erased"]), (200, &receipt(false)));
    assert_eq!(holding(&world, &["maxwell"]), []);
    assert_eq!(world.count("responses"), 1);
}

#[tokio::test]
async fn what_comes_afterwards_is_new_unless_the_person_had_unsubscribed() {
    let mut world = World::new().await;
    live_a_life(&mut world, "zoelle").await;
    live_a_life(&mut world, "maxwell").await;
    let mail = world.mails_to("maxwell@customers.example").remove(0);
    world.call("POST", &link(&mail, "/u/"), &FORM, "List-Unsubscribe=One-Click").await;
    for name in ["zoelle", "maxwell"] {
        erase(&world, &format!("email={name}@customers.example")).await;
    }
    world.advance(SignedDuration::from_secs(2));
    // The closed survey, and SES's late events, bring nothing back.
    let late =
        world.call("POST", &link(&mail, "/s/"), &FORM, "stars=1&comment=maxwell+is+back").await;
    assert!(late.status >= 400, "{}", late.status);
    assert_eq!(holding(&world, &["zoelle", "maxwell"]), []);
    for (name, outcome) in [("zoelle", "delivered"), ("maxwell", "not_sent: unsubscribed")] {
        let id = world.post("/v1/requests", &of("2", name)).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&id).await, outcome, "{name}");
    }
    // The second look, minutes later, leaves what is new.
    world.advance(SignedDuration::from_mins(6));
    assert_eq!(world.sweep().await["erased"], json!(0));
    assert_eq!(holding(&world, &["zoelle"]).len(), 1);
    let listed = items(&world).into_iter().filter(|(_, item)| item.contains("\"erasures\""));
    assert_eq!(listed.count(), 0, "nothing is left to do");
}

#[tokio::test]
async fn a_call_that_cannot_be_understood_erases_nothing() {
    let mut world = World::new().await;
    live_a_life(&mut world, "zoelle").await;
    let before = items(&world);
    for query in [
        "",
        "email=",
        "email=zoelle",
        "email=zoelle@customers",
        "email=zoelle+x@customers.example",
        "email=zoelle@customers.example,maxwell@customers.example",
        "email=zoelle@customers.example&email=maxwell@customers.example",
        "mail=zoelle@customers.example",
        "email=zoelle@customers.example&answers=all",
        "email=zoelle@customers.example&answer=delete",
        "email=zoelle@customers.example&answers=keep&answers=delete",
        "email=%00",
        "email=%FF%FE@customers.example",
    ] {
        let reply = erase(&world, query).await;
        assert_eq!(
            (reply.status, reply.headers["content-type"].to_str().unwrap()),
            (400, "application/problem+json"),
            "{query}: {}",
            reply.text
        );
        assert!(!reply.text.contains("zoelle"), "{query}");
    }
    let long = format!("email={}@customers.example", "z".repeat(9_000));
    assert_eq!(erase(&world, &long).await.status, 400);

    let key = |scopes: Value, revoked: bool| json!({ "mode": "admin", "scopes": scopes, "revoked": revoked });
    for (name, item) in [
        ("aw_admin_plain", key(json!(["admin"]), false)),
        ("aw_admin_looks", key(json!(["viewer"]), false)),
        ("aw_admin_gone", key(json!(["erase"]), true)),
        ("aw_admin_erases", key(json!(["erase"]), false)),
    ] {
        world.configure("key", &intake::digest(name.as_bytes()), item);
    }
    let basic = |key: &str| format!("Basic {}", STANDARD.encode(format!("ann:{key}")));
    let (good, other) = (basic("aw_admin_erases"), basic(ADMIN_KEY));
    let path = "/v1/people?email=nobody@customers.example";
    let before = (before, world.count("config"));
    for headers in [
        &[][..],
        &[("x-api-key", "")],
        &[("x-api-key", LIVE)],
        &[("x-api-key", TEST)],
        &[("x-api-key", "aw_admin_unknown")],
        &[("x-api-key", "aw_admin_plain")],
        &[("x-api-key", "aw_admin_looks")],
        &[("x-api-key", "aw_admin_gone")],
        &[("x-api-key", "aw_admin_erases"), ("authorization", &other)],
        &[("authorization", "Basic !")],
    ] {
        let reply = world.call("DELETE", path, headers, "").await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (403, &json!("forbidden")),
            "{headers:?}"
        );
    }
    assert_eq!(items(&world).len(), before.0.len() + 4, "only the keys of this test");
    for headers in [[("x-api-key", "aw_admin_erases")], [("authorization", &good)]] {
        assert_eq!(world.call("DELETE", path, &headers, "").await.status, 200, "{headers:?}");
    }
    assert_eq!(world.call("GET", path, &[("x-api-key", ADMIN_KEY)], "").await.status, 404);
    for path in ["/v1/requests", "/v2/data"] {
        let reply = world.call("GET", path, &[("x-api-key", ADMIN_KEY)], "").await;
        assert_eq!(reply.status, 403, "{path}: an admin key opens nothing else");
    }
}

/// Everything fails from this call on; the call itself too, or only its reply is lost.
fn outage(from: usize, written: bool) -> impl Fn(&Call) -> Fault + Send + Sync + 'static {
    move |call| match call.number {
        number if number < from => Fault::None,
        number if number == from && written => Fault::CutAfter,
        _ => Fault::Reply(InjectedReply::error(
            StatusCode::BAD_REQUEST,
            "AccessDeniedException",
            "an outage",
        )),
    }
}

#[tokio::test]
async fn an_erasure_that_is_broken_off_anywhere_is_finished_by_its_repetition() {
    let mut world = World::proxied().await;
    live_a_life(&mut world, "zoelle").await;
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
    assert_eq!(erase(&world, "email=zoelle@customers.example").await.status, 200);
    let calls = world.stack.proxies.as_ref().unwrap().dynamodb.calls().len();
    assert!(calls > 15, "{calls}");
    let mut unfinished = 0;
    for (number, written) in (0..calls).flat_map(|number| [(number, false), (number, true)]) {
        let name = format!("person-{number}-{}-x", u8::from(written));
        live_a_life(&mut world, &name).await;
        let query = format!("email={name}@customers.example");
        let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
        dynamodb.plan(outage(number, written));
        let first = erase(&world, &query).await;
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        let place = format!("{number} {written}: {}", first.text);
        assert!([200, 202, 503].contains(&first.status), "{place}");
        unfinished += usize::from(first.status != 200);
        let second = erase(&world, &query).await;
        assert_eq!(second.status, 200, "{place}");
        // A reply that never came may have been the one that knew the numbers.
        let told = if first.status == 200 { &first } else { &second }.json()["erased"].clone();
        assert!(
            told == receipt(true) || number + 3 >= calls && told == nothing(),
            "{place}: {told}"
        );
        assert_eq!(holding(&world, &[&name]), [], "{place}");
    }
    assert!(unfinished > calls, "{unfinished}");
}

#[tokio::test]
async fn a_request_that_comes_during_the_erasure_is_not_recorded_and_sweep_goes_on() {
    let mut world = World::proxied().await;
    live_a_life(&mut world, "zoelle").await;
    // The first transaction begins the erasure; the ones that erase fail.
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(|call| {
        match (call.operation.as_str(), call.nth) {
            ("TransactWriteItems", 1..) => Fault::Reply(InjectedReply::internal()),
            _ => Fault::None,
        }
    });
    let begun = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((begun.status, &begun.json()["status"]), (202, &json!("erasing")));
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
    let before = world.count("interactions");
    for key in [LIVE, TEST] {
        let reply = world.post_as(key, "/v1/requests", &of("3", "zoelle")).await;
        let told = (reply.status, reply.json()["status"].clone(), reply.json()["reason"].clone());
        assert_eq!(told, (200, json!("not_sent"), json!("erased")), "{}", reply.text);
    }
    assert_eq!(world.count("interactions"), before);
    let another = world.post("/v1/requests", &request("3", "maxwell@customers.example")).await;
    assert_eq!(another.status, 200, "somebody else");

    world.sweep().await;
    assert!(!holding(&world, &["zoelle"]).is_empty(), "the call itself has a minute");
    world.advance(SignedDuration::from_secs(61));
    assert_eq!(world.sweep().await["erased"], json!(3));
    assert_eq!(holding(&world, &["zoelle"]), []);
    let done = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((done.status, &done.json()["erased"]), (200, &receipt(true)), "told late");
    let again = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((again.status, &again.json()["erased"]), (200, &nothing()));
}

#[tokio::test]
async fn a_conversation_that_turns_out_to_be_the_persons_goes_too() {
    let mut world = World::new().await;
    let post = Post::gladly("event-1", "conversation-closed");
    let id = world.post(post.path, &post.body).await.id();
    world.advance(SignedDuration::from_secs(1));
    let erased = erase(&world, "email=jane.roe@customers.example").await;
    assert_eq!((erased.status, &erased.json()["erased"]), (200, &nothing()), "not asked about yet");
    world.advance(SignedDuration::from_secs(1));
    world.settle().await;
    assert_eq!(world.get(&format!("/v1/requests/{id}")).await.status, 404);
    assert_eq!(holding(&world, &["jane.roe", "jane roe"]), []);
    assert!(world.stack.mailbox.messages().is_empty());
    // A later conversation is new.
    let post = Post::gladly("event-2", "conversation-closed");
    let id = world.post(post.path, &post.body).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn much_is_erased_by_sweep_and_rows_that_the_index_showed_late_too() {
    let mut world = World::new().await;
    world.post("/v1/requests", &of("1", "zoelle")).await;
    world.settle().await;
    let row = world.rows().remove(0);
    let copies = |from: u64, count: u64| {
        (from..from + count)
            .map(|n| {
                let mut copy = row.clone();
                copy["request_id"] = json!({ "S": request_id(world.now(), n) });
                json!({ "PutRequest": { "Item": copy } })
            })
            .collect::<Vec<_>>()
    };
    let put = |copies: Vec<Value>| {
        for batch in copies.chunks(25) {
            let write = json!({ "RequestItems": { "interactions": batch } });
            world.stack.database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
        }
    };
    put(copies(1, 519));
    let late = copies(1_000, 3);
    world.advance(SignedDuration::from_secs(1));
    let begun = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((begun.status, &begun.json()["erased"]["live_requests"]), (202, &json!(200)));
    world.advance(SignedDuration::from_secs(61));
    assert_eq!(world.sweep().await["erased"], json!(320));
    assert_eq!(holding(&world, &["zoelle"]), []);
    let done = erase(&world, "email=zoelle@customers.example").await;
    assert_eq!((done.status, &done.json()["erased"]["live_requests"]), (200, &json!(520)));
    // Rows from before the erasure, which the index had not shown.
    put(late);
    world.advance(SignedDuration::from_mins(6));
    assert_eq!(world.sweep().await["erased"], json!(3));
    assert_eq!(holding(&world, &["zoelle"]), []);
}

#[tokio::test]
async fn what_stays_of_an_idempotency_key_confirms_no_guess_at_the_body() {
    let world = World::new().await;
    let body = of("1", "zoelle").to_string();
    let headers =
        [("x-api-key", LIVE), ("content-type", "application/json"), ("idempotency-key", "order-1")];
    let post = async || world.call("POST", "/v1/requests", &headers, body.clone()).await;
    let first = post().await.id();
    assert_eq!(post().await.id(), first);
    let other = of("1", "maxwell").to_string();
    assert_eq!(world.call("POST", "/v1/requests", &headers, other).await.status, 422);
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(erase(&world, "email=zoelle@customers.example").await.status, 200);
    let markers = items(&world).into_iter().filter(|(table, _)| *table == "suppression");
    let left = markers.filter(|(_, item)| item.contains("\"fingerprint\""));
    assert_eq!(left.count(), 1, "the marker of the key stays for a day");
    assert_eq!(holding(&world, &["zoelle", &intake::digest(body.as_bytes())]), []);
}
