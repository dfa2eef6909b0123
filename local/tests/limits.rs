//! Whatever waits comes to an end: ceilings, rows that expire, rows that are too large, and what an
//! admin has changed a moment ago.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use jiff::SignedDuration;
use kit::{LIVE, TEST, World, link, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

async fn minutes(world: &mut World, minutes: i64) {
    for _ in 0..minutes {
        world.advance(SignedDuration::from_mins(1));
        world.sweep().await;
        world.settle().await;
    }
}

fn key(mode: &str, mails_per_hour: Value) -> Value {
    json!({ "mode": mode, "scopes": ["send", "read"], "mails_per_hour": mails_per_hour })
}

#[tokio::test]
async fn what_is_over_a_keys_ceiling_waits_for_the_next_hour_and_says_so() {
    for (name, mode) in [(LIVE, "live"), (TEST, "test")] {
        let mut world = World::new().await;
        world.configure("key", &intake::digest(name.as_bytes()), key(mode, json!(2)));
        let mut ids = Vec::new();
        for n in 0..5 {
            let body = request(&format!("{n}"), &format!("c{n}@customers.example"));
            ids.push(world.post_as(name, "/v1/requests", &body).await.id());
        }
        world.settle().await;
        assert_eq!(world.stack.mailbox.messages().len(), 2, "{mode}");
        let waiting = world.request(&ids[4]).await;
        assert_eq!(
            (&waiting["status"], &waiting["waiting_for"]),
            (&json!("queued"), &json!("mails_per_hour")),
            "{waiting}"
        );
        world.advance(SignedDuration::from_mins(57));
        minutes(&mut world, 2).await;
        assert_eq!(world.stack.mailbox.messages().len(), 2, "{mode}: it is still the same hour");
        minutes(&mut world, 2).await;
        assert_eq!(world.stack.mailbox.messages().len(), 4, "{mode}");
        world.advance(SignedDuration::from_mins(58));
        minutes(&mut world, 2).await;
        assert_eq!(world.stack.mailbox.messages().len(), 5, "{mode}");
        assert_eq!(world.request(&ids[4]).await["waiting_for"], Value::Null);
    }
}

#[tokio::test]
async fn a_ceiling_of_zero_is_none_and_one_that_cannot_be_understood_holds() {
    let mut world = World::new().await;
    let digest = intake::digest(LIVE.as_bytes());
    world.configure("key", &digest, key("live", json!("0")));
    for n in 0..3 {
        world
            .post("/v1/requests", &request(&format!("{n}"), &format!("c{n}@customers.example")))
            .await;
    }
    world.settle().await;
    assert_eq!(world.stack.mailbox.messages().len(), 3);
    let waits = world.post("/v1/requests", &request("3", "c3@customers.example")).await.id();
    world.configure("key", &digest, key("live", json!("many")));
    world.advance(SignedDuration::from_secs(31));
    world.settle().await;
    world.configure("key", &digest, key("live", json!(10)));
    assert_eq!(world.stack.mailbox.messages().len(), 3);
    minutes(&mut world, 2).await;
    assert_eq!(world.outcome(&waits).await, "delivered");
}

#[tokio::test]
async fn two_at_once_do_not_get_over_a_ceiling_of_one() {
    let mut world = World::new().await;
    world.configure("key", &intake::digest(LIVE.as_bytes()), key("live", json!(1)));
    world.company(json!({ "send_rate": 1_000 }));
    for n in 0..20 {
        world
            .post("/v1/requests", &request(&format!("{n}"), &format!("c{n}@customers.example")))
            .await;
    }
    world.settle().await;
    assert_eq!(world.stack.mailbox.messages().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_held_until_its_row_would_expire_ends_with_a_reason_a_day_before() {
    let mut world = World::new().await;
    world.company(json!({ "retention_days": 1, "survey_days": 1 }));
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.company(json!({ "suppression_days": "a week" }));
    world.settle().await;
    assert_eq!(world.request(&id).await["waiting_for"], "configuration");
    world.advance(SignedDuration::from_hours(47));
    minutes(&mut world, 1).await;
    assert_eq!(world.outcome(&id).await, "queued");
    world.advance(SignedDuration::from_mins(58));
    minutes(&mut world, 16).await;
    assert_eq!(world.outcome(&id).await, "failed: expired");
    world.advance(SignedDuration::from_hours(22));
    assert_eq!(world.outcome(&id).await, "failed: expired", "somebody can still see why");
}

#[tokio::test]
async fn a_survey_stays_open_after_a_late_mail_and_with_a_short_retention() {
    for (held_days, retention_days) in [(0, 1), (0, 13), (20, 30)] {
        let mut world = World::proxied().await;
        world.company(
            json!({ "retention_days": retention_days, "survey_days": 14, "suppression_days": 0 }),
        );
        let ses = &world.stack.proxies.as_ref().unwrap().ses;
        ses.plan(|_| {
            Fault::Reply(InjectedReply::error(
                axum::http::StatusCode::BAD_REQUEST,
                "SendingPausedException",
                "paused",
            ))
        });
        let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
        world.settle().await;
        world.advance(SignedDuration::from_hours(24 * held_days));
        world.stack.proxies.as_ref().unwrap().ses.plan(|_| Fault::None);
        minutes(&mut world, 16).await;
        world.advance(SignedDuration::from_hours(1));
        minutes(&mut world, 1).await;
        assert_eq!(world.outcome(&id).await, "delivered");
        let page = link(&world.mails_to("jane@customers.example")[0], "/s/");
        world.advance(SignedDuration::from_hours(24 * 14 - 2));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answered = world.call("POST", &page, &form, "stars=4").await;
        assert_eq!(
            answered.status, 303,
            "held {held_days}, kept {retention_days}: {}",
            answered.text
        );
        assert_eq!(world.count("responses"), 1);
        world.advance(SignedDuration::from_hours(4));
        let closed = world.call("GET", &page, &[], "").await;
        assert_eq!(closed.status, 410, "closed, and not unknown: {}", closed.text);
    }
}

/// A row of today, made as large as asked for with a property that a row of an earlier version
/// could have.
fn enlarge(world: &World, id: &str, bytes: usize) {
    let mut row = world.rows().into_iter().find(|row| row["request_id"]["S"] == json!(id)).unwrap();
    row["request"]["M"]["custom_properties"] = json!({ "M": { "x": { "S": "" } } });
    let lacking = bytes - size(&row);
    row["request"]["M"]["custom_properties"]["M"]["x"]["S"] = json!("x".repeat(lacking));
    let put = json!({ "TableName": "interactions", "Item": row });
    world.stack.database.put_item(serde_json::from_value(put).unwrap()).unwrap();
}

/// Bytes of an item, as DynamoDB counts them ("DynamoDB item sizes and formats").
fn size(item: &Value) -> usize {
    fn value(v: &Value) -> usize {
        let (kind, inner) = v.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "S" => inner.as_str().unwrap().len(),
            "N" => inner.as_str().unwrap().trim_matches('0').len().div_ceil(2) + 1,
            "M" => {
                3 + inner
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, v)| name.len() + value(v) + 1)
                    .sum::<usize>()
            }
            "L" => 3 + inner.as_array().unwrap().iter().map(|v| value(v) + 1).sum::<usize>(),
            _ => 1,
        }
    }
    item.as_object().unwrap().iter().map(|(name, v)| name.len() + value(v)).sum()
}

