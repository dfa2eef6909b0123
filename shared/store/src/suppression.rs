//! Customers who may not be mailed: unsubscribed, or bounced.

use jiff::{SignedDuration, Timestamp};
use links::Subject;
use policy::saturating_add;

use crate::error::StoreError;
use crate::ground::{kind, ms, s, seconds, suppression_key, text};
use crate::store::Store;

/// What a customer is unsubscribed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribed {
    /// From everything.
    pub from_all: bool,
    /// From the brand that was asked about.
    pub from_brand: bool,
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
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(subject.as_text(), unsubscribed(brand))));
        let put = put.item("at", ms(now)).item("by", s(by));
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
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.suppression)
            .set_item(Some(suppression_key(subject.as_text(), kind::BOUNCED)));
        let put = put.item("at", ms(now)).item("expires_at", seconds(saturating_add(now, window)));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }
}
