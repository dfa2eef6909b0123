//! Erasing rows of a person, with what hangs on them: the answer, the de-duplication marker, and
//! the suppression window that the row holds.
//!
//! A row names its answer and its marker, so they go in the same transaction: nothing is left that
//! nobody could find any more. The rows are read as raw items, since one that cannot be understood
//! has to go too.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use futures::{StreamExt as _, TryStreamExt as _};
use links::Subject;
use policy::Mode;
use uuid::Uuid;

use crate::erased::{ErasedAnswers, ErasedRecords};
use crate::error::{StoreError, Transacted};
use crate::ground::{Item, built, kind, n, request_id, row_key, s, suppression_key, text};
use crate::interaction::AnswerKey;
use crate::responses::{ResponseRow, response_key};
use crate::store::{Store, pause};

/// Rows that are erased in one transaction. DynamoDB allows 100 actions; a row needs up to three.
const TOGETHER: usize = 20;
/// Rows that are read at once.
const READS_AT_ONCE: usize = 16;
/// Attempts at a row that has changed each time.
const ATTEMPTS: u32 = 6;

/// A row of the person, and what hangs on it.
#[derive(Debug)]
pub(crate) struct RowToErase {
    request_id: Uuid,
    mode: Option<Mode>,
    /// Where its answer stands, if it names one.
    answer: Option<AnswerKey>,
    /// What becomes of that answer; `None`: there is none.
    response: Option<ResponseErased>,
    /// Its marker, if that still leads to it.
    marker: Option<String>,
}

/// What becomes of an answer.
#[derive(Debug)]
enum ResponseErased {
    /// It goes.
    Deleted,
    /// It stays without comment and person.
    Kept {
        /// How many answers it replaced.
        replaced: usize,
        /// Whether the helpdesk's id names the person, and goes too.
        id_names_person: bool,
    },
}

/// Rows that are erased together.
pub(crate) struct ErasedRows;

impl ErasedRows {
    /// What these rows count for in a receipt.
    pub(crate) fn count(rows: &[RowToErase]) -> ErasedRecords {
        let mut erased = ErasedRecords::default();
        for row in rows {
            match row.mode {
                Some(Mode::Test) => erased.test_requests += 1,
                _ => erased.live_requests += 1,
            }
            match row.response {
                Some(ResponseErased::Deleted) => erased.answers_deleted += 1,
                Some(ResponseErased::Kept { .. }) => erased.answers_without_person += 1,
                None => {}
            }
            erased.markers += u64::from(row.marker.is_some());
        }
        erased
    }
}

impl Store {
    /// Erases the rows with these ids that are the person's. Returns how many.
    pub(crate) async fn erase_rows_with(
        &self,
        subject: &Subject,
        ids: &[Uuid],
        answers: ErasedAnswers,
    ) -> Result<usize, StoreError> {
        let mut erased = 0;
        for ids in ids.chunks(TOGETHER) {
            let rows = self.rows_to_erase(subject, ids, answers).await?;
            if rows.is_empty() {
                continue;
            }
            if self.erase_together(subject, &rows).await? {
                erased += rows.len();
                continue;
            }
            // One of them has changed since it was read.
            for row in rows {
                erased += usize::from(self.erase_one(subject, row.request_id, answers).await?);
            }
        }
        Ok(erased)
    }

    /// Erases one row, as often as it changes. False if it is gone.
    async fn erase_one(
        &self,
        subject: &Subject,
        id: Uuid,
        answers: ErasedAnswers,
    ) -> Result<bool, StoreError> {
        for attempt in 1..=ATTEMPTS {
            let row = self.rows_to_erase(subject, &[id], answers).await?;
            if row.is_empty() {
                return Ok(false);
            }
            if self.erase_together(subject, &row).await? {
                return Ok(true);
            }
            pause(attempt).await;
        }
        Err(StoreError::Unavailable {
            operation: "erase",
            cause: "the request changed at each attempt".into(),
        })
    }

