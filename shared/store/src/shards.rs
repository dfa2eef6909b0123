//! Which partition of an index a row is in, and the bounds of the ids of a time.

use jiff::Timestamp;
use policy::Mode;
use uuid::Uuid;

/// Partitions of the `due` index, read in parallel.
pub const DUE_SHARDS: u64 = 8;

/// Partitions of each day in the `day` index.
pub(crate) const DAY_SHARDS: u64 = 4;

/// The shard of a row, of `of` shards: from the random end of the id, so that it is known from the id
/// alone.
pub(crate) fn shard_of(request_id: Uuid, of: u64) -> u64 {
    request_id.as_u64_pair().1 % of
}

/// The partition key of the `due` index.
pub(crate) fn due_shard(shard: u64) -> String {
    format!("due#{shard}")
}

/// `live#2026-11-21#3`: test or live, day of receipt in UTC, shard.
pub(crate) fn day_shard(mode: Mode, at: Timestamp, shard: u64) -> String {
    format!("{}#{}#{shard}", mode.as_str(), at.strftime("%Y-%m-%d"))
}

/// Time is divided into spans of `span` seconds, counted from 1970. An id below all that are
/// received in the span of `at`.
pub(crate) fn first_id(at: Timestamp, span: i64) -> Uuid {
    id_at(at.as_second().div_euclid(span) * span * 1_000, [0; 10])
}

/// The highest id that can be received in that span.
pub(crate) fn last_id(at: Timestamp, span: i64) -> Uuid {
    id_at((at.as_second().div_euclid(span) + 1) * span * 1_000 - 1, [0xff; 10])
}

/// An id below all that are received at this millisecond or later.
pub(crate) fn first_id_at(at: Timestamp) -> Uuid {
    id_at(at.as_millisecond(), [0; 10])
}

fn id_at(millis: i64, rest: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or_default(), &rest)
        .into_uuid()
}
