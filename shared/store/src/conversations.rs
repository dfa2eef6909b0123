//! Several closings of one Gladly conversation.

use jiff::Timestamp;
use normalize::Source;

use crate::error::StoreError;
use crate::ground::{index, request_id, s};
use crate::interaction::Interaction;
use crate::store::{IndexQuery, Store};

/// Entries that are read at once.
const A_PAGE: usize = 25;

impl Store {
    /// Whether the conversation of `row` was closed again since: there is a newer request from
    /// Gladly about it, of the same mode.
    ///
    /// Ids are ordered by time, so exactly one of several closings has no newer one. The index lags
    /// up to some seconds behind the table. It does not project the source, so the newer rows of
    /// that id, which are few, are read whole.
    pub async fn has_newer_closing(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(conversation) = &row.ext_interaction_id else { return Ok(false) };
        let query = IndexQuery {
            index: index::EXT_INTERACTION_ID,
            condition: "ext_interaction_id = :conversation AND request_id > :this",
            values: vec![
                (":conversation", s(conversation)),
                (":this", s(row.request_id.to_string())),
            ],
            only: vec![("mode", row.mode.as_str())],
            newest_first: false,
            limit: Some(A_PAGE),
        };
        let mut start = None;
        loop {
            let page = self.page(&query, start).await?;
            let ids: Vec<_> = page.items.iter().filter_map(request_id).collect();
            let newer = self.interactions(&ids, now).await?.rows;
            if newer.values().any(|newer| newer.source == Source::Gladly) {
                return Ok(true);
            }
            start = page.next;
            if start.is_none() {
                return Ok(false);
            }
        }
    }
}
