//! What happens to a stack step by step, told so that it can be told again with something broken:
//! senders try again as helpdesks do, the topic delivers again what its function did not take, and
//! afterwards time goes on until nothing waits any more.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use local::faults::Call;
use policy::Status;
use serde_json::{Value, json};

use super::{LIVE, World, request};

/// One webhook, as its sender repeats it.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: &'static str,
    /// The sender's own mark of this delivery, the same in each repetition.
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

    /// Gladly closed a conversation of the samples.
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
            "channel": "phone", "meta": "None", "ext_interaction_id": ticket, "customer_custom_id": "5",
            "employee_email": "paul@blancapeak.example", "customer_name": "Jane", "snooze_datetime": "None", "status": status,
            "language": "en", "tags": "[]", "customer_email": email,
        });
        Self { path: "/v1/webhooks/gorgias", header: None, body }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A sender posts, and posts again before later steps until it is answered.
    Post(Post),
    /// Streams and topic deliver what there is.
    Settle,
    /// The schedule fires.
    Sweep,
    /// Seconds go by.
    Wait(i64),
}

/// What the topic does with the events of SES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// It delivers them, and again if they were not taken.
    Faithful,
    /// It loses every `Send` event.
    DropsSends,
    /// It loses everything.
    DropsAll,
    /// It delivers each twice.
    Doubles,
    /// It delivers each two hours later.
    Late,
    /// It gathers for an hour, and delivers the last one first.
    Reverses,
    /// It delivers the events of the first mail fifty minutes later, and all others at once.
    Straggles,
}

impl Topic {
    /// Whether the events of other customers' mails come in time.
    fn flows(self) -> bool {
        matches!(self, Self::Faithful | Self::Doubles | Self::Straggles)
    }

    fn loses(self) -> bool {
        matches!(self, Self::DropsSends | Self::DropsAll)
    }
}

/// A stack to which a story happens.
pub(crate) struct Teller {
    pub(crate) world: World,
    topic: Topic,
    /// Published and not yet taken, with the time of their delivery.
    undelivered: Vec<(Timestamp, Value)>,
    unanswered: Vec<Post>,
    /// The request of the first mail of which there was an event.
    first_mailed: Option<String>,
    /// Whether something was posted while an earlier post was still to be repeated.
    pub(crate) overtaken: bool,
    /// `request_id`s that senders were told.
    pub(crate) told: Vec<String>,
    /// Until when other customers were mailed.
    others_mailed: Timestamp,
}

/// Longer than anything may take.
const LONGEST: SignedDuration = SignedDuration::from_hours(30);

impl Teller {
    pub(crate) fn new(world: World, topic: Topic) -> Self {
        // They were mailed before the story begins, too.
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

    pub(crate) async fn tell(&mut self, steps: &[Step]) {
        for step in steps {
            self.post_again().await;
            match step {
                Step::Post(post) => {
                    self.overtaken |= !self.unanswered.is_empty();
                    self.post(post.clone()).await;
                }
                Step::Settle => self.settle().await,
                // Whoever dies here is followed by the next minute's.
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

    /// Returns how many were taken.
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
            // With the first one all the others come, before it.
            if self.undelivered.iter().any(|(at, _)| *at <= now) {
                self.undelivered.reverse();
                self.undelivered.iter_mut().for_each(|(at, _)| *at = now);
            }
        }
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.undelivered).into_iter().partition(|(at, _)| *at <= now);
        self.undelivered = later;
        let mut taken = 0;
        for (at, event) in due {
            match self.world.stack.invoke("mail_events", event.clone()).await {
                Ok(_) => taken += 1,
                Err(_) => self.undelivered.push((at, event)),
            }
        }
        taken
    }

    /// When the next waiting row wants to be looked at.
    fn next_wake(&self) -> Option<Timestamp> {
        let wakes = self
            .world
            .rows()
            .into_iter()
            .filter_map(|row| row["wake_at"]["N"].as_str()?.parse().ok());
        wakes.min().and_then(|millis| Timestamp::from_millisecond(millis).ok())
    }

    /// After the faults: time goes on, the schedule fires, other customers are mailed now and then,
    /// until nothing waits any more.
    pub(crate) async fn go_on(&mut self) {
        let resumed = self.world.now();
        let mut others = [7, 60].into_iter().peekable();
        loop {
            self.post_again().await;
            self.settle().await;
            if self.next_wake().is_some_and(|wake| wake <= self.world.now()) {
                self.tell(&[Step::Sweep, Step::Settle]).await;
            }
            let next =
                self.next_wake().into_iter().chain(self.undelivered.iter().map(|(at, _)| *at));
            let next = next.chain((!self.unanswered.is_empty()).then_some(resumed)).min();
            let elapsed = self.world.now().duration_since(resumed);
            let (Some(next), true) = (next, elapsed < LONGEST) else { return };
            let until_next = next.duration_since(self.world.now());
            // What has found no evidence is looked at less often here than every five minutes: a
            // day of looks is all the same.
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

/// The same call again: the same operation with the same body, but for the token that names the
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

/// What is wrong in the end, whatever was broken: a request that was lost or waits for ever, a
/// customer who was mailed twice, a mail that its request does not know of.
pub(crate) fn wrongs(teller: &Teller) -> Vec<String> {
    let rows = teller.world.rows();
    let mails = teller.world.stack.mailbox.messages();
    let mut wrong: Vec<String> =
        teller.unanswered.iter().map(|post| format!("{} was never answered", post.path)).collect();
    for id in &teller.told {
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
        // Without events, an unknown mail stays unknown.
        let unknown = teller.topic.loses() && reason == Some("unconfirmed");
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