#[tokio::test]
async fn a_row_at_dynamodbs_limit_is_mailed_once_at_most_and_ends() {
    for below in
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 120, 136, 152, 168, 184, 200, 240]
    {
        let mut world = World::new().await;
        let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
        enlarge(&world, &id, 400 * 1_024 - below);
        world.settle().await;
        world.others_were_mailed(
            world.now() - SignedDuration::from_mins(10),
            world.now() + SignedDuration::from_mins(200),
        );
        for _ in 0..8 {
            minutes(&mut world, 1).await;
            world.advance(SignedDuration::from_mins(19));
        }
        let (outcome, mails) =
            (world.outcome(&id).await, world.mails_to("jane@customers.example").len());
        let expected = if mails == 1 { "delivered" } else { "failed: not_storable" };
        assert_eq!(outcome, expected, "{below} bytes below the limit, {mails} mails");
    }
}

#[tokio::test]
async fn a_row_at_which_dispatch_always_fails_is_not_woken_for_ever() {
    let mut world = World::proxied().await;
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    // The stream delivers nothing, so that nobody works on the row; and it has been woken for
    // almost a week.
    world.stack.pumps.clear();
    let mut row = world.rows().remove(0);
    row["woken"] = json!({ "N": (7 * 24 * 20 - 2).to_string() });
    world
        .stack
        .database
        .put_item(
            serde_json::from_value(json!({ "TableName": "interactions", "Item": row })).unwrap(),
        )
        .unwrap();
    let mut woken = Vec::new();
    for _ in 0..5 {
        world.advance(SignedDuration::from_mins(3));
        woken.push(world.sweep().await["woken"].as_u64().unwrap());
    }
    assert_eq!(
        (world.outcome(&id).await.as_str(), woken),
        ("failed: stalled", vec![1, 1, 0, 0, 0])
    );
}

