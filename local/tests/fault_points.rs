//! Whatever call is cut off, and however: no request is lost, no customer is mailed twice, and
//! nothing waits for ever.
//!
//! `AFTERWORD_FAULTS=all cargo test --release -p local --test fault_points` breaks every call in
//! every way, under every behaviour of the topic; without the variable, each write gets the crashes
//! before and after it and one of the other ways in turn, each read one of all ways.
//!
//! Each story is told once with nothing broken, and every call that the functions make is recorded.
//! Then it is told again for each of these calls and each way to break it, so that a call that is
//! new tomorrow is covered without anyone adding it. Afterwards the faults are over and time goes
//! on; in the end everything has to be as if nothing had been broken.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use futures::StreamExt as _;
use kit::World;
use kit::scenario::{Post, Scenario, Step, Topic, is_same, wrongs};
use local::faults::{Call, Fault, InjectedReply, Proxy};
use serde_json::{Value, json};

/// Stacks at work at once: a broken call is mostly waited for.
const AT_ONCE: usize = 64;

/// What is told, and what SES does in it by itself.
struct Story {
    name: &'static str,
    steps: Vec<Step>,
    first_mail: Fault,
}

fn stories() -> Vec<Story> {
    use Step::{Post as P, Settle, Sweep, Wait};
    let story = |name, steps| Story { name, steps, first_mail: Fault::None };
    let email = |ext, address| P(Post::request("email", ext, address));
    vec![
        // The waits are longer than the cache of the configuration, so that each function reads it
        // anew.
        story("one request", vec![email("1", "jane@customers.example"), Wait(30), Settle]),
        story(
            "two tickets of one customer",
            vec![
                email("2a", "twice@customers.example"),
                email("2b", "twice@customers.example"),
                Settle,
            ],
        ),
        story(
            "a bounce and a complaint",
            vec![
                email("3a", "bounce@simulator.amazonses.com"),
                email("3b", "complaint@simulator.amazonses.com"),
                Settle,
                Wait(30),
            ],
        ),
        story(
            "a delayed one",
            vec![
                P(Post::request("phone", "4", "later@customers.example")),
                Settle,
                Wait(1_260),
                Sweep,
                Settle,
            ],
        ),
        story(
            "a conversation of Gladly's",
            vec![P(Post::gladly("event-5", "conversation-closed")), Wait(30), Settle],
        ),
        story(
            "a delayed conversation",
            vec![
                P(Post::gladly("event-6", "conversation-delayed")),
                Settle,
                Wait(1_260),
                Sweep,
                Settle,
            ],
        ),
        story(
            "a ticket that is opened again",
            vec![
                P(Post::gorgias("7", "closed", "again@customers.example")),
                Settle,
                P(Post::gorgias("7", "open", "again@customers.example")),
                P(Post::gorgias("7", "closed", "again@customers.example")),
                Wait(1_260),
                Sweep,
                Settle,
            ],
        ),
        Story {
            name: "a mail that SES refuses at first",
            steps: vec![email("8", "patient@customers.example"), Settle, Wait(61), Sweep, Settle],
            first_mail: Fault::Reply(InjectedReply::too_many_requests()),
        },
        story(
            "a mail that SES never takes",
            vec![email("10", "illegal@customers.example"), Wait(30), Settle],
        ),
        Story {
            name: "a mail that is lost on its way to SES",
            steps: vec![
                email("9", "lost@customers.example"),
                Settle,
                Wait(121),
                Sweep,
                Wait(300),
                email("9b", "proof@customers.example"),
                Settle,
                Wait(61),
                Sweep,
                // Evidence has held long enough.
                Wait(3_610),
                Settle,
                Sweep,
                Settle,
            ],
            first_mail: Fault::CutBefore,
        },
    ]
}

