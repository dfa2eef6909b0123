//! API keys.

use jiff::civil::Date;
use normalize::Source;

use crate::admin_key::AdminKey;
use crate::ceiling::Ceiling;
use crate::choices::{KeyMode, KeyScope, Mode};
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
    /// The last day on which its use was noted, in UTC.
    pub last_used: Option<Date>,
}

/// What a `key` item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyItem {
    /// The key is good.
    Good(Key),
    /// It was revoked.
    Revoked,
    /// It is a person's: it opens the admin pages, and nothing else.
    Admin(AdminKey),
    /// Something in it cannot be understood. The key opens nothing, and the requests that it sent
    /// before wait until the item is corrected.
    Faulty(ConfigFault),
}

impl KeyItem {
    /// Reads an item.
    pub fn read(item: &Item<'_>) -> Self {
        Self::try_read(item).unwrap_or_else(Self::Faulty)
    }

    fn try_read(item: &Item<'_>) -> Result<Self, ConfigFault> {
        if item.read(&key::REVOKED)? {
            return Ok(Self::Revoked);
        }
        let scopes = item.read(&key::SCOPES)?;
        // It decides nothing: a value that cannot be understood is none.
        let last_used = item.read(&key::LAST_USED).ok().flatten();
        let last_used = last_used.and_then(|day| day.parse().ok());
        match item.read(&key::MODE)? {
            KeyMode::Machine(mode) => Key::read(item, mode, scopes, last_used).map(Self::Good),
            KeyMode::Admin => AdminKey::of(&scopes, last_used)
                .map(Self::Admin)
                .ok_or_else(|| item.fault("scopes")),
        }
    }
}

impl Key {
    fn read(
        item: &Item<'_>,
        mode: Mode,
        scopes: Vec<KeyScope>,
        last_used: Option<Date>,
    ) -> Result<Self, ConfigFault> {
        let mails_per_hour = item.read(&key::MAILS_PER_HOUR)?;
        Ok(Self {
            digest: item.id().to_owned(),
            mode,
            scopes,
            sources: item.read(&key::SOURCES)?,
            mails_per_hour: mails_per_hour.unwrap_or(Ceiling::default_of(mode)),
            last_used,
        })
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
    use crate::Role;

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
                other => panic!("{other:?}"),
            };
            assert_eq!(opens, expected, "{sources}");
        }
    }

    #[test]
    fn only_a_good_admin_key_opens_the_pages() {
        let key = |role, may_erase| Some(AdminKey { role: Some(role), may_erase, last_used: None });
        let eraser = Some(AdminKey { role: None, may_erase: true, last_used: None });
        for (mode, scopes, revoked, expected) in [
            ("admin", json!(["admin"]), json!(false), key(Role::Admin, false)),
            ("Admin", json!("ADMIN, erase"), json!(""), key(Role::Admin, true)),
            ("admin", json!(["viewer"]), json!("no"), key(Role::Viewer, false)),
            ("admin", json!(["erase"]), json!(false), eraser),
            ("admin", json!(["erase", "viewer"]), json!(false), key(Role::Viewer, true)),
            ("admin", json!(["admin"]), json!(true), None),
            ("admin", json!(["admin"]), json!("perhaps"), None),
            ("admin", json!(["send"]), json!(false), None),
            ("admin", json!([]), json!(false), None),
            ("live", json!(["admin"]), json!(false), None),
            ("test", json!(["admin"]), json!(false), None),
        ] {
            let item = json!({
                "kind": "key", "id": "digest", "mode": mode, "scopes": scopes, "revoked": revoked,
            });
            let item = item.as_object().cloned().unwrap_or_default();
            let read = match KeyItem::read(&Item::new(&item)) {
                KeyItem::Admin(key) => Some(key),
                _ => None,
            };
            assert_eq!(read, expected, "{mode} {scopes} {revoked}");
        }
    }
}
