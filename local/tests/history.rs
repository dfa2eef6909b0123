//! The three weeks that `cargo run` starts with.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kit::{TEST, World};
use local::history;
use policy::{Mode, Status};
use store::{Interaction, SuppressionKind};
use uuid::Uuid;

const THREE_WEEKS: SignedDuration = SignedDuration::from_hours(21 * 24);

/// Every row of the table, as `store` reads it.
async fn rows(world: &World) -> Vec<Interaction> {
    let ids = world.rows().into_iter().map(|row| row["request_id"]["S"].as_str().unwrap().parse());
    let ids: Vec<Uuid> = ids.collect::<Result<_, _>>().unwrap();
    let mut rows = Vec::new();
    for ids in ids.chunks(store::ROWS_AT_ONCE) {
        let found = world.stack.bundle.store().interactions(ids, world.now()).await.unwrap();
        assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
        rows.extend(found.rows.into_values());
    }
    rows.sort_by_key(|row| row.request_id);
    rows
}

/// One stack for all of it, since writing 300 requests takes a while.
#[tokio::test]
async fn the_history_is_as_the_functions_would_have_written_it() {
    let mut world = World::new().await;
    assert_eq!(world.count("interactions"), 0, "only `cargo run` writes it");
    let written = history::write(&world.stack, world.now()).await.unwrap();
    let rows = rows(&world).await;
    every_row_is_read_back(&world, written, &rows).await;
    tallies_are_as_store_counts_them(&world).await;
    what_is_held_against_customers_is_known(&world, &rows).await;
    the_pages_show_it(&world, &rows).await;
    nothing_is_left_to_be_done(&mut world).await;
}

async fn every_row_is_read_back(world: &World, written: history::Written, rows: &[Interaction]) {
    let (now, store) = (world.now(), world.stack.bundle.store());
    assert_eq!((written.requests, rows.len()), (300, 300));
    assert_eq!(written.answers, world.count("responses"));
    assert!((80..160).contains(&written.answers), "{written:?}");

    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let reason = row.reason.map(|reason| reason.code()).unwrap_or_default();
        *ends.entry(format!("{} {reason}", row.status.as_str())).or_default() += 1;
        assert!(!row.status.is_waiting() && row.wake_at.is_none(), "{row:?}");
        assert!(row.created_at > now - THREE_WEEKS - SignedDuration::from_hours(1));
        assert!(!row.expired(now));
        let times = [Some(row.created_at), row.claimed_at, row.sent_at, row.outcome_at];
        assert!(times.iter().flatten().is_sorted(), "{row:?}");
        assert_eq!(row.sent_at.is_some(), row.status.mail_left(), "{row:?}");
        assert_eq!(row.reason.map(|reason| reason.outcome().status()), {
            Some(row.status).filter(|status| !status.mail_left())
        });
        if let Some(key) = &row.answer {
            let answer = store.response(key).await.unwrap().unwrap();
            assert_eq!(answer.request(), Some(row.request_id));
            assert!(row.outcome_at.unwrap() < answer.answer.at && answer.answer.at < now);
        }
    }
    for end in [
        "delivered ",
        "hard_bounce ",
        "not_sent suppression_period",
        "not_sent do_not_send",
        "not_sent no_email",
        "invalid channel_manual",
        "invalid employee_not_found",
        "invalid employee_deactivated",
    ] {
        assert!(ends.contains_key(end), "{end}: {ends:?}");
    }
    let invalid: usize =
        ends.iter().filter(|(end, _)| end.starts_with("invalid")).map(|(_, count)| count).sum();
    assert!((15..60).contains(&invalid), "{ends:?}");
}

