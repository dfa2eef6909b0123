//! Taking requests back, and ending those that wait.

use policy::{Reason, Status};
use serde_json::json;
use store::Ticket;
use test_tables::TestTables;

use super::*;

fn ticket<'a>(ext_interaction_id: &'a str, marker: &'a MarkerKey) -> Ticket<'a> {
    Ticket { source: Source::Zendesk, mode: Mode::Live, ext_interaction_id, marker }
}

#[tokio::test]
async fn a_reopened_ticket_ends_what_waits_and_notes_what_is_being_sent_and_frees_all_markers() {
    let tables = TestTables::empty().await;
    let waiting = recorded(&tables, "1").await;
    // A second row of the ticket, about another customer and with a marker of its own.
    let new = NewInteraction {
        ext_interaction_id: Some("1".to_owned()),
        ..approved("1b", "omar@customers.example", start())
    };
    let sending = new.into_row(start());
    let own = [marker("1b")];
    tables.store.record(&sending, &own, start()).await.unwrap();
    claimed(&tables, &sending, start()).await;
    let other = recorded(&tables, "2").await;

    let key = marker_key("1");
    let withdrawn =
        tables.store.withdraw(&ticket("1", &key), Reason::Reopened, minute(1)).await.unwrap();
    assert_eq!((withdrawn.only_newest, withdrawn.unreadable.len()), (None, 0));
    let ended = read(&tables, &waiting).await;
    assert_eq!((ended.status, ended.reason), (Status::NotSent, Some(Reason::Reopened)));
    let noted = read(&tables, &sending).await;
    assert_eq!((noted.status, noted.reopened_at), (Status::Sending, Some(minute(1))));
    assert_eq!(read(&tables, &other).await.status, Status::Queued);
    for freed in [&key, &own[0].key] {
        assert!(kinds(&tables, freed.as_str()).is_empty());
    }
    assert_eq!(kinds(&tables, marker_key("2").as_str()), ["marker"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_reported_and_does_not_hinder_the_others() {
    let tables = TestTables::empty().await;
    let waiting = recorded(&tables, "1").await;
    let second = approved("1", JANE, start()).into_row(start());
    tables.store.record(&second, &[], start()).await.unwrap();
    tables.change_row(second.request_id, &json!({ "created_at": { "S": "yesterday" } }));
    let key = marker_key("1");
    let withdrawn =
        tables.store.withdraw(&ticket("1", &key), Reason::Reopened, minute(1)).await.unwrap();
    let [unreadable] = withdrawn.unreadable.as_slice() else { panic!("{withdrawn:?}") };
    assert_eq!(unreadable.request_id, Some(second.request_id));
    assert_eq!(read(&tables, &waiting).await.status, Status::NotSent);
}

#[tokio::test]
async fn a_cancelled_request_frees_its_marker_and_moves_only_once() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    assert!(tables.store.cancel(&row, minute(1)).await.unwrap());
    assert!(!tables.store.cancel(&row, minute(1)).await.unwrap(), "it has moved on");
    assert_eq!(read(&tables, &row).await.reason, Some(Reason::Cancelled));
    assert!(kinds(&tables, row.marker.unwrap().as_str()).is_empty());
}

#[tokio::test]
async fn a_request_that_was_claimed_since_it_was_read_is_not_cancelled() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let lease = claimed(&tables, &row, start()).await;
    assert!(!tables.store.cancel(&row, minute(1)).await.unwrap(), "it is being sent");
    tables.store.release(lease, minute(5), true).await.unwrap();
    assert!(!tables.store.cancel(&row, minute(1)).await.unwrap(), "the claim was not read");
    let row = read(&tables, &row).await;
    assert!(tables.store.cancel(&row, minute(1)).await.unwrap());
}

#[tokio::test]
async fn do_not_send_that_is_said_later_keeps_the_marker() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    assert!(tables.store.decline(row.request_id, minute(1)).await.unwrap());
    assert!(tables.store.decline(row.request_id, minute(2)).await.unwrap(), "it is the same");
    assert_eq!(read(&tables, &row).await.reason, Some(Reason::DoNotSend));
    assert_eq!(kinds(&tables, row.marker.unwrap().as_str()), ["marker"]);
}

#[tokio::test]
async fn what_has_ended_or_left_is_never_refused() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let lease = claimed(&tables, &row, start()).await;
    assert!(tables.store.sent(lease, "m", minute(1)).await.unwrap());
    let sent = read(&tables, &row).await;
    for reason in Reason::ALL {
        assert!(!tables.store.refuse(&sent, *reason, minute(2)).await.unwrap(), "{reason:?}");
    }
    assert_eq!(read(&tables, &row).await.status, Status::Sent);
}

#[tokio::test]
async fn a_refusal_for_an_invalid_request_lets_the_same_interaction_come_again() {
    for (reason, marker) in
        [(Reason::ChannelManual, Vec::new()), (Reason::Unsubscribed, vec!["marker"])]
    {
        let tables = TestTables::empty().await;
        let row = recorded(&tables, "1").await;
        assert!(tables.store.refuse(&row, reason, minute(1)).await.unwrap());
        assert_eq!(kinds(&tables, row.marker.unwrap().as_str()), marker, "{reason:?}");
    }
}
