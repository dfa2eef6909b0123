//! Reading the config table for the admin pages: a page of a kind, and many items at once.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::editing::StoredItem;
use crate::error::StoreError;
use crate::ground::{Item, built, s};
use crate::store::{Store, pause};

/// Items that one `BatchGetItem` takes.
const AT_ONCE: usize = 100;
/// Calls in a row that may bring nothing, before that is an error.
const TRIES: u32 = 6;

impl Store {
    /// Items of a kind as they stand now, in the order of their ids, from the one after `after`.
    /// At most `limit`; whether there are more.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_page_of(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<StoredItem>, bool), StoreError> {
        // An id that no item can have is before all of them.
        let after = after.filter(|id| !id.is_empty() && id.len() <= 1_024);
        let page = self
            .client
            .query()
            .table_name(&self.tables.config)
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", s(kind))
            .consistent_read(true)
            .limit(limit)
            .set_exclusive_start_key(after.map(|id| key(kind, id)))
            .send()
            .await
            .map_err(StoreError::of("Query config"))?;
        let more = page.last_evaluated_key.is_some();
        let items = page.items.unwrap_or_default();
        Ok((items.into_iter().map(StoredItem::new).collect(), more))
    }

    /// Items of a kind by their ids, as they stand now; those that do not exist are left out. It
    /// reads as much as it is asked for, however many there are.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_items_at(
        &self,
        kind: &str,
        ids: &BTreeSet<String>,
    ) -> Result<HashMap<String, StoredItem>, StoreError> {
        let fitting = |id: &&String| !id.is_empty() && id.len() <= 1_024;
        let ids: Vec<&String> = ids.iter().filter(fitting).collect();
        let mut found = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let mut left: Vec<_> = ids.iter().map(|id| key(kind, id)).collect();
            let mut tries = 0;
            while !left.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true);
                let page = self
                    .client
                    .batch_get_item()
                    .request_items(&self.tables.config, built(keys.build())?)
                    .send()
                    .await
                    .map_err(StoreError::of("BatchGetItem config"))?;
                let items = page.responses.unwrap_or_default().remove(&self.tables.config);
                let items = items.unwrap_or_default().into_iter().map(StoredItem::new);
                let before = found.len();
                found.extend(items.map(|item| (item.id().to_owned(), item)));
                let unread = page.unprocessed_keys.unwrap_or_default().remove(&self.tables.config);
                left = unread.map(|unread| unread.keys).unwrap_or_default();
                tries = if found.len() > before { 0 } else { tries + 1 };
                if !left.is_empty() && tries >= TRIES {
                    let cause = "keys stay unprocessed".to_owned();
                    let operation = "BatchGetItem config";
                    return Err(StoreError::Unavailable { operation, cause });
                }
                if !left.is_empty() {
                    pause(tries).await;
                }
            }
        }
        Ok(found)
    }
}

fn key(kind: &str, id: &str) -> Item {
    HashMap::from([("kind".to_owned(), s(kind)), ("id".to_owned(), s(id))])
}
