//! Answers, in the order in which they arrived.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{Item, n, s};
use crate::interaction::{AnswerKey, Interaction};
use crate::store::Store;

/// What a customer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// 1 to 5 stars.
    pub stars: u8,
    /// Free text, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Chips that were chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl Answer {
    /// Whether both are the same, apart from their time.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        (self.stars, &self.comment, &self.topics) == (other.stars, &other.comment, &other.topics)
    }
}

/// A row of the responses table: the current answer to one request, and what it replaced.
///
/// It holds no name and no address. The export reads them from the interaction, which expires after
/// `retention_days`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseRow {
    /// Partition: `2026-11`, UTC.
    pub month: String,
    /// Sort key, and cursor of the export: time of the answer in milliseconds × 1,000 plus a random
    /// part.
    pub sequence_id: u64,
    /// The request that was answered.
    pub request_id: String,
    /// The answer.
    pub answer: Answer,
    /// Earlier answers, oldest first: the latest [`ResponseRow::HISTORY`], or fewer if the row would
    /// otherwise exceed [`ResponseRow::LARGEST`]. Empty in what [`Store::responses`] returns.
    #[serde(default)]
    pub history: Vec<Answer>,
    /// How many answers this one has replaced, including those that `history` has no room for. 0 in
    /// rows that were written before this count existed.
    #[serde(default)]
    pub replaced: usize,
    /// When the latest changes were made, in milliseconds since 1970, oldest first, at most
    /// [`ResponseRow::CHANGES_AN_HOUR`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<i64>,
    /// For the export, once the interaction has expired: the helpdesk's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_interaction_id: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<policy::Profile>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "policy::RequestedVia::is_api")]
    pub requested_via: policy::RequestedVia,
    /// Receipt of the request.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
}

impl ResponseRow {
    /// Earlier answers kept at most.
    pub const HISTORY: usize = 20;
    /// Largest size in bytes of a row with earlier answers. Each change rewrites the row, and all
    /// rows of a month are in one partition.
    pub const LARGEST: usize = 16 * 1024;
    /// Changes of one answer in any hour at most.
    pub const CHANGES_AN_HOUR: usize = 20;

    /// The request that was answered.
    pub fn request(&self) -> Option<Uuid> {
        self.request_id.parse().ok()
    }

    /// How many answers were given before this one.
    pub fn previous_answers(&self) -> usize {
        self.replaced.max(self.history.len())
    }

    /// The first answer to a request.
    pub(crate) fn first(row: &Interaction, answer: &Answer) -> Self {
        let key = AnswerKey {
            month: month(answer.at),
            sequence_id: sequence_id(answer.at, fastrand::u64(0..1_000)),
        };
        Self {
            month: key.month,
            sequence_id: key.sequence_id,
            request_id: row.request_id.to_string(),
            answer: answer.clone(),
            history: Vec::new(),
            replaced: 0,
            changed: Vec::new(),
            ext_interaction_id: row.ext_interaction_id.clone(),
            channel: row.channel.clone(),
            brand: row.brand.clone(),
            language: row.language.clone(),
            employee: row.employee.clone(),
            requested_via: row.requested_via,
            created_at: row.created_at,
        }
    }

    /// This answer, with `earlier` in its history.
    pub(crate) fn replacing(mut self, earlier: Self) -> Self {
        self.replaced = earlier.previous_answers() + 1;
        self.changed = earlier.changed;
        self.changed.push(self.answer.at.as_millisecond());
        keep_latest(&mut self.changed, Self::CHANGES_AN_HOUR);
        self.history = earlier.history;
        self.history.push(earlier.answer);
        keep_latest(&mut self.history, Self::HISTORY);
        while !self.history.is_empty() && self.weight() > Self::LARGEST {
            self.history.remove(0);
        }
        self
    }

