//! Faults of data, where `fault_points.rs` has faults of calls: rows of every size, rows that are
//! there already and fit nowhere, configuration that changes while a request is on its way, clocks
//! that differ between functions, and worlds in which all of it happens at once.
//!
//! `AFTERWORD_HOSTILE=all cargo test --release -p local --test hostile_data` for every combination;
//! without the variable each size, change and clock is met once, in turn with the others.
//! `AFTERWORD_SEEDS=1000` for a thousand worlds of a generator, `AFTERWORD_SEED=7` for one alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "hostile_data/clocks.rs"]
mod clocks;
mod kit;

use futures::StreamExt as _;
use jiff::SignedDuration;
use kit::hostile::{
    self, Delivery, Growth, LARGEST_BODY, Life, Route, days_go_by, ended, play_ses, put_row, text,
    weight,
};
use kit::random_run;
use kit::scenario::{Post, Scenario, Step, Topic, wrongs};
use kit::settings::{self, Flip, flips};
use kit::{World, link};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

/// Stacks at work at once.
const AT_ONCE: usize = 4;
/// A queued row may be looked at so often in two days: held ones are, at least every 15 minutes.
/// What is looked at more often waits for ever.
const MOST_LOOKS: usize = 250;

const TWO_DAYS: SignedDuration = SignedDuration::from_hours(48);

/// Runs all checks, and fails with all that they found.
#[expect(
    clippy::print_stdout,
    reason = "a run of all of them takes long, so what is wrong is told at once"
)]
async fn all(checks: impl IntoIterator<Item = impl Future<Output = Vec<String>>>) {
    let told = futures::stream::iter(checks)
        .buffer_unordered(AT_ONCE)
        .inspect(|wrong| wrong.iter().for_each(|wrong| println!("{wrong}")));
    let wrong: Vec<Vec<String>> = told.collect().await;
    let (count, wrong) = (wrong.len(), wrong.into_iter().flatten().collect::<Vec<_>>());
    assert!(wrong.is_empty(), "{} wrong in {count} checks:\n{}", wrong.len(), wrong.join("\n"));
}

fn thorough() -> bool {
    std::env::var_os("AFTERWORD_HOSTILE").is_some()
}

/// Every `nth` of these, or all if all are asked for.
fn some<T>(of: impl IntoIterator<Item = T>, nth: usize) -> Vec<T> {
    of.into_iter().step_by(if thorough() { 1 } else { nth }).collect()
}

async fn world() -> World {
    let world = World::proxied().await;
    world.configure("channel", "phone", json!({ "mode": "integrated", "delay_minutes": 20 }));
    world.company(json!({ "send_attempts": 3, "send_rate": 1_000 }));
    play_ses(&world);
    world
}

// Rows of every size

/// The largest body that is taken, between one that is and one that is not; to the byte.
async fn boundary(world: &World, route: Route, growth: Growth, wrong: &mut Vec<String>) -> usize {
    let (mut taken, mut refused) = (1_000, LARGEST_BODY + 1);
    while refused - taken > 1 {
        let size = (taken + refused) / 2;
        let (ext, email) = (format!("probe-{size:06}"), Life::Plain.address(1_000_000 + size));
        let reply =
            Delivery { route, channel: "email", ext, email, growth, size }.post(world).await;
        match reply.status {
            200 => taken = size,
            400 | 413 => refused = size,
            other => {
                wrong.push(format!("{size} bytes got {other}: {}", reply.text));
                refused = size;
            }
        }
    }
    taken
}

/// What one row may weigh more than another whose body has the same size: a delay is noted in it.
const A_FEW_BYTES: usize = 64;

