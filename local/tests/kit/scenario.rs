//! Scenarios: steps that happen to a stack, which can be repeated with a call broken. Senders retry
//! as helpdesks do, and the topic redelivers events whose function failed. Afterwards the clock
//! moves on until no request is waiting.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use local::faults::Call;
use policy::Status;
use serde_json::{Value, json};

use super::{LIVE, World, request};

/// One delivery of a webhook. The sender repeats it unchanged.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: &'static str,
    /// The header that identifies this delivery, the same in each repetition.
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Post {
    /// `POST /v1/requests` on a channel.
    pub(crate) fn request(channel: &str, ext: &str, email: &str) -> Self {
        let mut body = request(ext, email);
        body["channel"] = json!(channel);
        Self { path: "/v1/requests", header: Some(("idempotency-key", ext.to_owned())), body }
    }

    /// Gladly closed a conversation of the sample organisation.
    pub(crate) fn gladly(event: &str, conversation: &str) -> Self {
        let content = json!({
            "customerId": "customer-jane", "conversationId": conversation,
            "context": { "assignee": { "inboxId": "inbox-main", "agentId": "agent-paul" } },
        });
        let body = json!({
            "id": event, "type": "CONVERSATION/CLOSED", "timestamp": "2026-11-21T08:59:12.07Z",
            "initiator": { "id": "agent-paul", "type": "AGENT" }, "content": content,
        });
        Self { path: "/v1/webhooks/gladly", header: None, body }
    }

    /// Gorgias updated a ticket.
    pub(crate) fn gorgias(ticket: &str, status: &str, email: &str) -> Self {
        let body = json!({
            "channel": "phone", "meta": "None", "ext_interaction_id": ticket,
            "customer_custom_id": "5",
            "employee_email": "paul@blancapeak.example", "customer_name": "Jane",
            "snooze_datetime": "None", "status": status,
            "language": "en", "tags": "[]", "customer_email": email,
        });
        Self { path: "/v1/webhooks/gorgias", header: None, body }
    }
}

/// One step of a scenario.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A sender posts. Before each later step it posts again, until it gets a 200.
    Post(Post),
    /// Streams and topic deliver everything that is waiting in them.
    Settle,
    /// The schedule invokes `sweep`.
    Sweep,
    /// The clock moves on by these seconds.
    Wait(i64),
}

/// How the topic delivers the events of SES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// It delivers each event, and again if the function failed.
    Faithful,
    /// It loses every `Send` event.
    DropsSends,
    /// It loses every event.
    DropsAll,
    /// It delivers each twice.
    Doubles,
    /// It delivers each two hours later.
    Late,
    /// It collects events for an hour, and delivers the last one first.
    Reverses,
    /// It delivers the events of the first mail fifty minutes later, and all others at once.
    Straggles,
}

impl Topic {
    /// Whether the events of other customers' mails arrive in time.
    fn flows(self) -> bool {
        matches!(self, Self::Faithful | Self::Doubles | Self::Straggles)
    }

    fn loses(self) -> bool {
        matches!(self, Self::DropsSends | Self::DropsAll)
    }
}

/// A stack, and what has happened to it so far.
pub(crate) struct Scenario {
    pub(crate) world: World,
    topic: Topic,
    /// Events that the function has not yet accepted, with the time of their next delivery.
    undelivered: Vec<(Timestamp, Value)>,
    unanswered: Vec<Post>,
    /// The request of the first mail that had an event.
    first_mailed: Option<String>,
    /// Whether a step posted while an earlier post still had no 200.
    pub(crate) overtaken: bool,
    /// The `request_id`s of all replies to senders.
    pub(crate) told: Vec<String>,
    /// Other customers were mailed until this time.
    others_mailed: Timestamp,
}

/// No request may wait longer than this.
const LONGEST: SignedDuration = SignedDuration::from_hours(30);

impl Scenario {
    pub(crate) fn new(world: World, topic: Topic) -> Self {
        // Other customers were mailed before the first step, too.
        let others_mailed = world.now().checked_sub(SignedDuration::from_mins(10)).unwrap();
        Self {
            world,
            topic,
            undelivered: Vec::new(),
            unanswered: Vec::new(),
            first_mailed: None,
            overtaken: false,
            told: Vec::new(),
            others_mailed,
        }
    }