/// What SES says in a story by itself.
fn ses(first_mail: &Fault, call: &Call) -> Fault {
    match call.number {
        _ if call.body.contains("illegal@") => Fault::Reply(InjectedReply::error(
            StatusCode::BAD_REQUEST,
            "BadRequestException",
            "Illegal address: <illegal@customers.example>",
        )),
        0 => first_mail.clone(),
        _ => Fault::None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Dynamodb,
    Ses,
    Gladly,
}

const SERVICES: [Service; 3] = [Service::Dynamodb, Service::Ses, Service::Gladly];

fn proxy(world: &World, service: Service) -> &Proxy {
    let proxies = world.stack.proxies.as_ref().unwrap();
    match service {
        Service::Dynamodb => &proxies.dynamodb,
        Service::Ses => &proxies.ses,
        Service::Gladly => &proxies.gladly,
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    NotDelivered,
    Unanswered,
    HangsBefore,
    HangsAfter,
    Throttled,
    Conflict,
    ErrorBefore,
    ErrorAfter,
}

impl Break {
    fn fault(self, service: Service, call: &Call) -> Fault {
        let throttled = match service {
            Service::Dynamodb => InjectedReply::throttled(),
            Service::Ses => InjectedReply::too_many_requests(),
            Service::Gladly => InjectedReply {
                status: StatusCode::TOO_MANY_REQUESTS,
                headers: vec![("retry-after", "2".into())],
                body: "{}".into(),
            },
        };
        // The endpoint here would take a mail that SES does not.
        let taken = !call.body.contains("illegal@");
        match self {
            Break::Unanswered if !taken => Fault::CutBefore,
            Break::HangsAfter if !taken => Fault::HangBefore,
            Break::ErrorAfter if !taken => Fault::Reply(InjectedReply::internal()),
            Break::NotDelivered => Fault::CutBefore,
            Break::Unanswered => Fault::CutAfter,
            Break::HangsBefore => Fault::HangBefore,
            Break::HangsAfter => Fault::HangAfter,
            Break::Throttled => Fault::Reply(throttled),
            Break::Conflict if call.operation == "TransactWriteItems" => {
                Fault::Reply(InjectedReply::transaction_conflict(call))
            }
            Break::Conflict => Fault::Reply(InjectedReply::error(
                StatusCode::BAD_REQUEST,
                "TransactionConflictException",
                "Transaction is ongoing",
            )),
            Break::ErrorBefore => Fault::Reply(InjectedReply::internal()),
            Break::ErrorAfter => Fault::ReplyAfter(InjectedReply::internal()),
        }
    }
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// This call alone: whoever tries again succeeds.
    Once,
    /// The same call as often as it is made while the story is told.
    Always,
    /// This call so, and then whatever is called is not delivered while the story is told: whoever
    /// was at work is dead.
    Outage,
}

#[derive(Clone, Debug)]
struct Point {
    story: usize,
    topic: Topic,
    service: Service,
    call: Call,
    broken: Break,
    span: Span,
}

impl Point {
    fn breaks(&self, world: &World) {
        let dead = Arc::new(AtomicBool::new(false));
        let first: Arc<Mutex<Option<Call>>> = Arc::default();
        for service in SERVICES {
            let (point, dead, first) = (self.clone(), dead.clone(), first.clone());
            let first_mail = stories().swap_remove(self.story).first_mail;
            proxy(world, service).plan(move |call| {
                let base =
                    if service == Service::Ses { ses(&first_mail, call) } else { Fault::None };
                let here = service == point.service
                    && call.operation == point.call.operation
                    && call.nth == point.call.nth;
                match point.span {
                    _ if dead.load(Ordering::SeqCst) => Fault::CutBefore,
                    Span::Once if here => point.broken.fault(service, call),
                    Span::Outage if here => {
                        dead.store(true, Ordering::SeqCst);
                        point.broken.fault(service, call)
                    }
                    Span::Always if service == point.service => {
                        let mut first = first.lock().unwrap();
                        if here {
                            *first = Some(call.clone());
                        }
                        match first.as_ref().is_some_and(|first| is_same(first, call)) {
                            true => point.broken.fault(service, call),
                            false => base,
                        }
                    }
                    _ => base,
                }
            });
        }
    }
}

async fn world() -> World {
    let world = World::proxied().await;
    world.configure("channel", "phone", json!({ "mode": "integrated", "delay_minutes": 20 }));
    // Gladly's conversations of the samples are e-mail and chat, mostly chat.
    let agent = Some("agent-paul");
    world.stack.gladly.converse(
        "conversation-delayed",
        "customer-jane",
        agent,
        "CLOSED",
        &["topic-return"],
    );
    let call = json!({ "id": "i", "timestamp": "2026-11-21T08:30:00Z",
        "content": { "type": "PHONE_CALL" } });
    world.stack.gladly.set("/api/v1/conversations/conversation-delayed/items", &json!([call]));
    world
}

/// Tells a story with nothing broken and returns every call, and how each request ended.
async fn record(story: usize) -> (Vec<(Service, Call)>, Ends) {
    let world = world().await;
    let told = stories().swap_remove(story);
    let first_mail = told.first_mail;
    proxy(&world, Service::Ses).plan(move |call| ses(&first_mail, call));
    let mut scenario = Scenario::new(world, Topic::Faithful);
    scenario.run(&told.steps).await;
    let calls = SERVICES.into_iter().flat_map(|service| {
        proxy(&scenario.world, service).calls().into_iter().map(move |call| (service, call))
    });
    let calls = calls.collect();
    scenario.run_to_the_end().await;
    let ends = ends(&scenario.world);
    (calls, ends)
}

/// For each address: how its requests ended, sorted.
type Ends = BTreeMap<String, Vec<String>>;

fn ends(world: &World) -> Ends {
    let mut ends = Ends::new();
    for row in world.rows() {
        let address =
            row["request"]["M"]["customer"]["M"]["email"]["S"].as_str().unwrap_or("unknown");
        if !address.starts_with("other-") {
            ends.entry(address.to_owned()).or_default().push(ended(&row));
        }
    }
    ends.values_mut().for_each(|ends| ends.sort());
    ends
}

fn ended(row: &Value) -> String {
    let status = row["status"]["S"].as_str().unwrap();
    row["reason"]["S"]
        .as_str()
        .map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"))
}

/// Tells a story with one thing broken; returns what is wrong in the end.
async fn check(point: Point, expected: Arc<Ends>) -> Vec<String> {
    let world = world().await;
    point.breaks(&world);
    let mut scenario = Scenario::new(world, point.topic);
    scenario.run(&stories().swap_remove(point.story).steps).await;
    for service in SERVICES {
        proxy(&scenario.world, service).plan(move |call| {
            if service == Service::Ses { ses(&Fault::None, call) } else { Fault::None }
        });
    }
    scenario.run_to_the_end().await;
    let mut wrong = wrongs(&scenario);
    let (mut ends, mut expected) = (ends(&scenario.world), (*expected).clone());
    if scenario.overtaken {
        // The update of this ticket that was heard last decides, and that was another one: one mail
        // or none.
        for ends in [&mut ends, &mut expected] {
            ends.remove("again@customers.example");
        }
    }
    if point.topic == Topic::Faithful && ends != expected {
        wrong.push(format!("ended as {ends:?}, not as {expected:?}"));
    }
    wrong
}

/// Ways to break a call: all, or the crashes before and after it and one of the others in turn; of
/// a read, which leaves no trace, one of all.
fn ways(service: Service, call: &Call, turn: usize) -> Vec<(Break, Span)> {
    let writes = ["TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"]
        .contains(&call.operation.as_str());
    let answers = [
        Break::Unanswered,
        Break::Throttled,
        Break::Conflict,
        Break::ErrorBefore,
        Break::ErrorAfter,
        Break::NotDelivered,
    ];
    let answers = answers.into_iter().filter(|broken| *broken != Break::Conflict || writes);
    let mut others: Vec<_> =
        answers.flat_map(|broken| [(broken, Span::Always), (broken, Span::Once)]).collect();
    others.extend([Break::HangsBefore, Break::HangsAfter].map(|broken| (broken, Span::Once)));
    let crashes = [Break::Unanswered, Break::NotDelivered].map(|broken| (broken, Span::Outage));
    if !thorough() {
        match service {
            // It is called once for each mail, so that once is always.
            Service::Ses => others.retain(|(_, span)| *span == Span::Once),
            _ if writes => others = vec![others[turn % others.len()]],
            _ => {
                others.push(crashes[0]);
                return vec![others[turn % others.len()]];
            }
        }
    }
    others.extend(crashes);
    others
}

fn thorough() -> bool {
    std::env::var_os("AFTERWORD_FAULTS").is_some()
}

/// A query without its values.
fn shape(call: &Call) -> (String, Value) {
    let mut body: Value = serde_json::from_str(&call.body).unwrap_or_default();
    body["ExpressionAttributeValues"].take();
    (call.operation.clone(), body)
}

/// Every point of a story, under one behaviour of the topic.
fn points(story: usize, topic: Topic, calls: &[(Service, Call)]) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for (number, (service, call)) in calls.iter().enumerate() {
        // Shards are asked at once, and each for the same: the first stands for all.
        let before = number.checked_sub(1).and_then(|before| calls.get(before));
        if call.operation == "Query"
            && before.is_some_and(|(_, before)| shape(before) == shape(call))
        {
            continue;
        }
        let ways = ways(*service, call, number).into_iter();
        points.extend(ways.map(|(broken, span)| Point {
            story,
            topic,
            service: *service,
            call: call.clone(),
            broken,
            span,
        }));
    }
    points
}

/// Breaks at every point that `choose` leaves in, and returns how many these are.
async fn run(topics: &[Topic], stories_told: &[usize], choose: fn(&Point) -> bool) -> usize {
    let mut checks = Vec::new();
    for story in stories_told {
        let (calls, expected) = record(*story).await;
        let expected = Arc::new(expected);
        let points = topics
            .iter()
            .flat_map(|topic| points(*story, *topic, &calls))
            .filter(|point| thorough() || choose(point));
        checks.extend(points.map(|point| (point, expected.clone())));
    }
    let count = checks.len();
    let checks = checks.into_iter().map(|(point, expected)| async move {
        let name = point.to_string();
        let wrong = tokio::spawn(check(point, expected))
            .await
            .unwrap_or_else(|panic| vec![panic.to_string()]);
        wrong.into_iter().map(|wrong| format!("{name}: {wrong}")).collect::<Vec<_>>()
    });
    let wrong: Vec<Vec<String>> =
        futures::stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    count
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let story = stories().swap_remove(self.story).name;
        let Self { service, call, broken, span, topic, .. } = self;
        write!(
            f,
            "{story}, {service:?} {} #{} {broken:?} {span:?}, topic {topic:?}",
            call.operation, call.nth
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_broken_everything_ends_as_if_none_were() {
    let all: Vec<usize> = (0..stories().len()).collect();
    let count = run(&[Topic::Faithful], &all, |_| true).await;
    println!("{count} points");
}

/// Without its `Send` event an unknown mail may end as `failed: unconfirmed`; never as two mails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_lost_doubled_late_or_reversed_make_no_second_mail() {
    let topics = [
        Topic::DropsSends,
        Topic::DropsAll,
        Topic::Doubles,
        Topic::Late,
        Topic::Reverses,
        Topic::Straggles,
    ];
    let few = ["one request", "a mail that is lost on its way to SES"];
    let told: Vec<usize> = (0..stories().len())
        .filter(|story| thorough() || few.contains(&stories()[*story].name))
        .collect();
    // Where a mail may be under way: SES's own calls, and the death of whoever notes what became of
    // it.
    let count = run(&topics, &told, |point| {
        let writes = ["TransactWriteItems", "UpdateItem"].contains(&point.call.operation.as_str());
        let dies = (point.service == Service::Ses || (writes && point.story == 0))
            && point.span == Span::Outage;
        // Whoever lives on weighs the evidence of later mails.
        dies || (point.service == Service::Ses && point.topic == Topic::Straggles)
    })
    .await;
    println!("{count} points");
}
