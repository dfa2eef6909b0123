//! What cannot be understood in the config table, as every page shows it at its top.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use normalize::Address;
use policy::config_table::{self, KINDS};
use policy::{ConfigFault, Settings, Severity};
use serde_json::{Map, Value};
use store::{SUBJECT_SECRET_ITEM, Store, StoredItem};

use crate::error::AdminError;
use crate::{config_link, edit};

/// Faults that are shown at most; the rest is counted.
const MOST_SHOWN: usize = 20;
/// Characters of a value that are shown.
const LONGEST_VALUE: usize = 80;

/// A fault as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShownFault {
    /// `channel/phone`.
    pub(crate) item: String,
    /// The attribute as it is written.
    pub(crate) attribute: String,
    /// What stands there; addresses masked. `None`: it is absent, or not known.
    pub(crate) says: Option<String>,
    /// What is wrong, and what may stand there.
    pub(crate) advice: String,
    /// Whether mails wait for the correction.
    pub(crate) stops_mail: bool,
    /// Where it is corrected.
    pub(crate) link: Option<String>,
}

/// Every fault of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) shown: Vec<ShownFault>,
    /// How many more there are.
    pub(crate) more: usize,
}

impl Faults {
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether mails wait for one of them.
    pub(crate) fn stop_mail(&self) -> bool {
        self.shown.iter().any(|fault| fault.stops_mail)
    }

    /// The faults, with what stands in the items.
    pub(crate) async fn read(
        store: &Store,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, AdminError> {
        let mut faults = settings.faults.clone();
        if let Some(kind) = config_table::kind("integration") {
            let items = settings.integrations.values();
            faults.extend(items.flat_map(|item| edit::faults_of(kind, item)));
        }
        // Items that no reader comes upon. `Settings` knows what was meant.
        let lost = store.misspelled_items().await?;
        for fault in Settings::read(&lost, language::is_spoken).faults {
            let fault = ConfigFault { severity: Severity::Warning, ..fault };
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        let unknown = settings.unknown.iter().filter(|unknown| unknown.attributes.is_empty());
        let unknown: Vec<ShownFault> =
            unknown.map(|unknown| of_unknown_item(&unknown.item)).collect();
        let other_secret = store.other_subject_secret(now).await?.map(of_other_secret);
        let all = faults.len() + unknown.len() + usize::from(other_secret.is_some());
        let mut shown: Vec<ShownFault> = Vec::from_iter(other_secret);
        let mut items: HashMap<&str, Option<StoredItem>> = HashMap::new();
        for fault in faults.iter().take(MOST_SHOWN) {
            if let (Some((kind, id)), Entry::Vacant(entry)) =
                (fault.item.split_once('/').filter(|(_, id)| *id != "…"), items.entry(&fault.item))
            {
                entry.insert(store.config_item(kind, id).await?);
            }
            let item = items.get(&*fault.item).and_then(Option::as_ref);
            shown.push(ShownFault::of(fault, item.map(|item| &item.attributes)));
        }
        shown.extend(unknown);
        shown.truncate(MOST_SHOWN);
        Ok(Self { more: all - shown.len(), shown })
    }
}

impl ShownFault {
    fn of(fault: &ConfigFault, item: Option<&Map<String, Value>>) -> Self {
        let ConfigFault { item: name, attribute, meant, severity } = fault;
        let (kind_name, id) = name.split_once('/').unwrap_or((name, ""));
        let kind = config_table::kind(kind_name);
        let top = attribute.split('.').next().unwrap_or_default();
        let description = kind
            .and_then(|kind| kind.attributes_of(id).into_iter().find(|known| known.name == top));
        let advice = match (meant, description) {
            (Some(meant), _) if attribute == "kind" || attribute == "id" => format!(
                "No such {attribute} is read. Did you mean “{meant}”? Make the item anew under \
                 that {attribute}, and delete this one."
            ),
            (Some(meant), _) => {
                format!("No such attribute is read. Did you mean “{meant}”?")
            }
            (None, _) if (kind_name, top) == ("language", "id") => format!(
                "There are no texts in this language. There are texts in {}.",
                edit::spoken()
            ),
            (None, Some(known)) => edit::may_say(&known.value_type),
            (None, None) => "It cannot be understood.".to_owned(),
        };
        // A misspelled attribute is mended where the right one stands.
        let field = match (meant, attribute.contains('.')) {
            (Some(meant), false) => meant,
            _ => top,
        };
        let misspelled_key = meant.is_some() && (attribute == "kind" || attribute == "id");
        let says = match (misspelled_key, top) {
            (true, "kind") => Some(kind_name.to_owned()),
            (_, "id") => Some(id.to_owned()),
            _ => item.and_then(|item| found(item, attribute)).map(shown_value),
        };
        // A channel's misspelled mode has to be removed in the form with the other attributes.
        let link = match (meant, kind_name) {
            (Some(_), "channel") => config_link::field(kind_name, id, "enabled"),
            _ if misspelled_key => None,
            _ => config_link::field(kind_name, id, field),
        };
        Self {
            item: name.clone(),
            attribute: attribute.clone(),
            says,
            advice,
            stops_mail: *severity == Severity::StopsMail,
            link,
        }
    }
}

/// The tables were written under another `SUBJECT_SECRET` than the functions have.
fn of_other_secret(fingerprint: String) -> ShownFault {
    ShownFault {
        item: SUBJECT_SECRET_ITEM.to_owned(),
        attribute: "fingerprint".to_owned(),
        says: Some(fingerprint),
        advice:
            "The functions have another SUBJECT_SECRET than the one of these tables, so nobody \
                 who unsubscribed would be recognised. Nothing is recorded. Put the old secret \
                 back: see “The subject secret has changed” in docs/operating.md."
                .to_owned(),
        stops_mail: true,
        link: None,
    }
}

/// An item whose key no reader looks for, and that is like none.
fn of_unknown_item(item: &str) -> ShownFault {
    let kinds = KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    ShownFault {
        item: item.to_owned(),
        attribute: "id".to_owned(),
        advice: format!("Nothing reads this item. The kinds are {kinds}."),
        ..ShownFault::default()
    }
}

/// The value of `attribute`, or of an entry of a map as `attribute.entry`.
fn found<'a>(item: &'a Map<String, Value>, attribute: &str) -> Option<&'a Value> {
    let value = item.get(attribute);
    value.or_else(|| {
        let (map, entry) = attribute.split_once('.')?;
        item.get(map)?.as_object()?.get(entry)
    })
}

