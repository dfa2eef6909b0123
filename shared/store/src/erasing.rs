//! Erasing a person: every record that can be tied to an address goes, or loses the person.
//!
//! An erasure has an item of its own, `erased` in the suppression table, under the pseudonym of the
//! address. It holds no personal data: when the erasure began and ended, and how many records of
//! which kind it took. It has three tasks.
//!
//! - **It keeps the person from coming back.** A row that names the person is written only if its
//!   request was received after the erasure was done (`Store::not_erased`):
//!
//!   ```text
//!   zendesk:  receives r at 9:00:00                       puts row r: refused, r is not recorded
//!   erasure:             begins at 9:00:01   … is done at 9:00:02
//!   ```
//!
//!   So a request that is received before or during an erasure is not recorded, nor is a Gladly
//!   conversation that turns out later to be the person's. One that is received afterwards is new.
//!   Everything else that writes to a row requires that the row exists.
//! - **It counts.** Each transaction that erases adds to it, so the receipt is exact however often
//!   an erasure is broken off and repeated.
//! - **It leads `sweep` to what is left.** The partition [`LIST`] lists the erasures that `sweep`
//!   has to go on with. The index lags behind the table: rows of the last seconds before an erasure
//!   may be missing in it. So each is looked at once more, [`SECOND_LOOK`] after it was done.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::ConditionCheckBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::saturating_add;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::erased::{ErasedAnswers, ErasedRecords};
use crate::erasing_rows::ErasedRows;
use crate::error::{StoreError, Transacted};
use crate::ground::{
    Item, applied, built, index, kind, ms, n, number, request_id, s, seconds, suppression_key, text,
};
use crate::shards::first_id_at;
use crate::store::{IndexQuery, Store};

/// Partition of the suppression table that lists the erasures that `sweep` has to look at; the sort
/// key is the subject. No subject is as short.
const LIST: &str = "erasures";
/// An erasure that is not done after this time is `sweep`'s.
const LEFT_TO_SWEEP: SignedDuration = SignedDuration::from_mins(1);
/// How long after an erasure is done `sweep` looks at the index once more.
const SECOND_LOOK: SignedDuration = SignedDuration::from_mins(5);
/// Entries of the index that are read at once.
const A_PAGE: usize = 100;
/// Erasures that one sweep goes on with.
const ERASURES_A_SWEEP: usize = 100;

/// An erasure, as its item tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// When it began.
    pub started_at: Timestamp,
    /// When it was done; `None`: it is at work.
    pub done_at: Option<Timestamp>,
    /// What it took so far.
    pub erased: ErasedRecords,
    pub(crate) answers: ErasedAnswers,
    by: String,
}

impl Erasure {
    pub(crate) fn read(item: &Item) -> Option<Self> {
        let time = |name| Timestamp::from_millisecond(number(item, name)?).ok();
        let deleted = text(item, "answers") == Some(ErasedAnswers::Deleted.as_str());
        Some(Self {
            started_at: time("started_at")?,
            done_at: time("done_at"),
            erased: ErasedRecords::read(item),
            answers: if deleted { ErasedAnswers::Deleted } else { ErasedAnswers::Kept },
            by: text(item, "by").unwrap_or_default().to_owned(),
        })
    }
}

/// Whom an audit entry is about: the beginning of the pseudonym, which is no address.
pub(crate) fn audited_name(subject: &Subject) -> String {
    format!("suppression/{}…", subject.as_text().get(..8).unwrap_or_default())
}

/// Clauses of every write that ties a row to a person: the person was never erased; or the erasure
/// was done when the request was received. While it is at work there is no `done_at`.
pub(crate) const NOT_ERASED: &str = "attribute_not_exists(subject) OR done_at <= :received";

