//! API keys.

use normalize::Source;

use crate::ceiling::Ceiling;
use crate::choices::{KeyScope, Mode};
use crate::config_table::key;
use crate::fault::ConfigFault;
use crate::item::Item;

/// `key/<SHA-256 hex>` of the config table. The key itself is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// SHA-256 of the key, in hex: the item's id.
    pub digest: String,
    /// Test or live.
    pub mode: Mode,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// `mails_per_hour`: mails that it may cause in an hour; 0 = no limit. Default 10,000, of a
    /// test key 500.
    pub mails_per_hour: u32,
    /// The sources that it may send from; empty: every source.
    pub sources: Vec<Source>,
}

/// What a `key` item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyItem {
    /// The key is good.
    Good(Key),
    /// It was revoked.
    Revoked,
    /// Something in it cannot be understood. The key opens nothing, and the requests that it sent
    /// before wait until the item is corrected.
    Faulty(ConfigFault),
}

impl KeyItem {
    /// Reads an item.
    pub fn read(item: &Item<'_>) -> Self {
        match Key::read(item) {
            Ok(Some(key)) => Self::Good(key),
            Ok(None) => Self::Revoked,
            Err(fault) => Self::Faulty(fault),
        }
    }
}

impl Key {
    /// The key; `None` if it was revoked.
    fn read(item: &Item<'_>) -> Result<Option<Self>, ConfigFault> {
        if item.read(&key::REVOKED)? {
            return Ok(None);
        }
        let mode = item.read(&key::MODE)?;
        let mails_per_hour = item.read(&key::MAILS_PER_HOUR)?;
        Ok(Some(Self {
            digest: item.id().to_owned(),
            mode,
            scopes: item.read(&key::SCOPES)?,
            sources: item.read(&key::SOURCES)?,
            mails_per_hour: mails_per_hour.unwrap_or(Ceiling::default_of(mode)),
        }))
    }

    /// How many mails it may cause in an hour; `None`: no limit.
    pub fn ceiling(&self) -> Option<Ceiling> {
        Ceiling::new(&self.digest, self.mails_per_hour)
    }

    /// Whether the key has the scope.
    pub fn may(&self, scope: KeyScope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the key is for this source.
    pub fn is_for(&self, source: Source) -> bool {
        self.sources.is_empty() || self.sources.contains(&source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_names_the_sources_that_it_is_for_and_none_means_all() {
        let all = Some(Source::ALL.to_vec());
        for (sources, expected) in [
            (json!(null), all.clone()),
            (json!([]), all.clone()),
            (json!(""), all),
            (json!(["zendesk"]), Some(vec![Source::Zendesk])),
            (json!([" Zendesk ", "FRESHDESK"]), Some(vec![Source::Zendesk, Source::Freshdesk])),
            (json!("gladly, gorgias"), Some(vec![Source::Gladly, Source::Gorgias])),
            (json!(["zendesc"]), None),
            (json!(["zendesk", "any"]), None),
            (json!(7), None),
            (json!([["zendesk"]]), None),
        ] {
            let item = json!({
                "kind": "key", "id": "digest", "mode": "live", "scopes": ["send"],
                "sources": sources,
            });
            let item = item.as_object().cloned().unwrap_or_default();
            let opens = match KeyItem::read(&Item::new(&item)) {
                KeyItem::Good(key) => {
                    Some(Source::ALL.into_iter().filter(|source| key.is_for(*source)).collect())
                }
                KeyItem::Faulty(fault) => {
                    assert_eq!(fault.attribute, "sources");
                    None
                }
                KeyItem::Revoked => panic!("revoked"),
            };
            assert_eq!(opens, expected, "{sources}");
        }
    }
}
