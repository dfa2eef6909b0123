//! The function with an embedded DynamoDB and a fake of Gladly, both over HTTP. Tests pass the time
//! in and never wait.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use fakes::gladly::{self, FakeReply, Gladly as Fake};
use gladly_resolve::{AllowedHosts, Gladly, Resolver};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use links::SubjectSecret;
use normalize::Source;
use policy::{Mode, Reason, RequestedVia, Status};
use serde_json::{Map, Value, json};
use store::{
    Arrival, Conversation, DUE_SHARDS, Interaction, NewInteraction, Store, Tables, config_items,
};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The time at which tests start.
pub fn start() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// Minutes after the start.
pub fn minute(minutes: i64) -> Timestamp {
    start() + minutes.minutes()
}

/// The API token. The fake accepts any.
pub const TOKEN: &str = "local";

/// The function, with the tables and the Gladly of one company.
pub struct App {
    /// The function.
    pub resolver: Resolver,
    /// The sample organisation.
    pub gladly: Fake,
    /// A client for the tables, to read what no function reads.
    pub dynamodb: Client,
    /// The URL of the fake.
    pub base_url: String,
}

impl App {
    /// Blanca Peak: two integrated channels, one employee.
    pub async fn new() -> Self {
        let database = serve(|listener| async move {
            let database = dynoxide::Database::memory().unwrap();
            dynoxide::server::serve_on(listener, database).await;
        });
        let gladly = Fake::sample();
        let served = gladly.clone();
        let api = serve(|listener| async move { gladly::serve(listener, served).await.unwrap() });
        let aws = aws(&format!("http://{}", database.await)).await;
        let dynamodb = Client::new(&aws);
        create_tables(&dynamodb).await;
        let base_url = format!("http://{}", api.await);
        let app = Self { resolver: resolver(store(&aws), TOKEN), gladly, dynamodb, base_url };
        app.configure(&[
            json!({ "kind": "company", "id": "settings", "name": "Blanca Peak" }),
            json!({ "kind": "channel", "id": "email", "mode": "integrated" }),
            json!({ "kind": "channel", "id": "chat", "mode": "integrated" }),
            json!({
                "kind": "employee", "id": "paul@blancapeak.example",
                "name": "Paul Peak", "status": "approved",
            }),
            integration(&app.base_url, "api@blancapeak.example"),
        ])
        .await;
        app
    }

    /// Writes config items. The function sees them when its cache is older than 30 s.
    pub async fn configure(&self, items: &[Value]) {
        for item in config_items(items).unwrap() {
            self.dynamodb
                .put_item()
                .table_name("config")
                .set_item(Some(item))
                .send()
                .await
                .unwrap();
        }
    }

    /// Records a conversation of the sample organisation, as the webhook does.
    pub async fn close(&self, conversation: &str, customer: &str, agent: Option<&str>) -> Uuid {
        self.close_in(Mode::Live, conversation, customer, agent).await
    }

    /// As [`Self::close`], with a key of this mode.
    pub async fn close_in(
        &self,
        mode: Mode,
        conversation: &str,
        customer: &str,
        agent: Option<&str>,
    ) -> Uuid {
        self.close_at(
            mode,
            conversation,
            customer,
            agent,
            start(),
            SignedDuration::from_hours(24 * 90),
        )
        .await
    }

    /// As [`Self::close_in`], at the time `at`, with a row that is kept for `retention`.
    pub async fn close_at(
        &self,
        mode: Mode,
        conversation: &str,
        customer: &str,
        agent: Option<&str>,
        at: Timestamp,
        retention: SignedDuration,
    ) -> Uuid {
        let new = NewInteraction {
            mode,
            key: "0".repeat(64),
            requested_via: RequestedVia::Api,
            source: Source::Gladly,
            arrival: Arrival::ToBeAsked(Conversation {
                conversation_id: conversation.to_owned(),
                customer_id: customer.to_owned(),
                agent_id: agent.map(str::to_owned),
            }),
            due: at,
            ext_interaction_id: Some(conversation.to_owned()),
            body: None,
            more_tags: None,
            marker: None,
            retention,
        };
        let row = new.into_row(at);
        self.resolver.store.record(&row, &[], at).await.unwrap();
        row.request_id
    }

    /// The item in DynamoDB's JSON, as the stream contains it.
    pub async fn image(&self, id: Uuid) -> Option<Map<String, Value>> {
        let key = AttributeValue::S(id.to_string());
        let got = self
            .dynamodb
            .get_item()
            .table_name("interactions")
            .key("request_id", key)
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        got.item.map(|item| {
            item.iter().map(|(name, value)| (name.clone(), dynamodb_json(value))).collect()
        })
    }

    /// The row as it is now.
    pub async fn row(&self, id: Uuid) -> Interaction {
        stream_events::interaction_from_image(&self.image(id).await.unwrap()).unwrap()
    }

    /// Delivers the row as the stream does, and returns the row as it is then. The row must pass
    /// the filter of the stream, and no record may fail.
    pub async fn look_up(&self, id: Uuid, now: Timestamp) -> Interaction {
        let row = self.row(id).await;
        assert!(
            row.status == Status::Unresolved && row.ready == Some(1),
            "the filter of the stream lets no other row pass: {row:?}"
        );
        let event = json!({ "Records": [record("1", self.image(id).await.unwrap())] });
        assert_eq!(self.resolver.handle(&event, now).await, json!({ "batchItemFailures": [] }));
        self.row(id).await
    }

