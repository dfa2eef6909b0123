//! The alert through the real stack: when it is mailed, to whom, how often, and that its row is no
//! request.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use fakes::mailbox::Message;
use futures::StreamExt as _;
use jiff::SignedDuration;
use kit::admin::unescaped;
use kit::{TEST, World, request};
use local::faults::{Call, Fault};
use serde_json::{Value, json};

/// The company's test address.
const TO: &str = "test@blancapeak.example";

impl World {
    /// Good live requests, each of another customer.
    async fn good(&self, name: &str, count: usize) {
        for n in 0..count {
            let ext = format!("{name}{n}");
            let reply =
                self.post("/v1/requests", &request(&ext, &format!("{ext}@c.example"))).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
    }

    /// Live requests for a channel that the company does not have.
    async fn wrong(&self, name: &str, count: usize) {
        for n in 0..count {
            let reply = self.post("/v1/requests", &wrong(&format!("{name}{n}"))).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
    }

    /// Sweeps, and lets `dispatch` work. Returns how many notices the sweep made.
    async fn swept(&mut self) -> u64 {
        let swept = self.sweep().await;
        self.settle().await;
        swept["notices"].as_u64().unwrap()
    }

    /// Sweeps at the end of each step, and `dispatch` works.
    async fn pass(&mut self, steps_of_minutes: &[i64]) {
        for minutes in steps_of_minutes {
            self.advance(SignedDuration::from_mins(*minutes));
            self.swept().await;
        }
    }

    fn alerts(&self) -> Vec<Message> {
        let mut mails = self.stack.mailbox.messages();
        mails.retain(|mail| mail.tags.get("notice").is_some_and(|kind| kind == "errors"));
        mails
    }

    /// The rows of notices, in DynamoDB JSON.
    fn notices(&self) -> Vec<Value> {
        self.rows().into_iter().filter(|row| row.get("notice").is_some()).collect()
    }
}

fn wrong(ext: &str) -> Value {
    let mut body = request(ext, &format!("{ext}@c.example"));
    body["channel"] = json!("fax");
    body
}

#[tokio::test]
async fn more_than_five_per_cent_of_an_hour_raise_one_mail() {
    let mut world = World::new().await;
    world.good("good", 37).await;
    world.wrong("wrong", 2).await;
    assert_eq!(world.swept().await, 1, "2 of 39 are 5.1 %");
    assert_eq!(world.swept().await, 0, "a second sweep");
    world.pass(&[1, 4]).await;
    let mails = world.alerts();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert_eq!(mail.to, [TO]);
    assert_eq!(mail.subject, "Blanca Peak: 2 of 39 requests went wrong (5.2 %)");
    assert!(!mail.headers.contains_key("List-Unsubscribe"), "{:?}", mail.headers);
    assert!(!mail.text.contains("/u/") && !mail.text.contains("/s/"), "{}", mail.text);
}

#[tokio::test]
async fn less_than_five_per_cent_raise_none() {
    let mut world = World::new().await;
    world.good("good", 39).await;
    world.wrong("wrong", 2).await;
    assert_eq!(world.swept().await, 0, "2 of 41 are 4.9 %");
    world.pass(&[1, 2]).await;
    assert!(world.alerts().is_empty() && world.notices().is_empty());
}

#[tokio::test]
async fn fewer_than_twenty_requests_raise_none() {
    let mut world = World::new().await;
    world.wrong("wrong", 19).await;
    assert_eq!(world.swept().await, 0);
    world.advance(SignedDuration::from_mins(59));
    world.wrong("last", 1).await;
    assert_eq!(world.swept().await, 1, "the twentieth within the hour");
    assert_eq!(world.alerts().len(), 1);
}

#[tokio::test]
async fn an_hour_later_they_are_forgotten_also_at_midnight() {
    let mut world = World::new().await;
    world.advance(SignedDuration::from_mins(14 * 60 + 30));
    world.wrong("evening", 19).await;
    world.advance(SignedDuration::from_mins(60));
    world.wrong("night", 1).await;
    assert_eq!(world.swept().await, 0, "00:30: nineteen are an hour old");
    world.advance(SignedDuration::from_mins(59));
    world.wrong("more", 19).await;
    assert_eq!(world.swept().await, 1);
    let text = &world.alerts()[0].text;
    assert!(text.contains("22 November 2026, 01:29 UTC, 20 live requests came"), "{text}");
}

#[tokio::test]
async fn a_window_across_midnight_is_counted_as_a_whole() {
    let mut world = World::new().await;
    world.advance(SignedDuration::from_mins(14 * 60 + 45));
    world.wrong("evening", 10).await;
    world.advance(SignedDuration::from_mins(30));
    world.wrong("night", 10).await;
    assert_eq!(world.swept().await, 1, "ten before midnight, ten after it");
}

#[tokio::test]
async fn forty_minutes_of_recovery_and_a_relapse_raise_one_more() {
    let mut world = World::new().await;
    world.wrong("wrong", 30).await;
    assert_eq!(world.swept().await, 1);
    for step in 0..13 {
        world.advance(SignedDuration::from_mins(3));
        world.good(&format!("m{step}-"), 3).await;
        assert_eq!(world.swept().await, 0);
    }
    assert!(world.state().get("recovered_at").is_none());
    world.pass(&[1]).await;
    assert!(world.state().get("recovered_at").is_some());
    // What led to the first alert is still in the hour, and leads to no other.
    world.pass(&[1, 4]).await;
    assert_eq!(world.alerts().len(), 1);
    world.wrong("again", 20).await;
    assert_eq!(world.swept().await, 1);
    world.pass(&[1, 9]).await;
    assert_eq!(world.alerts().len(), 2);
    let second = &world.alerts()[1].subject;
    assert_eq!(second, "Blanca Peak: 20 of 59 requests went wrong (33.9 %)");
}

#[tokio::test]
async fn a_relapse_before_that_raises_none() {
    let mut world = World::new().await;
    world.wrong("wrong", 30).await;
    assert_eq!(world.swept().await, 1);
    for minute in 0..3 {
        world.pass(&[1, 19, 19]).await;
        world.wrong(&format!("again{minute}-"), 30).await;
        assert_eq!(world.swept().await, 0);
    }
    assert_eq!(world.alerts().len(), 1);
}

impl World {
    /// `alert/errors#state`.
    fn state(&self) -> Value {
        local::seed::get(&self.stack.database, "alert", "errors#state").unwrap()
    }
}

#[tokio::test]
async fn test_requests_do_not_count() {
    let mut world = World::new().await;
    for n in 0..30 {
        world.post_as(TEST, "/v1/requests", &wrong(&format!("test{n}"))).await;
    }
    assert_eq!(world.swept().await, 0);
    world.good("good", 38).await;
    world.wrong("wrong", 2).await;
    assert_eq!(world.swept().await, 0, "2 of 40 live ones are 5 %, which is not more");
    assert!(world.alerts().is_empty());
}

#[tokio::test]
async fn the_mail_names_the_reasons_with_their_cures() {
    let mut world = World::new().await;
    world.configure(
        "alert",
        "errors",
        json!({ "percent": 50, "to": "Support <ops@blancapeak.example>" }),
    );
    world.configure("channel", "chat", json!({ "mode": "manual" }));
    world.wrong("fax", 8).await;
    for n in 0..12 {
        let mut chat = request(&format!("chat{n}"), &format!("chat{n}@c.example"));
        chat["channel"] = json!("chat");
        world.post("/v1/webhooks/zendesk", &chat).await;
    }
    world.good("good", 19).await;
    assert_eq!(world.swept().await, 1);
    let mails = world.mails_to("ops@blancapeak.example");
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let api = local::stack::url(world.stack.api);
    let lines: Vec<&str> = mail.text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("- ")).unwrap();
    let list = |source: &str, reason: &str| {
        let filters = format!("mode=live&source={source}&reason={reason}");
        format!("/admin/requests?{filters}&from=2026-11-21T08%3A01Z")
    };
    let of_chat = list("zendesk", "channel_manual");
    let of_fax = list("requests", "channel_not_enabled");
    let expected = [
        "- 12 from Zendesk: Channel is in manual mode.".to_owned(),
        format!("  Switch the channel to integrated: {api}/admin/channels"),
        format!("  See these requests: {api}{of_chat}"),
        "- 8 from the API: Channel not enabled for company.".to_owned(),
        format!("  Add the channel, or switch it on: {api}/admin/channels"),
        format!("  See these requests: {api}{of_fax}"),
    ];
    assert_eq!(lines[at..at + 6], expected, "{}", mail.text);
    assert!(mail.text.contains(&format!("{api}/admin/settings?item=alert%2Ferrors")));
    for line in expected.iter().filter_map(|line| line.split_once(": http")) {
        assert!(unescaped(&mail.html).contains(&format!("http{}", line.1)), "{}", mail.html);
    }
    // The links lead to the list of exactly these requests.
    let page = world.page(&of_chat).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("/admin/requests/0").count(), 12, "{}", page.text);
}

