//! A stack that tests drive by hand: real functions, real SDK, real HTTP, and a clock that only
//! tests move.

#![expect(dead_code, reason = "each test file uses its own part of it")]

pub(crate) mod admin;
pub(crate) mod forms;
pub(crate) mod hostile;
pub(crate) mod random_run;
pub(crate) mod scenario;
pub(crate) mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use fakes::mailbox::Message;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::{SignedDuration, Timestamp};
use local::bundle::Clock;
use local::seed;
use local::stack::{Options, Stack, url};
use policy::SendEvents;
use serde_json::{Value, json};

/// The local live key.
pub(crate) const LIVE: &str = seed::LIVE_KEY;
/// The local test key.
pub(crate) const TEST: &str = seed::TEST_KEY;

pub(crate) struct World {
    pub(crate) stack: Stack,
    time: Arc<AtomicI64>,
    client: Client<HttpConnector, Body>,
}

/// A reply of the API.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub(crate) fn id(&self) -> String {
        self.json()["request_id"]
            .as_str()
            .unwrap_or_else(|| panic!("no request_id: {}", self.text))
            .to_owned()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// As [`World::new`], with a proxy before each endpoint.
    pub(crate) async fn proxied() -> Self {
        Self::with(Options { proxied: true, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::skewed(options, |_| SignedDuration::ZERO).await
    }

    /// As [`World::with`], but a function's clock is off by what `skew` says for it, asked anew for
    /// each invocation.
    pub(crate) async fn skewed(
        options: Options,
        skew: impl Fn(&str) -> SignedDuration + Send + Sync + 'static,
    ) -> Self {
        let start: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        let time = Arc::new(AtomicI64::new(start.as_millisecond()));
        let clock = time.clone();
        let clock = Clock::new(move |function| {
            let true_time = Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap();
            true_time.checked_add(skew(function)).unwrap()
        });
        let stack = Stack::start(Options { clock, automatic: false, ..options }).await.unwrap();
        // A connection for each call: an idle one is closed by the server after a while of real
        // time, and a test may be slow.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { stack, time, client }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.time.load(Ordering::SeqCst)).unwrap()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, by: SignedDuration) {
        self.time.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", url(self.stack.api)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            self.client.request(request.body(Body::from(body.into())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// POSTs JSON with the live key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_as(LIVE, path, body).await
    }

    pub(crate) async fn post_as(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.call(
            "POST",
            path,
            &[("x-api-key", key), ("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[("x-api-key", LIVE)], "").await
    }

    /// A request as the API shows it.
    pub(crate) async fn request(&self, id: &str) -> Value {
        self.get(&format!("/v1/requests/{id}")).await.json()
    }

    /// `status`, or `status: reason`.
    pub(crate) async fn outcome(&self, id: &str) -> String {
        let row = self.request(id).await;
        let reason = row["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}{reason}", row["status"].as_str().unwrap_or("?"))
    }

    /// Puts a config item, as an admin would: plain JSON attributes.
    pub(crate) fn configure(&self, kind: &str, id: &str, attributes: Value) {
        seed::put(&self.stack.database, &seed::item(kind, id, &attributes)).unwrap();
    }

    /// Changes attributes of `company/settings`; the rest stays as seeded.
    pub(crate) fn company(&self, attributes: Value) {
        let mut item = seed::get(&self.stack.database, "company", "settings").unwrap();
        let changed = seed::item("company", "settings", &attributes);
        item.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        seed::put(&self.stack.database, &item).unwrap();
    }

    /// Lets the streams and SES's events run until nothing moves any more.
    pub(crate) async fn settle(&mut self) {
        loop {
            let mut moved = 0;
            for pump in &mut self.stack.pumps {
                moved += pump.drain().await.unwrap();
            }
            moved += self.take_in_events().await;
            if moved == 0 {
                return;
            }
        }
    }

    /// Hands on what SES has published; returns how many events.
    async fn take_in_events(&mut self) -> usize {
        let mut events = Vec::new();
        while let Some(event) = self.stack.events.as_mut().and_then(|events| events.try_recv().ok())
        {
            events.push(event);
        }
        for event in &events {
            self.stack.invoke("mail_events", event.clone()).await.unwrap();
        }
        events.len()
    }

    pub(crate) async fn sweep(&self) -> Value {
        self.stack.invoke("sweep", json!({})).await.unwrap()
    }

    /// Other customers are mailed all the time: the `Send` events of mails claimed in each minute
    /// of this span have arrived.
    pub(crate) fn others_were_mailed(&self, from: Timestamp, until: Timestamp) {
        let mut hours: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for minute in SendEvents::minute(from)..=SendEvents::minute(until) {
            hours.entry(minute.div_euclid(60)).or_default().push(minute.rem_euclid(60).to_string());
        }
        for (hour, minutes) in hours {
            let id = Timestamp::from_second(hour * 3_600)
                .unwrap()
                .strftime("send_events#%Y-%m-%dT%H")
                .to_string();
            let update = json!({
                "TableName": "config", "Key": { "kind": { "S": "watermark" }, "id": { "S": id } },
                "UpdateExpression": "ADD minutes :minutes",
                "ExpressionAttributeValues": { ":minutes": { "NS": minutes } },
            });
            self.stack.database.update_item(serde_json::from_value(update).unwrap()).unwrap();
        }
    }

    /// Mails to an address, oldest first.
    pub(crate) fn mails_to(&self, address: &str) -> Vec<Message> {
        self.stack
            .mailbox
            .messages()
            .into_iter()
            .filter(|message| message.to.iter().any(|to| to == address))
            .collect()
    }

    /// Every row of the interactions table, in DynamoDB JSON.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let (mut rows, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut scan = json!({ "TableName": "interactions" });
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let mut page = serde_json::to_value(
                self.stack.database.scan(serde_json::from_value(scan).unwrap()).unwrap(),
            )
            .unwrap();
            rows.extend(page["Items"].as_array().cloned().unwrap_or_default());
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return rows;
            }
        }
    }

    /// How many items a table holds (no test's production code scans).
    pub(crate) fn count(&self, table: &str) -> usize {
        let scan = serde_json::from_value(json!({ "TableName": table })).unwrap();
        serde_json::to_value(self.stack.database.scan(scan).unwrap()).unwrap()["Count"]
            .as_u64()
            .unwrap() as usize
    }
}

/// A good request of the samples' company.
pub(crate) fn request(ext: &str, email: &str) -> Value {
    json!({
        "channel": "email", "ext_interaction_id": ext, "customer": { "name": "Jane",
        "email": email },
        "employee": { "email": "paul@blancapeak.example" },
    })
}

/// The path of a link in a mail: `/s/TOKEN` or `/u/TOKEN`.
pub(crate) fn link(mail: &Message, kind: &str) -> String {
    let word = mail
        .text
        .split_whitespace()
        .find_map(|word| word.split_once(kind))
        .unwrap_or_else(|| panic!("no {kind} in {}", mail.text));
    format!("{kind}{}", word.1.split('?').next().unwrap())
}

/// The id of a request that comes at this time; those of one time are in the order of their
/// numbers.
pub(crate) fn request_id(at: Timestamp, number: u64) -> String {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(at.as_millisecond().try_into().unwrap(), &bytes)
        .into_uuid()
        .to_string()
}