#[tokio::test]
async fn what_an_admin_changed_a_moment_ago_counts_for_every_function() {
    let mut world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "manual" }));
    world.configure("employee", "new@blancapeak.example", json!({ "status": "deactivated" }));
    // Every function has read and remembered this.
    let mut refused = request("0", "nobody@customers.example");
    refused["channel"] = json!("phone");
    world.post("/v1/requests", &refused).await;
    world.settle().await;
    world.configure("channel", "email", json!({ "mode": "integrated" }));
    world.configure(
        "employee",
        "new@blancapeak.example",
        json!({ "status": "approved", "name": "New" }),
    );
    world.advance(SignedDuration::from_secs(9));
    // The function at the door is another, which has not read the old state.
    let mut body = request("1", "jane@customers.example");
    body["employee"] = json!({ "email": "new@blancapeak.example" });
    let id = world.post("/v1/webhooks/freshdesk", &body).await.id();
    assert_eq!(world.outcome(&id).await, "queued");
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn live_mail_of_a_key_that_became_a_test_key_is_not_sent() {
    let mut world = World::new().await;
    let sender = "aw_live_sender";
    world.configure(
        "key",
        &intake::digest(sender.as_bytes()),
        json!({ "mode": "live", "scopes": ["send"] }),
    );
    let id =
        world.post_as(sender, "/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.configure(
        "key",
        &intake::digest(sender.as_bytes()),
        json!({ "mode": "test", "scopes": ["send"] }),
    );
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "invalid: key_revoked");
    assert!(world.stack.mailbox.messages().is_empty());
}

#[tokio::test]
async fn a_ceiling_that_is_lowered_holds_at_once() {
    let mut world = World::new().await;
    let digest = intake::digest(LIVE.as_bytes());
    let post = async |world: &mut World, from: usize| {
        for n in from..from + 12 {
            world
                .post("/v1/requests", &request(&format!("{n}"), &format!("c{n}@customers.example")))
                .await;
        }
        world.settle().await;
    };
    post(&mut world, 0).await;
    assert_eq!(world.stack.mailbox.messages().len(), 12);
    world.configure("key", &digest, key("live", json!(5)));
    world.advance(SignedDuration::from_secs(31));
    post(&mut world, 12).await;
    assert_eq!(world.stack.mailbox.messages().len(), 12);
}

