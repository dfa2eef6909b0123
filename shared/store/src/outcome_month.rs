//! The attribute `outcome_month`, the partition of the index `outcome`.
//!
//! A list of the requests that failed must cost the same, however many were sent. So only requests
//! that ended in one of [`LISTED`] have the attribute. It is written by the write that ends the
//! request, and removed when a late event shows that the mail arrived after all.
//!
//! Rows from before the index lack it. They are not listed by their outcome, and expire after the
//! retention, like all rows; the other lists have them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use policy::{Mode, Status};
use uuid::Uuid;

use crate::ground::s;

/// Ends that are listed by the index: those that somebody may want to look into.
const LISTED: [Status; 6] = [
    Status::SoftBounce,
    Status::HardBounce,
    Status::Complained,
    Status::NotSent,
    Status::Invalid,
    Status::Failed,
];

/// Whether requests with this status are in the index.
pub(crate) fn is_listed(status: Status) -> bool {
    LISTED.contains(&status)
}

/// `live#failed#2026-11`: test or live, the outcome, and the month of receipt in UTC.
pub(crate) fn partition(mode: Mode, status: Status, received: Timestamp) -> String {
    format!("{}#{}#{}", mode.as_str(), status.as_str(), received.strftime("%Y-%m"))
}

/// The attribute of a request with this status; `None` if it has none. The month is that of the id,
/// which is the sort key, so that a partition holds one month's ids.
pub(crate) fn outcome_month(
    mode: Mode,
    status: Status,
    request_id: Uuid,
) -> Option<AttributeValue> {
    let received = received_at(request_id).filter(|_| is_listed(status))?;
    Some(s(partition(mode, status, received)))
}

/// The time in a UUIDv7.
pub(crate) fn received_at(request_id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = request_id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ended_without_reaching_the_customer_is_listed() {
        let id: Uuid = "0199d2a0-0000-7000-8000-000000000000".parse().unwrap();
        for status in Status::ALL {
            let waits_or_went_well =
                status.is_waiting() || matches!(status, Status::Sent | Status::Delivered);
            let listed = outcome_month(Mode::Live, status, id).is_some();
            assert_eq!(listed, !waits_or_went_well, "{status:?}");
        }
        let expected = s("test#failed#2025-10");
        assert_eq!(outcome_month(Mode::Test, Status::Failed, id), Some(expected));
        assert_eq!(outcome_month(Mode::Live, Status::Failed, Uuid::nil()), None);
    }
}
