//! The connections of API Gateway. A request is read whole before a function sees it. If it breaks
//! a limit of an HTTP API, it is answered as API Gateway answers it.
//!
//! A refusal says `connection: close`, and reads for a moment what the caller is still sending: a
//! socket that is closed over unread bytes is reset, and the caller would lose the reply.
//!
//! Limits: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use futures::StreamExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Largest body, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// Largest request line with all header values, in bytes.
const MAX_HEAD_BYTES: usize = 10_240;
/// How many bytes of a refused request are still read.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// How long the server waits for a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request, and between two requests.
    pub(crate) head: Duration,
    /// For its body.
    pub(crate) body: Duration,
    /// For the next piece of a body that was refused.
    pub(crate) discarding: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            discarding: Duration::from_secs(1),
        }
    }
}

/// Serves `listener` for ever: `answer` makes the reply to each request.
pub(crate) async fn serve<A, F>(listener: TcpListener, patience: Patience, answer: A) -> Infallible
where
    A: Fn(SocketAddr, Parts, Bytes) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send,
{
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(problem) => {
                // The caller is gone, or the process has no file descriptor left. Both pass.
                tracing::warn!(error = %problem, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move {
                Ok::<_, Infallible>(match read(request, patience).await {
                    Ok((head, body)) => answer(peer, head, body).await,
                    Err((status, text)) => refusal(status, text),
                })
            }
        });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(patience.head);
        let connection = server.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // An error here is the caller's: a broken head (hyper has answered it), no bytes in
            // time, or a closed connection.
            let _ = connection.await;
        });
    }
}