    /// The rows with these ids that are the person's, and what hangs on them.
    pub(crate) async fn rows_to_erase(
        &self,
        subject: &Subject,
        ids: &[Uuid],
        answers: ErasedAnswers,
    ) -> Result<Vec<RowToErase>, StoreError> {
        let reads: Vec<_> = ids.iter().map(|id| self.row_to_erase(subject, *id, answers)).collect();
        let rows: Vec<Option<RowToErase>> =
            futures::stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(rows.into_iter().flatten().collect())
    }

    async fn row_to_erase(
        &self,
        subject: &Subject,
        id: Uuid,
        answers: ErasedAnswers,
    ) -> Result<Option<RowToErase>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.interactions)
            .set_key(Some(row_key(id)))
            .consistent_read(true);
        let row = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        let Some(row) = row.filter(|row| text(row, "subject") == Some(&subject.as_text())) else {
            return Ok(None);
        };
        let answer: Option<AnswerKey> =
            row.get("answer").and_then(|key| serde_dynamo::from_attribute_value(key.clone()).ok());
        let response = match &answer {
            Some(key) => self.response_to_erase(&row, id, key, answers).await?,
            None => None,
        };
        let marker = match text(&row, "marker") {
            Some(marker) => {
                let item = self.suppression_item(suppression_key(marker, kind::MARKER)).await?;
                let mine = item.as_ref().and_then(request_id) == Some(id);
                mine.then(|| marker.to_owned())
            }
            None => None,
        };
        let mode = match text(&row, "mode") {
            Some("test") => Some(Mode::Test),
            Some(_) => Some(Mode::Live),
            None => None,
        };
        Ok(Some(RowToErase { request_id: id, mode, answer, response, marker }))
    }

    async fn response_to_erase(
        &self,
        row: &Item,
        id: Uuid,
        key: &AnswerKey,
        answers: ErasedAnswers,
    ) -> Result<Option<ResponseErased>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.responses)
            .set_key(Some(response_key(key)))
            .consistent_read(true);
        let Some(item) = got.send().await.map_err(StoreError::of("GetItem"))?.item else {
            return Ok(None);
        };
        if request_id(&item) != Some(id) {
            return Ok(None);
        }
        // One that cannot be read cannot lose its person for certain.
        let read: Option<ResponseRow> = serde_dynamo::from_item(item).ok();
        Ok(Some(match read {
            Some(response) if answers == ErasedAnswers::Kept => ResponseErased::Kept {
                replaced: response.previous_answers(),
                id_names_person: response
                    .ext_interaction_id
                    .is_some_and(|ext| names_person(row, &ext)),
            },
            _ => ResponseErased::Deleted,
        }))
    }

    /// Erases these rows in one transaction, and counts them. False if one of them, or what hangs
    /// on it, is no longer as it was read: then nothing is written.
    async fn erase_together(
        &self,
        subject: &Subject,
        rows: &[RowToErase],
    ) -> Result<bool, StoreError> {
        let mut actions = Vec::new();
        for row in rows {
            actions.push(self.row_erased(row)?);
            if let (Some(key), Some(response)) = (&row.answer, &row.response) {
                actions.push(self.response_erased(row.request_id, key, response)?);
            }
            if let Some(marker) = &row.marker {
                actions.push(self.held_erased(marker, kind::MARKER, row.request_id)?);
            }
        }
        let mut erased = ErasedRows::count(rows);
        let window = suppression_key(subject.as_text(), kind::WINDOW);
        let holder = self.suppression_item(window).await?.as_ref().and_then(request_id);
        if let Some(holder) = holder.filter(|id| rows.iter().any(|row| row.request_id == *id)) {
            actions.push(self.held_erased(&subject.as_text(), kind::WINDOW, holder)?);
            erased.windows += 1;
        }
        actions.push(self.counted(subject, erased)?);
        Ok(matches!(self.transact(actions).await?, Transacted::Done))
    }

    fn row_erased(&self, row: &RowToErase) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.interactions)
            .set_key(Some(row_key(row.request_id)));
        // Clauses: the row exists; and its answer is the one that was read, or it still has none.
        let delete = match &row.answer {
            None => delete.condition_expression(
                "attribute_exists(request_id) AND attribute_not_exists(answer.sequence_id)",
            ),
            Some(key) => delete
                .condition_expression(
                    "attribute_exists(request_id) AND answer.sequence_id = :answer",
                )
                .expression_attribute_values(":answer", n(key.sequence_id)),
        };
        Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
    }

    fn response_erased(
        &self,
        id: Uuid,
        key: &AnswerKey,
        response: &ResponseErased,
    ) -> Result<TransactWriteItem, StoreError> {
        // Clause of both: it is the answer to this request.
        const MINE: &str = "request_id = :mine";
        let mine = s(id.to_string());
        match response {
            ResponseErased::Deleted => {
                let delete = Delete::builder()
                    .table_name(&self.tables.responses)
                    .set_key(Some(response_key(key)))
                    .condition_expression(MINE)
                    .expression_attribute_values(":mine", mine);
                Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
            }
            ResponseErased::Kept { replaced, id_names_person } => {
                let ext = if *id_names_person { ", ext_interaction_id" } else { "" };
                let update = Update::builder()
                    .table_name(&self.tables.responses)
                    .set_key(Some(response_key(key)))
                    .update_expression(format!(
                        "SET history = :none, replaced = :replaced \
                         REMOVE answer.#comment{ext}"
                    ))
                    .condition_expression(MINE)
                    .expression_attribute_names("#comment", "comment")
                    .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
                    .expression_attribute_values(":replaced", n(replaced))
                    .expression_attribute_values(":mine", mine);
                Ok(TransactWriteItem::builder().update(built(update.build())?).build())
            }
        }
    }

    /// Deletes a marker or a window. Clause: it is this request's.
    fn held_erased(
        &self,
        subject: &str,
        kind: &str,
        id: Uuid,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject, kind)))
            .condition_expression("request_id = :mine")
            .expression_attribute_values(":mine", s(id.to_string()));
        Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
    }
}

