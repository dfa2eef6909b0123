//! Three weeks of the sample company, as the functions would have written them: 12 agents and 300
//! requests, with their answers, bounces, unsubscribes and tallies. `cargo run` writes them before
//! it plays the samples, so that the admin pages show something.
//!
//! The functions themselves cannot do it: they live in the present, and each mail would be in the
//! mailbox. So the requests are read by `normalize` and judged by `policy`, and the rows are made
//! and written by `store`. What this module adds is what happened afterwards: it sets the
//! attributes that claim, mail and event set. It writes two kinds of items itself, which `store`
//! writes only in passing: suppression windows (as `Store::claim` does) and tallies (as
//! `Store::tally` does). A test counts the tallies again with `store`, and reads every row back.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::{Company, Mode, Outcome, Reason, RequestedVia, Status, Verdict, saturating_add};
use serde_json::{Value, json};
use store::{Answer, Arrival, Conversation, Interaction, NewInteraction, Resolution, Store};
use uuid::Uuid;

use crate::database::{Database, put_if_absent, request};
use crate::functions::FunctionError;
use crate::history_plan::{AGENTS, Fate, Planned, plan};
use crate::seed::{self, item};
use crate::stack::Stack;
use crate::{Error, Result};

/// Rows that are written at once.
const AT_ONCE: usize = 16;
/// Bytes of a sender's body that are kept, as `intake` does.
const KEPT_BODY: usize = 8 * 1024;

/// Seconds.
const A_DAY: i64 = 24 * 3_600;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Requests.
    pub requests: usize,
    /// Answers to them.
    pub answers: usize,
}

/// Writes the history up to `now`, unless a request has been recorded before. The channel `phone`
/// becomes manual, as a channel is before an admin has flipped it.
///
/// # Errors
/// If the tables cannot be read or written.
pub async fn write(stack: &Stack, now: Timestamp) -> std::result::Result<Written, FunctionError> {
    if !is_empty(&stack.database)? {
        return Ok(Written::default());
    }
    configure(&stack.database)?;
    let store = stack.bundle.store();
    let mut past = Past::new(store, now).await?;
    for planned in plan(now) {
        past.request(&planned).await?;
    }
    let rows = futures::stream::iter(past.rows.iter().map(Ok));
    rows.try_for_each_concurrent(AT_ONCE, |row| async move {
        store.record(row, &[], row.created_at).await.map(drop)
    })
    .await?;
    let by_id: HashMap<Uuid, &Interaction> =
        past.rows.iter().map(|row| (row.request_id, row)).collect();
    futures::stream::iter(&past.answers)
        .map(Ok::<_, FunctionError>)
        .try_for_each_concurrent(AT_ONCE, |(id, answer)| {
            let row = by_id.get(id);
            async move {
                if let Some(row) = row {
                    store.answer(row, answer).await?;
                }
                Ok(())
            }
        })
        .await?;
    for (subject, customer) in &past.customers {
        customer.write(stack, subject, now).await?;
    }
    for tally in tallies(&past.rows) {
        put(&stack.database, "config", &tally)?;
    }
    Ok(Written { requests: past.rows.len(), answers: past.answers.len() })
}

fn is_empty(database: &Database) -> Result<bool> {
    let scan = request(json!({ "TableName": "interactions", "Limit": 1 }))?;
    let found = database.scan(scan).map_err(|problem| Error::database("history", problem))?;
    let found =
        serde_json::to_value(found).map_err(|problem| Error::database("history", problem))?;
    Ok(found["Count"] == 0)
}

fn put(database: &Database, table: &str, item: &Value) -> Result<()> {
    let put = request(json!({ "TableName": table, "Item": item }))?;
    database.put_item(put).map(drop).map_err(|problem| Error::database("history", problem))
}

/// The agents, and the channel `phone` as manual if nobody has edited it.
fn configure(database: &Database) -> Result<()> {
    for (name, status, custom_id) in AGENTS {
        let first = name.split(' ').next().unwrap_or(name).to_lowercase().replace('é', "e");
        let email = format!("{first}@blancapeak.example");
        let agent = json!({ "name": name, "status": status, "custom_id": custom_id });
        put_if_absent(database, "config", "kind", &item("employee", &email, &agent))?;
        let pointer = item("employee_id", custom_id, &json!({ "email": email }));
        put_if_absent(database, "config", "kind", &pointer)?;
    }
    let phone = seed::get(database, "channel", "phone")?;
    if phone == seed::phone("integrated") {
        seed::put(database, &seed::phone("manual"))?;
    }
    Ok(())
}

