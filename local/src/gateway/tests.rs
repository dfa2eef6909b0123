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
        admin_key: "an admin key",
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
    assert!(text.contains("curl http://127.0.0.1:3000/v1/requests -H 'x-api-key: aw_live_local'"));
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
