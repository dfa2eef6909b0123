//! For tests: the four tables of `template.yaml` in an embedded DynamoDB behind a real endpoint,
//! and a company whose every channel sends.
//!
//! **Invariant:** no function and no crate depends on this one, but for its tests. A failure here
//! is a panic: it fails the test.

#![expect(clippy::unwrap_used, reason = "used by tests alone")]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use dynoxide::Database;
use lambda_http::{Body, Request, Response};
use links::SubjectSecret;
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Store, Tables};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A live key with the scopes `send` and `read`.
pub const LIVE_KEY: &str = "aw_live_tests";
/// A test key with the scopes `send` and `read`.
pub const TEST_KEY: &str = "aw_test_tests";
/// `SUBJECT_SECRET` of the stores.
pub fn secret() -> SubjectSecret {
    SubjectSecret::new("test")
}

/// The tables of one test.
pub struct TestTables {
    /// The tables, as functions see them.
    pub store: Store,
    database: Database,
    aws: SdkConfig,
}

impl TestTables {
    /// Empty tables. The endpoint stops with the test's runtime.
    pub async fn empty() -> Self {
        let database = Database::memory().unwrap();
        for table in tables(include_str!("../../../template.yaml")) {
            database.create_table(serde_json::from_value(table).unwrap()).unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let credentials = Credentials::new("test", "test", None, None, "test");
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self { store: new_store(&aws), database, aws }
    }

    /// Tables of a company with the channels `email` and `chat`, the employee
    /// `paul@company.example`, and both keys.
    pub async fn company() -> Self {
        let tables = Self::empty().await;
        let key = |key: &str, mode: &str| {
            let digest: String =
                Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "kind": "key", "id": digest, "mode": mode, "scopes": ["send", "read"] })
        };
        tables.configure(&[
            json!({ "kind": "company", "id": "settings", "name": "Company" }),
            json!({
                "kind": "deployment", "id": "subject_secret",
                "fingerprint": secret().fingerprint(),
            }),
            json!({ "kind": "channel", "id": "email", "mode": "integrated" }),
            json!({ "kind": "channel", "id": "chat", "mode": "integrated" }),
            json!({
                "kind": "employee", "id": "paul@company.example", "name": "Paul",
                "status": "approved",
            }),
            key(LIVE_KEY, "live"),
            key(TEST_KEY, "test"),
        ]);
        tables
    }

    /// Another store on the same tables, which remembers nothing of the configuration.
    pub fn fresh_store(&self) -> Store {
        new_store(&self.aws)
    }

    /// Puts config items, given as plain JSON.
    pub fn configure(&self, items: &[Value]) {
        for item in items {
            self.put("config", &dynamodb_json(item)["M"]);
        }
    }

    /// Puts an item, given in DynamoDB's JSON.
    pub fn put(&self, table: &str, item: &Value) {
        let put = json!({ "TableName": table, "Item": item });
        self.database.put_item(serde_json::from_value(put).unwrap()).unwrap();
    }

    /// Changes attributes of a row, given in DynamoDB's JSON.
    pub fn change_row(&self, request_id: Uuid, attributes: &Value) {
        let mut row = self.row(request_id).unwrap();
        let changed = attributes.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(changed);
        self.put("interactions", &row);
    }

    /// The row in DynamoDB's JSON.
    pub fn row(&self, request_id: Uuid) -> Option<Value> {
        let mut rows = self.items("interactions").into_iter();
        rows.find(|row| row["request_id"]["S"] == json!(request_id.to_string()))
    }

    /// Every item of a table in DynamoDB's JSON.
    pub fn items(&self, table: &str) -> Vec<Value> {
        let scan = serde_json::from_value(json!({ "TableName": table })).unwrap();
        let found = serde_json::to_value(self.database.scan(scan).unwrap()).unwrap();
        found["Items"].as_array().unwrap().clone()
    }
}

/// A call as API Gateway makes it. `path` may have a query.
pub fn call(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let (raw_path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let event = json!({
        "version": "2.0",
        "routeKey": format!("{method} {raw_path}"),
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "test", "domainName": "test",
            "domainPrefix": "test", "requestId": "test", "routeKey": raw_path,
            "stage": "$default", "time": "21/Nov/2026:09:00:00 +0000", "timeEpoch": 0,
            "http": {
                "method": method, "path": raw_path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "test",
            },
        },
        "body": body,
        "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// A reply's status and its JSON.
pub fn reply(response: Response<Body>) -> (u16, Value) {
    let bytes: &[u8] = response.body().as_ref();
    (response.status().as_u16(), serde_json::from_slice(bytes).unwrap())
}

fn new_store(aws: &SdkConfig) -> Store {
    let tables = Tables::default();
    Store::new(aws, tables, secret())
}

/// Plain JSON as DynamoDB's.
fn dynamodb_json(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => {
            json!({ "L": values.iter().map(dynamodb_json).collect::<Vec<_>>() })
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), dynamodb_json(value))).collect();
            json!({ "M": fields })
        }
    }
}

/// The bodies of `CreateTable` for the tables of a SAM template. `ConfigTable` is named `config`.
fn tables(template: &str) -> Vec<Value> {
    let documents = Yaml::load_from_str(template).unwrap();
    let root = plain(documents.first().unwrap());
    let resources = root["Resources"].as_object().unwrap();
    let tables = resources.iter().filter(|(_, r)| r["Type"] == json!("AWS::DynamoDB::Table"));
    tables
        .map(|(id, resource)| {
            let name = id.strip_suffix("Table").unwrap_or(id).to_lowercase();
            let mut create = Map::from_iter([("TableName".to_owned(), json!(name))]);
            let wanted =
                ["KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes"];
            for property in wanted {
                let value = resource["Properties"].get(property);
                create.extend(value.map(|value| (property.to_owned(), value.clone())));
            }
            Value::Object(create)
        })
        .collect()
}

/// YAML as JSON. What CloudFormation's short tags hold is kept, the tag is not: no table has one.
fn plain(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(plain).collect(),
        Yaml::Mapping(fields) => fields
            .iter()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), plain(value)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(_, value) => plain(value),
        _ => Value::Null,
    }
}
