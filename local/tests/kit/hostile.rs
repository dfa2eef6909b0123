//! Hostile data: bodies of any size and bytes, the lives that a request can have, and what must
//! hold at every moment of them.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use axum::http::StatusCode;
use dynoxide::types::{Item, item_size};
use jiff::{SignedDuration, Timestamp};
use local::faults::{Call, Fault, InjectedReply};
use local::seed;
use policy::Status;
use serde_json::{Value, json};

use super::scenario::{Post, Scenario, Step};
use super::{LIVE, Reply, World};

/// What a row may weigh at most, in bytes as DynamoDB counts them. DynamoDB's own limit is
/// [`DYNAMODB_LIMIT`].
pub(crate) const LARGEST_ROW: usize = 160 * 1024;
/// The largest item that DynamoDB takes.
pub(crate) const DYNAMODB_LIMIT: usize = 400 * 1024;
/// The largest body that a route takes.
pub(crate) const LARGEST_BODY: usize = 256 * 1024;

/// The bytes of an item as DynamoDB counts them.
pub(crate) fn weight(item: &Value) -> usize {
    item_size(&serde_json::from_value::<Item>(item.clone()).unwrap())
}

/// An attribute's text; empty if there is none.
pub(crate) fn text<'r>(row: &'r Value, attribute: &str) -> &'r str {
    row[attribute]["S"].as_str().unwrap_or_default()
}

/// Where a request comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Requests,
    Auth,
    Zendesk,
    Freshdesk,
    Gorgias,
}

impl Route {
    pub(crate) const ALL: [Self; 5] =
        [Self::Requests, Self::Auth, Self::Zendesk, Self::Freshdesk, Self::Gorgias];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Requests => "/v1/requests",
            Self::Auth => "/v1/auth",
            Self::Zendesk => "/v1/webhooks/zendesk",
            Self::Freshdesk => "/v1/webhooks/freshdesk",
            Self::Gorgias => "/v1/webhooks/gorgias",
        }
    }
}

/// What makes a body large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// The customer's name, of one byte again and again; an invalid one becomes three when it is
    /// read.
    Name(u8),
    /// Very many properties with almost nothing in them.
    TinyProperties,
    /// Properties with long values of one byte.
    Values(u8),
    /// Properties whose names are 5 KiB of a byte that a JSON pointer doubles.
    Names(u8),
    /// The same with values that a template's body may not have.
    NestedNames(u8),
    /// Very many tags.
    Tags,
}

/// A webhook that shows a closed interaction, and whose body has exactly `size` bytes (or the least
/// that it takes).
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) route: Route,
    pub(crate) channel: &'static str,
    pub(crate) ext: String,
    pub(crate) email: String,
    pub(crate) growth: Growth,
    pub(crate) size: usize,
}

impl Delivery {
    pub(crate) fn body(&self) -> Vec<u8> {
        // The rest is shorter than that, whoever the customer is: so two bodies of one size have
        // grown by the same.
        let mut body = self.grown(self.size.saturating_sub(500));
        // What a whole property does not fill is white space, which is part of the body as well.
        while body.len() < self.size {
            body.push(b' ');
        }
        body
    }

