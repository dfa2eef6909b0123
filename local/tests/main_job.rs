//! The main job, end to end: a webhook arrives, one mail goes out, one answer is kept.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use futures::future::join_all;
use jiff::SignedDuration;
use kit::{TEST, World, link, request};
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_becomes_one_mail_and_one_answer() {
    let mut world = World::new().await;
    let reply = world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("queued")));
    assert_eq!(reply.json()["customer"]["email"], "jane@customers.example");
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "delivered");
    let mails = world.mails_to("jane@customers.example");
    assert_eq!(mails.len(), 1);
    let mail = mails.first().unwrap();
    assert_eq!(
        mail.headers.get("List-Unsubscribe-Post").map(String::as_str),
        Some("List-Unsubscribe=One-Click")
    );
    assert_eq!(mail.tags.get("request_id"), Some(&reply.id()));

    let survey = link(mail, "/s/");
    for _ in 0..2 {
        for method in ["GET", "HEAD"] {
            let page = world.call(method, &format!("{survey}?stars=4"), &[], "").await;
            assert_eq!(page.status, 200);
        }
    }
    assert_eq!(world.count("responses"), 0, "looking at a page records nothing");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted = world
        .call("POST", &survey, &form, "stars=4&comment=Very+kind%0D%0Aand+quick&topics=speed")
        .await;
    assert_eq!(posted.status, 303);
    let thanks = world
        .call("GET", &format!("{survey}{}", posted.headers["location"].to_str().unwrap()), &[], "")
        .await;
    assert!(thanks.status == 200 && thanks.text.contains("★★★★☆"), "{}", thanks.text);

    world.advance(SignedDuration::from_secs(11));
    let praise = world.get("/v2/data").await.json()["data"][0]["answers"].clone();
    assert!(
        praise["areas_of_excellence"]["selected_options"]["speed"].is_object()
            && praise["areas_of_improvement"].is_null(),
        "{praise}"
    );
    let changed = world.call("POST", &survey, &form, "stars=5").await;
    assert_eq!((changed.status, world.count("responses")), (303, 1));
    assert_eq!(
        world.get("/v2/data").await.json()["data"],
        json!([]),
        "rows younger than ten seconds are hidden"
    );
    world.advance(SignedDuration::from_secs(11));
    let data = world.get("/v2/data").await.json();
    let row = &data["data"][0];
    assert_eq!(row["answers"]["agent_star_rating"]["selected_options"]["5"]["integer_value"], 5);
    assert_eq!(
        (&row["previous_answers"], &row["customer"]["email"]),
        (&json!(1), &json!("jane@customers.example"))
    );
}

#[tokio::test]
async fn every_sample_is_answered_and_mailed_as_it_should_be() {
    let mut world = World::new().await;
    let mut outcomes = Vec::new();
    for (name, event) in local::samples::SAMPLES {
        let event: Value = serde_json::from_str(event).unwrap();
        let headers: Vec<(String, String)> = event["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned()))
            .collect();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter(|(n, _)| n != "host")
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let reply = world
            .call(
                "POST",
                event["rawPath"].as_str().unwrap(),
                &headers,
                event["body"].as_str().unwrap(),
            )
            .await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text);
        outcomes.push((name, reply));
    }
    world.settle().await;
    let mut became = Vec::new();
    for (name, reply) in outcomes {
        let json = reply.json();
        became.push(match json["request_id"].as_str() {
            Some(id) => format!("{name} {}", world.outcome(id).await),
            None => format!(
                "{name} {}: {}",
                json["status"].as_str().unwrap(),
                json["reason"].as_str().unwrap()
            ),
        });
    }
    assert_eq!(
        became,
        [
            "requests delivered",
            "zendesk delivered",
            "freshdesk delivered",
            "gorgias delivered",
            "gladly delivered",
            "gladly_ping ignored: ping",
            "auth not_sent: do_not_send"
        ]
    );
    assert_eq!(world.stack.mailbox.messages().len(), 5);
    // What the README has a newcomer try next.
    let readme = include_str!("../../README.md");
    let body = readme.split_once("-d '{").unwrap().1.split_once("}'").unwrap().0;
    let tried = world
        .post("/v1/requests", &serde_json::from_str(&format!("{{{body}}}")).unwrap())
        .await
        .id();
    world.settle().await;
    assert_eq!(world.outcome(&tried).await, "delivered");
}

