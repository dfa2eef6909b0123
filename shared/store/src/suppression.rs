//! Customers who may not be mailed: unsubscribed, or bounced.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::saturating_add;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::config::plain;
use crate::erasing::{Erasure, audited_name};
use crate::error::{StoreError, Transacted};
use crate::ground::{Item, built, kind, ms, number, request_id, s, seconds, suppression_key, text};
use crate::store::Store;

/// What a customer is unsubscribed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribed {
    /// From everything.
    pub from_all: bool,
    /// From the brand that was asked about.
    pub from_brand: bool,
}

/// Something that the suppression table holds about a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// What, and why.
    pub kind: SuppressionKind,
    /// Sort key: what names it in a form.
    pub id: String,
    /// The same for the same content: whether it has changed since it was shown.
    pub version: String,
}

/// What the suppression table holds about a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuppressionKind {
    /// Surveyed lately.
    Window {
        /// By which request.
        request_id: Option<Uuid>,
        /// When it is over.
        until: Option<Timestamp>,
    },
    /// Unsubscribed.
    Unsubscribed {
        /// From this brand, by its signifier; `None`: from everything.
        brand: Option<String>,
        /// Since when.
        at: Option<Timestamp>,
        /// `page`, `one_click`, `complaint` or `admin`.
        by: String,
    },
    /// The address bounced permanently.
    Bounced {
        /// When.
        at: Option<Timestamp>,
        /// When it may be tried again.
        until: Option<Timestamp>,
    },
    /// The person was erased.
    Erased(Erasure),
}

impl Suppression {
    fn read(item: &Item) -> Option<Self> {
        let id = text(item, "kind")?.to_owned();
        let at = number(item, "at").and_then(|at| Timestamp::from_millisecond(at).ok());
        let until = number(item, "expires_at").and_then(|at| Timestamp::from_second(at).ok());
        let kind = match id.split_once('#') {
            None if id == kind::WINDOW => {
                SuppressionKind::Window { request_id: request_id(item), until }
            }
            None if id == kind::BOUNCED => SuppressionKind::Bounced { at, until },
            None if id == kind::ERASED => SuppressionKind::Erased(Erasure::read(item)?),
            brand if id.starts_with(kind::UNSUBSCRIBED) => SuppressionKind::Unsubscribed {
                brand: brand.map(|(_, brand)| brand.to_owned()),
                at,
                by: text(item, "by").unwrap_or_default().to_owned(),
            },
            _ => return None,
        };
        Some(Self { kind, id, version: version(item) })
    }

    /// Whether it still counts at `now`. DynamoDB deletes expired items late.
    pub fn counts(&self, now: Timestamp) -> bool {
        match &self.kind {
            SuppressionKind::Window { until, .. } | SuppressionKind::Bounced { until, .. } => {
                until.is_none_or(|until| until > now)
            }
            SuppressionKind::Unsubscribed { .. } | SuppressionKind::Erased(_) => true,
        }
    }
}

fn version(item: &Item) -> String {
    let sorted: BTreeMap<String, Value> = plain(item.clone()).into_iter().collect();
    links::fingerprint(serde_json::to_string(&sorted).unwrap_or_default().as_bytes())
}

/// The sort key of an unsubscribe. Brands are compared without case, since an admin may respell the
/// id.
pub(crate) fn unsubscribed(brand: Option<&str>) -> String {
    brand.map_or_else(
        || kind::UNSUBSCRIBED.to_owned(),
        |brand| format!("{}#{}", kind::UNSUBSCRIBED, brand.trim().to_lowercase()),
    )
}

impl Store {
    /// Unsubscribes from everything, or from one brand, until it is undone. The next claim sees it.
    /// `by`: `page`, `one_click` or `complaint`.
    pub async fn unsubscribe(
        &self,
        subject: &Subject,
        brand: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: doing it again is the same.
        let key = suppression_key(subject.as_text(), unsubscribed(brand));
        self.put_suppression(key, [("at", ms(now)), ("by", s(by))]).await
    }

