//! What `sweep` may do to a row that it found due.

use policy::{Reason, Status, WaitingFor};
use serde_json::json;
use store::{DUE_SHARDS, Due, Woken};
use test_tables::TestTables;

use super::*;

async fn due(tables: &TestTables, now: Timestamp) -> Vec<Due> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        found.extend(tables.store.due(shard, now, 100).await.unwrap());
    }
    found
}

#[tokio::test]
async fn a_row_is_woken_once_for_each_time_that_it_is_due() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    assert!(due(&tables, minute(2)).await.is_empty(), "it is ready, and watched for 3 minutes");
    let found = due(&tables, minute(3)).await;
    let [first] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.request_id, first.status), (row.request_id, Status::Queued));
    let ready = |minutes| Woken::Ready { waited: SignedDuration::from_mins(minutes) };
    assert_eq!(tables.store.wake(first, minute(3)).await.unwrap(), ready(0));
    assert_eq!(tables.store.wake(first, minute(3)).await.unwrap(), Woken::MovedOn);
    assert_eq!(read(&tables, &row).await.wake_at, Some(minute(6)));
    // No function has worked on it since.
    let [again] = <[Due; 1]>::try_from(due(&tables, minute(8)).await).unwrap();
    assert_eq!(tables.store.wake(&again, minute(8)).await.unwrap(), ready(5));
    tables.change_row(row.request_id, &json!({ "woken": { "N": (7 * 24 * 20).to_string() } }));
    let [again] = <[Due; 1]>::try_from(due(&tables, minute(11)).await).unwrap();
    assert_eq!(tables.store.wake(&again, minute(11)).await.unwrap(), Woken::InVain);
}

#[tokio::test]
async fn a_row_that_moved_since_it_was_found_is_left_alone() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    claimed(&tables, &row, start()).await;
    let [found] = <[Due; 1]>::try_from(due(&tables, minute(1)).await).unwrap();
    assert_eq!((found.status, found.claimed_at), (Status::Sending, Some(start())));
    let store = &tables.store;
    assert!(store.postpone(&found, minute(9)).await.unwrap());
    assert!(!store.postpone(&found, minute(9)).await.unwrap(), "its time has moved");
    assert!(!store.doubt(&found, minute(9), minute(1)).await.unwrap());
    assert!(!store.send_again(&found, 3, minute(1)).await.unwrap());
    assert!(!store.give_up_on(&found, Reason::Unconfirmed, minute(1)).await.unwrap());
    assert_eq!(read(&tables, &row).await.status, Status::Sending);
}

#[tokio::test]
async fn a_mail_that_never_left_is_sent_again_as_long_as_attempts_are_left() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    claimed(&tables, &row, start()).await;
    let [found] = <[Due; 1]>::try_from(due(&tables, minute(1)).await).unwrap();
    assert!(!tables.store.send_again(&found, 1, minute(1)).await.unwrap(), "it was the last");
    assert!(tables.store.send_again(&found, 2, minute(1)).await.unwrap());
    let now = read(&tables, &row).await;
    assert_eq!((now.status, now.ready, now.attempts), (Status::Queued, Some(1), 1));
    let subject = row.subject.unwrap().as_text();
    assert_eq!(kinds(&tables, &subject), ["window"], "it is this request's");
}

#[tokio::test]
async fn giving_up_frees_the_window_only_if_no_mail_can_have_left() {
    for (reason, window) in
        [(Reason::Unconfirmed, vec!["window"]), (Reason::SendAttempts, Vec::new())]
    {
        let tables = TestTables::empty().await;
        let row = recorded(&tables, "1").await;
        claimed(&tables, &row, start()).await;
        let [found] = <[Due; 1]>::try_from(due(&tables, minute(1)).await).unwrap();
        assert!(tables.store.give_up_on(&found, reason, minute(1)).await.unwrap());
        assert_eq!(read(&tables, &row).await.status, Status::Failed);
        assert_eq!(kinds(&tables, &row.subject.unwrap().as_text()), window, "{reason:?}");
    }
}

#[tokio::test]
async fn a_request_is_held_only_while_it_is_ready_and_ends_before_its_row_expires() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let hold =
        async |until| tables.store.hold(&row, WaitingFor::Sender, until, start()).await.unwrap();
    assert!(hold(minute(5)).await);
    assert!(!hold(minute(7)).await, "it is held already");
    let now = read(&tables, &row).await;
    assert_eq!((now.wake_at, now.waiting_for), (Some(minute(5)), Some(WaitingFor::Sender)));
    assert!(hold(start() + DAYS_90 - SignedDuration::from_hours(24)).await);
    assert_eq!(read(&tables, &row).await.reason, Some(Reason::Expired));
}
