//! A random run from a seed: hostile bodies, broken calls, typos in the configuration and wrong
//! clocks, all at once. The invariants are checked after every step. The same seed makes the same
//! steps and breaks the calls with the same numbers; the order of concurrent calls may differ.

use fakes::gladly;
use fastrand::Rng;
use jiff::SignedDuration;
use local::faults::{Call, Fault, InjectedReply};
use local::stack::Options;
use serde_json::{Value, json};

use super::hostile::{Delivery, Growth, LARGEST_BODY, Route, ended, too_heavy, wrongs_so_far};
use super::scenario::{Post, Scenario, Step, Topic};
use super::settings::{Flip, flips};
use super::{LIVE, World};

/// Number of runs if `AFTERWORD_SEEDS` is not set.
pub(crate) const FEW: u64 = 12;

/// One delivery of a webhook, as its sender repeats it.
#[derive(Clone)]
struct Sent {
    path: &'static str,
    body: Vec<u8>,
}

struct RandomRun {
    scenario: Scenario,
    dice: Rng,
    /// Deliveries that got a 503 and must be repeated.
    unanswered: Vec<Sent>,
    /// Every delivery so far.
    sent: Vec<Sent>,
    /// Changes of the configuration that are in effect, each with the item before the change.
    flipped: Vec<(Flip, Value)>,
    /// Whether suppression was on all the time.
    window: bool,
    requests: usize,
    wrong: Vec<String>,
}

/// Makes the run of this seed. Returns what was wrong, with the seed.
pub(crate) async fn live(seed: u64) -> Vec<String> {
    let lived = tokio::spawn(async move {
        let mut world = RandomRun::new(seed).await;
        world.live().await;
        world.wrong
    });
    let wrong = lived.await.unwrap_or_else(|panic| vec![panic.to_string()]);
    wrong.into_iter().map(|wrong| format!("AFTERWORD_SEED={seed}: {wrong}")).collect()
}

impl RandomRun {
    async fn new(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        // Most clocks are a little wrong, some are very wrong.
        let mut off = || {
            let seconds = dice.choice([0, 0, 0, 30, 30, 300, 3_600]).unwrap();
            SignedDuration::from_secs(if dice.bool() { seconds } else { -seconds })
        };
        let skews = ["requests", "dispatch", "sweep", "mail_events", "gladly_resolve", "zendesk"]
            .map(|function| (function, off()));
        let skew = move |function: &str| {
            skews
                .iter()
                .find(|(of, _)| *of == function)
                .map_or(SignedDuration::ZERO, |(_, skew)| *skew)
        };
        let world = World::skewed(Options { proxied: true, ..Options::default() }, skew).await;
        world.configure("channel", "phone", json!({ "mode": "integrated", "delay_minutes": 20 }));
        world.company(json!({ "send_attempts": dice.u32(1..6), "send_rate": 1_000 }));
        let proxies = world.stack.proxies.as_ref().unwrap();
        let (calls, mails) =
            (dice.choice([0, 2, 5, 12]).unwrap(), dice.choice([0, 10, 30]).unwrap());
        proxies.dynamodb.plan(move |call| dynamodb(seed, calls, call));
        proxies.ses.plan(move |call| ses(seed, mails, call));
        proxies.gladly.plan(move |call| {
            if roll(seed, call, 3).0 < mails {
                Fault::Reply(InjectedReply::internal())
            } else {
                Fault::None
            }
        });
        let topic = dice
            .choice([
                Topic::Faithful,
                Topic::Faithful,
                Topic::Doubles,
                Topic::Straggles,
                Topic::Reverses,
            ])
            .unwrap();
        let scenario = Scenario::new(world, topic);
        let (unanswered, sent, flipped, wrong) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { scenario, dice, unanswered, sent, flipped, window: true, requests: 0, wrong }
    }

