//! Many requests in bad weather: SES throttles and loses connections after it has accepted,
//! DynamoDB throttles and meets conflicts, and every webhook comes three times.
//!
//! `AFTERWORD_STORM=10000 cargo test --release -p local --test storm` for the whole of it; without
//! the variable it is a smaller one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use kit::scenario::{Scenario, Step, Topic, wrongs};
use kit::{World, request};
use local::faults::{Call, Fault, InjectedReply};
use policy::Status;
use serde_json::json;

/// Requests without `AFTERWORD_STORM`.
const FEW: usize = 300;
/// Webhooks at once, each of which comes three times.
const AT_ONCE: usize = 20;

/// A percentage that looks random and is the same in each run.
fn dice(call: &Call) -> u64 {
    (call.number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(32) % 100
}

fn ses(call: &Call) -> Fault {
    match dice(call) {
        0..30 => Fault::Reply(InjectedReply::too_many_requests()),
        30..35 => Fault::CutAfter,
        _ => Fault::None,
    }
}

fn dynamodb(call: &Call) -> Fault {
    match (dice(call), call.operation.as_str()) {
        (0..5, "TransactWriteItems") => Fault::Reply(InjectedReply::transaction_conflict(call)),
        (0..10, _) => Fault::Reply(InjectedReply::throttled()),
        _ => Fault::None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_one_outcome_and_every_customer_one_mail() {
    let count: usize = std::env::var("AFTERWORD_STORM").map_or(FEW, |count| count.parse().unwrap());
    let world = World::proxied().await;
    world.company(json!({ "send_rate": 1_000 }));
    let proxies = world.stack.proxies.as_ref().unwrap();
    proxies.dynamodb.plan(dynamodb);
    proxies.ses.plan(ses);

    let address = |n: usize| format!("customer-{n}@customers.example");
    let mut scenario = Scenario::new(world, Topic::Faithful);
    for first in (0..count).step_by(AT_ONCE) {
        let world = &scenario.world;
        let posts = (first..count.min(first + AT_ONCE)).map(|n| async move {
            let body = request(&n.to_string(), &address(n));
            let ids = join_all((0..3).map(|_| delivered(world, &body))).await;
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            ids[0].clone()
        });
        let ids = join_all(posts).await;
        scenario.told.extend(ids);
        // The streams run all the time.
        scenario.run(&[Step::Settle]).await;
    }
    scenario.run_to_the_end().await;

    let proxies = scenario.world.stack.proxies.as_ref().unwrap();
    proxies.dynamodb.plan(|_| Fault::None);
    let wrong = wrongs(&scenario);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let mails = scenario.world.stack.mailbox.messages();
    let to: BTreeSet<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    assert!((0..count).all(|n| to.contains(address(n).as_str())), "somebody got no mail");
    let others = to.iter().filter(|to| to.starts_with("other-")).count();
    assert_eq!((mails.len(), to.len()), (count + others, count + others));
    let counts = counts(&scenario.world).await;
    assert_eq!(counts, BTreeMap::from([("delivered", count + others)]), "the query by status");
}

/// A helpdesk's delivery of one webhook: again until it is answered.
async fn delivered(world: &World, body: &serde_json::Value) -> String {
    for _ in 0..20 {
        let reply = world.post("/v1/requests", body).await;
        match reply.status {
            200 => return reply.id(),
            status => assert_eq!(status, 503, "{}", reply.text),
        }
    }
    panic!("never answered");
}

/// How many requests the query shows for each status, over all its pages.
async fn counts(world: &World) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for status in Status::ALL {
        let mut after = String::new();
        loop {
            let page = world
                .get(&format!("/v1/requests?status={}&limit=500{after}", status.as_str()))
                .await
                .json();
            let found = page["requests"].as_array().unwrap().len();
            if found > 0 {
                *counts.entry(status.as_str()).or_default() += found;
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    counts
}