    /// Undoes [`Store::unsubscribe`].
    pub async fn resubscribe(
        &self,
        subject: &Subject,
        brand: Option<&str>,
    ) -> Result<(), StoreError> {
        // No condition: an item that is not there need not be.
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.suppression)
            .set_key(Some(suppression_key(subject.as_text(), unsubscribed(brand))));
        delete.send().await.map(drop).map_err(StoreError::of("DeleteItem"))
    }

    /// What the subject is unsubscribed from.
    pub async fn unsubscribed(
        &self,
        subject: &Subject,
        brand: Option<&str>,
    ) -> Result<Unsubscribed, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.suppression)
            .key_condition_expression("subject = :subject AND begins_with(#kind, :kind)")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":subject", s(subject.as_text()))
            .expression_attribute_values(":kind", s(kind::UNSUBSCRIBED));
        let items = query
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::of("Query"))?
            .items
            .unwrap_or_default();
        let has = |kind: String| items.iter().any(|item| text(item, "kind") == Some(&kind));
        Ok(Unsubscribed {
            from_all: has(unsubscribed(None)),
            from_brand: brand.is_some_and(|brand| has(unsubscribed(Some(brand)))),
        })
    }

    /// The address bounced permanently: no mail for `window`.
    pub async fn bounced(
        &self,
        subject: &Subject,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: a later bounce restarts the window, and a repeated event moves it by
        // moments.
        let key = suppression_key(subject.as_text(), kind::BOUNCED);
        let until = seconds(saturating_add(now, window));
        self.put_suppression(key, [("at", ms(now)), ("expires_at", until)]).await
    }

    /// Everything that is known of the subject and counts at `now`: at most a page of it, which is
    /// a megabyte.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn suppressions(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Vec<Suppression>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.suppression)
            .key_condition_expression("subject = :subject")
            .expression_attribute_values(":subject", s(subject.as_text()))
            .consistent_read(true);
        let items = query.send().await.map_err(StoreError::of("Query"))?.items.unwrap_or_default();
        let read = items.iter().filter_map(Suppression::read);
        Ok(read.filter(|suppression| suppression.counts(now)).collect())
    }

    /// An admin releases a window, an unsubscribe or a bounce, and the audit trail says so. False
    /// if it is no longer as it was shown.
    ///
    /// # Errors
    /// If the tables cannot be read or written.
    pub async fn release_suppression(
        &self,
        subject: &Subject,
        suppression: &Suppression,
        who: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = suppression_key(subject.as_text(), &suppression.id);
        let Some(item) = self.suppression_item(key.clone()).await? else { return Ok(false) };
        if version(&item) != suppression.version {
            return Ok(false);
        }
        // Clauses: each time and owner that it has is still the same.
        let mut delete = Delete::builder().table_name(&self.tables.suppression).set_key(Some(key));
        let mut clauses = vec!["attribute_exists(subject)".to_owned()];
        for name in ["at", "expires_at", "request_id"] {
            if let Some(value) = item.get(name) {
                clauses.push(format!("#{name} = :{name}"));
                delete = delete
                    .expression_attribute_names(format!("#{name}"), name)
                    .expression_attribute_values(format!(":{name}"), value.clone());
            }
        }
        let delete = delete.condition_expression(clauses.join(" AND "));
        let delete = TransactWriteItem::builder().delete(built(delete.build())?).build();
        let mut entry = AuditEntry::new(who, "released an address", &audited_name(subject), now);
        entry.before = json!({ "kind": suppression.id });
        let done = self.transact(vec![delete, self.audited(&entry)?]).await?;
        Ok(matches!(done, Transacted::Done))
    }

    /// An admin unsubscribes an address, and the audit trail says so. One that is unsubscribed
    /// already stays as it is.
    ///
    /// # Errors
    /// If the tables cannot be written.
    pub async fn unsubscribe_by_hand(
        &self,
        subject: &Subject,
        brand: Option<&str>,
        who: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = unsubscribed(brand);
        // Clause: the customer's own unsubscribe is not overwritten.
        let put = Put::builder()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(subject.as_text(), &id)))
            .item("at", ms(now))
            .item("by", s("admin"))
            .condition_expression("attribute_not_exists(subject)");
        let put = TransactWriteItem::builder().put(built(put.build())?).build();
        let mut entry =
            AuditEntry::new(who, "unsubscribed an address", &audited_name(subject), now);
        entry.after = json!({ "kind": id });
        self.transact(vec![put, self.audited(&entry)?]).await.map(drop)
    }
}