/// What the history has come to.
struct Past<'a> {
    store: &'a Store,
    settings: std::sync::Arc<store::Settings>,
    now: Timestamp,
    rows: Vec<Interaction>,
    answers: Vec<(Uuid, Answer)>,
    /// In order, so that the same day has the same history.
    customers: BTreeMap<String, Customer>,
}

/// What is held against mailing a customer.
#[derive(Clone, Copy, Debug, Default)]
struct Customer {
    window: Option<(Uuid, Timestamp)>,
    unsubscribed: Option<(Timestamp, &'static str)>,
    bounced: Option<Timestamp>,
}

impl<'a> Past<'a> {
    async fn new(store: &'a Store, now: Timestamp) -> std::result::Result<Self, FunctionError> {
        let settings = store.settings(now).await?;
        Ok(Self {
            store,
            settings,
            now,
            rows: Vec::new(),
            answers: Vec::new(),
            customers: BTreeMap::new(),
        })
    }

    /// Judges a request at its time, and lets happen what happened.
    async fn request(&mut self, planned: &Planned) -> std::result::Result<(), FunctionError> {
        let Some(understood) = planned.understood()? else { return Ok(()) };
        let employee = match &understood.employee {
            Some(employee) => self.store.employee(employee, self.now).await?,
            None => None,
        };
        let facts = self.settings.facts(employee.as_ref());
        let verdict = policy::decide(&understood, planned.mode, &facts, planned.at);
        let sendable = matches!(verdict, Verdict::Send(_));
        let conversation = understood.ext_interaction_id.clone().map(|conversation_id| {
            let customer_id = format!("of-{conversation_id}");
            Conversation { conversation_id, customer_id, agent_id: None }
        });
        let secret = self.store.secret(self.now).await?;
        let resolution = Resolution::of(&understood, verdict, secret);
        let subject = resolution.subject().map(Subject::as_text);
        let key = if planned.mode == Mode::Test { seed::TEST_KEY } else { seed::LIVE_KEY };
        let mut row = NewInteraction {
            mode: planned.mode,
            key: seed::digest(key),
            source: planned.source,
            requested_via: RequestedVia::Api,
            arrival: Arrival::Decided(Box::new(resolution)),
            due: planned.at,
            ext_interaction_id: understood.ext_interaction_id.clone(),
            body: Some(normalize::masked_body(planned.body.as_bytes(), KEPT_BODY)),
            more_tags: None,
            marker: None,
            retention: self.settings.company.kept(),
        }
        .into_row(planned.at);
        if planned.source == normalize::Source::Gladly {
            row.conversation = conversation;
        }
        if sendable {
            self.carry_on(&mut row, subject.as_deref(), &planned.fate);
        }
        self.rows.push(row);
        Ok(())
    }

    /// What happens to a request that passed the checks at receipt.
    fn carry_on(&mut self, row: &mut Interaction, subject: Option<&str>, fate: &Fate) {
        let at = seconds_after(row.created_at, 1);
        let live = row.mode == Mode::Live;
        let mut aside = Customer::default();
        let customer = match subject.filter(|_| live) {
            Some(subject) => self.customers.entry(subject.to_owned()).or_default(),
            None => &mut aside,
        };
        let held = customer.held(at);
        let ended = match fate {
            // It is waited for evidence for a day.
            Fate::Ended(Reason::Unconfirmed) if seconds_after(at, A_DAY) > self.now => None,
            Fate::Ended(reason) => Some(*reason),
            _ => None,
        };
        // In the order of the contract: what is held against the customer is found at the claim,
        // which a request that is taken back does not reach.
        let taken_back = ended.filter(|reason| reason.outcome() == Outcome::NotSent);
        if let Some(reason) = taken_back.or(held).or(ended) {
            end(row, reason, &self.settings.company, at);
            return;
        }
        let sent_at = seconds_after(at, 1);
        claimed(row, &self.settings.company, at);
        row.sent_at = Some(sent_at);
        row.message_id = Some(format!("{:016x}-{}-000000", at.as_millisecond(), row.request_id));
        waits_no_more(row);
        let window = saturating_add(at, self.settings.company.suppression);
        customer.window = Some((row.request_id, window));
        let outcome_at = seconds_after(at, 3);
        let later = |seconds| seconds_after(outcome_at, seconds).min(seconds_after(self.now, -60));
        let status = match fate {
            Fate::Mailed(status) => *status,
            _ => Status::Delivered,
        };
        row.status = status;
        row.outcome_at = Some(outcome_at);
        match fate {
            Fate::Mailed(Status::HardBounce) => customer.bounced = Some(outcome_at),
            Fate::Mailed(Status::Complained) => {
                customer.unsubscribed = Some((outcome_at, "complaint"));
            }
            Fate::Unsubscribed => customer.unsubscribed = Some((later(5_400), "page")),
            // Test requests keep no answers. A mail that has just arrived is not answered yet.
            Fate::Answered { stars, comment, topics, after } if live => {
                let answered_at = saturating_add(outcome_at, *after);
                if answered_at < seconds_after(self.now, -60) {
                    let (comment, topics) = (comment.clone(), topics.clone());
                    let answer = Answer { stars: *stars, comment, topics, at: answered_at };
                    self.answers.push((row.request_id, answer));
                }
            }
            _ => {}
        }
    }
}

impl Customer {
    /// Why the customer is not mailed at `at`, in the order of the contract.
    fn held(&self, at: Timestamp) -> Option<Reason> {
        if self.unsubscribed.is_some_and(|(since, _)| since <= at) {
            return Some(Reason::Unsubscribed);
        }
        if self.bounced.is_some_and(|since| since <= at) {
            return Some(Reason::Rejected);
        }
        let window = self.window.filter(|(_, until)| *until > at);
        window.map(|_| Reason::SuppressionPeriod)
    }