    /// [`Self::close`] and [`Self::look_up`].
    pub async fn resolve(
        &self,
        conversation: &str,
        customer: &str,
        agent: Option<&str>,
    ) -> Interaction {
        let id = self.close(conversation, customer, agent).await;
        self.look_up(id, start()).await
    }

    /// Makes rows ready that are due, as `sweep` does. Returns how many.
    pub async fn sweep(&self, now: Timestamp) -> usize {
        let mut woken = 0;
        for shard in 0..DUE_SHARDS {
            for due in self.resolver.store.due(shard, now, 100).await.unwrap() {
                woken += usize::from(matches!(
                    self.resolver.store.wake(&due, now).await.unwrap(),
                    store::Woken::Ready { .. }
                ));
            }
        }
        woken
    }

    /// How many calls of this path the fake has received.
    pub fn calls(&self, path: &str) -> usize {
        self.gladly.calls().iter().filter(|call| *call == path).count()
    }
}

/// The config item `integration/gladly`.
pub fn integration(base_url: &str, agent_email: &str) -> Value {
    json!({
        "kind": "integration", "id": "gladly", "base_url": base_url, "agent_email": agent_email,
    })
}

/// A record of the stream.
pub fn record(sequence: &str, image: Map<String, Value>) -> Value {
    json!({
        "eventID": sequence, "eventName": "MODIFY",
        "dynamodb": { "NewImage": image, "SequenceNumber": sequence },
    })
}

/// The function with this token.
pub fn resolver(store: Store, token: &str) -> Resolver {
    Resolver { store, gladly: Gladly::new(token, AllowedHosts::new("127.0.0.1")).unwrap() }
}

/// A store of the four tables.
pub fn store(aws: &SdkConfig) -> Store {
    Store::new(aws, Tables::default(), SubjectSecret::new("test"))
}

/// The SDK's configuration for one endpoint.
pub async fn aws(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "test");
    let aws = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("local"));
    aws.credentials_provider(credentials).endpoint_url(endpoint).load().await
}

/// Asserts that a request ended with this reason.
pub fn assert_ended(row: &Interaction, reason: Reason) {
    assert_eq!((row.status, row.reason), (reason.outcome().status(), Some(reason)));
    assert_eq!((row.ready, row.wake_at), (None, None), "it is at its end");
}

/// Asserts that a request waits for another lookup, for at least `from` and at most `to` seconds
/// after `now`.
pub fn assert_waits(row: &Interaction, now: Timestamp, from: i64, to: i64) {
    assert_eq!((row.status, row.ready), (Status::Unresolved, None));
    let wait = row.wake_at.unwrap().duration_since(now).as_secs();
    assert!((from..=to).contains(&wait), "{wait}");
}

/// Answers a path of Gladly's API with an error.
pub fn fail(app: &App, path: &str, status: u16) {
    app.gladly.answer(path, FakeReply::error(status.try_into().unwrap(), "trouble"));
}

async fn serve<F: Future<Output = ()> + Send + 'static>(
    with: impl FnOnce(TcpListener) -> F,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(with(listener));
    address
}

fn dynamodb_json(value: &AttributeValue) -> Value {
    let map = |map: &HashMap<String, AttributeValue>| {
        map.iter().map(|(name, value)| (name.clone(), dynamodb_json(value))).collect()
    };
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::L(values) => {
            json!({ "L": values.iter().map(dynamodb_json).collect::<Vec<_>>() })
        }
        AttributeValue::M(fields) => json!({ "M": Value::Object(map(fields)) }),
        other => panic!("no such attribute is written: {other:?}"),
    }
}

async fn create_tables(client: &Client) {
    create(client, "config", &["kind", "id"], &[]).await;
    create(client, "suppression", &["subject", "kind"], &[]).await;
    let indexes: [(&str, &[&str]); 2] = [
        ("due", &["due_shard", "wake_at"]),
        ("ext_interaction_id", &["ext_interaction_id", "request_id"]),
    ];
    create(client, "interactions", &["request_id"], &indexes).await;
}

async fn create(client: &Client, table: &str, key: &[&str], indexes: &[(&str, &[&str])]) {
    let schema = |names: &[&str]| -> Vec<KeySchemaElement> {
        let kinds = [KeyType::Hash, KeyType::Range];
        let elements = names.iter().zip(kinds).map(|(name, kind)| {
            KeySchemaElement::builder().attribute_name(*name).key_type(kind).build().unwrap()
        });
        elements.collect()
    };
    let names: BTreeSet<&&str> =
        key.iter().chain(indexes.iter().flat_map(|(_, names)| *names)).collect();
    let attributes = names.into_iter().map(|name| {
        let kind = if *name == "wake_at" { ScalarAttributeType::N } else { ScalarAttributeType::S };
        AttributeDefinition::builder().attribute_name(*name).attribute_type(kind).build().unwrap()
    });
    let mut request =
        client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    request = request
        .set_key_schema(Some(schema(key)))
        .set_attribute_definitions(Some(attributes.collect()));
    for (name, names) in indexes {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(*name)
            .set_key_schema(Some(schema(names)))
            .projection(all);
        request = request.global_secondary_indexes(index.build().unwrap());
    }
    request.send().await.unwrap();
}
