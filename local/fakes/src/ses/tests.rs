use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

struct Post {
    address: std::net::SocketAddr,
    mailbox: Mailbox,
    events: Events,
}

async fn start() -> Post {
    let mailbox = Mailbox::default();
    let (router, events) = router(&mailbox);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router));
    Post { address, mailbox, events }
}

async fn http(post: &Post, line: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(post.address).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn send(post: &Post, request: &Value) -> String {
    http(post, "POST /v2/email/outbound-emails", &request.to_string()).await
}

fn mail(to: &str) -> Value {
    json!({
        "FromEmailAddress": "Outfitters <survey@example.com>",
        "Destination": {"ToAddresses": [to]},
        "ReplyToAddresses": ["support@example.com"],
        "Content": {"Simple": {
            "Subject": {"Data": "How was <Ada>? ★", "Charset": "UTF-8"},
            "Body": {
                "Html": {"Data": "<html><HEAD class=x></head><a href=\"https://x/\">5</a></html>"},
                "Text": {"Data": "5: https://x/ <é>"},
            },
            "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://x/u/t>"}],
        }},
        "EmailTags": [{"Name": "request_id", "Value": "r-1"}],
        "ConfigurationSetName": "local",
        "ConfigurationOverrides": {"Tracking": {"ClickTrackingEnabled": "DISABLED"}},
    })
}

fn published(events: &mut Events) -> Vec<Value> {
    let mut published = Vec::new();
    while let Ok(event) = events.try_recv() {
        published
            .push(serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap());
    }
    published
}

#[tokio::test]
async fn an_accepted_mail_is_in_the_mailbox_in_every_form() {
    let post = start().await;
    let answer = send(&post, &mail("Eve <eve@example.org>")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let id = post.mailbox.messages()[0].id.clone();
    assert!(answer.contains(&format!("\"MessageId\":\"{id}\"")));

    let json = http(&post, "GET /messages", "").await;
    let json: Value = serde_json::from_str(json.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(json[0]["to"], json!(["Eve <eve@example.org>"]));
    assert_eq!(json[0]["headers"]["List-Unsubscribe"], "<https://x/u/t>");
    assert_eq!(json[0]["headers"]["Reply-To"], "support@example.com");
    assert_eq!(json[0]["tags"], json!({"request_id": "r-1"}));

    let list = http(&post, "GET /", "").await;
    assert!(
        list.contains("How was &#60;Ada&#62;?") && list.contains(&format!("/messages/{id}")),
        "{list}"
    );
    let view = http(&post, &format!("GET /messages/{id}"), "").await;
    assert!(
        view.contains("sandbox=\"allow-popups") && view.contains("5: https://x/ &#60;é&#62;"),
        "{view}"
    );
    let alone = http(&post, &format!("GET /messages/{id}.html"), "").await;
    assert!(
        alone.contains("<HEAD class=x><base target=\"_blank\"></head>")
            && alone.contains("content-security-policy: sandbox"),
        "{alone}"
    );
    let eml = http(&post, &format!("GET /messages/{id}.eml"), "").await;
    assert!(
        eml.contains("Subject: =?UTF-8?B?")
            && eml.contains("Content-Type: text/html; charset=utf-8"),
        "{eml}"
    );
    assert!(http(&post, "GET /messages/none", "").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_simulators_addresses_behave_as_in_ses() {
    let mut post = start().await;
    for (to, expected) in [
        ("eve@example.org", vec!["Send", "Delivery"]),
        ("success@simulator.amazonses.com", vec!["Send", "Delivery"]),
        ("bounce+r1@simulator.amazonses.com", vec!["Send", "Bounce"]),
        ("Complaint@simulator.amazonses.com", vec!["Send", "Delivery", "Complaint"]),
        ("suppressionlist@simulator.amazonses.com", vec!["Send", "Bounce"]),
    ] {
        send(&post, &mail(to)).await;
        let events = published(&mut post.events);
        let names: Vec<&str> =
            events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{to}");
        for event in &events {
            assert_eq!(event["mail"]["tags"]["request_id"], json!(["r-1"]));
            assert_eq!(
                event["mail"]["messageId"],
                json!(post.mailbox.messages().last().unwrap().id)
            );
        }
        if to.starts_with("suppressionlist") {
            assert_eq!(events[1]["bounce"]["bounceSubType"], "Suppressed");
        }
    }
    let mut quiet = mail("eve@example.org");
    quiet.as_object_mut().unwrap().remove("ConfigurationSetName");
    send(&post, &quiet).await;
    assert!(published(&mut post.events).is_empty());
}

#[tokio::test]
async fn what_ses_refuses_is_refused() {
    let post = start().await;
    let with = |pointer: &str, value: Value| {
        let mut mail = mail("eve@example.org");
        *mail.pointer_mut(pointer).unwrap() = value;
        mail
    };
    let header = |name: &str, value: &str| {
        with("/Content/Simple/Headers", json!([{"Name": name, "Value": value}]))
    };
    let requests = [
        with("/FromEmailAddress", json!("")),
        with("/FromEmailAddress", json!("a@b.c\r\nBcc: d@e.f")),
        with("/Destination/ToAddresses", json!([])),
        with("/Destination/ToAddresses", json!(["zoë@example.org"])),
        with("/Destination/ToAddresses", json!(["nobody"])),
        with("/Content", json!({})),
        with("/Content/Simple/Body", json!({})),
        with("/Content/Simple/Subject/Data", json!("a\nb")),
        header("X-A", "a\r\nBcc: d@e.f"),
        header("X-A", "ü"),
        header("X A", "a"),
        header("X-A", &"a".repeat(996)),
        header("Subject", "a"),
        with(
            "/Content/Simple/Headers",
            json!([{"Name": "X-A", "Value": "1"}, {"Name": "x-a", "Value": "2"}]),
        ),
        with(
            "/Content/Simple/Headers",
            Value::Array(
                (0..16).map(|n| json!({"Name": format!("X-{n}"), "Value": "1"})).collect(),
            ),
        ),
        with("/EmailTags/0/Value", json!("a@b")),
        with("/EmailTags/0/Name", json!("")),
        json!([]),
    ];
    for request in requests {
        let answer = send(&post, &request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400")
                && answer.contains("x-amzn-errortype: BadRequestException"),
            "{request}: {answer}"
        );
    }
    let broken = http(&post, "POST /v2/email/outbound-emails", "{\"a\":").await;
    assert!(broken.contains("x-amzn-errortype: SerializationException"), "{broken}");
    assert!(post.mailbox.messages().is_empty());
}

proptest! {
    #[test]
    fn no_body_panics(body in ".*") {
        if let Ok(request) = serde_json::from_str::<SendEmail>(&body) {
            let _ = request.problem();
        }
    }

    #[test]
    fn no_header_or_address_panics(name in ".*", value in ".*") {
        let mut request = mail(&value);
        request["Content"]["Simple"]["Headers"][0] = json!({"Name": name, "Value": value});
        let request: SendEmail = serde_json::from_value(request).unwrap();
        if request.problem().is_none() {
            let message = message(&request);
            prop_assert!(ses_events::events(&message, "local").len() >= 2);
            prop_assert!(!crate::mime::eml(&message).contains("\nBcc:"));
        }
    }
}
