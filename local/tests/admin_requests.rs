//! `/admin/requests` and `/admin/requests/{id}` through the real API.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use kit::{Reply, TEST, World, request, request_id};
use serde_json::{Value, json};

fn basic(name: &str, key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{key}")))
}

impl World {
    async fn admin(&self, path: &str) -> Reply {
        self.call("GET", path, &[("authorization", &basic("ann", "aw_admin_local"))], "").await
    }

    async fn act(&self, name: &str, id: &str, form: &str) -> Reply {
        let authorization = basic(name, "aw_admin_local");
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.call("POST", &format!("/admin/requests/{id}"), &headers, form).await
    }

    fn write(&self, items: &[Value]) {
        for batch in items.chunks(25) {
            let puts: Vec<Value> =
                batch.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            let write = json!({ "RequestItems": { "interactions": puts } });
            self.stack.database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
        }
    }

    /// `n` more rows like the first, of the last minutes.
    fn fill(&self, n: u64) {
        let row = self.rows().remove(0);
        let copies = (0..n).map(|number| {
            let mut copy = row.clone();
            copy["request_id"] = json!({ "S": request_id(self.now(), number + 1) });
            copy
        });
        self.write(&copies.collect::<Vec<_>>());
    }
}

fn ids(page: &Reply) -> Vec<String> {
    let links = page.text.split("href=\"/admin/requests/").skip(1);
    links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_filtered_by_the_query_and_holds_no_customer() {
    let mut world = World::new().await;
    world.configure("channel", "phone", json!({ "mode": "manual" }));
    let good = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.advance(SignedDuration::from_secs(1));
    let mut body = request("2", "joe@customers.example");
    body["channel"] = json!("phone");
    let manual = world.post("/v1/requests", &body).await.id();
    world.advance(SignedDuration::from_secs(1));
    let test =
        world.post_as(TEST, "/v1/requests", &request("3", "joy@customers.example")).await.id();
    world.settle().await;
    for (query, expected) in [
        ("", vec![&test, &manual, &good]),
        ("?mode=test", vec![&test]),
        ("?mode=live", vec![&manual, &good]),
        ("?status=invalid", vec![&manual]),
        ("?status=delivered&mode=live", vec![&good]),
        ("?status=queued", vec![]),
        ("?reason=channel_manual", vec![&manual]),
        ("?reason=no_email", vec![]),
        ("?source=requests&mode=live", vec![&manual, &good]),
        ("?source=zendesk", vec![]),
        ("?channel=Phone", vec![&manual]),
        ("?employee=PAUL@blancapeak.example&mode=live", vec![&manual, &good]),
        ("?employee=nobody@blancapeak.example", vec![]),
        ("?ext_interaction_id=1", vec![&good]),
        ("?ext_interaction_id=1&status=invalid", vec![]),
        ("?from=2026-11-21&to=2026-11-21&mode=test", vec![&test]),
        ("?to=2026-11-20", vec![]),
        ("?from=2026-11-22", vec![]),
        (&format!("?after={manual}"), vec![&good]),
    ] {
        let page = world.admin(&format!("/admin/requests{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(ids(&page), expected, "{query}, newest first");
        assert!(!page.text.contains("customers.example"), "{query}");
    }
    for query in ["status=nonsense", "reason=x", "source=fax", "mode=both", "from=soon", "after=7"]
    {
        let page = world.admin(&format!("/admin/requests?{query}")).await;
        assert_eq!(page.status, 422, "{query}");
        assert!(page.text.contains("role=\"alert\""), "{query}");
    }
    let csv = world.admin("/admin/requests?format=csv&mode=live").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.text.trim_start_matches('\u{feff}').split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{}", csv.text);
    assert!(
        lines[1].ends_with(",requests,live,2,phone,paul@blancapeak.example,invalid,channel_manual")
    );
    assert_eq!(world.call("GET", "/admin/requests", &[], "").await.status, 401);
}

#[tokio::test]
async fn pages_follow_each_other_by_a_cursor_and_a_search_that_finds_little_can_go_on() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    world.advance(SignedDuration::from_mins(1));
    world.fill(519);
    let (mut seen, mut query, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.admin(&format!("/admin/requests{query}")).await;
        seen.extend(ids(&page));
        pages += 1;
        let older = page.text.split("/admin/requests?after=").nth(1);
        match older.filter(|_| page.text.contains(">Older<")) {
            Some(older) => query = format!("?after={}", older.split('"').next().unwrap()),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), pages), (520, 11));
    // 400 requests at a time; then a month at a time.
    let mut page = world.admin("/admin/requests?channel=nothing").await;
    let mut looks = 1;
    while page.text.contains("Look further back") {
        let rest = page.text.split("href=\"/admin/requests?channel=nothing").nth(1).unwrap();
        let rest = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        page = world.admin(&format!("/admin/requests?channel=nothing{rest}")).await;
        looks += 1;
    }
    assert!(page.text.contains("No request fits"), "{}", page.text);
    assert_eq!(looks, 5, "90 days are kept, and a survey is open for 14");
}

#[tokio::test]
async fn an_address_is_masked_until_somebody_looks_and_that_is_audited() {
    let mut world = World::new().await;
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.settle().await;
    let path = format!("/admin/requests/{id}");
    let page = world.admin(&path).await;
    assert!(page.text.contains("j***@c***.example"), "{}", page.text);
    assert!(!page.text.contains("jane@customers.example"));
    for what in ["Received from requests", "Claimed for sending", "Sent:", "Delivered:"] {
        assert!(page.text.contains(what), "{what}");
    }
    let shown = world.act("ann", &id, "action=show").await;
    assert!(shown.status == 200 && shown.text.contains("jane@customers.example"));
    let audit = world.admin("/admin/audit").await.text;
    assert!(audit.contains("looked at the customer of a request") && audit.contains(&id));
    assert!(!audit.contains("jane@"));
    assert!(!world.admin(&path).await.text.contains("jane@customers.example"));
    // What is no request is not found; what is no action is not understood.
    assert_eq!(world.admin("/admin/requests/7").await.status, 404);
    let unknown = format!("/admin/requests/{}", uuid::Uuid::now_v7());
    assert_eq!(world.admin(&unknown).await.status, 404);
    assert_eq!(world.act("ann", &id, "action=explode").await.status, 400);
    assert_eq!(world.act("ann", &id, "action=send").await.status, 422, "it was sent");
    let viewer = json!({ "mode": "admin", "scopes": ["viewer"] });
    world.configure("key", &intake::digest(b"aw_admin_viewer"), viewer);
    let authorization = basic("vera", "aw_admin_viewer");
    let headers = [("authorization", &*authorization)];
    let looked = world.call("GET", &path, &headers, "").await;
    assert!(looked.status == 200 && !looked.text.contains("Show the address"));
    assert_eq!(world.call("POST", &path, &headers, "action=show").await.status, 403);
    let foreign = [("authorization", &*authorization), ("sec-fetch-site", "cross-site")];
    assert_eq!(world.call("POST", &path, &foreign, "action=show").await.status, 403);
}

#[tokio::test]
async fn whoever_sends_now_and_however_often_the_customer_gets_one_mail() {
    let mut world = World::new().await;
    let mut body = request("7", "jane@customers.example");
    body["employee"] = json!({ "email": "new@blancapeak.example" });
    let id = world.post("/v1/requests", &body).await.id();
    let early = world.act("ann", &id, "action=send").await;
    assert_eq!(early.status, 422);
    assert!(early.text.contains("It would still get no mail"), "{}", early.text);
    world.configure(
        "employee",
        "new@blancapeak.example",
        json!({ "name": "New", "status": "approved" }),
    );
    let (ann, bob) =
        tokio::join!(world.act("ann", &id, "action=send"), world.act("bob", &id, "action=send"));
    let location = |reply: &Reply| {
        let location = reply.headers["location"].to_str().unwrap();
        location.split('?').next().unwrap().to_owned()
    };
    assert_eq!((ann.status, bob.status), (303, 303));
    assert_eq!(location(&ann), location(&bob), "the second is led to what the first has made");
    world.settle().await;
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    let again = world.act("ann", &id, "action=send").await;
    assert_eq!(location(&again), location(&ann));
    let audit = world.admin("/admin/audit").await.text;
    assert_eq!(audit.matches("sent a request again").count(), 1);
    assert!(world.admin(&location(&ann)).await.text.contains("an earlier request"));
    // The customer has been surveyed since: an old request that is sent now sends nothing.
    let mut body = request("8", "jane@customers.example");
    body["employee"] = json!({ "email": "later@blancapeak.example" });
    let old = world.post("/v1/requests", &body).await.id();
    world.configure(
        "employee",
        "later@blancapeak.example",
        json!({ "name": "L", "status": "approved" }),
    );
    let asked = world.act("ann", &old, "action=send").await;
    assert_eq!(asked.status, 422);
    assert!(asked.text.contains("surveyed within the suppression period"), "{}", asked.text);
    world.settle().await;
    assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    // The helpdesk has sent the interaction once more, and that mail went out.
    world.company(json!({ "suppression_days": 0 }));
    world.advance(SignedDuration::from_mins(20));
    let mut body = request("9", "joe@customers.example");
    body["employee"] = json!({ "email": "last@blancapeak.example" });
    let refused = world.post("/v1/requests", &body).await.id();
    world.configure(
        "employee",
        "last@blancapeak.example",
        json!({ "name": "L", "status": "approved" }),
    );
    world.advance(SignedDuration::from_mins(20));
    let came = world.post("/v1/requests", &body).await.id();
    world.settle().await;
    let sent = world.act("ann", &refused, "action=send").await;
    assert_eq!(location(&sent), format!("/admin/requests/{came}"));
    world.settle().await;
    assert_eq!(world.mails_to("joe@customers.example").len(), 1);
}

#[tokio::test]
async fn what_holds_a_request_is_shown_with_the_fault() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": "soon" }));
    let id = world.post("/v1/requests", &request("1", "jane@customers.example")).await.id();
    world.settle().await;
    let page = world.admin(&format!("/admin/requests/{id}")).await.text;
    assert!(page.contains("What it waits for") && page.contains("suppression_days"), "{page}");
}