    pub(crate) async fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.post_again().await;
            match step {
                Step::Post(post) => {
                    self.overtaken |= !self.unanswered.is_empty();
                    self.post(post.clone()).await;
                }
                Step::Settle => self.settle().await,
                // A sweep that fails is followed by the one of the next minute.
                Step::Sweep => {
                    if self.topic.flows() {
                        self.world.others_were_mailed(self.others_mailed, self.world.now());
                        self.others_mailed = self.world.now();
                    }
                    drop(self.world.stack.invoke("sweep", json!({})).await);
                }
                Step::Wait(seconds) => self.world.advance(SignedDuration::from_secs(*seconds)),
            }
        }
    }

    async fn post(&mut self, post: Post) {
        let mut headers = vec![("x-api-key", LIVE), ("content-type", "application/json")];
        headers.extend(post.header.as_ref().map(|(name, value)| (*name, value.as_str())));
        let reply = self.world.call("POST", post.path, &headers, post.body.to_string()).await;
        match reply.status {
            200 => self.told.extend(reply.json()["request_id"].as_str().map(str::to_owned)),
            503 => self.unanswered.push(post),
            other => panic!("{} answered {other}: {}", post.path, reply.text),
        }
    }

    async fn post_again(&mut self) {
        for post in std::mem::take(&mut self.unanswered) {
            self.post(post).await;
        }
    }

    async fn settle(&mut self) {
        loop {
            let mut moved = 0;
            for pump in &mut self.world.stack.pumps {
                moved += pump.drain().await.unwrap();
            }
            moved += self.deliver_events().await;
            if moved == 0 {
                return;
            }
        }
    }

    /// Delivers the events that are due. Returns how many the function accepted.
    async fn deliver_events(&mut self) -> usize {
        let now = self.world.now();
        while let Some(event) =
            self.world.stack.events.as_mut().and_then(|events| events.try_recv().ok())
        {
            let message: Value =
                serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap();
            let request_id = message["mail"]["tags"]["request_id"][0].as_str().unwrap();
            let of_the_first =
                self.first_mailed.get_or_insert_with(|| request_id.to_owned()) == request_id;
            let after = |minutes| now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
            match self.topic {
                Topic::DropsSends if message["eventType"] == "Send" => {}
                Topic::DropsAll => {}
                Topic::Doubles => self.undelivered.extend([(now, event.clone()), (now, event)]),
                Topic::Late => self.undelivered.push((after(120), event)),
                Topic::Reverses => self.undelivered.push((after(60), event)),
                Topic::Straggles if of_the_first => self.undelivered.push((after(50), event)),
                Topic::Faithful | Topic::DropsSends | Topic::Straggles => {
                    self.undelivered.push((now, event))
                }
            }
        }
        if self.topic == Topic::Reverses {
            // The first event is due: deliver the others before it.
            if self.undelivered.iter().any(|(at, _)| *at <= now) {
                self.undelivered.reverse();
                self.undelivered.iter_mut().for_each(|(at, _)| *at = now);
            }
        }
        let (due, not_yet): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.undelivered).into_iter().partition(|(at, _)| *at <= now);
        self.undelivered = not_yet;
        let mut taken = 0;
        for (at, event) in due {
            match self.world.stack.invoke("mail_events", event.clone()).await {
                Ok(_) => taken += 1,
                Err(_) => self.undelivered.push((at, event)),
            }
        }
        taken
    }

    /// The earliest `wake_at` of all rows.
    fn next_wake(&self) -> Option<Timestamp> {
        let wakes = self
            .world
            .rows()
            .into_iter()
            .filter_map(|row| row["wake_at"]["N"].as_str()?.parse().ok());
        wakes.min().and_then(|millis| Timestamp::from_millisecond(millis).ok())
    }

    /// After the faults: moves the clock, sweeps, and mails other customers now and then, until no
    /// request is waiting.
    pub(crate) async fn run_to_the_end(&mut self) {
        let resumed = self.world.now();
        let mut others = [7, 60].into_iter().peekable();
        loop {
            self.post_again().await;
            self.settle().await;
            if self.next_wake().is_some_and(|wake| wake <= self.world.now()) {
                self.run(&[Step::Sweep, Step::Settle]).await;
            }
            let next =
                self.next_wake().into_iter().chain(self.undelivered.iter().map(|(at, _)| *at));
            let next = next.chain((!self.unanswered.is_empty()).then_some(resumed)).min();
            let elapsed = self.world.now().duration_since(resumed);
            let (Some(next), true) = (next, elapsed < LONGEST) else { return };
            let until_next = next.duration_since(self.world.now());
            // Requests without evidence wait for a day. To save time they are checked less often
            // here
            // than every five minutes.
            let step = match elapsed.as_hours() {
                0 => SignedDuration::from_secs(30),
                1..3 => SignedDuration::from_mins(30),
                _ => SignedDuration::from_hours(6),
            };
            self.world.advance(until_next.max(step));
            if let Some(minutes) = others.next_if(|minutes| elapsed.as_mins() >= *minutes) {
                self.post(Post::request(
                    "email",
                    &format!("other-{minutes}"),
                    &format!("other-{minutes}@customers.example"),
                ))
                .await;
            }
        }
    }
}

/// Whether two calls have the same operation and the same body, except for the token of the
/// attempt.
pub(crate) fn is_same(a: &Call, b: &Call) -> bool {
    let body = |call: &Call| {
        let mut body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("ClientRequestToken");
        }
        body
    };
    a.operation == b.operation && body(a) == body(b)
}

/// Everything that is wrong at the end, whichever call was broken: a request that was lost or still
/// waits, a customer who was mailed twice, a mail that is not recorded in its request.
pub(crate) fn wrongs(scenario: &Scenario) -> Vec<String> {
    let rows = scenario.world.rows();
    let mails = scenario.world.stack.mailbox.messages();
    let mut wrong: Vec<String> = scenario
        .unanswered
        .iter()
        .map(|post| format!("{} was never answered", post.path))
        .collect();
    for id in &scenario.told {
        if !rows.iter().any(|row| row["request_id"]["S"] == json!(id)) {
            wrong.push(format!("{id} was answered, and is lost"));
        }
    }
    let mut per_address: HashMap<&str, usize> = HashMap::new();
    let mut per_row: HashMap<&str, usize> = HashMap::new();
    for mail in &mails {
        *per_address.entry(mail.to[0].as_str()).or_default() += 1;
        *per_row.entry(mail.tags["request_id"].as_str()).or_default() += 1;
    }
    wrong.extend(
        per_address
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(address, count)| format!("{address} got {count} mails")),
    );
    for row in &rows {
        let status = Status::from_name(row["status"]["S"].as_str().unwrap()).unwrap();
        let reason = row["reason"]["S"].as_str();
        // Without events nobody can know whether the mail was sent.
        let unknown = scenario.topic.loses() && reason == Some("unconfirmed");
        let right = match per_row.get(row["request_id"]["S"].as_str().unwrap()) {
            Some(_) => status.mail_left() || unknown,
            None => reason.is_some(),
        };
        if status.is_waiting() || !right {
            wrong.push(format!("a row ended as {} {reason:?}", status.as_str()));
        }
    }
    wrong
}