    async fn live(&mut self) {
        for _ in 0..self.dice.usize(20..60) {
            for sent in std::mem::take(&mut self.unanswered) {
                self.deliver(sent).await;
            }
            let step = self.step().await;
            self.look(&step);
            if !self.wrong.is_empty() {
                return; // later problems would only be its consequences
            }
        }
        let proxies = self.scenario.world.stack.proxies.as_ref().unwrap();
        for proxy in [&proxies.dynamodb, &proxies.ses, &proxies.gladly] {
            proxy.plan(|_| Fault::None);
        }
        // Gladly's customer is valid again. Otherwise Gladly would be asked about her for longer
        // than
        // this run lasts.
        let jane = json!({ "id": "customer-jane", "name": "Jane",
            "emails": [{ "normalized": "jane.roe@customers.example", "primary": true }] });
        self.scenario.world.stack.gladly.set("/api/v1/customer-profiles/customer-jane", &jane);
        while let Some((flip, before)) = self.flipped.pop() {
            flip.mend(&self.scenario.world, &before);
        }
        self.scenario.world.advance(SignedDuration::from_secs(31));
        for _ in 0..3 {
            for sent in std::mem::take(&mut self.unanswered) {
                self.deliver(sent).await;
            }
        }
        self.scenario.run_to_the_end().await;
        self.look("the end");
        self.wrong.extend(
            (!self.unanswered.is_empty()).then(|| "a sender was never answered".to_owned()),
        );
        let waiting =
            self.scenario.world.rows().into_iter().filter(|row| row.get("wake_at").is_some());
        self.wrong.extend(waiting.map(|row| format!("in the end a row is {}", ended(&row))));
    }

    fn look(&mut self, step: &str) {
        let mut wrong = wrongs_so_far(&self.scenario.world, &self.scenario.told, self.window);
        wrong.extend(too_heavy(&self.scenario.world));
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("after {step}: {wrong}")));
    }

    /// Makes a random step. Returns its description.
    async fn step(&mut self) -> String {
        match self.dice.u32(0..100) {
            0..35 => self.post().await,
            35..40 => self.post_again().await,
            40..45 => {
                let event = format!("event-{}", self.dice.u32(0..3));
                let conversation = self
                    .dice
                    .choice(["conversation-closed", "conversation-merged", "conversation-reopened"])
                    .unwrap();
                let body = Post::gladly(&event, conversation).body.to_string().into_bytes();
                self.deliver(Sent { path: "/v1/webhooks/gladly", body }).await;
                format!("{conversation} was closed")
            }
            45..48 => self.customer_of_gladlys(),
            48..54 => {
                let ticket = self.dice.usize(0..self.requests + 1);
                let body = Post::gorgias(&format!("t{ticket}"), "open", "x@customers.example")
                    .body
                    .to_string()
                    .into_bytes();
                self.deliver(Sent { path: Route::Gorgias.path(), body }).await;
                format!("ticket {ticket} was opened")
            }
            54..62 => self.flip(),
            62..66 => self.mend(),
            66..76 => {
                self.scenario.run(&[Step::Sweep]).await;
                "a sweep".to_owned()
            }
            76..86 => {
                let seconds = self.dice.choice([1, 31, 61, 91, 200, 601, 1_300, 7_300]).unwrap();
                self.scenario.run(&[Step::Wait(seconds)]).await;
                format!("{seconds} seconds")
            }
            _ => {
                self.scenario.run(&[Step::Settle]).await;
                "the streams ran".to_owned()
            }
        }
    }

    /// A new webhook of any size and bytes.
    async fn post(&mut self) -> String {
        let number = self.requests;
        self.requests += 1;
        // One in six is for a customer who may have had a request before.
        let customer =
            if self.dice.u32(0..6) == 0 { self.dice.usize(0..number + 1) } else { number };
        let email = match self.dice.u32(0..12) {
            0 => format!("bounce+{customer}@simulator.amazonses.com"),
            1 => format!("complaint+{customer}@simulator.amazonses.com"),
            _ => format!("customer-{customer}@customers.example"),
        };
        let byte = self.dice.choice([b'x', 0xFF, b'/', b'~', b'\\', 0, b'<', 0xC3]).unwrap();
        let growths = [
            Growth::Name(byte),
            Growth::TinyProperties,
            Growth::Values(byte),
            Growth::Names(byte),
            Growth::NestedNames(byte),
            Growth::Tags,
        ];
        let growth = self.dice.choice(growths).unwrap();
        let size = match self.dice.u32(0..4) {
            0 => self.dice.usize(..LARGEST_BODY + 100),
            1 => self
                .dice
                .choice([
                    100_000,
                    160_000,
                    163_840,
                    LARGEST_BODY - 1,
                    LARGEST_BODY,
                    LARGEST_BODY + 1,
                ])
                .unwrap(),
            _ => 0,
        };
        let route = self.dice.choice(Route::ALL).unwrap();
        let channel = if self.dice.u32(0..4) == 0 { "phone" } else { "email" };
        let mut body =
            Delivery { route, channel, ext: format!("t{number}"), email, growth, size }.body();
        if self.dice.u32(0..5) == 0 {
            for _ in 0..self.dice.usize(1..4) {
                let place = self.dice.usize(..body.len());
                body[place] = self.dice.u8(..);
            }
        }
        let what = format!("{route:?} {growth:?} {} bytes", body.len());
        self.deliver(Sent { path: route.path(), body }).await;
        what
    }

    async fn post_again(&mut self) -> String {
        let Some(sent) = self.dice.choice(self.sent.iter()).cloned() else {
            return "nothing".to_owned();
        };
        self.deliver(sent).await;
        "a repetition".to_owned()
    }

    async fn deliver(&mut self, sent: Sent) {
        let headers = [("x-api-key", LIVE), ("content-type", "application/json")];
        let reply = self.scenario.world.call("POST", sent.path, &headers, sent.body.clone()).await;
        match reply.status {
            200 | 400 | 403 | 413 => {
                let reply: Value = serde_json::from_str(&reply.text).unwrap_or_default();
                self.scenario.told.extend(reply["request_id"].as_str().map(str::to_owned));
                self.sent.push(sent);
            }
            503 => self.unanswered.push(sent),
            other => self.wrong.push(format!("{} answered {other}: {}", sent.path, reply.text)),
        }
    }

    /// Gladly replies with hostile data of a customer.
    fn customer_of_gladlys(&mut self) -> String {
        let path = "/api/v1/customer-profiles/customer-jane";
        let size = self.dice.usize(..600_000);
        let emails = json!([{ "normalized": "jane.roe@customers.example",
            "original": "x".repeat(size / 2), "primary": true }]);
        let profile = json!({ "id": "customer-jane", "name": "\u{FFFD}".repeat(size / 3),
            "externalCustomerId": "7".repeat(size), "emails": emails });
        let answer = match self.dice.u32(0..3) {
            0 => gladly::FakeReply::raw(vec![0xFF; size]),
            _ => gladly::FakeReply::json(&profile),
        };
        self.scenario.world.stack.gladly.answer(path, answer);
        format!("Gladly's customer has {size} bytes")
    }

    fn flip(&mut self) -> String {
        let flip = self.dice.choice(flips()).unwrap();
        // One change of an item at a time, so that each can be undone.
        if self.flipped.iter().any(|(other, _)| (other.kind, &other.id) == (flip.kind, &flip.id)) {
            return "nothing".to_owned();
        }
        self.window &= flip.becomes["suppression_days"] != json!(0);
        let before = flip.apply(&self.scenario.world);
        let what = format!("{} became {}", flip.kind, flip.becomes);
        self.flipped.push((flip, before));
        what
    }

    fn mend(&mut self) -> String {
        if self.flipped.is_empty() {
            return "nothing".to_owned();
        }
        let (flip, before) = self.flipped.swap_remove(self.dice.usize(..self.flipped.len()));
        flip.mend(&self.scenario.world, &before);
        format!("{} was mended", flip.kind)
    }
}

