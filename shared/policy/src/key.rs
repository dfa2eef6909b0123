//! API keys.

use jiff::civil::Date;
use normalize::Source;
use serde::{Deserialize, Serialize};

use crate::Ceiling;
use crate::item::{ConfigFault, Item};

/// Whether a key, and everything that came in by it, is for trying or for real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Mail goes to the company's test address; nothing about the customer is kept beyond the row.
    Test,
    /// Production.
    Live,
}

impl Mode {
    /// The name in rows and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Post interactions: what a helpdesk gets.
    Send,
    /// Read requests and answers.
    Read,
}

/// `key/<SHA-256 hex>` of the config table. The key itself is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// SHA-256 of the key, in hex: the item's id.
    pub digest: String,
    /// Test or live.
    pub mode: Mode,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// `mails_per_hour`: mails that it may cause in an hour; 0 = any number. Default 10,000, of a
    /// test key 500.
    pub mails_per_hour: u32,
    /// The sources that it may send from. Empty: every source.
    pub sources: Vec<Source>,
    /// The last day on which it was used (UTC), as far as it was noted. It decides nothing: a value
    /// that cannot be understood is none.
    pub last_used: Option<Date>,
}

/// What a `key` item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyItem {
    /// The key is good.
    Good(Key),
    /// It was revoked.
    Revoked,
    /// Something in it cannot be understood. It opens nothing; what it let in before waits until it
    /// is mended.
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
    /// `None` if it was revoked.
    fn read(item: &Item<'_>) -> Result<Option<Self>, ConfigFault> {
        if item.bool("revoked")?.unwrap_or(false) {
            return Ok(None);
        }
        let mode = match item.text("mode")?.map(|mode| mode.to_lowercase()).as_deref() {
            Some("test") => Mode::Test,
            Some("live") => Mode::Live,
            _ => return Err(item.fault("mode")),
        };
        let mails_per_hour =
            item.number("mails_per_hour", u32::MAX)?.unwrap_or(Ceiling::default_of(mode));
        let scopes = item.list("scopes")?.unwrap_or_default();
        let scopes = scopes.iter().map(|scope| match scope.to_lowercase().as_str() {
            "send" => Ok(KeyScope::Send),
            "read" => Ok(KeyScope::Read),
            _ => Err(item.fault("scopes")),
        });
        let sources = item.list("sources")?.unwrap_or_default();
        let sources = sources.iter().map(|name| {
            Source::from_name(&name.to_lowercase()).ok_or_else(|| item.fault("sources"))
        });
        Ok(Some(Self {
            digest: item.id().to_owned(),
            mode,
            scopes: scopes.collect::<Result<_, _>>()?,
            sources: sources.collect::<Result<_, _>>()?,
            mails_per_hour,
            last_used: item.text("last_used").ok().flatten().and_then(|day| day.parse().ok()),
        }))
    }

    /// How many mails it may cause in an hour; `None`: any number.
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
            let item = json!({ "kind": "key", "id": "digest", "mode": "live", "scopes": ["send"], "sources": sources });
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
