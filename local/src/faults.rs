//! A proxy in front of an HTTP endpoint (DynamoDB, SES, a helpdesk's API). It records every call,
//! and breaks the calls that a test chooses.
//!
//! It can close a connection without a reply, before or after the endpoint has seen the call, as a
//! network does. A server of `axum` cannot do that, so this one uses `hyper`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Largest body of a call or a reply, in bytes: DynamoDB's limit.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// One call that the proxy received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Number of the call since the last [`Proxy::plan`], from 0.
    pub number: usize,
    /// Number of the call among those of its operation, from 0.
    pub nth: usize,
    /// The operation of `X-Amz-Target` (`TransactWriteItems`), or method and path (`POST
    /// /v2/email/outbound-emails`).
    pub operation: String,
    /// The function that called, if it is one of the bundle.
    pub caller: Option<String>,
    /// The body as sent.
    pub body: String,
}

/// What the proxy does with a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    /// It passes the call and the reply on.
    #[default]
    None,
    /// The connection closes, and the endpoint has not seen the call.
    CutBefore,
    /// The endpoint does its work, and the connection closes without a reply.
    CutAfter,
    /// The caller gets no reply, however long it waits. The endpoint has not seen the call.
    HangBefore,
    /// The endpoint does its work. The caller gets no reply, however long it waits.
    HangAfter,
    /// The caller gets this reply. The endpoint has not seen the call.
    Reply(InjectedReply),
    /// The endpoint does its work, and the caller gets this reply.
    ReplyAfter(InjectedReply),
}

/// A reply in place of the endpoint's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InjectedReply {
    /// HTTP status.
    pub status: StatusCode,
    /// Further headers. Names and values must be valid in HTTP.
    pub headers: Vec<(&'static str, String)>,
    /// Body, JSON.
    pub body: String,
}

impl InjectedReply {
    /// An error of DynamoDB or SES by its name (`ProvisionedThroughputExceededException`).
    #[must_use]
    pub fn error(status: StatusCode, name: &str, message: &str) -> Self {
        let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"),
            "message": message});
        Self {
            status,
            headers: vec![("x-amzn-errortype", name.to_owned())],
            body: body.to_string(),
        }
    }

    /// DynamoDB throttles.
    #[must_use]
    pub fn throttled() -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput was exceeded.",
        )
    }

    /// SES throttles.
    #[must_use]
    pub fn too_many_requests() -> Self {
        Self::error(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            "Maximum sending rate exceeded.",
        )
    }

    /// The service fails.
    #[must_use]
    pub fn internal() -> Self {
        Self::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "The request could not be completed.",
        )
    }

    /// Another transaction holds an item of this `TransactWriteItems`. The reply names the first
    /// item as the cause.
    #[must_use]
    pub fn transaction_conflict(call: &Call) -> Self {
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let items = body.get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
        let mut reasons = vec![json!({"Code": "None"}); items.max(1)];
        if let Some(first) = reasons.first_mut() {
            *first = json!({"Code": "TransactionConflict",
                "Message": "Transaction is ongoing for the item"});
        }
        let message = "Transaction cancelled, please refer cancellation reasons for \
                       specific reasons [TransactionConflict]";
        let mut answer =
            Self::error(StatusCode::BAD_REQUEST, "TransactionCanceledException", message);
        answer.body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": message,
            "CancellationReasons": reasons,
        })
        .to_string();
        answer
    }
}

/// Chooses the fault of each call.
pub type FaultPlan = Box<dyn Fn(&Call) -> Fault + Send + Sync>;

/// A running proxy; dropping it stops it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: SocketAddr,
    client: Client<HttpConnector, Body>,
    record: Mutex<Record>,
}

struct Record {
    plan: FaultPlan,
    calls: Vec<Call>,
    per_operation: HashMap<String, usize>,
}

impl Proxy {
    /// Starts a proxy on a free port of loopback. Until [`Proxy::plan`], every call passes.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn start(upstream: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let record = Record {
            plan: Box::new(|_| Fault::None),
            calls: Vec::new(),
            per_operation: HashMap::new(),
        };
        let client = Client::builder(TokioExecutor::new()).build_http();
        let shared = Arc::new(Shared { upstream, client, record: Mutex::new(record) });
        let address = listener.local_addr()?;
        Ok(Self { address, shared: shared.clone(), task: tokio::spawn(accept(listener, shared)) })
    }

    /// The proxy's URL, which takes the place of the endpoint's.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the plan for the calls from now on, and forgets the calls so far.
    pub fn plan(&self, plan: impl Fn(&Call) -> Fault + Send + Sync + 'static) {
        let mut record = self.shared.record.lock().unwrap_or_else(PoisonError::into_inner);
        *record = Record { plan: Box::new(plan), calls: Vec::new(), per_operation: HashMap::new() };
    }

    /// Breaks the next `count` calls of an operation with this fault, lets all others pass, and
    /// forgets the calls so far.
    pub fn fail_next(&self, operation: &str, count: usize, fault: Fault) {
        let operation = operation.to_owned();
        self.plan(move |call| {
            if call.operation == operation && call.nth < count {
                fault.clone()
            } else {
                Fault::None
            }
        });
    }

    /// The calls since the last [`Proxy::plan`].
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Close the connection without a reply. hyper does so when the service fails.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(shared.clone(), request));
            // The only errors here are connections that we or the caller closed.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), MAX_BODY_BYTES).await.map_err(|_| Cut)?;
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let operation = target
        .and_then(|target| target.rsplit('.').next())
        .map_or_else(|| format!("{} {}", head.method, head.uri.path()), str::to_owned);
    // The SDK writes its application's name as `app/NAME`.
    let agent = head.headers.get("x-amz-user-agent").and_then(|value| value.to_str().ok());
    let mut words = agent.unwrap_or_default().split(' ');
    let caller = words.find_map(|word| word.strip_prefix("app/")).map(str::to_owned);
    match shared.note(operation, caller, &body) {
        Fault::None => shared.forward(head, body).await,
        Fault::CutBefore => Err(Cut),
        Fault::CutAfter => {
            shared.forward(head, body).await?;
            Err(Cut)
        }
        Fault::HangBefore => std::future::pending().await,
        Fault::HangAfter => {
            shared.forward(head, body).await?;
            std::future::pending().await
        }
        Fault::Reply(answer) => answer.response(),
        Fault::ReplyAfter(answer) => {
            shared.forward(head, body).await?;
            answer.response()
        }
    }
}

