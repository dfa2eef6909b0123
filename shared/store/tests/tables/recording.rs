//! Recording, and what counts as a repetition.

use policy::{Reason, Status};
use store::{First, Recorded};
use test_tables::TestTables;

use super::*;

#[tokio::test]
async fn a_repetition_is_answered_with_the_first_request_and_writes_nothing() {
    let tables = TestTables::empty().await;
    let first = recorded(&tables, "1").await;
    let second = approved("1", JANE, minute(1)).into_row(minute(1));
    let markers = [marker("other"), marker("1")];
    match tables.store.record(&second, &markers, minute(1)).await.unwrap() {
        Recorded::Duplicate(1, known) => {
            assert_eq!((known.request_id, known.status), (first.request_id, Status::Queued));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(tables.items("interactions").len(), 1);
    assert!(kinds(&tables, markers[0].key.as_str()).is_empty(), "all or nothing");
}

#[tokio::test]
async fn a_marker_whose_window_is_over_is_taken_though_it_is_still_there() {
    let tables = TestTables::empty().await;
    recorded(&tables, "1").await;
    let later = start() + WEEK;
    let second = approved("1", JANE, later).into_row(later);
    let markers = [marker("1")];
    assert_eq!(tables.store.record(&second, &markers, later).await.unwrap(), Recorded::New);
    let third = approved("1", JANE, later).into_row(later);
    let Recorded::Duplicate(0, known) = tables.store.record(&third, &markers, later).await.unwrap()
    else {
        panic!("no duplicate")
    };
    assert_eq!(known.request_id, second.request_id);
}

#[tokio::test]
async fn an_own_attempt_whose_reply_was_lost_is_new_and_not_a_repetition() {
    let tables = TestTables::empty().await;
    let row = recorded(&tables, "1").await;
    let markers = [marker("1")];
    assert_eq!(tables.store.record(&row, &markers, start()).await.unwrap(), Recorded::New);
    assert_eq!(tables.store.record(&row, &[], start()).await.unwrap(), Recorded::New);
    assert_eq!(tables.items("interactions").len(), 1);
}

#[tokio::test]
async fn a_marker_keeps_status_reason_and_fingerprint() {
    let tables = TestTables::empty().await;
    let row = approved("1", JANE, start()).into_row(start());
    let first = First {
        request_id: row.request_id,
        status: Status::NotSent,
        reason: Some(Reason::DoNotSend),
        fingerprint: None,
    };
    let known = Marker { fingerprint: Some("body".to_owned()), ..marker("1") };
    tables.store.remember(&known, &first, start()).await.unwrap();
    // The first answer stays.
    let other = First { reason: None, status: Status::Queued, ..first.clone() };
    tables.store.remember(&known, &other, minute(1)).await.unwrap();
    let again = tables.store.record(&row, &[known], minute(1)).await.unwrap();
    // The marker leads to this very row: that is no repetition.
    assert_eq!(again, Recorded::New);
    let another = approved("1", JANE, start()).into_row(start());
    let markers = [marker("1")];
    let again = tables.store.record(&another, &markers, minute(1)).await.unwrap();
    let expected = First { fingerprint: Some("body".to_owned()), ..first };
    assert_eq!(again, Recorded::Duplicate(0, expected));
}
