//! What comes in by the link of a survey: often, at once, and as no browser sends it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use futures::future::join_all;
use jiff::SignedDuration;
use kit::{World, link, request};
use local::faults::{Fault, InjectedReply};
use serde_json::{Value, json};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];
/// Bytes that a row of the responses table may have.
const LARGEST_ROW: usize = 16 * 1024;
/// Bytes that a reply of Lambda's may have.
const LAMBDA: usize = 6 * 1024 * 1024;

impl World {
    /// The link of a survey that went out.
    async fn survey(&mut self) -> String {
        self.post("/v1/requests", &request("1", "jane@customers.example")).await;
        self.settle().await;
        link(&self.mails_to("jane@customers.example").remove(0), "/s/")
    }

    /// The only answer, in DynamoDB JSON.
    fn answer(&self) -> Value {
        let scan = serde_json::from_value(json!({ "TableName": "responses" })).unwrap();
        let found = serde_json::to_value(self.stack.database.scan(scan).unwrap()).unwrap();
        assert_eq!(found["Count"], 1);
        found["Items"][0].clone()
    }

    /// The only answer as it is exported.
    async fn exported(&self) -> Value {
        self.advance(SignedDuration::from_secs(11));
        self.get("/v2/data").await.json()["data"][0].clone()
    }

    /// How many transactions came to the table since the last plan.
    fn transactions(&self) -> usize {
        let calls = self.stack.proxies.as_ref().unwrap().dynamodb.calls();
        calls.iter().filter(|call| call.operation == "TransactWriteItems").count()
    }
}

/// Bytes of a value as DynamoDB counts them.
fn weight(value: &Value) -> usize {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len() / 2 + 2,
        ("M", Value::Object(fields)) => {
            3 + fields.iter().map(|(name, field)| name.len() + weight(field) + 1).sum::<usize>()
        }
        ("L", Value::Array(values)) => {
            3 + values.iter().map(|value| weight(value) + 1).sum::<usize>()
        }
        _ => 1,
    }
}

#[tokio::test]
async fn an_equal_answer_writes_nothing_and_is_thanked_for_all_the_same() {
    let mut world = World::proxied().await;
    let survey = world.survey().await;
    let answer = "stars=4&topics=speed&topics=clarity&comment=Thank+you";
    for body in [
        answer,
        answer,
        "comment=+Thank+you%0D%0A&topics=clarity&topics=speed&topics=speed&stars=4",
    ] {
        let before = (world.count("responses") == 1).then(|| world.answer());
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        world.advance(SignedDuration::from_secs(1));
        let posted = world.call("POST", &survey, &FORM, body).await;
        assert_eq!(
            (posted.status, posted.headers["location"].to_str().unwrap()),
            (303, "?thanks=4"),
            "{body}"
        );
        assert_eq!(world.transactions(), usize::from(before.is_none()), "{body}");
        assert!(before.is_none_or(|before| before == world.answer()), "{body}");
    }
    for other in [
        "stars=5&topics=speed&topics=clarity&comment=Thank+you",
        "stars=5&topics=speed&comment=Thank+you",
        "stars=5&topics=speed",
    ] {
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(|_| Fault::None);
        assert_eq!(world.call("POST", &survey, &FORM, other).await.status, 303);
        assert_eq!(world.transactions(), 1, "{other}");
    }
    assert_eq!(world.exported().await["previous_answers"], 3);
}