impl Shared {
    fn note(&self, operation: String, caller: Option<String>, body: &Bytes) -> Fault {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let count = record.per_operation.entry(operation.clone()).or_default();
        let nth = *count;
        *count += 1;
        let call = Call {
            number: record.calls.len(),
            nth,
            operation,
            caller,
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let fault = (record.plan)(&call);
        record.calls.push(call);
        fault
    }

    /// Passes the call on, and waits for the whole reply: then the endpoint has done its work.
    async fn forward(
        &self,
        mut head: axum::http::request::Parts,
        body: Bytes,
    ) -> Result<Response<Body>, Cut> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = Uri::builder()
            .scheme("http")
            .authority(self.upstream.to_string())
            .path_and_query(path)
            .build()
            .map_err(|_| Cut)?;
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::TRANSFER_ENCODING);
        let response =
            self.client.request(Request::from_parts(head, body.into())).await.map_err(|_| Cut)?;
        let (mut head, body) = response.into_parts();
        let body = to_bytes(Body::new(body), MAX_BODY_BYTES).await.map_err(|_| Cut)?;
        head.headers.remove(header::TRANSFER_ENCODING);
        Ok(Response::from_parts(head, body.into()))
    }
}

impl InjectedReply {
    fn response(self) -> Result<Response<Body>, Cut> {
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
        for (name, value) in self.headers {
            response = response.header(name, HeaderValue::from_str(&value).map_err(|_| Cut)?);
        }
        response.body(self.body.into()).map_err(|_| Cut)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::database;
    use crate::template::{TEMPLATE, Template};

    async fn proxy() -> (Proxy, database::Database) {
        let database = database::open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(database::serve(listener, database.clone(), std::future::pending()));
        (Proxy::start(address).await.unwrap(), database)
    }

    /// Puts one item through the proxy. Returns the bytes of the reply.
    async fn put(proxy: &Proxy, id: &str) -> String {
        let body =
            json!({"TableName": "config", "Item": {"kind": {"S": "brand"}, "id": {"S": id}}})
                .to_string();
        let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                    content-type: application/x-amz-json-1.0\r\n\
                    authorization: AWS4-HMAC-SHA256 \
                    Credential=a/20260101/local/dynamodb/aws4_request, \
                    SignedHeaders=host, Signature=0\r\n\
                    x-amz-date: 20260101T000000Z\r\nx-amz-target: DynamoDB_20120810.PutItem\r\n";
        stream
            .write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        let _ =
            tokio::time::timeout(Duration::from_millis(300), stream.read_to_string(&mut answer))
                .await;
        answer
    }

    fn stored(database: &database::Database) -> usize {
        let scan = database::request(json!({"TableName": "config"})).unwrap();
        database.scan(scan).unwrap().count
    }

    #[tokio::test]
    async fn every_fault_does_what_it_says_and_every_call_is_recorded() {
        let (proxy, database) = proxy().await;
        assert!(put(&proxy, "0").await.starts_with("HTTP/1.1 200"));
        let cases = [
            (Fault::CutBefore, 1, ""),
            (Fault::CutAfter, 2, ""),
            (Fault::HangBefore, 2, ""),
            (Fault::HangAfter, 3, ""),
            (Fault::Reply(InjectedReply::throttled()), 3, "HTTP/1.1 400"),
            (Fault::ReplyAfter(InjectedReply::internal()), 4, "HTTP/1.1 500"),
        ];
        for (number, (fault, count, start)) in cases.into_iter().enumerate() {
            proxy.fail_next("PutItem", 1, fault.clone());
            let answer = put(&proxy, &format!("f{number}")).await;
            assert!(
                answer.starts_with(start) && answer.is_empty() == start.is_empty(),
                "{fault:?}: {answer}"
            );
            assert_eq!(stored(&database), count, "{fault:?}");
            assert!(put(&proxy, "0").await.starts_with("HTTP/1.1 200"), "{fault:?}");
            let calls = proxy.calls();
            assert_eq!(
                calls.iter().map(|call| (call.number, call.nth)).collect::<Vec<_>>(),
                [(0, 0), (1, 1)]
            );
            assert!(
                calls.iter().all(|call| call.operation == "PutItem" && call.body.contains("brand"))
            );
        }
    }

    #[test]
    fn a_conflict_has_a_reason_for_each_item() {
        let call = Call {
            number: 0,
            nth: 0,
            operation: "TransactWriteItems".into(),
            caller: None,
            body: r#"{"TransactItems": [{}, {}, {}]}"#.into(),
        };
        let body: Value =
            serde_json::from_str(&InjectedReply::transaction_conflict(&call).body).unwrap();
        assert_eq!(body["CancellationReasons"].as_array().unwrap().len(), 3);
        assert_eq!(body["CancellationReasons"][0]["Code"], "TransactionConflict");
    }
}