/// Bodies of many sizes, each of which lives every life, from the route to the answer.
async fn every_life(route: Route, growth: Growth) -> Vec<String> {
    let mut scenario = Scenario::new(world().await, Topic::Faithful);
    let (mut lives, mut wrong) = (Vec::new(), Vec::new());
    let boundary = boundary(&scenario.world, route, growth, &mut wrong).await;
    let mut sizes: Vec<usize> = (0..8)
        .map(|n| 1_000 << n)
        .filter(|size| *size < boundary)
        .chain(boundary - 3..=boundary)
        .collect();
    let safely = boundary - A_FEW_BYTES;
    sizes.push(safely);
    sizes.extend([hostile::LARGEST_ROW, 200_000].into_iter().filter(|size| *size < boundary));
    for (number, size) in sizes.iter().enumerate() {
        // The largest live all lives, the others one each.
        let all = *size == boundary || *size == safely;
        for (turn, life) in Life::ALL
            .into_iter()
            .enumerate()
            .filter(|(turn, _)| all || *turn == number % Life::ALL.len())
        {
            let (ext, email) =
                (format!("life-{:07}", number * 100 + turn), life.address(number * 100 + turn));
            let delivery =
                Delivery { route, channel: life.channel(), ext, email, growth, size: *size };
            let reply = delivery.post(&scenario.world).await;
            match reply.status {
                200 => lives.push((delivery, life, reply.id())),
                400 if *size > safely => {}
                status => wrong.push(format!(
                    "{size} bytes are below the boundary of {boundary}, and got {status}: {}",
                    reply.text
                )),
            }
        }
    }
    wrong.extend(hostile::too_heavy(&scenario.world));
    // Each is held first, since somebody mistyped a setting.
    scenario.world.company(json!({ "footer": { "a": "typo" } }));
    scenario.run(&[Step::Wait(31), Step::Settle]).await;
    for (delivery, life, id) in &lives {
        let status = text(&hostile::row(&scenario.world, id), "status").to_owned();
        if status != "queued" {
            wrong.push(format!("{} bytes, {life:?}: {status} instead of held", delivery.size));
        }
        if *life == Life::Withdrawn {
            let reply = delivery.withdraw(&scenario.world, id).await;
            if reply.status != 200 {
                wrong.push(format!(
                    "{} bytes cannot be withdrawn: {} {}",
                    delivery.size, reply.status, reply.text
                ));
            }
        }
    }
    scenario.world.company(json!({ "footer": "" }));
    scenario.run(&[Step::Wait(31)]).await;
    days_go_by(&mut scenario, TWO_DAYS, MOST_LOOKS).await;
    for (delivery, life, id) in &lives {
        let (ends, mails) = life.ends();
        let (row, sent) =
            (hostile::row(&scenario.world, id), scenario.world.mails_to(&delivery.email));
        if !ends.contains(&ended(&row).as_str()) || sent.len() != mails {
            wrong.push(format!(
                "{} bytes, {life:?}: {} with {} mails",
                delivery.size,
                ended(&row),
                sent.len()
            ));
        }
        let Some(mail) = sent.first() else { continue };
        let form = format!("stars=4&comment={}", "%F0%9F%A6%8A".repeat(2_000));
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let reply = scenario.world.call("POST", &link(mail, "/s/"), &kind, form).await;
        if reply.status != 303 || hostile::row(&scenario.world, id).get("answer").is_none() {
            wrong.push(format!(
                "{} bytes, {life:?}: the answer got {}",
                delivery.size, reply.status
            ));
        }
    }
    let failed = scenario.world.stack.failures.list();
    if !failed.is_empty() {
        wrong.push(format!("{} batches of a stream were given up", failed.len()));
    }
    wrong.into_iter().map(|wrong| format!("{route:?} {growth:?}: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_any_size_that_is_let_in_goes_through_every_transition() {
    let templated = [
        Growth::Name(0xFF),
        Growth::TinyProperties,
        Growth::Values(0xFF),
        Growth::Names(0xFF),
        Growth::NestedNames(b'/'),
    ];
    let a_programs = [
        Growth::Name(b'x'),
        Growth::TinyProperties,
        Growth::Values(b'x'),
        Growth::Names(b'~'),
        Growth::Tags,
    ];
    let doors = Route::ALL.into_iter().flat_map(|route| {
        let growths = if route == Route::Requests { a_programs } else { templated };
        growths.map(|growth| (route, growth))
    });
    // Three and five have no common divisor: each route and each growth is among them.
    all(some(doors, 3).into_iter().map(|(route, growth)| every_life(route, growth))).await;
}

/// What a helpdesk answers when asked is foreign text as well.
#[tokio::test]
async fn what_gladly_tells_of_a_customer_makes_no_row_too_large() {
    let mut scenario = Scenario::new(world().await, Topic::Faithful);
    let sizes = [1_000, 100_000, 163_000, 200_000, 390_000, 409_000, 1_000_000];
    for (number, size) in sizes.into_iter().enumerate() {
        let (conversation, customer) = (format!("c{number}"), format!("customer-{number}"));
        scenario.world.stack.gladly.converse(
            &conversation,
            &customer,
            Some("agent-paul"),
            "CLOSED",
            &["topic-return"],
        );
        let email =
            json!({ "normalized": format!("gladly-{number}@customers.example"), "primary": true });
        let profile = json!({ "id": customer, "name": "é\u{1}".repeat(size / 3),
            "externalCustomerId": "x".repeat(size), "emails": [email] });
        scenario.world.stack.gladly.set(&format!("/api/v1/customer-profiles/{customer}"), &profile);
        let mut post = Post::gladly(&format!("event-{number}"), &conversation);
        post.body["content"]["customerId"] = json!(customer);
        scenario.run(&[Step::Post(post)]).await;
    }
    days_go_by(&mut scenario, TWO_DAYS, MOST_LOOKS).await;
    assert_eq!(hostile::too_heavy(&scenario.world), Vec::<String>::new());
    for (number, size) in sizes.iter().enumerate() {
        assert_eq!(
            scenario.world.mails_to(&format!("gladly-{number}@customers.example")).len(),
            1,
            "{size} bytes"
        );
    }
    assert_eq!(wrongs(&scenario), Vec::<String>::new());
}

// Rows that are there already

/// The row with another attribute, which makes it weigh exactly so much.
fn padded(mut row: Value, size: usize) -> Value {
    row["request"]["M"]["custom_properties"] = json!({ "M": { "x": { "S": "" } } });
    let missing = size - weight(&row);
    row["request"]["M"]["custom_properties"]["M"]["x"]["S"] = json!("x".repeat(missing));
    row
}

/// Where a row stood when the version that wrote it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stood {
    Ready,
    Delayed,
    /// Claimed, and nobody knows what became of the mail.
    Lost,
    /// Claimed and mailed; the events are still to come.
    Unheard,
    Unresolved,
}

async fn already_there(stood: Stood, size: usize) -> Vec<String> {
    let mut scenario = Scenario::new(world().await, Topic::Faithful);
    let email = match stood {
        Stood::Lost => Life::Lost.address(1),
        Stood::Unheard => Life::Unheard.address(1),
        Stood::Unresolved => "jane.roe@customers.example".to_owned(),
        Stood::Ready | Stood::Delayed => Life::Plain.address(1),
    };
    let post = match stood {
        Stood::Unresolved => Post::gladly("event-1", "conversation-closed"),
        Stood::Delayed => Post::request("phone", "1", &email),
        _ => Post::request("email", "1", &email),
    };
    scenario.run(&[Step::Post(post)]).await;
    if matches!(stood, Stood::Lost | Stood::Unheard) {
        for pump in &mut scenario.world.stack.pumps {
            pump.drain().await.unwrap();
        }
    }
    let id = scenario.told[0].clone();
    put_row(&scenario.world, &padded(hostile::row(&scenario.world, &id), size));
    let looks = days_go_by(&mut scenario, TWO_DAYS, MOST_LOOKS).await;
    let mut wrong = Vec::new();
    let (row, mails) = (hostile::row(&scenario.world, &id), scenario.world.mails_to(&email).len());
    if mails > 1 {
        wrong.push(format!("{mails} mails"));
    }
    for ((of, status), count) in &looks {
        let most = if status == "sending" { 2 * MOST_LOOKS } else { MOST_LOOKS };
        if *of == id && *count > most {
            wrong.push(format!("looked at {count} times as {status}"));
        }
    }
    if row.get("wake_at").is_some() {
        wrong.push(format!("still waits as {}", ended(&row)));
    } else if mails == 0 && text(&row, "reason").is_empty() {
        wrong.push(format!("ended as {} without a mail and without a reason", ended(&row)));
    }
    wrong.into_iter().map(|wrong| format!("{stood:?}, {size} bytes: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_there_already_and_fits_nowhere_brings_one_mail_at_most_and_ends() {
    let limit = hostile::DYNAMODB_LIMIT;
    let below = [1, 10, 20, 30, 40, 52, 56, 64, 72, 80, 88, 100, 150, 200, 400]
        .map(|missing| limit - missing);
    let sizes = [300_000, 350_000, 400_000].into_iter().chain(below);
    let stood = [Stood::Ready, Stood::Delayed, Stood::Lost, Stood::Unheard, Stood::Unresolved];
    let rows = sizes.flat_map(|size| stood.map(|stood| (stood, size)));
    all(some(rows, 4).into_iter().map(|(stood, size)| already_there(stood, size))).await;
}

// Configuration that changes on the way

/// Before what something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Receipt,
    TheClaim,
    TheRetry,
}

/// Minutes go by, as the schedule sees them: until nothing waits, or longer than anything is held.
async fn a_while(world: &mut World) {
    world.settle().await;
    for minutes in [1, 1, 2, 4, 8, 16, 16] {
        if hostile::waiting(world).is_empty() {
            return;
        }
        world.advance(SignedDuration::from_mins(minutes));
        world.sweep().await;
        world.settle().await;
    }
}

async fn flipped(flip: Flip, moment: Before) -> Vec<String> {
    let mut world = World::proxied().await;
    let email = "jane@customers.example";
    let ses = &world.stack.proxies.as_ref().unwrap().ses;
    if moment == Before::TheRetry {
        ses.fail_next(
            "POST /v2/email/outbound-emails",
            1,
            Fault::Reply(InjectedReply::too_many_requests()),
        );
    }
    let name = format!(
        "{}/{} {} {moment:?}",
        flip.kind,
        flip.id.get(..8).unwrap_or(&flip.id),
        flip.becomes
    );
    let body = settings::request("1", email).to_string();
    let mut wrong = Vec::new();
    // What was read before is remembered for some seconds.
    let remembered = SignedDuration::from_secs(31);
    let mut before = None;
    for step in [Before::Receipt, Before::TheClaim, Before::TheRetry] {
        if step == moment {
            before = Some(flip.apply(&world));
            world.advance(remembered);
        }
        match step {
            Before::Receipt => {
                let reply = hostile::answered(&world, "/v1/requests", body.as_bytes()).await;
                if ![200, 400, 403].contains(&reply.status) {
                    wrong.push(format!("at the route: {} {}", reply.status, reply.text));
                }
            }
            Before::TheClaim => world.settle().await,
            Before::TheRetry => a_while(&mut world).await,
        }
    }
    let now = world.now().as_millisecond();
    for row in world.rows() {
        let waits = row["wake_at"]["N"].as_str().map(|at| at.parse::<i64>().unwrap());
        if waits.is_some_and(|at| at <= now || text(&row, "status") != "queued") {
            wrong.push(format!("waits as {} for what is over", ended(&row)));
        }
        wrong.extend(
            (flip.harmless && ended(&row) != "delivered")
                .then(|| format!("a right spelling, and {}", ended(&row))),
        );
    }
    if flip.harmless && world.mails_to(email).is_empty() {
        wrong.push("a right spelling, and no mail".to_owned());
    }
    flip.mend(&world, &before.unwrap());
    world.advance(remembered);
    a_while(&mut world).await;
    for row in world.rows().iter().filter(|row| row.get("wake_at").is_some()) {
        wrong.push(format!("mended, and still {}", ended(row)));
    }
    // The same interaction again, once its marker is over, as an admin would have it sent again.
    // Without a window, another mail would be right.
    if !flip.becomes.get("suppression_days").is_some_and(|days| *days == json!(0)) {
        world.advance(SignedDuration::from_mins(11));
        let reply = hostile::answered(&world, "/v1/requests", body.as_bytes()).await;
        if reply.status != 200 {
            wrong.push(format!("mended, and {} {}", reply.status, reply.text));
        }
        a_while(&mut world).await;
    }
    let mails = world.mails_to(email);
    if mails.len() != 1 {
        let ends: Vec<String> = world.rows().iter().map(ended).collect();
        wrong.push(format!("{} mails in the end: {ends:?}", mails.len()));
    }
    if let Some(mail) = mails.first() {
        world.advance(SignedDuration::from_hours(72));
        let page = world.get(&link(mail, "/s/")).await;
        if page.status == 404 {
            wrong.push("the mail's link leads nowhere three days later".to_owned());
        }
    }
    wrong.extend(hostile::wrongs_so_far(&world, &[], true));
    wrong.into_iter().map(|wrong| format!("{name}: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_that_changes_on_the_way_holds_or_ends_a_request_and_never_doubles_it() {
    let moments = [Before::Receipt, Before::TheClaim, Before::TheRetry];
    // Each change at one moment, the next one at the next.
    let checks = flips().into_iter().enumerate().flat_map(|(n, flip)| {
        let moments = moments
            .into_iter()
            .cycle()
            .skip(if thorough() { 0 } else { n % 3 })
            .take(if thorough() { 3 } else { 1 });
        moments.map(move |moment| flipped(flip.clone(), moment))
    });
    all(checks).await;
}

// All of it at once

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worlds_of_hostile_data_broken_calls_typos_and_wrong_clocks() {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let seeds = match number("AFTERWORD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("AFTERWORD_SEEDS").unwrap_or(random_run::FEW),
    };
    all(seeds.map(random_run::live)).await;
}
