//! API Gateway: an HTTP server that hands each request to its function as an HTTP API event of
//! payload version 2.0.
//!
//! The event goes through JSON and `lambda_http`, as in production, so that a function sees here
//! what it sees there. Format:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::connections::{self, Patience, message};
use crate::front_page::FrontPage;
use crate::functions::{Functions, call_http};
use crate::template::Route;

/// How long an HTTP API waits for a function, at most. A function's own time-out is shorter, and is
/// a 500 like any failure of the function, not a 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Replies to requests on `listener`, for ever. With a front page, `GET /` shows it; API Gateway
/// has none.
pub async fn serve(
    listener: TcpListener,
    routes: Vec<Route>,
    functions: Arc<dyn Functions>,
    front_page: Option<FrontPage>,
) -> Infallible {
    let gateway = Arc::new(Gateway { routes, functions, front_page });
    let reply = move |peer, head, body| reply(gateway.clone(), peer, head, body);
    connections::serve(listener, Patience::default(), reply).await
}

struct Gateway {
    routes: Vec<Route>,
    functions: Arc<dyn Functions>,
    front_page: Option<FrontPage>,
}

async fn reply(
    gateway: Arc<Gateway>,
    peer: SocketAddr,
    head: Parts,
    body: Bytes,
) -> Response<Body> {
    let Some((route, parameters)) = find(&gateway.routes, head.method.as_str(), head.uri.path())
    else {
        return match &gateway.front_page {
            Some(page) if head.method == Method::GET && head.uri.path() == "/" => {
                page.reply(&head.headers)
            }
            _ => message(StatusCode::NOT_FOUND, "Not Found"),
        };
    };
    if !head.headers.get(header::HOST).is_some_and(|host| is_host(host.as_bytes())) {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    }
    let event = event(route, parameters, &head, peer, &body);
    let request = match lambda_http::request::from_str(&event.to_string()) {
        Ok(request) => request,
        Err(problem) => {
            tracing::error!(error = %problem, "lambda_http cannot read the API event");
            return message(StatusCode::BAD_REQUEST, "Bad Request");
        }
    };
    match tokio::time::timeout(TIMEOUT, call_http(&gateway.functions, &route.function, request))
        .await
    {
        Ok(Ok(response)) => response.map(|body| match body {
            lambda_http::Body::Empty => Body::empty(),
            lambda_http::Body::Text(text) => text.into(),
            lambda_http::Body::Binary(bytes) => bytes.into(),
            // The enum is non-exhaustive. No function of ours makes another kind.
            _ => Body::empty(),
        }),
        Ok(Err(problem)) => {
            tracing::error!(function = route.function, error = %problem, "the function failed");
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// Whether this is a host name or an IP address, with or without a port. `lambda_http` panics if it
/// is not. API Gateway never passes on such a `Host`: it is reached by its own name only.
fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let name = match name.strip_prefix('[') {
        Some(address) => address
            .strip_suffix(']')
            .filter(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => Some(name).filter(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }),
    };
    name.is_some() && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// The route of a request, with its path parameters. If several routes match, the one with the
/// fewest parameters wins.
fn find<'a>(
    routes: &'a [Route],
    method: &str,
    path: &str,
) -> Option<(&'a Route, Map<String, Value>)> {
    let of_method = routes.iter().filter(|route| route.method == method);
    let found = of_method.filter_map(|route| Some((route, match_path(&route.path, path)?)));
    found.min_by_key(|(_, parameters)| parameters.len())
}

fn match_path(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    let mut rest = path.strip_prefix('/')?.split('/');
    for part in pattern.strip_prefix('/')?.split('/') {
        let value = rest.next()?;
        // The rest of the path, however many parts: `{proxy+}`, which is the last of a pattern.
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix("+}")) {
            let all = std::iter::once(value).chain(rest.by_ref()).collect::<Vec<_>>().join("/");
            let value = percent_decode_str(&all).decode_utf8_lossy();
            parameters.insert(name.to_owned(), json!(value));
            return (!all.is_empty()).then_some(parameters);
        }
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !value.is_empty() => {
                let value = percent_decode_str(value).decode_utf8_lossy();
                parameters.insert(name.to_owned(), json!(value));
            }
            None if part == value => {}
            _ => return None,
        }
    }
    rest.next().is_none().then_some(parameters)
}

fn event(
    route: &Route,
    parameters: Map<String, Value>,
    head: &Parts,
    peer: SocketAddr,
    body: &Bytes,
) -> Value {
    let now = Timestamp::now();
    let (headers, cookies) = headers(&head.headers);
    let host = headers.get(header::HOST.as_str()).cloned().unwrap_or_default();
    // API Gateway replaces whatever the client sent.
    let mut headers = headers;
    headers.insert("x-forwarded-proto".to_owned(), "https".to_owned());
    let route_key = format!("{} {}", route.method, route.path);
    let query = head.uri.query().unwrap_or_default();
    let user_agent = head.headers.get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": head.uri.path(),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": head.method.as_str(),
                "path": head.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_string(),
                "userAgent": user_agent,
            },
            "requestId": uuid::Uuid::now_v7().to_string(),
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !parameters.is_empty() {
        event["pathParameters"] = Value::Object(parameters);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query_parameters(query));
    }
    let (body, base64) = encoded_body(&head.headers, body);
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    event["isBase64Encoded"] = json!(base64);
    event
}