    /// This answer, at a place behind `earlier`, which it replaces. Two answers in one millisecond may
    /// draw the same place, or one that is before the earlier answer's, and clocks differ. A reader
    /// with a cursor would miss it there; and DynamoDB refuses a transaction that deletes and puts
    /// one item.
    pub(crate) fn behind(mut self, earlier: &AnswerKey) -> Self {
        if self.sequence_id <= earlier.sequence_id {
            self.sequence_id = earlier.sequence_id.saturating_add(1);
            self.month.clone_from(&earlier.month);
        }
        self
    }

    /// Bytes of the row at most: JSON takes more of them than DynamoDB counts.
    fn weight(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    /// If the answer has been changed too often: how long until it may be changed again.
    pub(crate) fn paced(&self, now: Timestamp) -> Option<SignedDuration> {
        let oldest = self
            .changed
            .len()
            .checked_sub(Self::CHANGES_AN_HOUR)
            .and_then(|surplus| self.changed.get(surplus))?;
        let over = Timestamp::from_millisecond(*oldest)
            .ok()?
            .checked_add(SignedDuration::from_hours(1))
            .ok()?;
        Some(over.duration_since(now)).filter(|wait| wait.is_positive())
    }
}

fn keep_latest<T>(values: &mut Vec<T>, most: usize) {
    values.drain(..values.len().saturating_sub(most));
}

/// Pages of a month that are read for one page of the export at most. DynamoDB ends each at a
/// megabyte.
const PAGES: usize = 16;

/// Answers of a month, for the export.
#[derive(Debug)]
pub struct ResponsePage {
    /// In order of their sequence ids, without their history.
    pub rows: Vec<ResponseRow>,
    /// Rows that do not have the expected form, with what is wrong: they are left out.
    pub unreadable: Vec<StoreError>,
    /// The search stopped early: there may be more, although fewer than `limit` are returned.
    pub broken_off: bool,
}

impl Store {
    /// The answer at this place.
    pub async fn response(&self, key: &AnswerKey) -> Result<Option<ResponseRow>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.responses)
            .set_key(Some(response_key(key)))
            .consistent_read(true);
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        item.map(|item| serde_dynamo::from_item(item).map_err(StoreError::corrupt("responses")))
            .transpose()
    }

    /// Answers of one month with a sequence id above `after` and up to `until`, in order, at most
    /// `limit`, without their history.
    pub async fn responses(
        &self,
        month: &str,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<ResponsePage, StoreError> {
        let (mut rows, mut start, limit) = (Vec::new(), None, limit.max(1));
        let mut unreadable = Vec::new();
        for _ in 0..PAGES {
            // A page ends at a megabyte, however many rows that is.
            let wanted = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
            let page = self.page_of_responses(month, after, until, wanted, start).await?;
            for item in page.items.unwrap_or_default() {
                // Somebody has edited it by hand. One row must not stop the export for ever.
                let row: ResponseRow = match serde_dynamo::from_item(item) {
                    Ok(row) => row,
                    Err(error) => {
                        unreadable.push(StoreError::corrupt("responses")(error));
                        continue;
                    }
                };
                rows.push(ResponseRow {
                    replaced: row.previous_answers(),
                    history: Vec::new(),
                    ..row
                });
            }
            start = page.last_evaluated_key;
            if start.is_none() || rows.len() >= limit {
                return Ok(ResponsePage { rows, unreadable, broken_off: false });
            }
        }
        Ok(ResponsePage { rows, unreadable, broken_off: true })
    }

    async fn page_of_responses(
        &self,
        month: &str,
        after: u64,
        until: u64,
        limit: i32,
        start: Option<Item>,
    ) -> Result<QueryOutput, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.responses)
            .key_condition_expression("#month = :month AND sequence_id BETWEEN :from AND :until")
            .expression_attribute_names("#month", "month")
            .expression_attribute_values(":month", s(month))
            .expression_attribute_values(":from", n(after.saturating_add(1)))
            .expression_attribute_values(":until", n(until.max(after.saturating_add(1))))
            .limit(limit)
            // A lagging replica could hide a row, and the cursor would skip it for ever.
            .consistent_read(true)
            .set_exclusive_start_key(start);
        query.send().await.map_err(StoreError::of("Query"))
    }
}

