//! Several closings of one Gladly conversation.

use jiff::Timestamp;
use normalize::Source;
use uuid::Uuid;

use crate::interaction::s;
use crate::{Interaction, Store, StoreError};

/// Rows that are read at once.
const A_PAGE: i32 = 25;

impl Store {
    /// Whether the conversation of `row` was closed once more since: there is a newer request of
    /// Gladly's about it, of the same mode.
    ///
    /// Ids are ordered by time, so of several closings exactly one has none that is newer. The
    /// index is behind the table by up to some seconds. It does not project the source: a newer row
    /// of that id is read whole, and there rarely is one.
    pub async fn has_newer_closing(
        &self,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(conversation) = &row.ext_interaction_id else { return Ok(false) };
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.interactions)
                .index_name("ext_interaction_id")
                .key_condition_expression(
                    "ext_interaction_id = :conversation AND request_id > :this",
                )
                .filter_expression("#mode = :mode")
                .expression_attribute_names("#mode", "mode")
                .expression_attribute_values(":conversation", s(conversation))
                .expression_attribute_values(":this", s(row.request_id.to_string()))
                .expression_attribute_values(":mode", s(row.mode.as_str()))
                .limit(A_PAGE)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query ext_interaction_id"))?;
            let ids: Vec<Uuid> = page
                .items()
                .iter()
                .filter_map(|item| item.get("request_id")?.as_s().ok()?.parse().ok())
                .collect();
            if self
                .interactions(&ids, now)
                .await?
                .rows
                .values()
                .any(|newer| newer.source == Source::Gladly)
            {
                return Ok(true);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(false);
            }
        }
    }
}
