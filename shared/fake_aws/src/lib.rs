//! For tests of one function: a server in this process that stands in for DynamoDB and SES.
//!
//! It records each call and answers it as the test's script says. So a test sees which calls a
//! function made, and decides which of them fail. It stores nothing: what depends on the content
//! of tables is tested in `local`, against an embedded DynamoDB.
//!
//! **Invariant:** only tests depend on this crate.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One call that the server received.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The name of DynamoDB's operation (`GetItem`, `TransactWriteItems`, …), or `SendEmail`.
    pub operation: String,
    /// The request's JSON.
    pub body: Value,
}

/// How the server answers one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    status: u16,
    error: &'static str,
    body: Value,
}

impl Reply {
    /// 200 with this JSON.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, error: "", body }
    }

    /// An error with this name, as both services write it.
    pub fn error(status: u16, error: &'static str) -> Self {
        Self { status, error, body: json!({ "__type": error, "message": "as the test says" }) }
    }

    /// `ConditionalCheckFailedException` of a single write; `item` is what stands in the table, in
    /// DynamoDB's JSON.
    pub fn condition_failed(item: Value) -> Self {
        let mut reply = Self::error(400, "ConditionalCheckFailedException");
        reply.body["Item"] = item;
        reply
    }

    /// A cancelled transaction: one reason for each of its actions, in order. The reason of an
    /// action that did not fail is `{"Code": "None"}`.
    pub fn cancelled(reasons: &[Value]) -> Self {
        let mut reply = Self::error(400, "TransactionCanceledException");
        reply.body["CancellationReasons"] = json!(reasons);
        reply
    }
}

/// The server. It ends with the test's runtime.
#[derive(Clone, Debug)]
pub struct FakeAws {
    endpoint: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl FakeAws {
    /// Starts a server on a free port of loopback. `script` answers each call.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(script: impl Fn(&Call) -> Reply + Clone + Send + Sync + 'static) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&calls);
        let answer = move |uri: Uri, headers: HeaderMap, body: String| async move {
            let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = match target.and_then(|target| target.rsplit_once('.')) {
                Some((_, operation)) => operation,
                None if uri.path() == "/v2/email/outbound-emails" => "SendEmail",
                None => return StatusCode::NOT_FOUND.into_response(),
            };
            let body = serde_json::from_str(&body).unwrap_or_default();
            let call = Call { operation: operation.to_owned(), body };
            let reply = script(&call);
            recorded.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            let status = StatusCode::from_u16(reply.status).expect("the script's status is one");
            (status, [("x-amzn-errortype", reply.error)], reply.body.to_string()).into_response()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port that was bound");
        let server = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, server).await });
        Self { endpoint: format!("http://{address}"), calls }
    }

    /// An SDK configuration whose clients call this server.
    pub fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests of one operation so far, in order.
    pub fn requests(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls().into_iter();
        calls.filter(|call| call.operation == operation).map(|call| call.body).collect()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    #[tokio::test]
    async fn calls_are_recorded_and_answered_as_the_script_says() {
        let aws = FakeAws::start(|call| match call.body["Key"]["id"]["S"].as_str() {
            Some("there") => Reply::ok(json!({ "Item": { "id": { "S": "there" } } })),
            _ => Reply::error(400, "ResourceNotFoundException"),
        })
        .await;
        let client = Client::new(&aws.config());
        let get = |id: &str| {
            client.get_item().table_name("t").key("id", AttributeValue::S(id.to_owned())).send()
        };
        assert!(get("there").await.unwrap().item.is_some());
        let error = get("elsewhere").await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
        assert_eq!(aws.requests("GetItem").len(), 2);
        assert_eq!(aws.requests("PutItem").len(), 0);
    }
}
