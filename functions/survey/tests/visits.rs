//! Visits through the real handler, against an endpoint that plays DynamoDB by script: what each
//! visit reads and writes.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy.toml allows it only inside the test functions themselves"
)]

use fake_aws::{Call, FakeAws, Reply};
use jiff::Timestamp;
use lambda_http::{Body, Response};
use links::{SubjectSecret, TokenSecrets};
use serde_json::{Value, json};
use store::{Store, Tables};
use survey::Survey;

/// `GET /s/TOKEN?stars=4` for the request of `events/dispatch.json`.
const VISIT: &str = include_str!("../../../events/survey.json");
/// `GET /u/TOKEN` for its customer.
const UNSUBSCRIBE: &str = include_str!("../../../events/unsubscribe.json");

const CLAIMED: i64 = 1_767_603_601_000;

/// A day after the claim.
fn now() -> Timestamp {
    Timestamp::from_millisecond(CLAIMED + 86_400_000).unwrap()
}

/// The row of the request, claimed, changed by `edit`.
fn row(edit: impl Fn(&mut Value)) -> Value {
    let event = include_str!("../../../events/dispatch.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let mut row = event["Records"][0]["dynamodb"]["NewImage"].take();
    row["status"] = json!({ "S": "delivered" });
    row["claimed_at"] = json!({ "N": CLAIMED.to_string() });
    row["open_until"] = json!({ "N": (CLAIMED + 14 * 86_400_000).to_string() });
    edit(&mut row);
    row
}

/// The tables with this row, and without an answer or an unsubscribe.
async fn tables(row: Value) -> FakeAws {
    FakeAws::start(move |call: &Call| match call.operation.as_str() {
        "GetItem" if call.body["TableName"] == "interactions" => Reply::ok(json!({ "Item": row })),
        "ExecuteStatement" | "Query" => Reply::ok(json!({ "Items": [] })),
        _ => Reply::ok(json!({})),
    })
    .await
}

async fn visit(aws: &FakeAws, event: &Value) -> Response<Body> {
    let tables = Tables::default();
    let survey = Survey {
        store: Store::new(&aws.config(), tables, SubjectSecret::new("secret")),
        secrets: TokenSecrets::parse("v1:local-token-secret").unwrap(),
    };
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    survey.handle(request, now()).await.unwrap()
}

fn get(event: &str) -> Value {
    serde_json::from_str(event).unwrap()
}

fn post(event: &str, form: &str) -> Value {
    let mut event = get(event);
    event["requestContext"]["http"]["method"] = json!("POST");
    event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
    event["body"] = json!(form);
    event
}

fn writes(aws: &FakeAws) -> Vec<Call> {
    let reads = ["GetItem", "Query", "ExecuteStatement"];
    aws.calls().into_iter().filter(|call| !reads.contains(&call.operation.as_str())).collect()
}

fn html(response: &Response<Body>) -> &str {
    match response.body() {
        Body::Text(html) => html,
        _ => "",
    }
}

#[tokio::test]
async fn a_visit_shows_the_survey_and_writes_nothing() {
    let aws = tables(row(|_| {})).await;
    for method in ["GET", "HEAD"] {
        let mut event = get(VISIT);
        event["requestContext"]["http"]["method"] = json!(method);
        let response = visit(&aws, &event).await;
        assert_eq!(response.status(), 200, "{method}");
        assert!(html(&response).contains("<form"), "{method}");
        for header in ["content-security-policy", "cache-control", "strict-transport-security"] {
            assert!(response.headers().contains_key(header), "{method}: {header}");
        }
    }
    assert_eq!(writes(&aws), []);
}

#[tokio::test]
async fn an_answer_is_stored_and_leads_to_the_receipt() {
    let aws = tables(row(|_| {})).await;
    let response = visit(&aws, &post(VISIT, "stars=4&comment=Thanks&topics=speed")).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "?thanks=4");
    let [stored] = aws.requests("TransactWriteItems").try_into().unwrap();
    let answer = &stored["TransactItems"][1]["Put"]["Item"]["answer"]["M"];
    assert_eq!((&answer["stars"]["N"], &answer["comment"]["S"]), (&json!("4"), &json!("Thanks")));
}

