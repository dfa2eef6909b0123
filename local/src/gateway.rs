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
mod tests;