#[tokio::test]
async fn fifty_equal_requests_at_once_are_one_request_and_one_mail() {
    let mut world = World::new().await;
    let body = request("50", "fifty@customers.example");
    let replies = join_all((0..50).map(|_| world.post("/v1/requests", &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let first = replies[0].id();
    assert!(replies.iter().all(|reply| reply.id() == first));
    assert_eq!(replies.iter().filter(|reply| reply.json().get("duplicate").is_none()).count(), 1);
    world.settle().await;
    assert_eq!(world.mails_to("fifty@customers.example").len(), 1);
}

#[tokio::test]
async fn two_tickets_of_one_customer_in_the_same_second_are_one_mail() {
    let mut world = World::new().await;
    let (a, b) =
        (request("a", "twice@customers.example"), request("b", " Twice@Customers.example "));
    let (a, b) = futures::join!(world.post("/v1/requests", &a), world.post("/v1/requests", &b));
    world.settle().await;
    let mut outcomes = [world.outcome(&a.id()).await, world.outcome(&b.id()).await];
    outcomes.sort();
    assert_eq!(outcomes, ["delivered", "not_sent: suppression_period"]);
    let mails = world.stack.mailbox.messages();
    assert_eq!(mails.len(), 1);
    // A week later the window is over.
    world.advance(SignedDuration::from_hours(24 * 7 + 1));
    let later = world.post("/v1/requests", &request("c", "twice@customers.example")).await;
    world.settle().await;
    assert_eq!(world.outcome(&later.id()).await, "delivered");
}

#[tokio::test]
async fn a_flipped_channel_takes_effect_within_thirty_seconds_both_ways() {
    let mut world = World::new().await;
    let before = world.post("/v1/requests", &request("1", "one@customers.example")).await;
    world.settle().await;
    world.configure("channel", "email", json!({ "mode": "manual" }));
    world.advance(SignedDuration::from_secs(30));
    let manual = world.post("/v1/requests", &request("2", "two@customers.example")).await;
    assert_eq!((manual.status, &manual.json()["code"]), (400, &json!("channel_manual")));
    let test = world.post_as(TEST, "/v1/requests", &request("2", "two@customers.example")).await;
    assert_eq!(test.status, 200, "manual mode does not concern test keys");
    world.configure("channel", "email", json!({ "mode": "integrated" }));
    world.advance(SignedDuration::from_secs(30));
    let after = world.post("/v1/requests", &request("3", "three@customers.example")).await;
    world.settle().await;
    assert_eq!(world.outcome(&before.id()).await, "delivered");
    assert_eq!(world.outcome(&after.id()).await, "delivered");
}

#[tokio::test]
async fn flipped_between_receipt_and_sending_it_is_not_sent() {
    let mut world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 60 }));
    let reply = world.post("/v1/requests", &request("1", "late@customers.example")).await;
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "queued");
    world.configure("channel", "email", json!({ "mode": "manual" }));
    world.advance(SignedDuration::from_mins(59));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "queued", "not due yet");
    world.advance(SignedDuration::from_mins(2));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "invalid: channel_manual");
    assert!(world.mails_to("late@customers.example").is_empty());
}