    fn grown(&self, bytes: usize) -> Vec<u8> {
        let (mut name, mut properties, mut tags) = (b"Jane".to_vec(), Vec::new(), Vec::new());
        // Gorgias' lists and objects are Python's, in a text.
        let quote: &[u8] = if self.route == Route::Gorgias { b"'" } else { b"\"" };
        let mut property = |n: usize, name: &[u8], value: &[u8]| {
            let property =
                [quote, format!("{n}").as_bytes(), name, quote, b": ", value, b", "].concat();
            let fits = properties.len() + property.len() <= bytes;
            if fits {
                properties.extend(property);
            }
            fits
        };
        let quoted = |value: &[u8]| [quote, value, quote].concat();
        match self.growth {
            Growth::Name(byte) => name.extend(vec![byte; bytes]),
            Growth::TinyProperties => {
                (0..).take_while(|n| property(*n, b"", &quoted(b"x"))).for_each(drop)
            }
            Growth::Values(byte) => {
                (0..).take_while(|n| property(*n, b"", &quoted(&vec![byte; 1_990]))).for_each(drop)
            }
            Growth::Names(byte) => (0..)
                .take_while(|n| property(*n, &vec![byte; 5 * 1024], &quoted(b"x")))
                .for_each(drop),
            // What is nested is left out of a template's body, with a note that names it.
            Growth::NestedNames(byte) => {
                (0..).take_while(|n| property(*n, &vec![byte; 5 * 1024], b"[]")).for_each(drop)
            }
            Growth::Tags => {
                tags = [b", ", quoted(b"surplus").as_slice()].concat().repeat(bytes / 11)
            }
        }
        let (channel, ext, email) =
            (self.channel.as_bytes(), self.ext.as_bytes(), self.email.as_bytes());
        let paul = b"paul@blancapeak.example".as_slice();
        let parts: &[&[u8]] = match self.route {
            Route::Gorgias => &[
                b"{ \"channel\": \"",
                channel,
                b"\", \"ext_interaction_id\": \"",
                ext,
                b"\", \"employee_email\": \"",
                paul,
                b"\", \"customer_email\": \"",
                email,
                b"\", \"status\": \"closed\", \"snooze_datetime\": \"None\", \"customer_name\": \"",
                &name,
                b"\", \"meta\": \"{",
                &properties,
                b"'last': 'x'}\", \"tags\": \"['vip'",
                &tags,
                b"]\" }",
            ],
            _ => &[
                b"{ \"employee\": { \"email\": \"",
                paul,
                b"\" }, \"channel\": \"",
                channel,
                b"\", \"customer\": { \"name\": \"",
                &name,
                b"\", \"email\": \"",
                email,
                b"\" }, \"ext_interaction_id\": \"",
                ext,
                b"\", \"custom_properties\": { ",
                &properties,
                b"\"last\": \"x\" }, \"tags\": [\"vip\"",
                &tags,
                b"] }",
            ],
        };
        parts.concat()
    }

    pub(crate) async fn post(&self, world: &World) -> Reply {
        answered(world, self.route.path(), &self.body()).await
    }

    /// Takes it back before it has gone out, as its source does.
    pub(crate) async fn withdraw(&self, world: &World, request_id: &str) -> Reply {
        let open = match self.route {
            Route::Requests => {
                return world
                    .call(
                        "DELETE",
                        &format!("/v1/requests/{request_id}"),
                        &[("x-api-key", LIVE)],
                        "",
                    )
                    .await;
            }
            Route::Gorgias => Post::gorgias(&self.ext, "open", &self.email).body,
            _ => json!({
                "employee": { "email": "paul@blancapeak.example" }, "channel": self.channel,
                "ext_interaction_id": self.ext,
                "customer": { "name": "Jane", "email": self.email }, "status": "open",
            }),
        };
        answered(world, self.route.path(), open.to_string().as_bytes()).await
    }
}

/// What a sender gets who is as patient as helpdesks are: on a machine with much to do, a 503 alone
/// says nothing.
pub(crate) async fn answered(world: &World, path: &str, body: &[u8]) -> Reply {
    let mut attempts = 0;
    loop {
        let reply = world
            .call("POST", path, &[("x-api-key", LIVE), ("content-type", "application/json")], body)
            .await;
        attempts += 1;
        if reply.status != 503 || attempts == 5 {
            return reply;
        }
    }
}

/// What becomes of a request after it was recorded. Its customer's address says which, for whoever
/// plays SES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Sent at once, delivered, answered.
    Plain,
    /// Sent when its channel's delay is over.
    Delayed,
    /// Refused by SES at first.
    Refused,
    /// Lost on the way to SES: sent again on evidence.
    Lost,
    /// Taken by SES, whose answer is lost: its events tell.
    Unheard,
    /// It bounces.
    Bounced,
    /// The customer calls it spam.
    Complained,
    /// The ticket is opened again, or the request cancelled.
    Withdrawn,
    /// SES refuses the mail at each attempt.
    Failed,
    /// SES refuses the address.
    Rejected,
}

impl Life {
    pub(crate) const ALL: [Self; 10] = [
        Self::Plain,
        Self::Delayed,
        Self::Refused,
        Self::Lost,
        Self::Unheard,
        Self::Bounced,
        Self::Complained,
        Self::Withdrawn,
        Self::Failed,
        Self::Rejected,
    ];

    /// A customer who lives it. All addresses have the same length, so that what a row weighs does
    /// not depend on whose it is.
    pub(crate) fn address(self, number: usize) -> String {
        let (local, domain) = match self {
            Self::Bounced => ("bounce+".to_owned(), "simulator.amazonses.com"),
            Self::Complained => ("complaint+".to_owned(), "simulator.amazonses.com"),
            life => (format!("{life:?}-").to_lowercase(), "customers.example"),
        };
        format!("{local}{number:0width$}@{domain}", width = 60 - local.len() - domain.len())
    }