/// A value in one line, with addresses masked, cut off where it is long.
fn shown_value(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let masked: Vec<String> = text.split_whitespace().map(masked).collect();
    let line = masked.join(" ");
    if line.chars().count() <= LONGEST_VALUE {
        return line;
    }
    line.chars().take(LONGEST_VALUE - 1).chain(['…']).collect()
}

/// A word; an address, or what may be one, is masked.
fn masked(word: &str) -> String {
    let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
    match Address::parse(inner) {
        Some(address) => word.replace(inner, &address.masked()),
        None if word.contains('@') => "***@***".to_owned(),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_says_what_stands_there_and_what_may() {
        let fault = |item: &str, attribute: &str, meant| ConfigFault {
            item: item.to_owned(),
            attribute: attribute.to_owned(),
            meant,
            severity: Severity::StopsMail,
        };
        let item = json!({ "mode": "integratd", "enabld": false, "from": "Eve eve@@x",
            "reply_to": "<jane@customers.example>, x", "dedupe_minutes": { "zendesc": 5 } });
        for (fault, says, advice, link) in [
            (
                fault("channel/my phone", "mode", None),
                Some("integratd"),
                "It may say manual or integrated.",
                Some("/admin/channels?flip=my+phone"),
            ),
            (
                fault("channel/phone", "enabld", Some("enabled")),
                Some("false"),
                "No such attribute is read. Did you mean “enabled”?",
                Some("/admin/channels?edit=phone#enabled"),
            ),
            (
                fault("company/settings", "dedupe_minutes.zendesc", Some("zendesk")),
                Some("5"),
                "No such attribute is read. Did you mean “zendesk”?",
                Some("/admin/settings#dedupe_minutes"),
            ),
            (
                fault("company/setings", "id", Some("settings")),
                Some("setings"),
                "No such id is read. Did you mean “settings”? Make the item anew under that id, \
                 and delete this one.",
                None,
            ),
            (
                fault("chanel/…", "kind", Some("channel")),
                Some("chanel"),
                "No such kind is read. Did you mean “channel”? Make the item anew under that \
                 kind, and delete this one.",
                None,
            ),
        ] {
            let shown = ShownFault::of(&fault, item.as_object());
            assert_eq!((shown.says.as_deref(), &*shown.advice), (says, advice));
            assert_eq!(shown.link.as_deref(), link);
        }
        for (attribute, says) in [("from", "Eve ***@***"), ("reply_to", "<j***@c***.example>, x")] {
            let shown =
                ShownFault::of(&fault("company/settings", attribute, None), item.as_object());
            assert_eq!(shown.says.as_deref(), Some(says));
        }
    }

    #[test]
    fn a_long_value_is_cut_off() {
        assert_eq!(shown_value(&json!("x".repeat(1_000))).chars().count(), LONGEST_VALUE);
        assert_eq!(shown_value(&json!(["a"])), "[\"a\"]");
    }
}