#[tokio::test]
async fn what_a_typo_hid_at_receipt_counts_when_it_is_due() {
    let mut world = World::new().await;
    world.company(json!({ "do_not_send_tg": "nosurvey", "internal_domans": ["colleagues.example"],
        "default_language": "Germn" }));
    let mut declined = request("1", "jane@customers.example");
    declined["tags"] = json!(["vip", "nosurvey"]);
    let declined = world.post("/v1/requests", &declined).await.id();
    let colleague = world.post("/v1/requests", &request("2", "boss@colleagues.example")).await.id();
    world.settle().await;
    for id in [&declined, &colleague] {
        assert_eq!(world.request(id).await["waiting_for"], "configuration");
    }
    let mended = json!({ "name": "Peak", "do_not_send_tag": "nosurvey",
        "internal_domains": ["@Colleagues.example."], "from": "s@blancapeak.example" });
    world.configure("company", "settings", mended);
    minutes(&mut world, 3).await;
    assert_eq!(world.outcome(&declined).await, "not_sent: do_not_send");
    assert_eq!(world.outcome(&colleague).await, "not_sent: self_survey");
    assert!(world.stack.mailbox.messages().is_empty());
}

#[tokio::test]
async fn a_domain_that_can_match_nobody_is_a_fault() {
    for domain in [
        "https://peers.example",
        "*.peers.example",
        "paul@peers.example",
        "peers.example; other.example",
        "peers.example other.example",
    ] {
        let mut world = World::new().await;
        world.company(json!({ "internal_domains": [domain] }));
        let id = world.post("/v1/requests", &request("1", "paul@peers.example")).await.id();
        world.settle().await;
        assert_eq!(world.request(&id).await["waiting_for"], "configuration", "{domain}");
    }
}

#[tokio::test]
async fn a_language_that_cannot_be_understood_any_more_holds_its_mail() {
    let mut world = World::new().await;
    world.configure("language", "fr", json!({}));
    let mut body = request("1", "jane@customers.example");
    body["language"] = json!("fr");
    let id = world.post("/v1/requests", &body).await.id();
    world.configure("language", "fr", json!({ "active": "maybe" }));
    world.settle().await;
    assert_eq!(world.request(&id).await["waiting_for"], "configuration");
    world.configure("language", "fr", json!({ "active": "yes" }));
    minutes(&mut world, 2).await;
    assert_eq!(world.outcome(&id).await, "delivered");
}

#[tokio::test]
async fn an_empty_switch_is_off() {
    let world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "integrated", "enabled": " " }));
    assert_eq!(
        world.post("/v1/requests", &request("1", "jane@customers.example")).await.json()["code"],
        "channel_not_enabled"
    );
}

#[tokio::test]
async fn a_brands_unsubscribe_holds_though_its_id_is_spelled_in_another_case() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": 0 }));
    let mut body = request("1", "jane@customers.example");
    body["brand"] = json!("Blanca Kids");
    world.post("/v1/requests", &body).await;
    world.settle().await;
    let page = link(&world.mails_to("jane@customers.example")[0], "/u/");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(world.call("POST", &page, &form, "scope=brand").await.status, 303);
    let old = json!({ "TableName": "config", "Key": { "kind": { "S": "brand" },
        "id": { "S": "blancakids" } } });
    world.stack.database.delete_item(serde_json::from_value(old).unwrap()).unwrap();
    world.configure("brand", "BlancaKids", json!({ "name": "Blanca Kids" }));
    world.advance(SignedDuration::from_secs(31));
    body["ext_interaction_id"] = json!("2");
    let next = world.post("/v1/requests", &body).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&next).await, "not_sent: unsubscribed");
}

#[tokio::test]
async fn one_row_that_cannot_be_read_is_left_out_of_the_lists() {
    let mut world = World::new().await;
    for n in 0..3 {
        world
            .post("/v1/requests", &request(&format!("{n}"), &format!("c{n}@customers.example")))
            .await;
    }
    world.settle().await;
    let mut broken = world.rows().remove(1);
    broken["attempts"] = json!({ "S": "two" });
    world
        .stack
        .database
        .put_item(
            serde_json::from_value(json!({ "TableName": "interactions", "Item": broken })).unwrap(),
        )
        .unwrap();
    for path in ["/v1/requests", "/v1/requests?status=delivered"] {
        let list = world.get(path).await;
        assert_eq!(
            (list.status, list.json()["requests"].as_array().unwrap().len()),
            (200, 2),
            "{path}"
        );
    }
    assert_eq!(world.get("/v2/data").await.status, 200);
}