/// A request of this ticket whose agent is unknown, by this route; the agent is added afterwards.
async fn refused(world: &mut World, path: &str, body: &Value) -> String {
    let id = world.post(path, body).await.id();
    world.settle().await;
    assert_eq!(world.outcome(&id).await, "invalid: employee_not_found");
    let agent = body["employee"]["email"].as_str().unwrap();
    world.configure("employee", agent, json!({ "name": "New", "status": "approved" }));
    assert!(offers(world, &id).await, "it is mended");
    id
}

async fn offers(world: &World, id: &str) -> bool {
    world.admin(&format!("/admin/requests/{id}")).await.text.contains("value=\"send\"")
}

fn about_new(ext: &str, email: &str) -> Value {
    let mut body = request(ext, email);
    body["employee"] = json!({ "email": format!("new{ext}@blancapeak.example") });
    body
}

async fn cancel(world: &World, id: &str) -> Reply {
    let path = format!("/v1/requests/{id}");
    world.call("DELETE", &path, &[("x-api-key", kit::LIVE)], "").await
}

#[tokio::test]
async fn what_its_sender_has_withdrawn_since_is_not_sent_now() {
    let mut world = World::new().await;
    let mut ticket = about_new("1", "one@customers.example");
    ticket["status"] = json!("solved");
    let reopened = refused(&mut world, "/v1/webhooks/zendesk", &ticket).await;
    ticket["status"] = json!("open");
    assert_eq!(world.post("/v1/webhooks/zendesk", &ticket).await.status, 200);

    let cancelled =
        refused(&mut world, "/v1/requests", &about_new("2", "two@customers.example")).await;
    let before = world.request(&cancelled).await;
    for _ in 0..2 {
        let reply = cancel(&world, &cancelled).await;
        assert_eq!((reply.status, reply.json()), (200, before.clone()), "the reply is as before");
    }

    let mut body = about_new("3", "three@customers.example");
    let declined = refused(&mut world, "/v1/requests", &body).await;
    body["do_not_send"] = json!(true);
    let repeated = world.post("/v1/requests", &body).await;
    assert_eq!((repeated.status, repeated.id()), (400, declined.clone()));

    // One that waited was declined, and nothing in the request itself says so.
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    world.advance(SignedDuration::from_secs(31));
    let mut body = request("4", "four@customers.example");
    let waited = world.post("/v1/requests", &body).await.id();
    body["do_not_send"] = json!(true);
    world.post("/v1/requests", &body).await;
    assert_eq!(world.outcome(&waited).await, "not_sent: do_not_send");

    for id in [&reopened, &cancelled, &declined, &waited] {
        let before = world.outcome(id).await;
        let page = world.admin(&format!("/admin/requests/{id}")).await;
        assert!(!page.text.contains("value=\"send\""), "{before}");
        assert!(page.text.contains("Its sender has withdrawn it since"), "{}", page.text);
        let sent = world.act("ann", id, "action=send").await;
        assert_eq!(sent.status, 422);
        assert!(sent.text.contains("do-not-send was said"), "{}", sent.text);
        assert_eq!(world.outcome(id).await, before, "status and reason stay");
    }
    assert_eq!(world.count("interactions"), 4);
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert!(world.stack.mailbox.messages().is_empty());
}