async fn nothing_is_left_to_be_done(world: &mut World) {
    world.settle().await;
    let swept = world.sweep().await;
    assert_eq!((&swept["woken"], &swept["failed"]), (&0.into(), &0.into()), "{swept}");
    world.settle().await;
    assert!(world.stack.mailbox.messages().is_empty());

    // Once only.
    let again = history::write(&world.stack, world.now()).await.unwrap();
    assert_eq!((again.requests, world.count("interactions")), (0, 300));
}

async fn tallies_are_as_store_counts_them(world: &World) {
    let (now, store) = (world.now(), world.stack.bundle.store());
    let all = async || {
        let from = now - THREE_WEEKS - SignedDuration::from_hours(1);
        let tallied = store.tallies(from, now).await.unwrap();
        let named = tallied.into_iter().map(|tally| (format!("{tally:?}"), tally.hour));
        named.collect::<BTreeMap<String, Timestamp>>()
    };
    let written = all().await;
    // Each takes eight queries.
    for hour in written.values().collect::<BTreeSet<_>>().into_iter().step_by(7) {
        store.tally(*hour).await.unwrap();
    }
    assert_eq!(all().await, written);
}

async fn what_is_held_against_customers_is_known(world: &World, rows: &[Interaction]) {
    let (now, store) = (world.now(), world.stack.bundle.store());
    let mut windows = 0;
    for row in rows.iter().filter(|row| row.mode == Mode::Live && row.sent_at.is_some()) {
        let subject = row.subject.as_ref().unwrap();
        let held = store.suppressions(subject, now).await.unwrap();
        let kinds = |wanted: fn(&SuppressionKind) -> bool| {
            held.iter().filter(|held| wanted(&held.kind)).count()
        };
        let lately = row.sent_at.unwrap() > now - SignedDuration::from_hours(7 * 24);
        if lately {
            let windows_held = kinds(|kind| matches!(kind, SuppressionKind::Window { .. }));
            assert_eq!(windows_held, 1, "{row:?}");
            windows += 1;
        }
        match row.status {
            Status::HardBounce => {
                assert_eq!(kinds(|kind| matches!(kind, SuppressionKind::Bounced { .. })), 1);
            }
            Status::Complained => {
                assert_eq!(kinds(|kind| matches!(kind, SuppressionKind::Unsubscribed { .. })), 1);
            }
            _ => {}
        }
    }
    assert!(windows > 20, "{windows}");
}

async fn the_pages_show_it(world: &World, rows: &[Interaction]) {
    let status = world.page("/admin").await;
    assert_eq!(status.status, 200);
    for shown in ["3 minutes ago", "channel_manual", "zendesk", "gorgias"] {
        assert!(status.text.contains(shown), "{shown}: {}", status.text);
    }
    for (key, mode) in [(kit::LIVE, Mode::Live), (TEST, Mode::Test)] {
        let listed = world.call("GET", "/v1/requests?limit=500", &[("x-api-key", key)], "").await;
        let listed = listed.json()["requests"].as_array().unwrap().len();
        let stored = rows.iter().filter(|row| row.mode == mode).count();
        assert_eq!(listed, stored);
    }
    // One of each end has a page, which says why.
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert((row.status.as_str(), row.reason.map(|reason| reason.code()))) {
            continue;
        }
        let page = world.page(&format!("/admin/requests/{}", row.request_id)).await;
        assert_eq!(page.status, 200, "{row:?}: {}", page.text);
        if let Some(reason) = row.reason {
            let code = format!("<code>{}</code>", reason.code());
            assert!(page.text.contains(&code), "{reason:?}: {}", page.text);
        }
    }
    let channels = world.page("/admin/channels").await;
    assert!(channels.text.contains("Set <bdi>phone</bdi> to integrated"), "{}", channels.text);
    let agents = world.stack.database.query(
        serde_json::from_value(serde_json::json!({
            "TableName": "config", "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": { ":kind": { "S": "employee" } },
        }))
        .unwrap(),
    );
    let agents = serde_json::to_value(agents.unwrap()).unwrap();
    assert_eq!(agents["Count"], 12);
}
