//! What each reply of SES means. A small HTTP server in this process plays SES.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

#[expect(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sesv2::config::Credentials;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use mail::{Refusal, SendError, Ses, client, render};
use serde_json::{Value, json};
use support::sample_mail;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

async fn config(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .load()
        .await
}

/// Sends one mail as production does, but with shorter time-outs.
async fn send(endpoint: &str) -> Result<String, SendError> {
    let client = client(&config(endpoint).await);
    let quick = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(200))
        .operation_timeout(Duration::from_millis(400))
        .build();
    let client = aws_sdk_sesv2::Client::from_conf(
        client.config().to_builder().timeout_config(quick).build(),
    );
    Ses { client, configuration_set: Some("afterword".to_owned()) }
        .send(&render(&sample_mail("ja")).unwrap())
        .await
}

/// Answers every request with `status` and, as SES does, with the error's name in
/// `x-amzn-errortype`. Records the bodies.
async fn ses(status: u16, error: &'static str, body: Value) -> (String, Arc<Mutex<Vec<Value>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let answer = move |request: String| async move {
        keep.lock().unwrap().push(serde_json::from_str(&request).unwrap());
        (
            StatusCode::from_u16(status).unwrap(),
            [("x-amzn-errortype", error), ("content-type", "application/json")],
            body.to_string(),
        )
    };
    let router = Router::new().route("/v2/email/outbound-emails", post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), seen)
}

async fn refusal(status: u16, error: &'static str, message: &str) -> Result<String, SendError> {
    let (endpoint, seen) = ses(status, error, json!({ "message": message })).await;
    let result = send(&endpoint).await;
    assert_eq!(seen.lock().unwrap().len(), 1, "the SDK does not retry");
    result
}

#[tokio::test]
async fn one_call_carries_the_whole_mail() {
    let (endpoint, seen) = ses(200, "", json!({ "MessageId": "0100-abc" })).await;
    assert_eq!(send(&endpoint).await.unwrap(), "0100-abc");
    let seen = seen.lock().unwrap();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    let mail = render(&sample_mail("ja")).unwrap();
    assert_eq!(request["Destination"], json!({ "ToAddresses": ["jane@customer.example"] }));
    assert_eq!(request["FromEmailAddress"], json!("\"Acme Kids\" <surveys@acme.example>"));
    assert_eq!(request["ReplyToAddresses"], json!(["support@acme.example"]));
    assert_eq!(request["ConfigurationSetName"], json!("afterword"));
    assert_eq!(
        request["ConfigurationOverrides"],
        json!({ "Tracking": {
            "OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED",
        } })
    );
    let simple = &request["Content"]["Simple"];
    assert_eq!(simple["Subject"], json!({ "Data": mail.subject, "Charset": "UTF-8" }));
    assert_eq!(simple["Body"]["Html"]["Data"], json!(mail.html));
    assert_eq!(simple["Body"]["Text"], json!({ "Data": mail.text, "Charset": "UTF-8" }));
    let headers: Vec<Value> =
        mail.headers.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    assert_eq!(simple["Headers"], json!(headers));
    assert_eq!(
        request["EmailTags"][0],
        json!({ "Name": "request_id", "Value": "01987a3e-5c1b-7d52-9f3a-2b6e8c0d4f11" })
    );
}

#[tokio::test]
async fn a_refusal_says_what_it_means() {
    use Refusal::{AddressRejected, Misconfigured, QuotaOrPaused, ThisMail, Throttled};
    let cases = [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Throttled),
        (429, "TooManyRequestsException", "Daily message quota exceeded.", QuotaOrPaused),
        (400, "ThrottlingException", "Rate exceeded", Throttled),
        (429, "", "", Throttled),
        (400, "LimitExceededException", "", QuotaOrPaused),
        (400, "SendingPausedException", "", QuotaOrPaused),
        (400, "AccountSuspendedException", "", QuotaOrPaused),
        (
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check: a@b.example",
            Misconfigured,
        ),
        (400, "MailFromDomainNotVerifiedException", "", Misconfigured),
        // Whose address? The sender's is an admin's to mend, and no reason to drop the customer.
        (400, "BadRequestException", "Illegal address", ThisMail),
        (400, "BadRequestException", "Domain contains illegal character", ThisMail),
        (
            400,
            "BadRequestException",
            "Illegal address: \"Acme Kids\" <surveys@acme.example>",
            ThisMail,
        ),
        (400, "BadRequestException", "Illegal address: <support@acme.example>", ThisMail),
        (
            400,
            "BadRequestException",
            "Illegal address: jane@customer.example, surveys@acme.example",
            ThisMail,
        ),
        (400, "BadRequestException", "Illegal address: <Jane@Customer.example>", AddressRejected),
        (
            400,
            "BadRequestException",
            "Domain contains illegal character: customer.example",
            AddressRejected,
        ),
        (
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check: \
             jane@customer.example",
            Misconfigured,
        ),
        (400, "BadRequestException", "1 validation error detected", ThisMail),
        (404, "NotFoundException", "Configuration set <x> does not exist.", Misconfigured),
        (403, "AccessDeniedException", "not authorized to perform: ses:SendEmail", Misconfigured),
    ];
    for (status, error, message, expected) in cases {
        let Err(SendError::Refused { refusal, code }) = refusal(status, error, message).await
        else {
            panic!("{error}: {message}")
        };
        assert_eq!(refusal, expected, "{error}: {message}");
        assert!(!code.contains('@') && !code.contains(' ') || code == "no code", "{code}");
    }
}

#[tokio::test]
async fn an_outcome_is_unknown_if_the_mail_may_have_been_sent() {
    for (status, error) in
        [(500, "InternalFailure"), (502, ""), (503, "ServiceUnavailable"), (408, "RequestTimeout")]
    {
        let result = refusal(status, error, "").await;
        assert!(matches!(result, Err(SendError::Unknown { .. })), "{status}: {result:?}");
    }
    let (endpoint, _) = ses(200, "", json!({})).await;
    assert!(matches!(send(&endpoint).await, Err(SendError::Unknown { .. })), "accepted, but no id");
    let (endpoint, _) = ses(200, "", json!("cut off")).await;
    assert!(
        matches!(send(&endpoint).await, Err(SendError::Unknown { .. })),
        "accepted, but not understood"
    );
}

#[tokio::test]
async fn a_time_out_and_a_lost_connection_are_unknown() {
    for hang in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 200]).await.unwrap();
            if hang {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
            // Unread bytes make this a reset.
            drop(stream);
        });
        let expected = if hang { "timeout" } else { "connection lost" };
        assert_eq!(send(&endpoint).await, Err(SendError::Unknown { code: expected.to_owned() }));
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let unreachable =
        Err(SendError::Refused { refusal: Refusal::Unreachable, code: "not connected".to_owned() });
    assert_eq!(send(&endpoint).await, unreachable, "refused");
    assert_eq!(send("http://no-such-host.invalid").await, unreachable, "no name");
}

#[tokio::test]
async fn the_client_does_not_retry_and_has_short_time_outs() {
    let client = client(&config("http://127.0.0.1:9").await);
    assert_eq!(client.config().retry_config().unwrap().max_attempts(), 1);
    let timeouts = client.config().timeout_config().unwrap();
    assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(2)));
    assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(10)));
}