/// Headers by their names in lower case, and cookies. Values of one name are joined with commas.
/// Bytes that are not UTF-8 are replaced.
fn headers(map: &HeaderMap) -> (BTreeMap<String, String>, Vec<String>) {
    let mut headers = BTreeMap::<String, String>::new();
    let mut cookies = Vec::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == header::COOKIE {
            cookies.extend(value.split("; ").map(str::to_owned));
            continue;
        }
        let joined = headers.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&value);
    }
    (headers, cookies)
}

/// Parameters by name. Values of one name are joined with commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// The body, and whether it is in base64. Text and JSON are not; anything else is, forms too.
fn encoded_body(headers: &HeaderMap, body: &Bytes) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("text/plain");
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let plain = kind.starts_with("text/")
        || kind.ends_with("+json")
        || ["application/json", "application/xml", "application/javascript"]
            .contains(&kind.as_str());
    match std::str::from_utf8(body) {
        Ok(text) if plain => (Some(text.to_owned()), false),
        _ => (Some(BASE64.encode(body)), true),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use lambda_http::RequestExt as _;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::functions::FunctionError;
    use crate::template::{TEMPLATE, Template};

    /// Replies with what it was asked. Fails or panics if the query says so.
    struct Echo;

    impl Functions for Echo {
        fn http(
            &self,
            function: &str,
            request: lambda_http::Request,
        ) -> BoxFuture<'static, Result<Response<lambda_http::Body>, FunctionError>> {
            let function = function.to_owned();
            async move {
                match request.query_string_parameters_ref().and_then(|query| query.first("do")) {
                    Some("fail") => return Err("no".into()),
                    Some("panic") => panic!("as asked"),
                    _ => {}
                }
                let kind = match request.body() {
                    lambda_http::Body::Empty => "empty".to_owned(),
                    lambda_http::Body::Text(text) => format!("text {text}"),
                    lambda_http::Body::Binary(bytes) => {
                        format!("binary {}", String::from_utf8_lossy(bytes))
                    }
                    _ => "other".to_owned(),
                };
                let headers = request.headers();
                let path = request.path_parameters_ref();
                let query = request.query_string_parameters_ref();
                let shown = json!({
                    "function": function,
                    "path": request.uri().path(),
                    "token": path.and_then(|parameters| parameters.first("token")),
                    "stars": query.and_then(|query| query.first("stars")),
                    "twice": headers.get("x-twice").map(|value| value.to_str().unwrap()),
                    "cookie": headers.get("cookie").map(|value| value.to_str().unwrap()),
                    "body": kind,
                });
                let response = Response::builder().status(201).header("x-answer", "1");
                Ok(response.body(shown.to_string().into())?)
            }
            .boxed()
        }

        fn event(
            &self,
            _function: &str,
            _event: Value,
        ) -> BoxFuture<'static, Result<Value, FunctionError>> {
            async { Ok(Value::Null) }.boxed()
        }
    }

    /// Sends bytes to a gateway with the template's routes, and returns the answer's text.
    async fn send(request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(
            listener,
            Template::parse(TEMPLATE).unwrap().routes,
            Arc::new(Echo),
            None,
        ));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        server.abort();
        answer
    }

    fn request(line: &str, headers: &str, body: &str) -> String {
        format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn a_request_reaches_its_function_as_an_event() {
        let answer = send(&request(
            "GET /s/a%2Bb?stars=4",
            "X-Twice: a\r\nX-Twice: b\r\nCookie: a=1; b=2\r\n",
            "",
        ))
        .await;
        assert!(
            answer.starts_with("HTTP/1.1 201 Created\r\n") && answer.contains("x-answer: 1"),
            "{answer}"
        );
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let expected = json!({"function": "survey", "path": "/s/a%2Bb", "token": "a+b",
            "stars": "4", "twice": "a,b", "cookie": "a=1; b=2", "body": "empty"});
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn json_is_plain_and_a_form_is_base64() {
        let json =
            send(&request("POST /v1/requests", "content-type: application/json\r\n", "{}")).await;
        assert!(json.contains("\"body\":\"text {}\""), "{json}");
        // lambda_http decodes the form to text again, so only the event's flag shows a difference.
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded".parse().unwrap(),
        )]);
        assert_eq!(
            encoded_body(&headers, &Bytes::from_static(b"a=1")),
            (Some("YT0x".to_owned()), true)
        );
        let form = send(&request(
            "POST /u/t",
            "content-type: application/x-www-form-urlencoded\r\n",
            "List-Unsubscribe=One-Click",
        ))
        .await;
        assert!(form.contains("List-Unsubscribe=One-Click"), "{form}");
    }

    #[tokio::test]
    async fn a_request_without_a_route_is_a_404() {
        for line in [
            "GET /",
            "DELETE /v1/requests",
            "POST /v1/requests/",
            "GET /v1/requests/",
            "GET /s/a/b",
            "HEAD /v2/data",
        ] {
            let answer = send(&request(line, "", "")).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{line}: {answer}");
        }
        assert!(send(&request("GET /", "", "")).await.ends_with(r#"{"message":"Not Found"}"#));
    }

    #[tokio::test]
    async fn a_function_that_fails_or_panics_is_a_500_without_its_reason() {
        for how in ["fail", "panic"] {
            let answer = send(&request(&format!("GET /v2/data?do={how}"), "", "")).await;
            assert!(
                answer.starts_with("HTTP/1.1 500")
                    && answer.ends_with(r#"{"message":"Internal Server Error"}"#),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn after_a_404_the_connection_serves_the_next_request() {
        let nowhere = "POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n"
            .to_owned()
            + &"x".repeat(200_000);
        let method = "PATCH /v1/requests HTTP/1.1\r\nhost: localhost\r\n\
                      transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        let answer = send(&format!("{nowhere}{method}{}", request("GET /v2/data", "", ""))).await;
        assert_eq!(answer.matches("HTTP/1.1 404 Not Found\r\n").count(), 2, "{answer}");
        assert_eq!(answer.matches(r#"{"message":"Not Found"}"#).count(), 2, "{answer}");
        assert_eq!(
            (answer.matches("HTTP/1.1 201").count(), answer.matches("connection: close").count()),
            (1, 1),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn the_front_page_is_at_the_root_and_nowhere_else() {
        let template = Template::parse(TEMPLATE).unwrap();
        let front_page = FrontPage {
            api: "http://127.0.0.1:3000".into(),
            dynamodb: "http://127.0.0.1:8000".into(),
            mail: "http://127.0.0.1:8025".into(),
            key: "aw_live_local",
            routes: template.routes.clone(),
        };
        let gateway = Arc::new(Gateway {
            routes: template.routes,
            functions: Arc::new(Echo),
            front_page: Some(front_page),
        });
        let get = async |path: &str, accept: &str| {
            let request = axum::http::Request::get(path).header("accept", accept).body(()).unwrap();
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            let response = reply(gateway.clone(), peer, request.into_parts().0, Bytes::new()).await;
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        };
        let (status, text) = get("/", "*/*").await;
        assert_eq!(status, 200);
        assert!(
            text.contains("curl http://127.0.0.1:3000/v1/requests -H 'x-api-key: aw_live_local'")
        );
        assert!(text.contains("POST   /v1/webhooks/zendesk"), "{text}");
        assert!(text.contains("http://127.0.0.1:8025/gallery") && !text.contains('<'), "{text}");
        let (_, html) = get("/", "text/html").await;
        assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
        assert!(html.contains("href=\"http://127.0.0.1:8025/gallery\""), "{html}");
        assert_eq!(get("/x", "*/*").await.0, 404);
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for good in ["localhost", "127.0.0.1:3000", "api.peak.example", "[::1]", "[::1]:3000"] {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in ["", "a b", "x:99999", "x:y", "[::1", "::1", "a:b:80", "%zz", "x/y", "x@y"] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_most_specific_route_wins() {
        let route = |method: &str, path: &str| Route {
            method: method.into(),
            path: path.into(),
            function: path.into(),
        };
        let routes = [route("GET", "/a/{b}"), route("GET", "/a/b"), route("PUT", "/a/{b}")];
        let function = |method: &str, path: &str| {
            find(&routes, method, path).map(|(route, _)| route.function.as_str())
        };
        assert_eq!(function("GET", "/a/b"), Some("/a/b"));
        assert_eq!(function("GET", "/a/x"), Some("/a/{b}"));
        assert_eq!(function("PUT", "/a/b"), Some("/a/{b}"));
        assert_eq!(function("POST", "/a/b"), None);
        assert_eq!(function("GET", "/a/x/y"), None);
        assert_eq!(function("GET", "/"), None);
    }

    proptest! {
        #[test]
        fn every_path_and_query_is_an_event_that_lambda_http_reads(
            path in "/[!-~&&[^?#<>\"{}\\\\^`|]]*",
            query in "[a-z0-9%+&=]*",
        ) {
            let uri = format!("{path}?{query}");
            let request = axum::http::Request::builder().uri(&uri).header("host", "localhost:3000");
            if let Ok(request) = request.body(()) {
                let route =
                    Route { method: "GET".into(), path: "/{path}".into(), function: "f".into() };
                let peer = SocketAddr::from(([127, 0, 0, 1], 1));
                let event = event(&route, Map::new(), &request.into_parts().0, peer, &Bytes::new());
                prop_assert!(lambda_http::request::from_str(&event.to_string()).is_ok());
            }
        }
    }
}