/// Two numbers below 100: pseudo-random, and always the same for the same call.
fn roll(seed: u64, call: &Call, service: u64) -> (u64, u64) {
    let mut dice = Rng::with_seed(seed ^ (call.number as u64) << 20 ^ service << 60);
    (dice.u64(..100), dice.u64(..100))
}

fn dynamodb(seed: u64, rate: u64, call: &Call) -> Fault {
    let (hit, way) = roll(seed, call, 1);
    match way {
        _ if hit >= rate => Fault::None,
        0..40 => Fault::Reply(InjectedReply::throttled()),
        40..60 if call.operation == "TransactWriteItems" => {
            Fault::Reply(InjectedReply::transaction_conflict(call))
        }
        60..70 => Fault::CutBefore,
        70..80 => Fault::CutAfter,
        80..90 => Fault::ReplyAfter(InjectedReply::internal()),
        _ => Fault::Reply(InjectedReply::internal()),
    }
}

fn ses(seed: u64, rate: u64, call: &Call) -> Fault {
    let (hit, way) = roll(seed, call, 2);
    match way {
        _ if hit >= rate => Fault::None,
        0..40 => Fault::Reply(InjectedReply::too_many_requests()),
        40..60 => Fault::CutAfter,
        60..80 => Fault::CutBefore,
        80..90 => Fault::ReplyAfter(InjectedReply::internal()),
        _ => Fault::Reply(InjectedReply::internal()),
    }
}