#[tokio::test]
async fn one_link_has_a_pace_and_a_bounded_row() {
    let mut world = World::new().await;
    let survey = world.survey().await;
    let answer =
        |n: usize| format!("stars={}&lang=de&comment={}{n:02}", n % 5 + 1, "😀".repeat(1_998));
    for n in 0..=20 {
        assert_eq!(world.call("POST", &survey, &FORM, answer(n)).await.status, 303, "{n}");
        assert!(weight(&json!({ "M": world.answer() })) <= LARGEST_ROW, "{n}");
        world.advance(SignedDuration::from_secs(60));
    }
    let before = world.answer();
    let paced = world.call("POST", &survey, &FORM, answer(21)).await;
    // The first change was made 20 minutes ago.
    assert_eq!((paced.status, paced.headers["retry-after"].to_str().unwrap()), (429, "2400"));
    assert!(
        paced.text.contains("lang=\"de\"")
            && paced.text.contains("sehr oft")
            && paced.text.contains("Blanca Kids"),
        "{}",
        paced.text
    );
    assert_eq!(world.answer(), before, "nothing is written");
    assert_eq!(
        world.call("POST", &survey, &FORM, answer(20)).await.status,
        303,
        "an equal answer is none too many"
    );
    for method in ["GET", "HEAD"] {
        assert_eq!(world.call(method, &survey, &[], "").await.status, 200, "looking has no pace");
    }
    assert_eq!(
        world.exported().await["previous_answers"],
        20,
        "also those that the row has no room for are counted"
    );
    world.advance(SignedDuration::from_secs(2_388));
    assert_eq!(world.call("POST", &survey, &FORM, answer(21)).await.status, 429);
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(world.call("POST", &survey, &FORM, answer(21)).await.status, 303);
    assert_eq!(world.call("POST", &survey, &FORM, answer(22)).await.status, 429);
}

#[tokio::test]
async fn ten_answers_at_once_on_one_link_are_all_taken() {
    // The transactions that meet a conflict, as DynamoDB has it where the embedded engine has none.
    type Conflicts = fn(usize) -> bool;
    let cases: [(&str, usize, Conflicts); 3] = [
        ("none", 10, |_| false),
        ("the first fifteen", 5, |nth| nth < 15),
        ("every third", 5, |nth| nth % 3 == 0),
    ];
    for (name, clicks, conflicts) in cases {
        let mut world = World::proxied().await;
        let survey = world.survey().await;
        world.stack.proxies.as_ref().unwrap().dynamodb.plan(move |call| {
            match call.operation.as_str() {
                "TransactWriteItems" if conflicts(call.nth) => {
                    Fault::Reply(InjectedReply::transaction_conflict(call))
                }
                _ => Fault::None,
            }
        });
        let posts = (0..clicks).map(|n| {
            world.call("POST", &survey, &FORM, format!("stars={}&comment={n}", n % 5 + 1))
        });
        let statuses: Vec<u16> = join_all(posts).await.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses, vec![303; clicks], "conflicts: {name}");
        assert_eq!(world.exported().await["previous_answers"], clicks - 1, "conflicts: {name}");
    }
}

#[tokio::test]
async fn whoever_would_wait_too_long_is_shown_a_page_before_the_function_is_ended() {
    let mut world = World::proxied().await;
    let survey = world.survey().await;
    world.advance(SignedDuration::from_mins(1));
    // Two seconds each until the SDK asks again.
    world.stack.proxies.as_ref().unwrap().dynamodb.plan(|call| match call.nth {
        0..2 => Fault::HangBefore,
        _ => Fault::None,
    });
    let posted = world.call("POST", &survey, &FORM, "stars=4").await;
    assert_eq!(
        (posted.status, posted.headers["content-type"].to_str().unwrap()),
        (503, "text/html; charset=utf-8"),
        "{}",
        posted.text
    );
}

