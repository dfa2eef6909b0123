//! Reading the config table for the admin pages: a page of a kind, and many items at once.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::editing::StoredItem;
use crate::error::StoreError;
use crate::ground::{Item, s};
use crate::store::{KEYS_AT_ONCE, Store};

impl Store {
    /// Items of a kind in the order of their ids, after the id `after`; of those that begin with
    /// `prefix`. At most `limit`, as they stand now; whether there are more.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_page(
        &self,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<StoredItem>, bool), StoreError> {
        // An id that no item can have is before all of them.
        let after = after.filter(|id| !id.is_empty() && id.len() <= 1_024);
        let mut query = self
            .client
            .query()
            .table_name(&self.tables.config)
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", s(kind))
            .consistent_read(true)
            .limit(limit)
            .set_exclusive_start_key(after.map(|id| key(kind, id)));
        // DynamoDB refuses an empty text as a value of a key.
        if !prefix.is_empty() {
            query = query
                .key_condition_expression("#kind = :kind AND begins_with(#id, :prefix)")
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":prefix", s(prefix));
        }
        let page = query.send().await.map_err(StoreError::of("Query config"))?;
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
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let keys = ids.iter().map(|id| key(kind, id)).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let items = self.batch_get(&self.tables.config, keys).await?;
            let items = items.into_iter().map(StoredItem::new);
            found.extend(items.map(|item| (item.id().to_owned(), item)));
        }
        Ok(found)
    }
}

fn key(kind: &str, id: &str) -> Item {
    HashMap::from([("kind".to_owned(), s(kind)), ("id".to_owned(), s(id))])
}
