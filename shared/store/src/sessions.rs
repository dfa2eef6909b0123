//! Sessions of the admin pages that were ended before their time.
//!
//! A session is a signed cookie, and stored nowhere. Only its end is: `session/<digest>` in the
//! config table, which expires when the session would have.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::ground::{s, seconds};
use crate::store::Store;

const KIND: &str = "session";

impl Store {
    /// Ends a session. `until`: when it would have ended by itself.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn end_session(&self, digest: &str, until: Timestamp) -> Result<(), StoreError> {
        // No condition: ending it twice is the same.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.config)
            .item("kind", s(KIND))
            .item("id", s(digest))
            .item("expires_at", seconds(until));
        put.send().await.map(drop).map_err(StoreError::of("PutItem"))
    }

    /// Whether a session was ended.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn session_was_ended(&self, digest: &str) -> Result<bool, StoreError> {
        Ok(self.config_item(KIND, digest).await?.is_some())
    }
}