impl Store {
    /// The check [`NOT_ERASED`], for a request that was received at `received`.
    pub(crate) fn not_erased(
        &self,
        subject: &Subject,
        received: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let check: ConditionCheckBuilder = ConditionCheck::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject.as_text(), kind::ERASED)))
            .condition_expression(NOT_ERASED)
            .expression_attribute_values(":received", ms(received));
        Ok(TransactWriteItem::builder().condition_check(built(check.build())?).build())
    }

    /// Begins an erasure, or goes on with one that is at work. From now on nothing that was
    /// received before or during it is recorded of the person, and `sweep` carries it to its end if
    /// nobody else does. `who` stands in the audit trail.
    ///
    /// # Errors
    /// If the tables cannot be written. Then nothing has begun, or all of it has.
    pub async fn begin_erasure(
        &self,
        subject: &Subject,
        answers: ErasedAnswers,
        who: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let zero = ErasedRecords::default().each();
        let counts: Vec<String> = zero.iter().map(|(name, _)| format!("{name} = :zero")).collect();
        // Clauses: there was no erasure; or one that is over, and whoever asked for it was told
        // what it took. Its numbers are reset.
        let anew = self
            .of_erasure(subject)
            .update_expression(format!(
                "SET started_at = :now, answers = :answers, #by = :by, {} \
                 REMOVE done_at, expires_at, told",
                counts.join(", ")
            ))
            .condition_expression("attribute_not_exists(subject) OR attribute_exists(told)")
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":answers", s(answers.as_str()))
            .expression_attribute_values(":by", s(who))
            .expression_attribute_values(":now", ms(now));
        let listed = Put::builder()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(LIST, subject.as_text())))
            .item("look_at", ms(saturating_add(now, LEFT_TO_SWEEP)));
        let listed = TransactWriteItem::builder().put(built(listed.build())?).build();
        let entry = AuditEntry::new(who, "began to erase a person", &audited_name(subject), now);
        let others = [listed, self.audited(&entry)?];
        let begin = |update: Update| {
            let update = TransactWriteItem::builder().update(update).build();
            std::iter::once(update).chain(others.clone()).collect::<Vec<_>>()
        };
        if matches!(self.transact(begin(built(anew.build())?)).await?, Transacted::Done) {
            return Ok(());
        }
        // One is at work, or is over without anybody having been told: its numbers count on. What
        // was to be deleted stays so.
        let answers_are = match answers {
            ErasedAnswers::Kept => "answers = if_not_exists(answers, :answers)",
            ErasedAnswers::Deleted => "answers = :answers",
        };
        let again = self
            .of_erasure(subject)
            .update_expression(format!("SET {answers_are} REMOVE done_at, expires_at"))
            .condition_expression("attribute_exists(subject) AND attribute_not_exists(told)")
            .expression_attribute_values(":answers", s(answers.as_str()));
        match self.transact(begin(built(again.build())?)).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(StoreError::Unavailable {
                operation: "erase",
                cause: "another erasure of the same person ended at the same moment".into(),
            }),
        }
    }

    /// Erases at most about `most` requests of the person, and, if that was all of them, what else
    /// there is. True if the erasure is done. `told`: whoever asked for it learns it now.
    ///
    /// # Errors
    /// If the tables cannot be read or written. A repetition goes on where this stopped.
    pub async fn go_on_erasing(
        &self,
        subject: &Subject,
        most: usize,
        told: bool,
        kept: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(erasure) = self.erasure(subject).await? else { return Ok(true) };
        if erasure.done_at.is_none() {
            if self.erase_rows(subject, erasure.answers, None, most).await?.is_none() {
                return Ok(false);
            }
            self.erase_window(subject).await?;
        }
        self.end_erasure(subject, told, kept, now).await?;
        Ok(true)
    }

    /// The person's erasure, if there was one lately.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn erasure(&self, subject: &Subject) -> Result<Option<Erasure>, StoreError> {
        let key = suppression_key(subject.as_text(), kind::ERASED);
        Ok(self.suppression_item(key).await?.as_ref().and_then(Erasure::read))
    }

    /// What `sweep` does about erasures: carries those on that are not done, and looks at the index
    /// once more for those that were done some minutes ago. At most about `most` requests are
    /// erased; the number is returned. `kept` is how long rows are kept.
    ///
    /// # Errors
    /// If the tables cannot be read or written. The next sweep goes on.
    pub async fn sweep_erasures(
        &self,
        most: usize,
        kept: SignedDuration,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let listed = self
            .client
            .query()
            .table_name(&self.tables.suppression)
            .key_condition_expression("subject = :list")
            .filter_expression("look_at <= :now")
            .expression_attribute_values(":list", s(LIST))
            .expression_attribute_values(":now", ms(now));
        let listed = listed.send().await.map_err(StoreError::of("Query erasures"))?;
        let mut erased = 0;
        for item in listed.items.unwrap_or_default().into_iter().take(ERASURES_A_SWEEP) {
            let Some(subject) = text(&item, "kind").and_then(Subject::from_text) else { continue };
            if erased >= most {
                break;
            }
            let before = self.erasure(&subject).await?;
            let Some(erasure) = before else {
                self.unlist(&subject, &item).await?;
                continue;
            };
            if let Some(done_at) = erasure.done_at {
                let rest = most - erased;
                // What came afterwards is new, and stays.
                let looked =
                    self.erase_rows(&subject, erasure.answers, Some(done_at), rest).await?;
                erased += looked.unwrap_or(rest);
                if looked.is_some() {
                    self.unlist(&subject, &item).await?;
                }
                continue;
            }
            self.go_on_erasing(&subject, most - erased, false, kept, now).await?;
            let after = self.erasure(&subject).await?.map(|after| after.erased).unwrap_or_default();
            let count = |of: ErasedRecords| of.live_requests + of.test_requests;
            let more = count(after).saturating_sub(count(erasure.erased));
            erased += usize::try_from(more).unwrap_or(usize::MAX);
        }
        Ok(erased)
    }

    /// Erases rows of the person: all, or those received before `before`. `None`: there may be more
    /// than `most`; else how many it erased.
    async fn erase_rows(
        &self,
        subject: &Subject,
        answers: ErasedAnswers,
        before: Option<Timestamp>,
        most: usize,
    ) -> Result<Option<usize>, StoreError> {
        let (mut erased, mut start) = (0, None);
        loop {
            let page = self.page(&of_subject(subject, before, A_PAGE), start).await?;
            let ids: Vec<Uuid> = page.items.iter().filter_map(request_id).collect();
            erased += self.erase_rows_with(subject, &ids, answers).await?;
            start = page.next;
            match start {
                None => return Ok(Some(erased)),
                Some(_) if erased >= most => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// An update of the erasure's item.
    pub(crate) fn of_erasure(
        &self,
        subject: &Subject,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject.as_text(), kind::ERASED)))
    }

    /// Adds to the erasure's numbers, as part of the transaction that erases.
    pub(crate) fn counted(
        &self,
        subject: &Subject,
        erased: ErasedRecords,
    ) -> Result<TransactWriteItem, StoreError> {
        let counts = erased.each().into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<(String, AttributeValue)> =
            counts.map(|(name, count)| (format!("{name} :{name}"), n(count))).collect();
        let adds: Vec<&str> = counts.iter().map(|(add, _)| add.as_str()).collect();
        let values: HashMap<String, AttributeValue> = counts
            .iter()
            .filter_map(|(add, count)| Some((add.split(' ').nth(1)?.to_owned(), count.clone())))
            .collect();
        // Clause: the erasure has begun.
        let update = self
            .of_erasure(subject)
            .update_expression(format!("ADD {}", adds.join(", ")))
            .condition_expression("attribute_exists(subject)")
            .set_expression_attribute_values(Some(values));
        Ok(TransactWriteItem::builder().update(built(update.build())?).build())
    }

    /// Deletes the person's suppression window. The rows are gone, so no claim can take it again.
    async fn erase_window(&self, subject: &Subject) -> Result<(), StoreError> {
        // Clause: there is one.
        let delete = Delete::builder()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject.as_text(), kind::WINDOW)))
            .condition_expression("attribute_exists(subject)");
        let delete = TransactWriteItem::builder().delete(built(delete.build())?).build();
        let one = ErasedRecords { windows: 1, ..ErasedRecords::default() };
        self.transact(vec![delete, self.counted(subject, one)?]).await.map(drop)
    }

    /// Notes that the erasure is done, with its receipt in the audit trail. `sweep` looks once
    /// more.
    async fn end_erasure(
        &self,
        subject: &Subject,
        told: bool,
        kept: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(erasure) = self.erasure(subject).await? else { return Ok(()) };
        let told = if told { ", told = :told" } else { "" };
        // Clauses: the erasure is there; and nobody else has ended it. It is remembered until every
        // row has expired that was received before it: a delayed conversation may turn out to be
        // the person's.
        let mut end = self
            .of_erasure(subject)
            .update_expression(format!("SET done_at = :now, expires_at = :expires{told}"))
            .condition_expression("attribute_exists(subject) AND attribute_not_exists(done_at)")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":expires", seconds(saturating_add(now, kept + kept)));
        if !told.is_empty() {
            end = end.expression_attribute_values(":told", AttributeValue::Bool(true));
        }
        let end = TransactWriteItem::builder().update(built(end.build())?).build();
        let listed = Put::builder()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(LIST, subject.as_text())))
            .item("look_at", ms(saturating_add(now, SECOND_LOOK)));
        let listed = TransactWriteItem::builder().put(built(listed.build())?).build();
        let mut entry =
            AuditEntry::new(&erasure.by, "erased a person", &audited_name(subject), now);
        entry.after = serde_json::to_value(erasure.erased).unwrap_or_default();
        self.transact(vec![end, listed, self.audited(&entry)?]).await.map(drop)
    }

    /// Takes an erasure off the list, unless it was begun anew meanwhile.
    async fn unlist(&self, subject: &Subject, as_listed: &Item) -> Result<(), StoreError> {
        let Some(look_at) = as_listed.get("look_at") else { return Ok(()) };
        // Clause: it is listed as it was read.
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(LIST, subject.as_text())))
            .condition_expression("look_at = :seen")
            .expression_attribute_values(":seen", look_at.clone());
        applied(delete.send().await).map(drop)
    }

    /// How many requests the index shows of the person, and the newest of them: at most `most`.
    /// True: there are more.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn requests_of(
        &self,
        subject: &Subject,
        most: usize,
    ) -> Result<(Vec<Uuid>, bool), StoreError> {
        let page = self.page(&of_subject(subject, None, most), None).await?;
        let ids = page.items.iter().filter_map(request_id).collect();
        Ok((ids, page.next.is_some()))
    }

    /// What an erasure would take of these rows.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn erasable(
        &self,
        subject: &Subject,
        ids: &[Uuid],
        answers: ErasedAnswers,
    ) -> Result<ErasedRecords, StoreError> {
        let rows = self.rows_to_erase(subject, ids, answers).await?;
        Ok(ErasedRows::count(&rows))
    }
}

fn of_subject(subject: &Subject, before: Option<Timestamp>, limit: usize) -> IndexQuery {
    let mut values = vec![(":subject", s(subject.as_text()))];
    let condition = match before {
        None => "subject = :subject",
        Some(before) => {
            // Ids are ordered by time, to the millisecond.
            values.push((":before", s(first_id_at(before).to_string())));
            "subject = :subject AND request_id < :before"
        }
    };
    IndexQuery {
        index: index::SUBJECT,
        condition,
        only: Vec::new(),
        values,
        newest_first: true,
        limit: Some(limit),
    }
}
