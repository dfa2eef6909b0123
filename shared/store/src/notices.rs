//! Notices: rows by which the company's own people are told something.
//!
//! The row is `queued` and ready like that of a request that is due, so it is claimed, mailed once
//! and swept like one. It lacks whatever would make it a request: a customer, and the attributes of
//! the indexes of days and outcomes.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use normalize::Source;
use policy::{Mode, NOTICE_KEPT, Notice, RequestedVia, Status, saturating_add};

use crate::details::RequestDetails;
use crate::error::StoreError;
use crate::ground::{STALLED, built};
use crate::interaction::Interaction;
use crate::new_interaction::new_id;
use crate::store::Store;

impl Interaction {
    /// The row of a notice, with a new id. Its mode is that of mails that concern no customer: a
    /// claim checks no customer, and a bounce says nothing about one.
    pub fn of_notice(notice: Notice, now: Timestamp) -> Self {
        Self {
            request_id: new_id(now),
            mode: Mode::Test,
            source: Source::Requests,
            status: Status::Queued,
            reason: None,
            created_at: now,
            wake_at: Some(saturating_add(now, STALLED)),
            ready: Some(1),
            key: String::new(),
            requested_via: RequestedVia::Api,
            subject: None,
            ext_interaction_id: None,
            channel: None,
            brand: None,
            language: None,
            employee: None,
            details: RequestDetails::default(),
            body: None,
            more_tags: None,
            attempts: 0,
            claim_id: None,
            claimed_at: None,
            open_until: None,
            waiting_for: None,
            sent_at: None,
            ended_at: None,
            outcome_at: None,
            again_of: None,
            sent_again_as: None,
            message_id: None,
            answer: None,
            conversation: None,
            due_at: None,
            reopened_at: None,
            declined_at: None,
            marker: None,
            notice: Some(notice),
            expires_at: saturating_add(now, NOTICE_KEPT).as_second(),
        }
    }
}

impl Store {
    /// Puts a notice, as part of the transaction that changes what it tells about: so each change
    /// is told once. Clause: no row has this id.
    pub(crate) fn told(&self, row: &Interaction) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.interactions)
            .set_item(Some(row.to_item()?))
            .condition_expression("attribute_not_exists(request_id)");
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }
}

#[cfg(test)]
mod tests {
    use policy::{ErrorsNotice, Reason, WrongRequests};

    use super::*;

    #[test]
    fn the_row_of_a_notice_is_read_as_it_was_written_and_is_in_no_list() {
        let now: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        let wrong =
            WrongRequests { source: Source::Gladly, reason: Some(Reason::NoEmail), count: 7 };
        let notice = Notice::Errors(ErrorsNotice {
            from: now,
            until: now,
            requests: u64::MAX,
            wrong: 7,
            percent: 5,
            reasons: vec![wrong, WrongRequests { reason: None, ..wrong }],
        });
        let row = Interaction::of_notice(notice, now);
        let item = row.to_item().expect("an item");
        for indexed in ["day_shard", "outcome_month", "ext_interaction_id", "subject"] {
            assert!(!item.contains_key(indexed), "{indexed}");
        }
        assert!(item.contains_key("due_shard"), "sweep has to find it");
        assert_eq!(Interaction::from_item(item).expect("a row"), row);
        for status in Status::ALL {
            assert_eq!(row.outcome_month(status), None, "{status:?}");
        }
    }
}