    async fn write(
        &self,
        stack: &Stack,
        subject: &str,
        now: Timestamp,
    ) -> std::result::Result<(), FunctionError> {
        let store = stack.bundle.store();
        if let Some((request_id, until)) = self.window.filter(|(_, until)| *until > now) {
            let window = json!({
                "subject": { "S": subject }, "kind": { "S": "window" },
                "request_id": { "S": request_id.to_string() },
                "expires_at": { "N": until.as_second().to_string() },
            });
            put(&stack.database, "suppression", &window)?;
        }
        let Some(subject) = Subject::from_text(subject) else { return Ok(()) };
        if let Some((at, by)) = self.unsubscribed {
            store.unsubscribe(&subject, None, by, at).await?;
        }
        if let Some(at) = self.bounced {
            let settings = store.settings(now).await?;
            store.bounced(&subject, settings.company.bounce, at).await?;
        }
        Ok(())
    }
}

/// As a claim leaves a row.
fn claimed(row: &mut Interaction, company: &Company, at: Timestamp) {
    let open_until = saturating_add(at, company.open);
    row.claim_id = Some(Uuid::now_v7().to_string());
    row.claimed_at = Some(at);
    row.open_until = Some(open_until);
    row.expires_at = row.expires_at.max(seconds_after(open_until, 2 * A_DAY).as_second());
}

/// As an end without a mail leaves a row.
fn end(row: &mut Interaction, reason: Reason, company: &Company, at: Timestamp) {
    row.status = reason.outcome().status();
    row.reason = Some(reason);
    let later = match reason {
        Reason::SendAttempts => 3_600,
        Reason::Unconfirmed => A_DAY,
        _ => 0,
    };
    row.ended_at = Some(seconds_after(at, later));
    if matches!(reason, Reason::SendAttempts | Reason::Unconfirmed) {
        claimed(row, company, at);
        row.attempts = if reason == Reason::SendAttempts { company.send_attempts } else { 0 };
    }
    waits_no_more(row);
}

fn waits_no_more(row: &mut Interaction) {
    row.wake_at = None;
    row.ready = None;
    row.due_at = None;
}

fn seconds_after(at: Timestamp, seconds: i64) -> Timestamp {
    saturating_add(at, SignedDuration::from_secs(seconds))
}

/// The items `tally/<hour>`, as `Store::tally` writes them.
fn tallies(rows: &[Interaction]) -> Vec<Value> {
    let mut hours: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in rows {
        let hour = row.created_at.strftime("%Y-%m-%dT%H").to_string();
        let reason = row.reason.map(Reason::code).unwrap_or_default();
        let name = [row.mode.as_str(), row.source.as_str(), row.status.as_str(), reason].join("/");
        *hours.entry(hour).or_default().entry(name).or_default() += 1;
    }
    hours.iter().map(|(hour, counts)| item("tally", hour, &json!({ "counts": counts }))).collect()
}