/// Whether the helpdesk's id of an interaction holds the name, the address or the own id of the
/// row's customer, or any address. A ticket's number does not.
fn names_person(row: &Item, ext: &str) -> bool {
    let request = row.get("request").and_then(|request| request.as_m().ok());
    let customer = request.and_then(|request| request.get("customer")?.as_m().ok());
    let ext = ext.to_lowercase();
    let holds = |name| {
        let value = customer.and_then(|customer| text(customer, name)).unwrap_or_default();
        !value.trim().is_empty() && ext.contains(&value.trim().to_lowercase())
    };
    ext.contains('@') || ["name", "email", "custom_id"].into_iter().any(holds)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue::M;

    use super::*;

    #[test]
    fn an_id_that_holds_the_person_is_found_and_a_tickets_number_is_not() {
        let customer = Item::from([
            ("name".to_owned(), s("Jane Roe")),
            ("email".to_owned(), s("jane@customers.example")),
            ("custom_id".to_owned(), s("c-77")),
        ]);
        let request = Item::from([("customer".to_owned(), M(customer))]);
        let row = Item::from([("request".to_owned(), M(request))]);
        for (ext, names) in [
            ("881", false),
            ("ZD-881/2", false),
            ("881 jane roe", true),
            ("Jane@Customers.example#881", true),
            ("other@customers.example", true),
            ("C-77-881", true),
        ] {
            assert_eq!(names_person(&row, ext), names, "{ext}");
            assert_eq!(names_person(&Item::new(), ext), ext.contains('@'), "{ext}");
        }
    }
}
