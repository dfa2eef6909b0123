//! When a key was last used, to the day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::ground::{applied, s};
use crate::store::Store;

impl Store {
    /// Notes in a key's item that the key was used at `at`, unless its item, as it was read, says
    /// so: `noted`. At most one write a day, key and process. Nothing depends on it, so a failure
    /// is only logged.
    pub async fn note_key_use(&self, digest: &str, noted: Option<Date>, at: Timestamp) {
        let day = at.to_zoned(TimeZone::UTC).date();
        if noted.is_some_and(|noted| noted >= day) {
            return;
        }
        // Also if it fails: the next one who reads the item tries again.
        self.cache.key_was_used(digest, day);
        // Clauses: a key that was deleted meanwhile does not come back; and no day goes back, since
        // `dispatch` works on requests of earlier days. (Nothing, or no text, is not the same day
        // or later.)
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.config)
            .key("kind", s("key"))
            .key("id", s(digest))
            .update_expression("SET last_used = :day")
            .condition_expression("attribute_exists(#id) AND NOT last_used >= :day")
            .expression_attribute_names("#id", "id")
            .expression_attribute_values(":day", s(day.to_string()));
        if let Err(error) = applied(update.send().await) {
            tracing::warn!(%error, "the day on which a key was used could not be noted");
        }
    }
}
