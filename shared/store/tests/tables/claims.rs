//! Claiming, and every way in which a claim ends.

use policy::{Ceiling, Reason, Status};
use serde_json::json;
use store::{Claim, Claimed};
use test_tables::TestTables;

use super::*;

#[tokio::test]
async fn a_claim_takes_the_row_and_the_window_and_a_second_one_is_lost() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    claimed(&tables, &row, start()).await;
    let now = read(&tables, &row).await;
    assert_eq!((now.status, now.ready, now.wake_at), (Status::Sending, None, Some(minute(1))));
    assert_eq!((now.claimed_at, now.claim_id.is_some()), (Some(start()), true));
    assert_eq!(kinds(&tables, &row.subject.as_ref().unwrap().as_text()), ["window"]);
    let second = tables.store.claim(&row, &terms(), start()).await.unwrap();
    assert!(matches!(second, Claimed::Lost), "{second:?}");
}

#[tokio::test]
async fn the_same_claim_whose_reply_was_lost_is_made_again() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let terms = terms();
    for _ in 0..2 {
        let claim = tables.store.claim(&row, &terms, start()).await.unwrap();
        assert!(matches!(claim, Claimed::Yes(_)), "{claim:?}");
    }
}

#[tokio::test]
async fn each_clause_about_the_row_is_required() {
    let changes = [
        ("not ready", json!({ "status": { "S": "queued" } }), true),
        ("reopened", json!({ "reopened_at": { "N": "1" } }), false),
        ("declined", json!({ "declined_at": { "N": "1" } }), false),
        ("ended", json!({ "status": { "S": "not_sent" } }), false),
        ("unresolved", json!({ "status": { "S": "unresolved" } }), false),
    ];
    for (name, change, not_ready) in changes {
        let tables = TestTables::empty().await;
        let row = recorded(&tables, "1").await;
        if not_ready {
            let mut item = tables.row(row.request_id).unwrap();
            item.as_object_mut().unwrap().remove("ready");
            tables.put("interactions", &item);
        }
        tables.change_row(row.request_id, &change);
        let claim = tables.store.claim(&row, &terms(), start()).await.unwrap();
        assert!(matches!(claim, Claimed::Lost), "{name}: {claim:?}");
        assert!(kinds(&tables, &row.subject.unwrap().as_text()).is_empty(), "{name}");
    }
    let tables = TestTables::empty().await;
    let row = approved("1", JANE, start()).into_row(start());
    let claim = tables.store.claim(&row, &terms(), start()).await.unwrap();
    assert!(matches!(claim, Claimed::Lost), "no such row: {claim:?}");
    assert!(tables.items("interactions").is_empty(), "a claim makes no row");
}

#[tokio::test]
async fn each_clause_about_the_customer_is_required_in_the_order_of_the_contract() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let subject = row.subject.clone().unwrap();
    let refused = async || match tables.store.claim(&row, &terms(), start()).await.unwrap() {
        Claimed::No(reason) => reason,
        other => panic!("{other:?}"),
    };
    let store = &tables.store;
    // Held by a request that is not named, to which the later ones are added.
    tables.put(
        "suppression",
        &json!({
            "subject": { "S": subject.as_text() }, "kind": { "S": "window" },
            "expires_at": { "N": (start().as_second() + 1).to_string() },
        }),
    );
    assert_eq!(refused().await, Reason::SuppressionPeriod);
    store.bounced(&subject, WEEK, start()).await.unwrap();
    assert_eq!(refused().await, Reason::Rejected);
    store.unsubscribe(&subject, Some(" KIDS "), "page", start()).await.unwrap();
    assert_eq!(refused().await, Reason::Unsubscribed);
    store.resubscribe(&subject, Some("kids")).await.unwrap();
    assert_eq!(refused().await, Reason::Rejected);
    store.unsubscribe(&subject, None, "page", start()).await.unwrap();
    assert_eq!(refused().await, Reason::Unsubscribed);
    assert_eq!(read(&tables, &row).await.status, Status::Queued);
}

#[tokio::test]
async fn a_bounce_and_a_window_that_are_over_do_not_count_though_they_are_still_there() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let subject = row.subject.clone().unwrap();
    tables.store.bounced(&subject, WEEK, start() - WEEK).await.unwrap();
    tables.put(
        "suppression",
        &json!({
            "subject": { "S": subject.as_text() }, "kind": { "S": "window" },
            "expires_at": { "N": start().as_second().to_string() },
        }),
    );
    claimed(&tables, &row, start()).await;
}

