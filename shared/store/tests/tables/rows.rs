//! The form of rows: what is stored, and what is read of rows that are old or were edited by hand.

use normalize::CustomerAddress;
use policy::{Mode, Status};
use serde_json::json;
use store::{Outcome, OutcomeWritten};
use test_tables::TestTables;

use super::*;

#[tokio::test]
async fn the_attributes_of_a_row_are_the_contracts() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let item = tables.row(row.request_id).unwrap();
    let mut names: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "attempts",
            "brand",
            "channel",
            "created_at",
            "day_shard",
            "due_shard",
            "employee",
            "expires_at",
            "ext_interaction_id",
            "key",
            "language",
            "marker",
            "mode",
            "ready",
            "request",
            "request_id",
            "source",
            "status",
            "subject",
            "wake_at"
        ]
    );
    let subject = tables.store.secret().of_address(JANE).as_text();
    assert_eq!(item["subject"], json!({ "S": subject }));
    assert_eq!(
        item["request"],
        json!({ "M": {
            "ext_interaction_id": { "S": "1" }, "channel": { "S": "email" },
            "brand": { "S": "kids" }, "language": { "S": "en" },
            "customer": { "M": { "name": { "S": "Jane" }, "email": { "S": JANE } } },
            "employee": { "M": { "email": { "S": "paul@company.example" } } },
            "do_not_send": { "BOOL": false },
        } })
    );
    assert_eq!(read(&tables, &row).await, row, "and it is read back as it was written");
}

#[tokio::test]
async fn a_row_that_was_edited_by_hand_is_read_as_far_as_possible() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    for (request, address) in [
        (json!({ "S": "gone" }), CustomerAddress::Missing),
        (json!({ "M": {} }), CustomerAddress::Missing),
        (
            json!({ "M": { "customer": { "M": { "email": { "S": "jane" } } } } }),
            CustomerAddress::Malformed("jane".to_owned()),
        ),
    ] {
        tables.change_row(row.request_id, &json!({ "request": request }));
        let read = read(&tables, &row).await;
        assert_eq!((read.status, &read.details.customer.address), (Status::Queued, &address));
        assert_eq!(read.customer_address(), None);
    }
}

#[tokio::test]
async fn an_expired_row_is_not_found_though_it_is_still_there() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let (store, over) = (&tables.store, start() + DAYS_90);
    assert!(store.interaction(row.request_id, over - 1.second()).await.unwrap().is_some());
    assert!(store.interaction(row.request_id, over).await.unwrap().is_none());
    assert!(store.interactions(&[row.request_id], over).await.unwrap().rows.is_empty());
    assert!(tables.row(row.request_id).is_some());
}

#[tokio::test]
async fn an_outcome_is_written_in_any_order_and_revives_no_row() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let lease = claimed(&tables, &row, start()).await;
    tables.store.sent(lease, "m", start()).await.unwrap();
    let outcome = |request_id, status| Outcome {
        request_id,
        mode: Mode::Live,
        of_notice: false,
        status,
        message_id: "m",
        at: minute(1),
    };
    let bounced = outcome(row.request_id, Status::HardBounce);
    assert!(matches!(tables.store.outcome(&bounced).await.unwrap(), OutcomeWritten::Applied(_)));
    let delivered = outcome(row.request_id, Status::Delivered);
    assert!(matches!(tables.store.outcome(&delivered).await.unwrap(), OutcomeWritten::Stale(_)));
    let erased = outcome(Uuid::now_v7(), Status::Delivered);
    assert_eq!(tables.store.outcome(&erased).await.unwrap(), OutcomeWritten::Gone);
    assert_eq!(tables.items("interactions").len(), 1);
}

#[tokio::test]
async fn an_outcome_of_a_request_that_was_never_claimed_is_not_believed() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let sent = Outcome {
        request_id: row.request_id,
        mode: Mode::Live,
        of_notice: false,
        status: Status::Sent,
        message_id: "m",
        at: minute(1),
    };
    assert!(matches!(tables.store.outcome(&sent).await.unwrap(), OutcomeWritten::Stale(_)));
    // Claimed and put back, which we believe to have sent nothing.
    let lease = claimed(&tables, &row, start()).await;
    tables.store.release(lease, minute(5), true).await.unwrap();
    let OutcomeWritten::Unexpected(believed) = tables.store.outcome(&sent).await.unwrap() else {
        panic!("expected")
    };
    assert!(tables.store.outcome_after_all(&believed, &sent, WEEK).await.unwrap());
    assert!(!tables.store.outcome_after_all(&believed, &sent, WEEK).await.unwrap());
    assert_eq!(read(&tables, &row).await.status, Status::Sent);
    assert_eq!(kinds(&tables, &row.subject.unwrap().as_text()), ["window"]);
}
