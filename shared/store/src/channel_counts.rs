//! How many live requests came for each channel lately: what an admin is shown before a channel's
//! mode is changed.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use jiff::Timestamp;
use policy::Mode;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{built, row_key, text};
use crate::listing::{Filter, ListBounds};
use crate::shards::first_id;
use crate::store::{Store, pause};

/// Keys that one `BatchGetItem` takes.
const KEYS_AT_ONCE: usize = 100;
/// Days that are looked back through at most.
const DAYS: usize = 31;
/// Calls for one batch at most.
const ATTEMPTS: u32 = 8;

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
            for channel in self.channels_of(batch).await? {
                *counts.entry(channel).or_default() += 1;
            }
        }
        // If one of the ids is older than `from`, all the newer ones have been counted.
        let oldest = ids.last().filter(|_| full && ids.len() == page.ids.len());
        Ok(ByChannel { counts, back_to: oldest.copied().and_then(received_at) })
    }

    async fn channels_of(&self, ids: &[Uuid]) -> Result<Vec<String>, StoreError> {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(ids.iter().map(|id| row_key(*id)).collect()))
            .projection_expression("channel");
        let mut wanted = HashMap::from([(self.tables.interactions.clone(), built(keys.build())?)]);
        let (mut channels, mut attempt) = (Vec::new(), 0);
        while !wanted.is_empty() {
            attempt += 1;
            if attempt > ATTEMPTS {
                return Err(StoreError::Unavailable {
                    operation: "BatchGetItem",
                    cause: "keys stay unprocessed".into(),
                });
            }
            if attempt > 1 {
                pause(attempt).await;
            }
            let got = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let got = got.map_err(StoreError::of("BatchGetItem"))?;
            let items = got.responses.unwrap_or_default().into_values().flatten();
            channels.extend(items.filter_map(|item| text(&item, "channel").map(str::to_owned)));
            wanted = got.unprocessed_keys.unwrap_or_default();
        }
        Ok(channels)
    }
}

/// The time in a UUIDv7.
fn received_at(request_id: Uuid) -> Option<Timestamp> {
    let (seconds, _) = request_id.get_timestamp()?.to_unix();
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}
