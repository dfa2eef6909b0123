//! The secret under which customers become subjects, and the check that it is the right one.
//!
//! Under another secret nobody who unsubscribed or was mailed lately would be recognised. So the
//! config table holds the secret's fingerprint, `deployment/subject_secret`. The first function that
//! finds none writes it; every function compares it before it uses the secret. It is read with the
//! settings, in the same call, and remembered with them.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure as OnFailure;
use jiff::Timestamp;
use links::SubjectSecret;
use metrics::Measure;
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::ground::{Item, s, text};
use crate::store::Store;

/// The kind of what a deployment writes about itself. No admin edits it.
pub(crate) const DEPLOYMENT: &str = "deployment";
/// Its id.
const ID: &str = "subject_secret";
/// Its attribute.
const FINGERPRINT: &str = "fingerprint";
/// Characters of a fingerprint that are read: more than a right one has.
const LONGEST: usize = 100;
/// The item as logs and pages name it.
pub const SUBJECT_SECRET_ITEM: &str = "deployment/subject_secret";

/// Takes the item out of what was read with the settings. An item without a fingerprint gives an
/// empty one, which no secret has.
pub(crate) fn take_fingerprint(items: &mut Vec<Map<String, Value>>) -> Option<String> {
    let is =
        |item: &Map<String, Value>, name: &str, value: &str| item.get(name) == Some(&value.into());
    let found = items.iter().find(|item| is(item, "kind", DEPLOYMENT) && is(item, "id", ID));
    let found = found.map(|item| {
        let stored = item.get(FINGERPRINT).and_then(Value::as_str).unwrap_or_default();
        // It is logged and shown, whatever somebody has made of it.
        stored.chars().take(LONGEST).collect()
    });
    items.retain(|item| !is(item, "kind", DEPLOYMENT));
    found
}

impl Store {
    /// The secret under which addresses and markers become subjects, once it is known to be the one
    /// under which the tables were written.
    ///
    /// # Errors
    /// [`StoreError::SubjectSecret`] if it is another one, or if this function has none. Otherwise
    /// if the table cannot be read or written.
    pub async fn secret(&self, now: Timestamp) -> Result<&SubjectSecret, StoreError> {
        let secret = self.secret.as_ref().ok_or(StoreError::SubjectSecret)?;
        let own = secret.fingerprint();
        let stored = match self.stored_fingerprint(now).await? {
            Some(stored) => stored,
            None => self.note_fingerprint(&own).await?,
        };
        if stored == own {
            return Ok(secret);
        }
        tracing::error!(
            config.item = SUBJECT_SECRET_ITEM,
            stored,
            own,
            metrics = %metrics::of(&[Measure::SubjectSecretMismatches]),
            "SUBJECT_SECRET is not the one of the tables: nothing is recorded or sent"
        );
        Err(StoreError::SubjectSecret)
    }

    /// The fingerprint of the tables' secret, if this function has another one.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn other_subject_secret(&self, now: Timestamp) -> Result<Option<String>, StoreError> {
        let stored = self.stored_fingerprint(now).await?;
        let own = self.secret.as_ref().map(SubjectSecret::fingerprint);
        Ok(stored.filter(|stored| own.is_some_and(|own| own != *stored)))
    }

    async fn stored_fingerprint(&self, now: Timestamp) -> Result<Option<String>, StoreError> {
        self.settings(now).await?;
        Ok(self.cache.with(|c| c.fingerprint.clone()))
    }

    /// Writes the fingerprint if there is none. Returns the one that stands then: of several
    /// functions that write at once, the first one decides.
    async fn note_fingerprint(&self, own: &str) -> Result<String, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.config)
            .item("kind", s(DEPLOYMENT))
            .item("id", s(ID))
            .item(FINGERPRINT, s(own))
            .condition_expression("attribute_not_exists(kind)")
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let stands = match put.send().await {
            Ok(_) => own.to_owned(),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let stands = |item: &Item| text(item, FINGERPRINT).map(str::to_owned);
                    failed.item().and_then(stands).unwrap_or_default()
                }
                _ => return Err(StoreError::of("PutItem")(error)),
            },
        };
        self.cache.with(|c| c.fingerprint = Some(stands.clone()));
        Ok(stands)
    }
}