#[tokio::test]
async fn whatever_a_form_holds_there_is_a_page_and_what_is_stored_fits() {
    let mut world = World::new().await;
    let survey = world.survey().await;
    let comment = |text: &[u8]| [b"stars=5&comment=", text].concat();
    let stars = |text: &str| format!("stars={text}").into_bytes();
    // Four bytes each, and every second one combines with the one before.
    let combining = "😀\u{1d165}".repeat(1_000);
    let joiners = "\u{200d}".repeat(2_000);
    let mebibytes = |of: &[u8]| comment(&of.repeat((2 * 1024 * 1024 - 100) / of.len()));
    let multipart =
        b"--x\r\nContent-Disposition: form-data; name=\"stars\"\r\n\r\n5\r\n--x--\r\n".to_vec();
    // A form, and the comment that is stored, if any is.
    let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        ("2 MiB of markup", mebibytes(b"<"), None),
        ("2 MiB of quotes, encoded", mebibytes(b"%22"), None),
        ("2 MiB of no UTF-8", mebibytes(b"\xff"), None),
        ("2 MiB of fields", b"a&".repeat(1024 * 1024), None),
        (
            "2 MiB of fields, then an answer",
            [b"a&".repeat(1024 * 1024), comment(b"late")].concat(),
            None,
        ),
        (
            "2 MiB of fields after the stars",
            [b"stars=5&".to_vec(), b"a&".repeat(1024 * 1024)].concat(),
            None,
        ),
        (
            "100,000 fields, then an answer",
            [b"a&".repeat(100_000), comment(b"many")].concat(),
            Some("many"),
        ),
        ("no UTF-8", comment(b"a\xff\xc0\xafb%F0%9F"), Some("a\u{fffd}\u{fffd}\u{fffd}b\u{fffd}")),
        ("a surrogate", comment(b"%ED%A0%80!"), Some("\u{fffd}\u{fffd}\u{fffd}!")),
        ("no percent-encoding", comment(b"%zz%2%%+100%"), Some("%zz%2%% 100%")),
        ("NUL and controls", comment(b"a%00\0b%1B%7F%C2%85c"), Some("abc")),
        ("line ends", comment(b"a%0D%0Ab%0Dc%0Ad"), Some("a\nb\nc\nd")),
        ("nothing but controls", comment(b"%00%01"), Some("")),
        ("2,000 characters of four bytes", comment(combining.as_bytes()), Some(&combining)),
        ("2,001 characters", comment(format!("{combining}!").as_bytes()), None),
        ("2,000 zero-width joiners", comment(joiners.as_bytes()), Some(&joiners)),
        (
            "markup",
            comment(b"</textarea><script>alert(1)</script>"),
            Some("</textarea><script>alert(1)</script>"),
        ),
        ("stars with a blank around", b"stars=+5%20&comment=blank".to_vec(), Some("blank")),
        ("two stars", b"stars=2&stars=5&comment=two".to_vec(), Some("two")),
        (
            "topics",
            [b"topics=speed&".repeat(500), b"topics=%00&topics=x&stars=1&comment=topics".to_vec()]
                .concat(),
            Some("topics"),
        ),
        ("a hostile language", b"lang=%00%FF../../en&stars=1&comment=lang".to_vec(), Some("lang")),
        ("multipart", multipart, None),
        ("JSON", br#"{"stars": 5}"#.to_vec(), None),
        ("nothing", Vec::new(), None),
        ("5.0", stars("5.0"), None),
        ("+5", stars("%2B5"), None),
        ("05", stars("05"), None),
        ("0", stars("0"), None),
        ("6", stars("6"), None),
        ("-1", stars("-1"), None),
        ("257", stars("257"), None),
        ("Arabic five", stars("٥"), None),
        ("full-width five", stars("%EF%BC%95"), None),
        ("a five with NUL", stars("5%00"), None),
        ("five stars in a row", stars("★★★★★"), None),
    ];
    for (name, body, stored) in &cases {
        let before = (world.count("responses") == 1).then(|| world.answer());
        let posted = world.call("POST", &survey, &FORM, body.clone()).await;
        assert_eq!(posted.status, if stored.is_some() { 303 } else { 422 }, "{name}");
        assert!(
            posted.text.len() < LAMBDA && !posted.text.contains("<script"),
            "{name}: {}",
            posted.text.len()
        );
        match stored {
            None => assert_eq!(
                (world.count("responses") == 1).then(|| world.answer()),
                before,
                "{name}"
            ),
            Some(comment) => {
                let row = world.answer();
                assert_eq!(
                    row["answer"]["M"]["comment"]["S"].as_str().unwrap_or_default(),
                    *comment,
                    "{name}"
                );
                assert!(
                    row["answer"]["M"]["topics"]["L"]
                        .as_array()
                        .is_none_or(|topics| topics.len() == 1),
                    "{name}: {row}"
                );
                assert!(weight(&json!({ "M": row })) <= LARGEST_ROW, "{name}");
                let shown = world.call("GET", &survey, &[], "").await;
                assert!(
                    shown.status == 200
                        && shown.text.len() < LAMBDA
                        && !shown.text.contains("<script"),
                    "{name}"
                );
            }
        }
        world.advance(SignedDuration::from_mins(4));
    }
    assert_eq!(world.exported().await["answers"]["agent_star_rating"]["comment"], "lang");
}

