//! What `sweep` does: find the rows whose time has come, and move each on.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure};
use jiff::{SignedDuration, Timestamp};
use policy::{EndedBy, Reason, Status, freed, saturating_add};
use uuid::Uuid;

use crate::ending::ended;
use crate::error::StoreError;
use crate::ground::{Item, STALLED, applied, index, ms, n, number, request_id, s, text};
use crate::shards::due_shard;
use crate::step::Step;
use crate::store::{IndexQuery, Store};

const SEND_AGAIN: Step = Step::required(Status::Sending, Status::Queued);

/// Rows of one page at most: about half a megabyte of the index, which DynamoDB reads in some
/// hundredths of a second.
const LARGEST_PAGE: usize = 2_000;

/// Clauses of all writes to a row that was found due: it exists; it has the status that the index
/// shows; and nobody has moved its time since.
const UNMOVED: &str = "attribute_exists(request_id) AND #status = :status AND wake_at = :seen";

/// How often a row is woken at most while no function works on it: for a week, every three minutes.
const MOST_WOKEN: u32 = 7 * 24 * 20;

/// What became of a row that was to be made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It is ready.
    Ready {
        /// For how long it has been due, from the first time that it was made ready without any
        /// function working on it since.
        waited: SignedDuration,
    },
    /// Somebody else has moved it in between.
    MovedOn,
    /// It has been made ready for a week, and the function that should work on it failed each time.
    InVain,
}

/// A row whose `wake_at` has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub request_id: Uuid,
    /// `Unresolved`, `Queued` or `Sending`.
    pub status: Status,
    /// As the index has it. The index may lag, so every write requires it.
    pub wake_at: Timestamp,
    /// When the row was claimed, if it ever was.
    pub claimed_at: Option<Timestamp>,
    /// Since when the evidence says that the mail never left, if it does.
    pub doubted_at: Option<Timestamp>,
}

impl Due {
    fn read(item: &Item) -> Option<Self> {
        let time = |name: &str| Timestamp::from_millisecond(number(item, name)?).ok();
        Some(Self {
            request_id: request_id(item)?,
            status: Status::from_name(text(item, "status")?)?,
            wake_at: time("wake_at")?,
            claimed_at: time("claimed_at"),
            doubted_at: time("doubted_at"),
        })
    }
}

impl Store {
    /// Rows of one shard whose time has come, the longest waiting first: at most `limit` that are
    /// to be made ready, and every `Sending` one that is found on the way to them.
    pub async fn due(
        &self,
        shard: u64,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let (mut found, mut start, mut wakeable) = (Vec::new(), None, 0);
        while wakeable < limit {
            let query = IndexQuery {
                index: index::DUE,
                condition: "due_shard = :shard AND wake_at <= :now",
                values: vec![(":shard", s(due_shard(shard))), (":now", ms(now))],
                only: Vec::new(),
                newest_first: false,
                limit: Some((limit - wakeable).min(LARGEST_PAGE)),
            };
            let page = self.page(&query, start).await?;
            found.extend(page.items.iter().filter_map(Due::read));
            wakeable = found.iter().filter(|due| due.status != Status::Sending).count();
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Makes a due request ready, and moves its `wake_at` ahead, so that the next sweep does not
    /// wake it again. Counts how often that was done since a function last worked on the row.
    pub async fn wake(&self, due: &Due, now: Timestamp) -> Result<Woken, StoreError> {
        // Clauses: as `UNMOVED`; and it has not been woken for a week already.
        let update = self
            .unmoved(due)
            .update_expression("SET ready = :one, wake_at = :stalled ADD woken :one")
            .condition_expression(format!(
                "{UNMOVED} AND (attribute_not_exists(woken) OR woken < :most)"
            ))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(MOST_WOKEN))
            .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED)))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let error = match update.send().await {
            Ok(done) => {
                let woken: Option<i32> = done.attributes().and_then(|row| number(row, "woken"));
                let before = STALLED * woken.unwrap_or(1).saturating_sub(1);
                return Ok(Woken::Ready { waited: now.duration_since(due.wake_at) + before });
            }
            Err(error) => error,
        };
        let woken: u32 = match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().and_then(|row| number(row, "woken")).unwrap_or_default()
            }
            _ => return Err(StoreError::of("UpdateItem")(error)),
        };
        Ok(if woken < MOST_WOKEN { Woken::MovedOn } else { Woken::InVain })
    }

    /// Rechecks at `wake_at`: a lease is over and there is no evidence yet. False if the row has
    /// moved on.
    pub async fn postpone(&self, due: &Due, wake_at: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .unmoved(due)
            .update_expression("SET wake_at = :wake")
            .condition_expression(UNMOVED)
            .expression_attribute_values(":wake", ms(wake_at));
        applied(update.send().await)
    }

    /// The evidence says for the first time that no mail left: it is weighed once more at
    /// `wake_at`. False if the row has moved on.
    pub async fn doubt(
        &self,
        due: &Due,
        wake_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = self
            .unmoved(due)
            .update_expression("SET doubted_at = :now, wake_at = :wake")
            .condition_expression(UNMOVED)
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":wake", ms(wake_at));
        applied(update.send().await)
    }

    /// The evidence shows that the claim sent no mail: `sending → queued`, ready at once, and the
    /// attempt counts. The window stays, since it belongs to this request. False if the row has
    /// moved on, or has used up `most_attempts`.
    pub async fn send_again(
        &self,
        due: &Due,
        most_attempts: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Clauses: as `UNMOVED`, so no newer claim was made since the evidence was weighed (a claim
        // moves `wake_at`); and an attempt is left, since SES may fail at this mail each time.
        let update = self
            .unmoved(due)
            .update_expression(
                "SET #status = :queued, ready = :one, wake_at = :stalled \
                 ADD attempts :one REMOVE claim_id",
            )
            .condition_expression(format!("{UNMOVED} AND attempts < :last"))
            .expression_attribute_values(":queued", SEND_AGAIN.to())
            .expression_attribute_values(":last", n(most_attempts.saturating_sub(1)))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":stalled", ms(saturating_add(now, STALLED)));
        applied(update.send().await)
    }

    /// Ends a row that was found due: it becomes `failed`. False if the row has moved on.
    pub async fn give_up_on(
        &self,
        due: &Due,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(step) = Step::end(due.status, reason) else { return Ok(false) };
        let Some(row) = self.row(due.request_id).await? else { return Ok(false) };
        let update = self
            .transacted(due.request_id)
            .condition_expression(UNMOVED)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", step.from())
            .expression_attribute_values(":seen", ms(due.wake_at));
        let held = self.releases(&row, freed(due.status, reason, EndedBy::Sweep))?;
        self.write_with(ended(update, &row, step, reason, now), held).await
    }

    /// An update with the values that [`UNMOVED`] names.
    fn unmoved(&self, due: &Due) -> UpdateItemFluentBuilder {
        self.update(due.request_id)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", s(due.status.as_str()))
            .expression_attribute_values(":seen", ms(due.wake_at))
    }
}