#[tokio::test]
async fn without_an_address_no_mail_goes_out_until_there_is_one() {
    let mut world = World::new().await;
    world.company(json!({ "test_email": "" }));
    world.wrong("wrong", 20).await;
    assert_eq!(world.swept().await, 1);
    assert!(world.stack.mailbox.messages().is_empty());
    let row = &world.notices()[0];
    assert_eq!(
        (&row["status"], &row["waiting_for"]),
        (&json!({ "S": "queued" }), &json!({ "S": "test_email" }),)
    );
    world.configure("alert", "errors", json!({ "to": "ops@blancapeak.example" }));
    world.pass(&[4]).await;
    assert_eq!(world.mails_to("ops@blancapeak.example").len(), 1);

    // Old news is not told.
    let mut world = World::new().await;
    world.company(json!({ "test_email": "" }));
    world.wrong("wrong", 20).await;
    world.swept().await;
    world.pass(&[15; 4]).await;
    world.pass(&[23 * 60, 15, 15]).await;
    let row = &world.notices()[0];
    assert_eq!((&row["status"]["S"], &row["reason"]["S"]), (&json!("failed"), &json!("expired")));
    world.company(json!({ "test_email": TO }));
    world.pass(&[1, 19]).await;
    assert!(world.alerts().is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_fault_on_the_admin_pages_and_silences_nothing() {
    let mut world = World::new().await;
    world.wrong("wrong", 20).await;
    world.configure("alert", "errors", json!({ "percent": "five", "to": "nobody" }));
    let page = world.page("/admin").await.text;
    for place in ["percent", "to"] {
        let link = format!("/admin/settings?item=alert%2Ferrors#{place}");
        assert!(page.contains("alert/errors") && unescaped(&page).contains(&link), "{page}");
    }
    assert_eq!(world.swept().await, 1, "with the defaults");
    assert_eq!(world.mails_to(TO).len(), 1);
    // The state beside it is no fault, and neither is what other requests need.
    world.configure("alert", "errors", json!({}));
    world.advance(SignedDuration::from_mins(1));
    let page = world.page("/admin").await.text;
    assert!(!page.contains("alert/errors") && !page.contains("raised_at"), "{page}");
    world.configure("alert", "error", json!({ "percent": 10 }));
    world.advance(SignedDuration::from_mins(1));
    let page = world.page("/admin").await.text;
    assert!(page.contains("alert/error") && page.contains("Did you mean “errors”"), "{page}");
}

#[tokio::test]
async fn the_settings_are_a_form_of_the_admin_pages() {
    let mut world = World::new().await;
    let path = "/admin/settings?item=alert%2Ferrors";
    let page = world.page(path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for name in ["percent", "at_least", "to"] {
        assert!(page.text.contains(&format!("name=\"{name}\"")), "{name}: {}", page.text);
    }
    let fields = |percent| {
        [
            ("action", "save"),
            ("item", "alert/errors"),
            ("version", ""),
            ("percent", percent),
            ("at_least", "1"),
            ("to", ""),
        ]
    };
    let refused = world.submit("/admin/settings", &fields("many")).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let saved = world.submit("/admin/settings", &fields("50")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    world.advance(SignedDuration::from_mins(1));
    world.good("good", 1).await;
    world.wrong("first", 1).await;
    assert_eq!(world.swept().await, 0, "half of two is not more than 50 %");
    world.wrong("second", 1).await;
    assert_eq!(world.swept().await, 1);
}

#[tokio::test]
async fn the_row_of_a_notice_is_no_request() {
    let mut world = World::new().await;
    world.company(json!({ "test_email": "" }));
    world.wrong("wrong", 20).await;
    assert_eq!(world.swept().await, 1);
    let id = world.notices()[0]["request_id"]["S"].as_str().unwrap().to_owned();
    let tallied = local::seed::get(&world.stack.database, "tally", "2026-11-21T09").unwrap();
    for key in [kit::LIVE, TEST] {
        for path in ["", "?status=queued", "?status=failed", "?limit=100"] {
            let path = format!("/v1/requests{path}");
            let list = world.call("GET", &path, &[("x-api-key", key)], "").await;
            assert!(!list.text.contains(&id), "{path}: {}", list.text);
        }
        for method in ["GET", "DELETE"] {
            let path = format!("/v1/requests/{id}");
            let reply = world.call(method, &path, &[("x-api-key", key)], "").await;
            assert_eq!(reply.status, 404, "{method} {}", reply.text);
        }
    }
    for path in ["/admin", "/admin/requests", "/admin/requests?status=queued&mode=test"] {
        assert!(!world.page(path).await.text.contains(&id), "{path}");
    }
    assert_eq!(world.page(&format!("/admin/requests/{id}")).await.status, 404);
    world.advance(SignedDuration::from_mins(5));
    world.swept().await;
    let again = local::seed::get(&world.stack.database, "tally", "2026-11-21T09").unwrap();
    assert_eq!(again, tallied, "nothing counts it");
}

#[tokio::test]
async fn a_bounce_or_a_complaint_of_a_notice_marks_no_address() {
    for (to, ended) in [
        ("bounce@simulator.amazonses.com", "hard_bounce"),
        ("complaint@simulator.amazonses.com", "complained"),
    ] {
        let mut world = World::new().await;
        world.configure("alert", "errors", json!({ "to": to }));
        world.wrong("wrong", 20).await;
        let before = world.count("suppression");
        assert_eq!(world.swept().await, 1);
        let row = &world.notices()[0];
        assert_eq!(row["status"], json!({ "S": ended }));
        assert!(row.get("outcome_month").is_none() && row.get("day_shard").is_none(), "{row}");
        assert_eq!(world.count("suppression"), before, "{to}");
        world.pass(&[40, 1]).await;
        world.wrong("again", 20).await;
        assert_eq!(world.swept().await, 1, "it is told again");
        assert_eq!(world.mails_to(to).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sweeps_at_once_raise_one_mail() {
    let mut world = World::new().await;
    world.wrong("wrong", 20).await;
    let swept = futures::future::join_all((0..6).map(|_| world.sweep())).await;
    let told: u64 = swept.iter().map(|swept| swept["notices"].as_u64().unwrap()).sum();
    assert_eq!((told, world.notices().len()), (1, 1));
    world.settle().await;
    world.pass(&[1, 4]).await;
    assert_eq!(world.alerts().len(), 1);
}

/// Whatever call of the sweep, of `dispatch` or of `mail_events` is cut off before or after its
/// work, in the end one mail has been sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_cut_off_one_mail_goes_out() {
    async fn raised() -> World {
        let world = World::proxied().await;
        world.configure("alert", "errors", json!({ "at_least": 1 }));
        world.wrong("wrong", 1).await;
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        world
    }
    let mut world = raised().await;
    world.swept().await;
    let calls = world.stack.proxies.as_ref().unwrap().dynamodb.calls();
    assert!(calls.iter().any(|call| call.body.contains("errors#state")), "{}", calls.len());
    let reads = ["Query", "GetItem", "ExecuteStatement"];
    let mut points = vec![(None, Fault::CutBefore), (None, Fault::CutAfter)];
    let shape = |call: &Call| {
        let mut body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        body["ExpressionAttributeValues"].take();
        (call.operation.clone(), body)
    };
    for (n, call) in calls.iter().enumerate() {
        // Shards are asked at once, and each for the same: the first stands for all.
        if call.operation == "Query" && n > 0 && shape(&calls[n - 1]) == shape(call) {
            continue;
        }
        points.push((Some(call.number), Fault::CutBefore));
        if !reads.contains(&call.operation.as_str()) {
            points.push((Some(call.number), Fault::CutAfter));
        }
    }
    assert!(points.len() > 20, "{}", points.len());
    let told = points.into_iter().map(|(number, fault)| async move {
        let mut world = raised().await;
        let proxies = world.stack.proxies.as_ref().unwrap();
        let what = format!("{number:?} {fault:?}");
        match number {
            // From this call on nothing is delivered: whoever was at work is dead.
            Some(number) => proxies.dynamodb.plan(move |call| match call.number {
                n if n < number => Fault::None,
                n if n == number => fault.clone(),
                _ => Fault::CutBefore,
            }),
            None => proxies.ses.plan(move |call| match call.number {
                0 => fault.clone(),
                _ => Fault::None,
            }),
        }
        drop(world.stack.invoke("sweep", json!({})).await);
        for pump in &mut world.stack.pumps {
            drop(pump.drain().await);
        }
        let events: Vec<Value> = std::iter::from_fn(|| {
            world.stack.events.as_mut().and_then(|events| events.try_recv().ok())
        })
        .collect();
        // The topic delivers what was not taken in again.
        let mut later = Vec::new();
        for event in events {
            if world.stack.invoke("mail_events", event.clone()).await.is_err() {
                later.push(event);
            }
        }
        if number.is_some() {
            world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        }
        let start = world.now();
        for event in later {
            world.stack.invoke("mail_events", event).await.unwrap();
        }
        for wait in [1, 1, 1, 1, 5, 10, 30, 60, 60, 60] {
            world.advance(SignedDuration::from_mins(wait));
            let before = start.checked_sub(SignedDuration::from_mins(10)).unwrap();
            world.others_were_mailed(before, world.now());
            world.swept().await;
            let waits = |row: &Value| row.get("wake_at").is_some();
            if world.notices().first().is_some_and(|row| !waits(row)) {
                break;
            }
        }
        let ended: Vec<String> =
            world.notices().iter().map(|row| row["status"]["S"].to_string()).collect();
        (what, world.alerts().len(), ended)
    });
    let told: Vec<_> = futures::stream::iter(told).buffer_unordered(8).collect().await;
    for (what, mails, ended) in told {
        assert_eq!(mails, 1, "{what}");
        assert!(
            ended.len() == 1 && ["\"sent\"", "\"delivered\""].contains(&&*ended[0]),
            "{what} {ended:?}"
        );
    }
}