#[tokio::test]
async fn what_was_made_by_sending_now_is_withdrawn_with_the_original() {
    let mut world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    let copy = |reply: &Reply| {
        let location = reply.headers["location"].to_str().unwrap();
        location.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned()
    };
    let original =
        refused(&mut world, "/v1/requests", &about_new("1", "one@customers.example")).await;
    let cancelled = copy(&world.act("ann", &original, "action=send").await);
    assert_eq!(world.outcome(&cancelled).await, "queued");
    assert_eq!(cancel(&world, &original).await.status, 200);
    assert_eq!(world.outcome(&cancelled).await, "not_sent: cancelled");
    assert_eq!(world.outcome(&original).await, "invalid: employee_not_found");

    let mut body = about_new("2", "two@customers.example");
    let original = refused(&mut world, "/v1/requests", &body).await;
    let declined = copy(&world.act("ann", &original, "action=send").await);
    assert_eq!(world.outcome(&declined).await, "queued");
    body["do_not_send"] = json!(true);
    world.post("/v1/requests", &body).await;
    assert_eq!(world.outcome(&declined).await, "not_sent: do_not_send");

    let mut ticket = about_new("3", "three@customers.example");
    ticket["status"] = json!("solved");
    let original = refused(&mut world, "/v1/webhooks/zendesk", &ticket).await;
    let reopened = copy(&world.act("ann", &original, "action=send").await);
    ticket["status"] = json!("open");
    world.post("/v1/webhooks/zendesk", &ticket).await;
    assert_eq!(world.outcome(&reopened).await, "not_sent: reopened");

    // Once the mail of the copy has left, it is too late for the original, too.
    let original =
        refused(&mut world, "/v1/requests", &about_new("4", "four@customers.example")).await;
    world.act("ann", &original, "action=send").await;
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.mails_to("four@customers.example").len(), 1);
    assert_eq!(cancel(&world, &original).await.status, 409);
    assert_eq!(world.stack.mailbox.messages().len(), 1);
}

#[tokio::test]
async fn a_withdrawal_that_races_with_send_now_wins() {
    let mut world = World::proxied().await;
    let id = refused(&mut world, "/v1/requests", &about_new("1", "one@customers.example")).await;
    let mut withdrawn = world.rows().remove(0);
    withdrawn["declined_at"] = json!({ "N": world.now().as_millisecond().to_string() });
    let database = world.stack.database.clone();
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(move |call| {
        if call.operation == "TransactWriteItems" && call.nth == 0 {
            let put = json!({ "TableName": "interactions", "Item": withdrawn });
            database.put_item(serde_json::from_value(put).unwrap()).unwrap();
        }
        local::faults::Fault::None
    });
    let sent = world.act("ann", &id, "action=send").await;
    assert_eq!(sent.status, 422, "{}", sent.text);
    assert!(sent.text.contains("It has changed at this moment"), "{}", sent.text);
    world.settle().await;
    assert_eq!(world.count("interactions"), 1);
    assert!(world.stack.mailbox.messages().is_empty());
}
