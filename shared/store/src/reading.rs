//! Reading rows by their ids.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{Item, request_id, row_key};
use crate::interaction::Interaction;
use crate::store::Store;

/// Rows that were asked for.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that exist and have not expired.
    pub rows: HashMap<Uuid, Interaction>,
    /// Those that exist and cannot be read, for the log: somebody has edited them by hand. One row
    /// must not make a whole list unreadable.
    pub unreadable: Vec<Unreadable>,
    /// How many bytes they are, as DynamoDB counts them.
    pub bytes: usize,
}

/// A row that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Its id, if that can be read.
    pub request_id: Option<Uuid>,
    /// [`StoreError::Corrupt`].
    pub error: StoreError,
}

/// Rows that are read by their ids at once. If each is as large as DynamoDB allows, they come to
/// 3.2 MB, which a small function reads well within the time of one attempt.
pub const ROWS_AT_ONCE: usize = 8;

impl Store {
    /// The request; `None` if it is unknown or has expired. A notice is no request.
    pub async fn interaction(
        &self,
        request_id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Interaction>, StoreError> {
        Ok(self.row(request_id).await?.filter(|row| row.notice.is_none() && !row.expired(now)))
    }

    /// The row, even if it is a notice, or has expired: DynamoDB deletes late.
    pub(crate) async fn row(&self, request_id: Uuid) -> Result<Option<Interaction>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.interactions)
            .set_key(Some(row_key(request_id)));
        let item = got.consistent_read(true).send().await.map_err(StoreError::of("GetItem"))?.item;
        item.map(Interaction::from_item).transpose()
    }

    /// The requests with these ids; notices are none. A caller that wants many asks for
    /// [`ROWS_AT_ONCE`] at a time, and stops when it has enough.
    pub async fn interactions(&self, ids: &[Uuid], now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        // DynamoDB refuses a batch that names a row twice. The export does, when an answer was
        // changed while it was read.
        let ids: Vec<Uuid> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        for batch in ids.chunks(ROWS_AT_ONCE) {
            let keys = batch.iter().map(|id| row_key(*id)).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys));
            for item in self.batch_get(&self.tables.interactions, keys).await? {
                found.bytes += size_of(&item);
                let request_id = request_id(&item);
                match Interaction::from_item(item) {
                    Ok(row) => drop(found.rows.insert(row.request_id, row)),
                    Err(error) => found.unreadable.push(Unreadable { request_id, error }),
                }
            }
        }
        found.rows.retain(|_, row| row.notice.is_none() && !row.expired(now));
        Ok(found)
    }
}

/// Bytes of an item, as DynamoDB counts them.
fn size_of(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        AttributeValue::M(map) => 3 + size_of(map) + map.len(),
        AttributeValue::L(list) => {
            3 + list.iter().map(|value| 1 + value_size(value)).sum::<usize>()
        }
        _ => 1,
    }
}