pub(crate) fn response_key(key: &AnswerKey) -> Item {
    Item::from([
        ("month".to_owned(), s(&key.month)),
        ("sequence_id".to_owned(), n(key.sequence_id)),
    ])
}

/// `2026-11`, UTC.
fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}

/// Milliseconds × 1,000 + `random` (0 to 999): ordered by time, and exact in a JSON number until
/// the year 2255.
fn sequence_id(at: Timestamp, random: u64) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default() * 1_000 + random
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AT: i64 = 1_795_251_600_000;

    fn row(fields: serde_json::Value) -> ResponseRow {
        let mut row = json!({
            "month": "2026-11", "sequence_id": AT * 1_000, "request_id": "r",
            "answer": { "stars": 5, "at": AT }, "created_at": AT,
        });
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_heavy_row_from_before_there_was_a_limit_becomes_light_and_its_answers_stay_counted() {
        let emoji = |count: usize| "😀".repeat(count);
        let history: Vec<_> = (0..20)
            .map(|n| json!({ "stars": n % 5 + 1, "comment": emoji(2_000), "at": AT + n }))
            .collect();
        let heavy = row(json!({ "history": history }));
        assert!(heavy.weight() > 160_000);
        let cases = [(2_000, 1), (1_000, 1), (10, 1)];
        for (comment, kept) in cases {
            let new =
                row(json!({ "answer": { "stars": 1, "comment": emoji(comment), "at": AT + 100 } }))
                    .replacing(heavy.clone());
            assert!(new.weight() <= ResponseRow::LARGEST, "{comment}: {}", new.weight());
            assert!(
                new.history.len() >= kept && new.history.last() == Some(&heavy.answer),
                "{comment}: the latest are what is kept"
            );
            assert_eq!(
                (new.previous_answers(), new.changed.as_slice()),
                (21, &[AT + 100][..]),
                "{comment}"
            );
            let newer = row(json!({})).replacing(new);
            assert_eq!((newer.previous_answers(), newer.changed.len()), (22, 2), "{comment}");
        }
    }

    #[test]
    fn a_changed_answer_always_stands_behind_the_one_that_it_replaces() {
        let first = u64::try_from(AT).unwrap() * 1_000;
        for (what, earlier, month, expected) in [
            ("long before", first - 1_000_000, "2026-10", (first, "2026-11")),
            ("just before", first - 1, "2026-11", (first, "2026-11")),
            ("the same place", first, "2026-11", (first + 1, "2026-11")),
            ("a later place", first + 999, "2026-11", (first + 1_000, "2026-11")),
            ("by a clock ahead", first * 2, "2083-08", (first * 2 + 1, "2083-08")),
        ] {
            let earlier = AnswerKey { month: month.to_owned(), sequence_id: earlier };
            let row = row(json!({})).behind(&earlier);
            assert_eq!((row.sequence_id, row.month.as_str()), expected, "{what}");
        }
    }

    #[test]
    fn twenty_changes_an_hour_are_the_pace() {
        let minutes = |n: i64| AT + n * 60_000;
        let now = Timestamp::from_millisecond(minutes(60)).unwrap();
        let every_two = |count: i64| (0..count).map(|n| minutes(n * 2)).collect::<Vec<_>>();
        let cases = [
            ("none yet", Vec::new(), None),
            ("one less", every_two(19), None),
            ("the first was an hour ago", every_two(20), None),
            (
                "the first was less than an hour ago",
                every_two(20).iter().map(|at| at + 1).collect(),
                Some(SignedDuration::from_millis(1)),
            ),
            ("more than are kept", every_two(25), Some(SignedDuration::from_mins(10))),
            (
                "by a clock that is ahead",
                vec![minutes(61); 20],
                Some(SignedDuration::from_mins(61)),
            ),
        ];
        for (name, changed, wait) in cases {
            assert_eq!(row(json!({ "changed": changed })).paced(now), wait, "{name}");
        }
    }
}
