//! The names of a company's topics in Gladly. A conversation names its topics by id only, and one
//! topic, by its name, means do-not-send.
//!
//! [`Topics`] keeps Gladly's list for a few minutes, so that the requests of a batch share it. A
//! topic that cannot be looked up is an error, and never counts as "no".

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::account::Account;
use crate::client::{Client, Fetched};
use crate::error::LookupError;
use crate::payloads;

/// After this time the list is read again. A topic that was renamed is known by its new name then.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// The company's topics, as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Topics(Mutex<TopicList>);

#[derive(Debug, Default)]
struct TopicList {
    /// The account that the topics belong to.
    account: Option<Account>,
    /// When the list was last asked for, with or without success.
    asked_at: Option<Timestamp>,
    /// When the list was last read.
    read_at: Option<Timestamp>,
    /// Names by id.
    names: HashMap<String, String>,
}

impl Topics {
    /// Whether one of the topics `ids` has this `name`. Case does not matter.
    ///
    /// The list is read again if it is old or lacks one of the topics, but only once at any `now`:
    /// the requests of a batch share the list, and its failure. An old list may say yes. For a no
    /// the list must not be old, and a topic that even a new list lacks (just created, deleted, or
    /// left out of a long list) is asked for by its id.
    ///
    /// # Errors
    /// Gladly could not tell.
    pub(crate) async fn include(
        &self,
        name: &str,
        ids: &[String],
        client: &Client,
        account: &Account,
        now: Timestamp,
    ) -> Result<bool, LookupError> {
        const RESOURCE: &str = "topic";
        if ids.is_empty() || name.is_empty() {
            return Ok(false);
        }
        let wanted = name.to_lowercase();
        let missing: Vec<&String> = {
            let mut list = self.0.lock().await;
            let refreshed = list.refresh(ids, client, account, now).await;
            let mut names = ids.iter().filter_map(|id| list.names.get(id));
            if names.any(|name| name.to_lowercase() == wanted) {
                return Ok(true);
            }
            refreshed?;
            ids.iter().filter(|id| !list.names.contains_key(*id)).collect()
        };
        for id in missing {
            let name = match client.get(account, RESOURCE, &["topics", id], now).await? {
                Fetched::Missing => continue, // deleted
                fetched => payloads::topic(&fetched.found(RESOURCE)?)
                    .map_err(|error| error.of(RESOURCE))?,
            };
            if name.to_lowercase() == wanted {
                return Ok(true);
            }
            self.0.lock().await.names.insert(id.clone(), name);
        }
        Ok(false)
    }
}

impl TopicList {
    /// Reads the list again if it is another account's, is old, or lacks one of `ids`.
    ///
    /// # Errors
    /// The list is needed and could not be read.
    async fn refresh(
        &mut self,
        ids: &[String],
        client: &Client,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), LookupError> {
        const RESOURCE: &str = "topics";
        if self.account.as_ref() != Some(account) {
            *self = Self { account: Some(account.clone()), ..Self::default() };
        }
        let is_fresh = self
            .read_at
            .is_some_and(|at| (SignedDuration::ZERO..MAX_AGE).contains(&now.duration_since(at)));
        let has_all = ids.iter().all(|id| self.names.contains_key(id));
        if is_fresh && (has_all || self.read_at == Some(now)) {
            return Ok(());
        }
        if self.asked_at == Some(now) {
            return Err(LookupError::temporary(RESOURCE, "they could not be read just now"));
        }
        self.asked_at = Some(now);
        let body = client.get(account, RESOURCE, &["topics"], now).await?.found(RESOURCE)?;
        self.names = payloads::topics(&body).map_err(|error| error.of(RESOURCE))?;
        self.read_at = Some(now);
        Ok(())
    }
}