    /// The channel whose delay it needs: `phone` has one in these tests.
    pub(crate) fn channel(self) -> &'static str {
        if matches!(self, Self::Delayed | Self::Withdrawn) { "phone" } else { "email" }
    }

    /// How it ends; and whether with a mail.
    pub(crate) fn ends(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Bounced => (&["hard_bounce"], 1),
            Self::Complained => (&["complained"], 1),
            Self::Withdrawn => (&["not_sent: reopened", "not_sent: cancelled"], 0),
            Self::Failed => (&["failed: send_attempts"], 0),
            Self::Rejected => (&["not_sent: rejected"], 0),
            _ => (&["delivered"], 1),
        }
    }

    /// What SES does at the `nth` mail to this address.
    fn fault(address: &str, nth: usize) -> Fault {
        let refused = |message: &str| {
            Fault::Reply(InjectedReply::error(
                StatusCode::BAD_REQUEST,
                "BadRequestException",
                message,
            ))
        };
        match address.split('-').next() {
            Some("refused") if nth == 0 => Fault::Reply(InjectedReply::too_many_requests()),
            Some("lost") if nth == 0 => Fault::CutBefore,
            Some("unheard") if nth == 0 => Fault::CutAfter,
            Some("failed") => Fault::Reply(InjectedReply::error(
                StatusCode::BAD_REQUEST,
                "MessageRejected",
                "Email content rejected.",
            )),
            // Only a message that names the recipient is about the recipient.
            Some("rejected") => refused(&format!("Illegal address: <{address}>")),
            _ => Fault::None,
        }
    }
}

/// SES as the customers' lives want it.
pub(crate) fn play_ses(world: &World) {
    let seen: Mutex<HashMap<String, usize>> = Mutex::default();
    world.stack.proxies.as_ref().unwrap().ses.plan(move |call| {
        let Some(address) = recipient(call) else { return Fault::None };
        let mut seen = seen.lock().unwrap();
        let count = seen.entry(address.clone()).or_default();
        *count += 1;
        Life::fault(&address, *count - 1)
    });
}

/// To whom a call of SES is.
pub(crate) fn recipient(call: &Call) -> Option<String> {
    let body: Value = serde_json::from_str(&call.body).ok()?;
    body["Destination"]["ToAddresses"][0].as_str().map(str::to_owned)
}

/// What no moment may show, whatever has happened so far. `told` are the requests that senders were
/// told of.
pub(crate) fn wrongs_so_far(world: &World, told: &[String], window: bool) -> Vec<String> {
    let rows = world.rows();
    let by_id: HashMap<&str, &Value> =
        rows.iter().map(|row| (text(row, "request_id"), row)).collect();
    let mut wrong: Vec<String> = told
        .iter()
        .filter(|id| !by_id.contains_key(id.as_str()))
        .map(|id| format!("{id} was answered, and is lost"))
        .collect();
    let (mut requests, mut customers) = (HashSet::new(), HashSet::new());
    for mail in world.stack.mailbox.messages() {
        let (id, to) = (mail.tags["request_id"].clone(), mail.to[0].clone());
        if !requests.insert(id.clone()) {
            wrong.push(format!("{id} got another mail, to {to}"));
        }
        let Some(row) = by_id.get(id.as_str()) else {
            wrong.push(format!("a mail to {to} of no request: {id}"));
            continue;
        };
        if text(row, "mode") == "test" {
            continue;
        }
        if window && !customers.insert(to.clone()) {
            wrong.push(format!("{to} got another mail"));
        }
        if row["request"]["M"]["customer"]["M"]["email"]["S"] != json!(to) {
            wrong.push(format!("{id} was mailed to {to}"));
        }
        if ["not_sent", "invalid"].contains(&text(row, "status")) {
            wrong.push(format!("{id} got a mail, and says {}", ended(row)));
        }
    }
    for row in &rows {
        let status = Status::from_name(text(row, "status")).unwrap();
        if status.is_waiting() != row.get("wake_at").is_some() {
            wrong.push(format!(
                "{} is {} and has {}",
                text(row, "request_id"),
                status.as_str(),
                row["wake_at"]
            ));
        }
        if !status.is_waiting() && !status.mail_left() && text(row, "reason").is_empty() {
            wrong.push(format!(
                "{} ended as {} without a reason",
                text(row, "request_id"),
                status.as_str()
            ));
        }
    }
    wrong
}

