//! How many live requests came for each channel lately: what an admin is shown before a channel's
//! mode is changed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use jiff::Timestamp;
use policy::Mode;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{row_key, text};
use crate::listing::{Filter, ListBounds};
use crate::outcome_month::received_at;
use crate::shards::first_id;
use crate::store::{KEYS_AT_ONCE, Store};

/// Days that are looked back through at most.
const DAYS: usize = 31;

/// Live requests by channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByChannel {
    /// Requests by the channel's name, or by what was sent in its place.
    pub counts: BTreeMap<String, u64>,
    /// Where the count stopped, if there were more requests than may be counted.
    pub back_to: Option<Timestamp>,
}

impl Store {
    /// Counts the live requests received since `from`, newest first, at most `most`. What it reads
    /// is bounded, whatever is stored.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn live_requests_by_channel(
        &self,
        from: Timestamp,
        most: usize,
        now: Timestamp,
    ) -> Result<ByChannel, StoreError> {
        let bounds = ListBounds { after: None, limit: most, oldest: from, days: DAYS, now };
        let page = self.list(&[Mode::Live], &Filter::default(), bounds).await?;
        let full = page.ids.len() >= most && page.next.is_some();
        let first = first_id(from, 1);
        let ids: Vec<Uuid> = page.ids.iter().copied().filter(|id| *id >= first).collect();
        let mut counts = BTreeMap::new();
        for batch in ids.chunks(KEYS_AT_ONCE) {
            let keys = batch.iter().map(|id| row_key(*id)).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys));
            let keys = keys.projection_expression("channel");
            for item in self.batch_get(&self.tables.interactions, keys).await? {
                if let Some(channel) = text(&item, "channel") {
                    *counts.entry(channel.to_owned()).or_default() += 1;
                }
            }
        }
        // If one of the ids is older than `from`, all the newer ones have been counted.
        let oldest = ids.last().filter(|_| full && ids.len() == page.ids.len());
        Ok(ByChannel { counts, back_to: oldest.copied().and_then(received_at) })
    }
}