#[tokio::test]
async fn an_answer_to_a_test_mail_is_not_stored() {
    let aws = tables(row(|row| row["mode"] = json!({ "S": "test" }))).await;
    let response = visit(&aws, &post(VISIT, "stars=4")).await;
    assert_eq!((response.status().as_u16(), writes(&aws).len()), (303, 0));
    assert_eq!(response.headers()["location"], "?thanks=4");
}

#[tokio::test]
async fn a_form_with_mistakes_is_shown_again_and_not_stored() {
    let long = format!("stars=4&comment={}", "a".repeat(2_001));
    let cut = format!("stars=4&comment={}", "a".repeat(300_000));
    for form in ["", "stars=6", "stars=04", "stars=%2B4", &long, &cut] {
        let aws = tables(row(|_| {})).await;
        let response = visit(&aws, &post(VISIT, form)).await;
        assert_eq!(response.status(), 422, "{}", form.get(..20).unwrap_or(form));
        assert_eq!(writes(&aws), []);
    }
}

#[tokio::test]
async fn a_survey_is_unknown_before_its_claim_and_closed_after_its_time() {
    let unclaimed = |row: &mut Value| {
        row.as_object_mut().unwrap().remove("claimed_at");
    };
    let over = |row: &mut Value| row["open_until"] = json!({ "N": (CLAIMED + 1).to_string() });
    for (row, status) in [(row(unclaimed), 404), (row(over), 410)] {
        let aws = tables(row).await;
        assert_eq!(visit(&aws, &get(VISIT)).await.status(), status);
        assert_eq!(visit(&aws, &post(VISIT, "stars=4")).await.status(), status);
        assert_eq!(writes(&aws), []);
    }
}

#[tokio::test]
async fn a_token_that_we_did_not_seal_is_refused_before_any_table_is_read() {
    let aws = tables(row(|_| {})).await;
    for path in ["/s/AXMBm41ieoBwAIAAAAAAAAABluu6g9ZpZrZ9RWXOsVHqDB", "/s/", "/s/a/b", "/u/x", "/"]
    {
        let mut event = get(VISIT);
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        assert_eq!(visit(&aws, &event).await.status(), 404, "{path}");
    }
    assert_eq!(aws.calls(), []);
}

#[tokio::test]
async fn a_table_that_fails_is_a_503_page_that_says_when_to_come_back() {
    let aws = FakeAws::start(|_| Reply::error(400, "ResourceNotFoundException")).await;
    for event in [get(VISIT), post(VISIT, "stars=4"), get(UNSUBSCRIBE)] {
        let response = visit(&aws, &event).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "60");
    }
}

#[tokio::test]
async fn unsubscribing_takes_a_post_and_one_click_takes_no_redirect() {
    let aws = tables(row(|_| {})).await;
    assert_eq!(visit(&aws, &get(UNSUBSCRIBE)).await.status(), 200);
    assert_eq!(writes(&aws), []);
    for (form, status, kind) in [
        ("List-Unsubscribe=One-Click", 200, "unsubscribed"),
        ("scope=all", 303, "unsubscribed"),
        ("scope=brand", 303, "unsubscribed#blancakids"),
    ] {
        let aws = tables(row(|_| {})).await;
        assert_eq!(visit(&aws, &post(UNSUBSCRIBE, form)).await.status(), status, "{form}");
        let [put] = aws.requests("PutItem").try_into().unwrap();
        assert_eq!(put["Item"]["kind"]["S"], kind, "{form}");
    }
    let aws = tables(row(|_| {})).await;
    assert_eq!(visit(&aws, &post(UNSUBSCRIBE, "undo=all")).await.status(), 303);
    assert_eq!(aws.requests("DeleteItem").len(), 1);
}