#[tokio::test]
async fn a_test_key_mails_the_test_address_and_keeps_nothing() {
    let mut world = World::new().await;
    let reply = world.post_as(TEST, "/v1/requests", &request("1", "real@customers.example")).await;
    world.settle().await;
    assert!(world.mails_to("real@customers.example").is_empty());
    let mails = world.stack.mailbox.messages();
    let mail = mails.first().unwrap();
    assert_eq!(mail.tags.get("mode").map(String::as_str), Some("test"));
    let survey = link(mail, "/s/");
    let posted = world
        .call("POST", &survey, &[("content-type", "application/x-www-form-urlencoded")], "stars=3")
        .await;
    assert_eq!((posted.status, world.count("responses")), (303, 0));
    world.call("POST", &link(mail, "/u/"), &[], "List-Unsubscribe=One-Click").await;
    // The same customer may still be mailed: neither window nor unsubscribe was kept.
    let live = world.post("/v1/requests", &request("1", "real@customers.example")).await;
    world.settle().await;
    assert_eq!(world.outcome(&live.id()).await, "delivered");
    // A test key reads only test requests.
    assert_eq!(world.outcome(&reply.id()).await, "delivered");
    for (id, status) in [(reply.id(), 200), (live.id(), 404)] {
        assert_eq!(
            world
                .call("GET", &format!("/v1/requests/{id}"), &[("x-api-key", TEST)], "")
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn one_click_unsubscribes_from_the_very_next_send_and_the_page_undoes_it() {
    let mut world = World::new().await;
    let first = world.post("/v1/requests", &request("1", "leaver@customers.example")).await;
    world.settle().await;
    let unsubscribe = link(world.mails_to("leaver@customers.example").first().unwrap(), "/u/");
    for method in ["GET", "HEAD"] {
        assert_eq!(world.call(method, &unsubscribe, &[], "").await.status, 200);
    }
    assert!(
        !world.call("GET", &unsubscribe, &[], "").await.text.contains("name=\"undo\""),
        "looking changes nothing"
    );
    world.company(json!({ "suppression_days": 0 }));
    world.advance(SignedDuration::from_secs(30));
    // Recorded before the unsubscribe, due after it.
    let queued = world.post("/v1/requests", &request("2", "leaver@customers.example")).await;
    let done = world
        .call(
            "POST",
            &unsubscribe,
            &[("content-type", "application/x-www-form-urlencoded")],
            "List-Unsubscribe=One-Click",
        )
        .await;
    assert_eq!(done.status, 200);
    world.settle().await;
    assert_eq!(world.outcome(&queued.id()).await, "not_sent: unsubscribed");
    assert_eq!(world.outcome(&first.id()).await, "delivered");
    let undone = world
        .call(
            "POST",
            &unsubscribe,
            &[("content-type", "application/x-www-form-urlencoded")],
            "undo=all",
        )
        .await;
    assert_eq!(undone.status, 303);
    let again = world.post("/v1/requests", &request("3", "leaver@customers.example")).await;
    world.settle().await;
    assert_eq!(world.outcome(&again.id()).await, "delivered");
}

#[tokio::test]
async fn bounces_and_complaints_are_remembered() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": 0 }));
    for (address, outcome, then) in [
        ("bounce@simulator.amazonses.com", "hard_bounce", "not_sent: rejected"),
        ("complaint@simulator.amazonses.com", "complained", "not_sent: unsubscribed"),
        ("success@simulator.amazonses.com", "delivered", "delivered"),
    ] {
        let first = world.post("/v1/requests", &request("1", address)).await;
        world.settle().await;
        assert_eq!(world.outcome(&first.id()).await, outcome);
        let second = world.post("/v1/requests", &request("2", address)).await;
        world.settle().await;
        assert_eq!(world.outcome(&second.id()).await, then, "{address}");
    }
    world.advance(SignedDuration::from_hours(24 * 91));
    let later = world.post("/v1/requests", &request("3", "bounce@simulator.amazonses.com")).await;
    world.settle().await;
    assert_eq!(
        world.outcome(&later.id()).await,
        "hard_bounce",
        "tried again when the bounce is long ago"
    );
}

#[tokio::test]
async fn a_changed_guessed_or_unknown_token_is_the_same_404_page() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let mail = world.mails_to("jane@customers.example").remove(0);
    let (survey, unsubscribe) = (link(&mail, "/s/"), link(&mail, "/u/"));
    let mut changed = survey.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    let mut pages = Vec::new();
    for path in [
        changed.as_str(),
        "/s/guess",
        &unsubscribe.replace("/u/", "/s/"),
        "/u/guess",
        &survey.replace("/s/", "/u/"),
    ] {
        for method in ["GET", "POST"] {
            let page = world.call(method, path, &[], "").await;
            assert_eq!(page.status, 404, "{path}");
            pages.push(page.text);
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

#[tokio::test]
async fn a_survey_closes_and_an_expired_one_is_unknown() {
    let mut world = World::new().await;
    world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    world.settle().await;
    let survey = link(&world.mails_to("jane@customers.example").remove(0), "/s/");
    world.advance(SignedDuration::from_hours(24 * 14 + 1));
    let closed = world
        .call("POST", &survey, &[("content-type", "application/x-www-form-urlencoded")], "stars=5")
        .await;
    assert_eq!((closed.status, world.count("responses")), (410, 0));
    world.advance(SignedDuration::from_hours(24 * 90));
    assert_eq!(world.call("GET", &survey, &[], "").await.status, 404);
}

#[tokio::test]
async fn the_reply_has_names_as_configured_whatever_spelling_led_to_them() {
    let world = World::new().await;
    let mut body = request("1", "jane@customers.example");
    body["channel"] = json!("WhatsApp");
    body["brand"] = json!("blanca KIDS");
    body["language"] = json!("pt_br");
    let reply = world.post("/v1/requests", &body).await.json();
    let names =
        ["channel", "brand", "language"].map(|name| reply[name].as_str().unwrap().to_owned());
    assert_eq!(names, ["chat", "blancakids", "pt-BR"]);
    let shown = world.request(reply["request_id"].as_str().unwrap()).await;
    assert_eq!(
        ["channel", "brand", "language"].map(|name| shown[name].clone()),
        names.map(Value::from)
    );
}

#[tokio::test]
async fn a_gorgias_ticket_that_is_open_again_withdraws_its_survey_and_counts_anew() {
    let mut world = World::new().await;
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
    let ticket = |status: &str| {
        json!({
            "channel": "email", "meta": "None", "ext_interaction_id": "77",
            "customer_custom_id": "5", "employee_email": "paul@blancapeak.example",
            "customer_name": "Jane", "snooze_datetime": "None", "status": status, "language": "en",
            "tags": "[]", "customer_email": "g@customers.example",
        })
    };
    let first = world.post("/v1/webhooks/gorgias", &ticket("closed")).await;
    let again = world.post("/v1/webhooks/gorgias", &ticket("closed")).await;
    assert_eq!((again.id(), &again.json()["duplicate"]), (first.id(), &json!(true)));
    let open = world.post("/v1/webhooks/gorgias", &ticket("open")).await;
    assert_eq!(open.json()["status"], "ignored");
    assert_eq!(world.outcome(&first.id()).await, "not_sent: reopened");
    let closed = world.post("/v1/webhooks/gorgias", &ticket("closed")).await;
    assert_ne!(closed.id(), first.id());
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&closed.id()).await, "delivered");
    assert_eq!(world.mails_to("g@customers.example").len(), 1);
}

#[tokio::test]
async fn a_config_typo_fails_safe_until_it_is_mended() {
    let mut world = World::new().await;
    world.company(json!({ "suppression_days": "one week" }));
    let reply = world.post("/v1/requests", &request("1", "jane@customers.example")).await;
    assert_eq!(reply.status, 200);
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "queued");
    assert!(world.stack.mailbox.messages().is_empty());
    world.company(json!({ "suppression_days": 7 }));
    world.advance(SignedDuration::from_mins(6));
    world.sweep().await;
    world.settle().await;
    assert_eq!(world.outcome(&reply.id()).await, "delivered");
}

#[tokio::test]
async fn requests_are_listed_by_interaction_by_status_and_by_page() {
    let mut world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(
            world
                .post(
                    "/v1/requests",
                    &request(&format!("list-{n}"), &format!("c{n}@customers.example")),
                )
                .await
                .id(),
        );
        world.advance(SignedDuration::from_mins(50));
    }
    world
        .post("/v1/requests", &json!({ "channel": "email", "ext_interaction_id": "list-0" }))
        .await;
    world.settle().await;
    let listed = |value: &Value| {
        value["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["request_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let one = world.get("/v1/requests?ext_interaction_id=list-3").await.json();
    assert_eq!((listed(&one), &one["next"]), (vec![ids[3].clone()], &Value::Null));
    let all = world.get("/v1/requests?status=delivered").await.json();
    assert_eq!(
        (all["requests"].as_array().unwrap().len(), &all["next"]),
        (7, &Value::Null),
        "nothing is left to ask for"
    );
    let mut seen = Vec::new();
    let mut after = String::new();
    for _ in 0..40 {
        let page = world.get(&format!("/v1/requests?status=delivered&limit=3{after}")).await.json();
        seen.extend(listed(&page));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    ids.reverse();
    assert_eq!(seen, ids, "each once, newest first");
    let none = world.get("/v1/requests?status=failed&limit=3").await.json();
    assert!(listed(&none).is_empty());
    for nonsense in [
        "status=nonsense",
        "after=7",
        "limit=0",
        "limit=501",
        &format!("ext_interaction_id={}", "x".repeat(1_025)),
    ] {
        let reply = world.get(&format!("/v1/requests?{nonsense}")).await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (400, &json!("invalid_query")),
            "{nonsense}"
        );
    }
}