#[tokio::test]
async fn whatever_a_query_or_a_header_holds_there_is_a_page() {
    let mut world = World::new().await;
    let survey = world.survey().await;
    let unsubscribe = survey.replace("/s/", "/u/");
    let queries = [
        "stars=%ff%zz",
        "stars=5.0&thanks=%00",
        "thanks=9&lang=%F0%9F",
        "&&&=&=",
        "lang=de&lang=fr",
        &"a=b&".repeat(2_000),
    ];
    for query in queries {
        assert_eq!(
            world.call("GET", &format!("{survey}?{query}"), &[], "").await.status,
            200,
            "{query}"
        );
        assert_eq!(
            world.call("GET", &format!("{unsubscribe}?{query}"), &[], "").await.status,
            404,
            "{query}"
        );
    }
    for token in ["%00", "%ff%zz", "a%2Fb", "v1.", "..", "%F0%9F%98%80", &"A".repeat(8_000)] {
        for method in ["GET", "HEAD", "POST"] {
            assert_eq!(
                world
                    .call(
                        method,
                        &format!("/s/{token}"),
                        &[("accept-language", "de;q=x,,*;;,-")],
                        "stars=5"
                    )
                    .await
                    .status,
                404
            );
        }
    }
    let mail = world.mails_to("jane@customers.example").remove(0);
    let large = [b"scope=brand&".to_vec(), b"<".repeat(2 * 1024 * 1024)].concat();
    let wanted = [(large, 303), (b"\xff%zz\0".repeat(100_000), 200), (b"undo=all".to_vec(), 303)];
    for (body, status) in wanted {
        assert_eq!(world.call("POST", &link(&mail, "/u/"), &FORM, body).await.status, status);
    }
}

#[tokio::test]
async fn head_says_what_get_would_and_every_page_is_for_https_alone() {
    let mut world = World::new().await;
    let survey = world.survey().await;
    let unsubscribe = link(&world.mails_to("jane@customers.example").remove(0), "/u/");
    for path in [
        survey.as_str(),
        &format!("{survey}?stars=4&lang=ar"),
        &format!("{survey}?thanks=4"),
        &unsubscribe,
        "/s/guess",
        "/u/guess",
    ] {
        let get = world.call("GET", path, &[], "").await;
        let head = world.call("HEAD", path, &[], "").await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(
            head.headers["content-length"].to_str().unwrap(),
            get.text.len().to_string(),
            "{path}"
        );
        for (name, value) in get.headers.iter().filter(|(name, _)| *name != "date") {
            assert_eq!(head.headers.get(name), Some(value), "{path}: {name}");
        }
        assert_eq!(get.headers["strict-transport-security"], "max-age=31536000", "{path}");
    }
    for (path, body) in [
        (&survey, "stars=4"),
        (&survey, "stars=9"),
        (&unsubscribe, "scope=all"),
        (&unsubscribe, "undo=all"),
    ] {
        let posted = world.call("POST", path, &FORM, body).await;
        assert_eq!(posted.headers["strict-transport-security"], "max-age=31536000", "{body}");
    }
}
