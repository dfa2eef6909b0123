//! Who is not to be mailed.

use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::saturating_add;

use crate::interaction::{ms, n, s};
use crate::{Store, StoreError};

/// From what somebody is unsubscribed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribed {
    /// From everything.
    pub from_all: bool,
    /// From the brand that was asked about.
    pub from_brand: bool,
}

/// The sort key of an unsubscribe. Brands are compared without case: an admin may spell the id in
/// another way one day.
pub(crate) fn kind(brand: Option<&str>) -> String {
    brand.map_or_else(
        || "unsubscribed".to_owned(),
        |brand| format!("unsubscribed#{}", brand.trim().to_lowercase()),
    )
}

impl Store {
    /// Unsubscribes from everything, or from one brand; kept until undone. In effect for the next
    /// claim. `by`: `page`, `one_click` or `complaint`.
    pub async fn unsubscribe(
        &self,
        subject: &Subject,
        brand: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: doing it again is the same.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .item("subject", s(subject.as_text()));
        let put = put.item("kind", s(kind(brand))).item("at", ms(now)).item("by", s(by));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
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
            .key("subject", s(subject.as_text()));
        delete
            .key("kind", s(kind(brand)))
            .send()
            .await
            .map(drop)
            .map_err(StoreError::of("DeleteItem"))
    }

    /// From what the subject is unsubscribed.
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
            .expression_attribute_values(":kind", s("unsubscribed"));
        let items = query
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::of("Query"))?
            .items
            .unwrap_or_default();
        let has = |kind: String| {
            items.iter().any(|item| item.get("kind").and_then(|k| k.as_s().ok()) == Some(&kind))
        };
        Ok(Unsubscribed {
            from_all: has(kind(None)),
            from_brand: brand.is_some_and(|brand| has(kind(Some(brand)))),
        })
    }

    /// The address bounced for good: no mail for `window`.
    pub async fn bounced(
        &self,
        subject: &Subject,
        window: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // No condition: a later bounce starts the time anew, an event that comes twice moves it by
        // moments.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .item("subject", s(subject.as_text()));
        let put = put
            .item("kind", s("bounced"))
            .item("at", ms(now))
            .item("expires_at", n(saturating_add(now, window).as_second()));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }
}