/// Rows that weigh more than a row may, unless a test has put them there itself.
pub(crate) fn too_heavy(world: &World) -> Vec<String> {
    let heavy = |row: &Value| {
        format!(
            "{} ({}) weighs {} bytes",
            text(row, "request_id"),
            text(row, "source"),
            weight(row)
        )
    };
    world.rows().iter().filter(|row| weight(row) > LARGEST_ROW).map(heavy).collect()
}

/// `status`, or `status: reason`.
pub(crate) fn ended(row: &Value) -> String {
    let reason = text(row, "reason");
    if reason.is_empty() {
        text(row, "status").to_owned()
    } else {
        format!("{}: {reason}", text(row, "status"))
    }
}

/// A row of the table as it is now; `null` if it is gone.
pub(crate) fn row(world: &World, request_id: &str) -> Value {
    let get = json!({ "TableName": "interactions", "Key": { "request_id": { "S": request_id } } });
    let got = world.stack.database.get_item(serde_json::from_value(get).unwrap()).unwrap();
    serde_json::to_value(got).unwrap()["Item"].take()
}

/// Puts a row as it is.
pub(crate) fn put_row(world: &World, row: &Value) {
    let put = json!({ "TableName": "interactions", "Item": row });
    world.stack.database.put_item(serde_json::from_value(put).unwrap()).unwrap();
}

/// How often a row was found due, by what it was then.
pub(crate) type Looks = HashMap<(String, String), usize>;

/// Days go by: the schedule fires whenever something is due, and other customers are mailed now and
/// then, whose events are evidence. Ends once nothing waits, when `longest` is over, or as soon as
/// a queued row was looked at more than `most` times.
pub(crate) async fn days_go_by(
    scenario: &mut Scenario,
    longest: SignedDuration,
    most: usize,
) -> Looks {
    let begun = scenario.world.now();
    let mut looks = Looks::new();
    let mut seen: HashMap<String, i64> = HashMap::new();
    let mut others = [7, 20, 60, 300, 1_500].into_iter().peekable();
    loop {
        scenario.run(&[Step::Sweep, Step::Settle]).await;
        let waiting = waiting(&scenario.world);
        for (id, status, wake_at) in &waiting {
            if seen.insert(id.clone(), *wake_at).is_some_and(|before| before != *wake_at) {
                *looks.entry((id.clone(), status.clone())).or_default() += 1;
            }
        }
        let over = looks.iter().any(|((_, status), count)| status == "queued" && *count > most);
        let elapsed = scenario.world.now().duration_since(begun);
        let Some(next) = waiting
            .iter()
            .map(|(_, _, wake_at)| *wake_at)
            .min()
            .filter(|_| !over && elapsed < longest)
        else {
            return looks;
        };
        let next = Timestamp::from_millisecond(next).unwrap().duration_since(scenario.world.now());
        scenario.world.advance(next.max(SignedDuration::from_secs(60)));
        if let Some(minutes) = others.next_if(|minutes| elapsed.as_mins() >= *minutes) {
            let other = Post::request(
                "email",
                &format!("other-{minutes}"),
                &format!("other-{minutes}@customers.example"),
            );
            scenario.run(&[Step::Post(other)]).await;
        }
    }
}

/// Of every row that waits: id, status and when it is looked at, read without the rest of it.
pub(crate) fn waiting(world: &World) -> Vec<(String, String, i64)> {
    let mut waiting = Vec::new();
    for shard in 0..store::DUE_SHARDS {
        let query = json!({
            "TableName": "interactions", "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard",
            "ExpressionAttributeValues": { ":shard": { "S": format!("due#{shard}") } },
        });
        let found = serde_json::to_value(
            world.stack.database.query(serde_json::from_value(query).unwrap()).unwrap(),
        )
        .unwrap();
        let of = |row: &Value| {
            let wake_at = row["wake_at"]["N"].as_str().unwrap().parse().unwrap();
            (text(row, "request_id").to_owned(), text(row, "status").to_owned(), wake_at)
        };
        waiting.extend(found["Items"].as_array().unwrap().iter().map(of));
    }
    waiting
}

/// The digest of the local live key: the id of its config item.
pub(crate) fn live_digest() -> String {
    intake::digest(seed::LIVE_KEY.as_bytes())
}