#[tokio::test]
async fn another_request_that_holds_the_window_is_named() {
    let tables = TestTables::empty().await;
    let (first, second) = (recorded(&tables, "1").await, recorded(&tables, "2").await);
    let lease = claimed(&tables, &first, start()).await;
    match tables.store.claim(&second, &terms(), start()).await.unwrap() {
        Claimed::WindowOf(holder) => assert_eq!(holder, first.request_id),
        other => panic!("{other:?}"),
    }
    assert!(tables.store.release(lease, minute(5), true).await.unwrap());
    claimed(&tables, &second, minute(1)).await;
}

#[tokio::test]
async fn the_keys_ceiling_is_counted_with_the_claim() {
    let tables = TestTables::empty().await;
    let ceiling = Ceiling::new("digest", 1).unwrap();
    let claim = |window| Claim { ceiling: Some(&ceiling), window, ..terms() };
    let (first, second) = (recorded(&tables, "1").await, recorded(&tables, "2").await);
    let none = SignedDuration::ZERO;
    let claimed = tables.store.claim(&first, &claim(none), start()).await.unwrap();
    assert!(matches!(claimed, Claimed::Yes(_)));
    let over = tables.store.claim(&second, &claim(none), start()).await.unwrap();
    assert!(matches!(over, Claimed::OverCeiling), "{over:?}");
    let next_hour = tables.store.claim(&second, &claim(none), minute(60)).await.unwrap();
    assert!(matches!(next_hour, Claimed::Yes(_)));
}

#[tokio::test]
async fn a_live_row_that_does_not_say_whom_it_concerns_is_never_claimed() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    tables.change_row(row.request_id, &json!({ "subject": { "S": "edited by hand" } }));
    let row = read(&tables, &row).await;
    assert_eq!(row.subject, None, "a text that is no subject counts as absent");
    let claim = tables.store.claim(&row, &terms(), start()).await.unwrap();
    assert!(matches!(claim, Claimed::No(Reason::NoEmail)), "{claim:?}");
}

#[tokio::test]
async fn a_released_request_waits_and_frees_the_window_and_keeps_the_marker() {
    for (counts, attempts) in [(true, 1), (false, 0)] {
        let tables = TestTables::empty().await;
        let row = recorded(&tables, "1").await;
        let lease = claimed(&tables, &row, start()).await;
        assert!(tables.store.release(lease, minute(9), counts).await.unwrap());
        let now = read(&tables, &row).await;
        assert_eq!((now.status, now.attempts), (Status::Queued, attempts));
        assert_eq!((now.wake_at, now.ready, now.claim_id), (Some(minute(9)), None, None));
        assert!(kinds(&tables, &row.subject.as_ref().unwrap().as_text()).is_empty());
        assert_eq!(kinds(&tables, row.marker.as_ref().unwrap().as_str()), ["marker"]);
        assert!(!tables.store.release(lease, minute(9), counts).await.unwrap(), "it is over");
        assert!(!tables.store.sent(lease, "m", minute(1)).await.unwrap());
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_with_its_reason_and_frees_the_window() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let lease = claimed(&tables, &row, start()).await;
    assert!(tables.store.give_up(lease, Reason::Rejected, minute(1)).await.unwrap());
    let now = read(&tables, &row).await;
    assert_eq!((now.status, now.reason), (Status::NotSent, Some(Reason::Rejected)));
    assert_eq!((now.wake_at, now.ready), (None, None));
    assert!(kinds(&tables, &row.subject.unwrap().as_text()).is_empty());
}

#[tokio::test]
async fn sent_is_written_once_and_only_under_the_lease() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let lost = claimed(&tables, &row, start()).await;
    // Evidence brought it back, and another claim has it now.
    let due = tables.store.due(shard(&tables, &row), minute(1), 10).await.unwrap();
    let [due] = due.as_slice() else { panic!("{due:?}") };
    assert!(tables.store.send_again(due, 3, minute(1)).await.unwrap());
    let again = read(&tables, &row).await;
    let lease = claimed(&tables, &again, minute(2)).await;
    assert!(!tables.store.sent(lost, "of the first", minute(2)).await.unwrap());
    assert!(!tables.store.give_up(lost, Reason::SendAttempts, minute(2)).await.unwrap());
    assert!(tables.store.sent(lease, "of the second", minute(3)).await.unwrap());
    assert!(!tables.store.sent(lease, "again", minute(4)).await.unwrap());
    let now = read(&tables, &row).await;
    assert_eq!((now.status, now.message_id.as_deref()), (Status::Sent, Some("of the second")));
    assert_eq!(kinds(&tables, &row.subject.as_ref().unwrap().as_text()), ["window"]);
}

fn shard(tables: &TestTables, row: &Interaction) -> u64 {
    let row = tables.row(row.request_id).unwrap();
    text(&row, "due_shard").trim_start_matches("due#").parse().unwrap()
}