/// A reply of API Gateway's own.
pub(crate) fn message(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({ "message": text }).to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = message(status, text);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

type Refused = (StatusCode, &'static str);
const TOO_LARGE: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");

async fn read(request: Request<Incoming>, patience: Patience) -> Result<(Parts, Bytes), Refused> {
    let (head, body) = request.into_parts();
    let announced = body.size_hint().lower();
    let asks_first = head.headers.contains_key(header::EXPECT);
    let mut body = Body::new(body).into_data_stream();
    let refused = if weight(&head) > MAX_HEAD_BYTES {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
    } else if usize::try_from(announced).is_ok_and(|announced| announced <= MAX_BODY_BYTES) {
        match timeout(patience.body, whole(&mut body)).await {
            Ok(Ok(bytes)) => return Ok((head, bytes)),
            Ok(Err(refused)) => refused,
            Err(_) => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        }
    } else {
        TOO_LARGE
    };
    // A caller that asks whether it may send (`expect: 100-continue`) has not sent a body, and a
    // refusal means that it never will.
    if !asks_first {
        discard(&mut body, patience).await;
    }
    Err(refused)
}

fn weight(head: &Parts) -> usize {
    let line = format!("{} {} {:?}", head.method, head.uri, head.version);
    line.len() + head.headers.values().map(HeaderValue::len).sum::<usize>()
}

async fn whole(body: &mut BodyDataStream) -> Result<Bytes, Refused> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        // The chunks are malformed, or fewer bytes came than were announced.
        let piece = piece.map_err(|_| (StatusCode::BAD_REQUEST, "Bad Request"))?;
        if bytes.len() + piece.len() > MAX_BODY_BYTES {
            return Err(TOO_LARGE);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}

async fn discard(body: &mut BodyDataStream, patience: Patience) {
    let mut discarded = 0;
    while let Ok(Some(Ok(piece))) = timeout(patience.discarding, body.next()).await {
        discarded += piece.len();
        if discarded > MAX_DISCARDED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Sends bytes to a server that answers with the length of the body. Returns every byte that it
    /// sends until it closes the connection.
    async fn send(request: impl AsRef<[u8]>) -> String {
        let quick = Duration::from_millis(200);
        let patience = Patience { head: quick, body: quick * 5, discarding: quick };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let length = |_: SocketAddr, _: Parts, body: Bytes| async move {
            Response::new(Body::from(format!("{} bytes", body.len())))
        };
        let server = tokio::spawn(serve(listener, patience, length));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut from, mut to) = stream.split();
        let mut answer = Vec::new();
        let (written, read) =
            tokio::join!(to.write_all(request.as_ref()), from.read_to_end(&mut answer));
        read.unwrap();
        server.abort();
        assert!(written.is_ok() || !answer.is_empty());
        String::from_utf8(answer).unwrap()
    }

    fn post(headers: &str, body: &[u8]) -> Vec<u8> {
        [format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes(), body].concat()
    }

    fn assert_refused(answer: &str, status: &str, text: &str) {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(
            answer.contains("\r\nconnection: close\r\n")
                && answer.ends_with(&format!("{{\"message\":\"{text}\"}}")),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn chunks_that_are_none_are_a_400() {
        for chunks in
            ["ZZ\r\nhello\r\n0\r\n\r\n", "5\r\nhello!!\r\n", "-1\r\n", "fffffffffffffffff\r\n"]
        {
            assert_refused(
                &send(post("transfer-encoding: chunked\r\n", chunks.as_bytes())).await,
                "400",
                "Bad Request",
            );
        }
        let good = send(post(
            "transfer-encoding: chunked\r\nconnection: close\r\n",
            b"5\r\nhello\r\n0\r\n\r\n",
        ))
        .await;
        assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("5 bytes"), "{good}");
    }

    #[tokio::test]
    async fn ten_megabytes_are_taken_and_more_are_refused_however_they_come() {
        let announced = |bytes: usize| {
            post(&format!("connection: close\r\ncontent-length: {bytes}\r\n"), &vec![b'x'; bytes])
        };
        assert!(send(announced(MAX_BODY_BYTES)).await.ends_with("10485760 bytes"));
        assert_refused(
            &send(announced(MAX_BODY_BYTES + 1)).await,
            "413",
            "Request Entity Too Large",
        );
        assert_refused(
            &send(announced(3 * MAX_BODY_BYTES)).await,
            "413",
            "Request Entity Too Large",
        );
        let chunk = [
            format!("{:x}\r\n", MAX_BODY_BYTES + 1).as_bytes(),
            &vec![b'x'; MAX_BODY_BYTES + 1],
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        assert_refused(
            &send(post("transfer-encoding: chunked\r\n", &chunk)).await,
            "413",
            "Request Entity Too Large",
        );
    }

    #[tokio::test]
    async fn too_much_is_refused_before_it_is_sent() {
        let announced = format!("content-length: {}\r\n", MAX_BODY_BYTES + 1);
        assert_refused(&send(post(&announced, b"")).await, "413", "Request Entity Too Large");
        assert_refused(
            &send(post(&format!("{announced}expect: 100-continue\r\n"), b"")).await,
            "413",
            "Request Entity Too Large",
        );
    }

    #[tokio::test]
    async fn a_large_head_is_a_431() {
        for bytes in [MAX_HEAD_BYTES, 300_000] {
            let large = format!("x-large: {}\r\ncontent-length: 5\r\n", "x".repeat(bytes));
            assert_refused(
                &send(post(&large, b"hello")).await,
                "431",
                "Request Header Fields Too Large",
            );
        }
        // A head that is larger than hyper's buffer, and one with more headers than hyper allows.
        let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
        assert!(send(post(&many, b"")).await.starts_with("HTTP/1.1 431"));
        let nearly = format!("x-large: {}\r\nconnection: close\r\n", "x".repeat(10_000));
        assert!(send(post(&nearly, b"")).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn what_is_half_sent_is_not_waited_for_for_ever() {
        assert_eq!(send("").await, "");
        assert_eq!(send("POST / HTTP/1.1\r\nhost: x\r\n").await, "");
        assert_refused(
            &send(post("content-length: 5\r\n", b"hell")).await,
            "408",
            "Request Timeout",
        );
        assert_refused(
            &send(post("transfer-encoding: chunked\r\n", b"5\r\nhell")).await,
            "408",
            "Request Timeout",
        );
    }
}
