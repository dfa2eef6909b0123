//! A ticket that is open again withdraws its surveys, whatever helpdesk shows it, and the next
//! close counts anew. What a ticket's status means is the helpdesk's built-in names and the
//! company's own.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use axum::http::StatusCode;
use jiff::SignedDuration;
use kit::{LIVE, TEST, World, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

const ZENDESK: &str = "/v1/webhooks/zendesk";
const FRESHDESK: &str = "/v1/webhooks/freshdesk";
const GORGIAS: &str = "/v1/webhooks/gorgias";

/// A ticket as Zendesk's and Freshdesk's payloads tell of it.
fn ticket(ext: &str, email: &str, status: &str) -> Value {
    let mut body = request(ext, email);
    body["status"] = json!(status);
    body
}

/// A ticket as Gorgias tells of it.
fn gorgias(ext: &str, status: &str) -> Value {
    json!({
        "channel": "email", "meta": "None", "ext_interaction_id": ext, "customer_custom_id": "5",
        "employee_email": "paul@blancapeak.example",
        "customer_name": "Jane", "snooze_datetime": "None", "status": status, "language": "en",
        "tags": "[]",
        "customer_email": "jane@customers.example",
    })
}

/// Mails of the channel `email` go out half an hour after receipt.
fn delayed(world: &World) {
    world.configure("channel", "email", json!({ "mode": "integrated", "delay_minutes": 30 }));
}

async fn due(world: &mut World) {
    world.advance(SignedDuration::from_mins(31));
    world.sweep().await;
    world.settle().await;
}

fn is_ignored(reply: &kit::Reply) -> bool {
    let told = reply.json();
    reply.status == 200
        && told["status"] == "ignored"
        && told["reason"] == "ticket_not_closed"
        && told["request_id"].is_null()
}

/// Answers every mail so from now on.
fn ses_answers(world: &World, fault: Fault) {
    world.stack.proxies.as_ref().unwrap().ses.plan(move |_| fault.clone());
}

/// Changes a stored row, as another function would meanwhile.
fn change(database: &local::database::Database, request_id: &str, attributes: &Value) {
    let key = json!({ "TableName": "interactions", "Key": { "request_id": { "S": request_id } } });
    let mut row =
        serde_json::to_value(database.get_item(serde_json::from_value(key).unwrap()).unwrap())
            .unwrap()["Item"]
            .take();
    row.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    database
        .put_item(
            serde_json::from_value(json!({ "TableName": "interactions", "Item": row })).unwrap(),
        )
        .unwrap();
}

#[tokio::test]
async fn a_ticket_that_is_open_again_withdraws_its_survey_and_the_next_close_counts_anew() {
    let zendesk = ("x-zendesk-webhook-id", "1");
    for (path, header, open) in [
        (ZENDESK, None, "Open"),
        (ZENDESK, None, " pending "),
        ("/v1/auth", Some(zendesk), "hold"),
        ("/v1/auth", None, "new"),
        (FRESHDESK, None, "Waiting on Customer"),
        (FRESHDESK, None, "waiting on third party"),
        (FRESHDESK, None, "2"),
        (FRESHDESK, None, "7"),
    ] {
        let mut world = World::new().await;
        delayed(&world);
        let mut headers = vec![("x-api-key", LIVE), ("content-type", "application/json")];
        headers.extend(header);
        let said = async |world: &World, status: &str| {
            world
                .call(
                    "POST",
                    path,
                    &headers,
                    ticket("77", "jane@customers.example", status).to_string(),
                )
                .await
        };
        let first = said(&world, "solved").await;
        let again = said(&world, "Closed").await;
        assert_eq!(
            (again.id(), &again.json()["duplicate"]),
            (first.id(), &json!(true)),
            "{path} {open}"
        );
        for _ in 0..2 {
            let reopened = said(&world, open).await;
            assert!(is_ignored(&reopened), "{path} {open}: {}", reopened.text);
            assert_eq!(world.outcome(&first.id()).await, "not_sent: reopened", "{path} {open}");
            assert_eq!(world.count("interactions"), 1, "nothing is recorded");
        }
        let second = said(&world, "resolved").await;
        assert_ne!(second.id(), first.id());
        due(&mut world).await;
        assert_eq!(world.outcome(&second.id()).await, "delivered", "{path} {open}");
        assert_eq!(world.outcome(&first.id()).await, "not_sent: reopened");
        assert_eq!(world.mails_to("jane@customers.example").len(), 1);
    }
}

#[tokio::test]
async fn a_withdrawal_reaches_every_survey_of_the_same_source_ticket_and_mode_and_no_other() {
    let world = World::new().await;
    delayed(&world);
    world.configure(
        "employee",
        "ann@blancapeak.example",
        json!({ "status": "approved", "name": "Ann" }),
    );
    let told =
        async |key: &str, path: &str, body: Value| world.post_as(key, path, &body).await.id();
    let mut by_ann = ticket("77", "joe@customers.example", "solved");
    by_ann["employee"]["email"] = json!("ann@blancapeak.example");
    let withdrawn = [
        told(LIVE, ZENDESK, ticket("77", "jane@customers.example", "solved")).await,
        // Another agent and another customer, as after an assignment: the same ticket.
        told(LIVE, ZENDESK, by_ann).await,
    ];
    let left_alone = [
        told(TEST, ZENDESK, ticket("77", "jane@customers.example", "solved")).await,
        told(LIVE, FRESHDESK, ticket("77", "jane@customers.example", "closed")).await,
        told(LIVE, GORGIAS, gorgias("77", "closed")).await,
        told(LIVE, "/v1/requests", request("77", "jane@customers.example")).await,
        told(LIVE, ZENDESK, ticket("78", "jane@customers.example", "solved")).await,
    ];
    assert!(is_ignored(
        &world.post(ZENDESK, &ticket("77", "other@customers.example", "open")).await
    ));
    for id in &withdrawn {
        assert_eq!(world.outcome(id).await, "not_sent: reopened");
    }
    for id in &left_alone {
        assert_eq!(world.outcome(id).await, "queued");
    }
    let again =
        world.post_as(TEST, ZENDESK, &ticket("77", "jane@customers.example", "solved")).await;
    assert_eq!(
        (again.id(), &again.json()["duplicate"]),
        (left_alone[0].clone(), &json!(true)),
        "another's marker stays"
    );
}

#[tokio::test]
async fn the_marker_of_a_survey_that_was_sent_goes_too_and_a_newer_requests_marker_stays() {
    for (path, closed, open) in [
        (
            ZENDESK,
            ticket("77", "jane@customers.example", "solved"),
            ticket("77", "jane@customers.example", "open"),
        ),
        (GORGIAS, gorgias("77", "closed"), gorgias("77", "open")),
    ] {
        let mut world = World::new().await;
        world.company(json!({ "suppression_days": 0 }));
        let first = world.post(path, &closed).await.id();
        world.settle().await;
        assert_eq!(world.outcome(&first).await, "delivered");
        assert_eq!(world.post(path, &closed).await.json()["duplicate"], true);
        assert!(is_ignored(&world.post(path, &open).await));
        assert_eq!(world.outcome(&first).await, "delivered", "what was sent stays so");
        let second = world.post(path, &closed).await.id();
        assert_ne!(second, first, "{path}");
        world.settle().await;
        assert_eq!(world.outcome(&second).await, "delivered");
        // The first row remembers a marker that is the second's by now. A withdrawal frees it for
        // the second's sake, and only once.
        assert!(is_ignored(&world.post(path, &open).await));
        let third = world.post(path, &closed).await;
        assert!(
            ![first, second].contains(&third.id()) && third.json()["duplicate"].is_null(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_without_a_marker_are_withdrawn_like_others() {
    let world = World::new().await;
    delayed(&world);
    world.company(json!({ "dedupe_minutes": { "zendesk": 0, "gorgias": 0 } }));
    for (path, closed, open) in [
        (
            ZENDESK,
            ticket("77", "jane@customers.example", "solved"),
            ticket("77", "jane@customers.example", "open"),
        ),
        (GORGIAS, gorgias("77", "closed"), gorgias("77", "open")),
    ] {
        let ids = [world.post(path, &closed).await.id(), world.post(path, &closed).await.id()];
        assert!(is_ignored(&world.post(path, &open).await));
        for id in ids {
            assert_eq!(world.outcome(&id).await, "not_sent: reopened", "{path}");
        }
    }
}

#[tokio::test]
async fn an_open_ticket_without_an_id_withdraws_nothing() {
    let world = World::new().await;
    delayed(&world);
    let mut nameless = ticket("77", "jane@customers.example", "open");
    nameless.as_object_mut().unwrap().remove("ext_interaction_id");
    let mut closed = nameless.clone();
    closed["status"] = json!("solved");
    let first = world.post(ZENDESK, &closed).await.id();
    assert!(is_ignored(&world.post(ZENDESK, &nameless).await));
    assert_eq!(
        (world.outcome(&first).await, world.count("interactions")),
        ("queued".to_owned(), 1)
    );
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_a_row_until_the_company_names_it() {
    for (path, helpdesk) in
        [(ZENDESK, "zendesk"), (FRESHDESK, "freshdesk"), ("/v1/auth", "freshdesk")]
    {
        let mut world = World::new().await;
        let told = async |world: &World, status: &str| {
            world.post(path, &ticket("77", "jane@customers.example", status)).await
        };
        let unknown = told(&world, "Gelöst").await;
        let reply = unknown.json();
        assert_eq!(
            (unknown.status, &reply["status"], &reply["reason"]),
            (200, &json!("invalid"), &json!("status_unknown")),
            "{path}"
        );
        assert!(reply["detail"].as_str().unwrap().contains("closed_statuses"));
        assert_eq!(world.outcome(&unknown.id()).await, "invalid: status_unknown");
        let again = told(&world, "gelöst ").await;
        assert_eq!((again.id(), &again.json()["duplicate"]), (unknown.id(), &json!(true)));
        world.advance(SignedDuration::from_mins(11));
        assert_ne!(
            told(&world, "Gelöst").await.id(),
            unknown.id(),
            "ten minutes, as with whatever is invalid"
        );
        // It is not in the way of what is understood.
        world.configure("integration", helpdesk, json!({ "closed_statuses": ["GELÖST"] }));
        world.advance(SignedDuration::from_secs(30));
        let closed = told(&world, "Gelöst").await;
        assert_eq!(closed.json()["status"], "queued", "{path}: {}", closed.text);
        world.settle().await;
        assert_eq!(world.outcome(&closed.id()).await, "delivered");
        // Nor does an earlier close hide one that is not.
        assert_eq!(told(&world, "Eskaliert").await.json()["reason"], "status_unknown");
        assert_eq!(world.outcome(&closed.id()).await, "delivered");
    }
}

#[tokio::test]
async fn the_companys_closed_statuses_win_and_a_typo_in_them_makes_nothing_closed() {
    let world = World::new().await;
    delayed(&world);
    let told = async |ext: &str, status: Value| {
        let mut body = ticket(ext, &format!("{ext}@customers.example"), "");
        body["status"] = status;
        let told = world.post(FRESHDESK, &body).await.json();
        told["reason"].as_str().or(told["status"].as_str()).unwrap().to_owned()
    };
    world.configure(
        "integration",
        "freshdesk",
        json!({ "closed_statuses": ["Waiting on Customer", "8"] }),
    );
    for (ext, status, expected) in [
        ("a", json!("waiting on customer"), "queued"),
        ("b", json!(8), "queued"),
        ("c", json!("Pending"), "ticket_not_closed"),
        ("d", json!(null), "queued"),
        ("e", json!(""), "queued"),
        ("f", json!(5), "queued"),
    ] {
        assert_eq!(told(ext, status).await, expected, "{ext}");
    }
    for typo in [json!(8), json!([["8"]]), json!({ "8": true })] {
        world.configure("integration", "freshdesk", json!({ "closed_statuses": typo }));
        world.advance(SignedDuration::from_hours(24 * 8));
        for (ext, status, expected) in [
            ("g", "8", "status_unknown"),
            ("h", "waiting on customer", "ticket_not_closed"),
            ("i", "resolved", "queued"),
        ] {
            assert_eq!(told(ext, json!(status)).await, expected, "{typo} {ext}");
        }
    }
}

#[tokio::test]
async fn what_is_being_sent_is_withdrawn_if_that_comes_to_nothing() {
    for (path, closed, open) in [
        (
            ZENDESK,
            ticket("77", "jane@customers.example", "solved"),
            ticket("77", "jane@customers.example", "open"),
        ),
        (
            FRESHDESK,
            ticket("77", "jane@customers.example", "closed"),
            ticket("77", "jane@customers.example", "pending"),
        ),
    ] {
        let mut world = World::proxied().await;
        ses_answers(&world, Fault::Reply(InjectedReply::internal()));
        let first = world.post(path, &closed).await.id();
        world.settle().await;
        assert!(is_ignored(&world.post(path, &open).await));
        assert_eq!(world.outcome(&first).await, "sending", "too late, or not: nobody knows yet");
        let second = world.post(path, &closed).await.id();
        assert_ne!(second, first, "the marker went at once");
        ses_answers(&world, Fault::None);
        // Others were mailed before and after it: its mail evidently never left.
        let claimed = world.now();
        world.others_were_mailed(
            claimed - SignedDuration::from_mins(5),
            claimed + SignedDuration::from_mins(6),
        );
        for _ in 0..14 {
            world.advance(SignedDuration::from_mins(6));
            world.sweep().await;
            world.settle().await;
        }
        assert_eq!(world.outcome(&first).await, "not_sent: reopened", "{path}");
        assert!(world.mails_to("jane@customers.example").len() <= 1);
    }
}

#[tokio::test]
async fn a_claim_between_the_look_and_the_write_is_seen() {
    let world = World::proxied().await;
    delayed(&world);
    let id = world.post(ZENDESK, &ticket("77", "jane@customers.example", "solved")).await.id();
    let (database, claimed) = (world.stack.database.clone(), id.clone());
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(move |call| {
        if call.operation == "TransactWriteItems" && call.nth == 0 {
            let claim = json!({ "status": { "S": "sending" }, "claim_id": { "S": "c" },
                "claimed_at": { "N": "1795251600000" } });
            change(&database, &claimed, &claim);
        }
        Fault::None
    });
    assert!(is_ignored(
        &world.post(ZENDESK, &ticket("77", "jane@customers.example", "open")).await
    ));
    assert_eq!(world.outcome(&id).await, "sending", "another's claim is left alone");
    let row = world.rows().into_iter().find(|row| row["request_id"]["S"] == json!(id)).unwrap();
    assert!(row["reopened_at"]["N"].is_string(), "and what comes of it is decided by this");
    assert_ne!(
        world.post(ZENDESK, &ticket("77", "jane@customers.example", "solved")).await.id(),
        id
    );
}

#[tokio::test]
async fn a_request_that_the_index_does_not_show_yet_is_found_by_its_marker() {
    for (path, closed, open) in [
        (
            ZENDESK,
            ticket("77", "jane@customers.example", "solved"),
            ticket("77", "jane@customers.example", "open"),
        ),
        (GORGIAS, gorgias("77", "closed"), gorgias("77", "open")),
    ] {
        let world = World::proxied().await;
        delayed(&world);
        let id = world.post(path, &closed).await.id();
        let nothing = InjectedReply {
            status: StatusCode::OK,
            headers: Vec::new(),
            body: json!({ "Items": [], "Count": 0, "ScannedCount": 0 }).to_string(),
        };
        world.stack.proxies.as_ref().unwrap().dynamodb.fail_next(
            "Query",
            10,
            Fault::Reply(nothing),
        );
        assert!(is_ignored(&world.post(path, &open).await));
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        assert_eq!(world.outcome(&id).await, "not_sent: reopened", "{path}");
    }
}

#[tokio::test]
async fn a_withdrawal_that_breaks_off_is_finished_by_its_repetition_and_two_at_once_do_no_harm() {
    let world = World::proxied().await;
    delayed(&world);
    world.company(json!({ "dedupe_minutes": { "zendesk": 1 } }));
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(
            world
                .post(ZENDESK, &ticket("0", &format!("c{n}@customers.example"), "solved"))
                .await
                .id(),
        );
        // A second survey of the same customer, whose marker the later one has taken over.
        world.advance(SignedDuration::from_secs(61));
        ids.push(
            world
                .post(ZENDESK, &ticket("0", &format!("c{n}@customers.example"), "solved"))
                .await
                .id(),
        );
    }
    let dynamodb = &world.stack.proxies.as_ref().unwrap().dynamodb;
    dynamodb.plan(|call| match (call.operation.as_str(), call.nth) {
        ("TransactWriteItems", 2..) => Fault::Reply(InjectedReply::internal()),
        _ => Fault::None,
    });
    let open = ticket("0", "c0@customers.example", "open");
    assert_eq!(world.post(ZENDESK, &open).await.status, 503, "its sender tries again");
    let queued = world.rows().iter().filter(|row| row["status"]["S"] == "queued").count();
    assert!((1..ids.len()).contains(&queued), "it has come some way: {queued}");
    dynamodb.plan(|_| Fault::None);
    let (one, other) = tokio::join!(world.post(ZENDESK, &open), world.post(ZENDESK, &open));
    assert!(is_ignored(&one) && is_ignored(&other), "{} {}", one.text, other.text);
    let due_at = |row: &Value| row["wake_at"].is_null() && row["due_shard"].is_null();
    for row in world.rows() {
        assert_eq!(
            (&row["status"]["S"], &row["reason"]["S"], due_at(&row)),
            (&json!("not_sent"), &json!("reopened"), true)
        );
    }
    assert_eq!(world.rows().len(), ids.len());
    dynamodb.plan(|_| Fault::None);
    assert!(is_ignored(&world.post(ZENDESK, &open).await));
    let writes = dynamodb
        .calls()
        .into_iter()
        .filter(|call| !["GetItem", "BatchGetItem", "Query"].contains(&call.operation.as_str()));
    assert_eq!(writes.count(), 0, "a repetition writes nothing");
}

#[tokio::test]
async fn a_thousand_requests_of_one_ticket_are_withdrawn_within_a_few_deliveries() {
    let world = World::new().await;
    delayed(&world);
    let first = world.post(ZENDESK, &ticket("0", "jane@customers.example", "solved")).await.id();
    let row = world.rows().remove(0);
    for n in 1..1_000 {
        let mut copy = row.clone();
        copy["request_id"] = json!({ "S": kit::request_id(world.now(), n) });
        world
            .stack
            .database
            .put_item(
                serde_json::from_value(json!({ "TableName": "interactions", "Item": copy }))
                    .unwrap(),
            )
            .unwrap();
    }
    let open = ticket("0", "jane@customers.example", "open");
    let mut last = world.post(ZENDESK, &open).await;
    for _ in 0..20 {
        if last.status == 200 {
            break;
        }
        last = world.post(ZENDESK, &open).await;
    }
    assert!(is_ignored(&last), "{}", last.text);
    assert_eq!(world.rows().iter().filter(|row| row["reason"]["S"] == "reopened").count(), 1_000);
    assert_ne!(
        world.post(ZENDESK, &ticket("0", "jane@customers.example", "solved")).await.id(),
        first
    );
}
