//! The config table, but for people and keys, as the checks read it. Pure.

use std::collections::HashMap;

use normalize::LanguageTag;
use policy::{Brand, Channel, Company, ConfigFault, Employee, Facts, Item, LanguageRow};
use serde_json::{Map, Value};

/// Everything but people and keys, read in one round trip.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `company/settings`, or its defaults.
    pub company: Company,
    /// Every channel.
    pub channels: Vec<Channel>,
    /// Every brand.
    pub brands: Vec<Brand>,
    /// Active languages.
    pub languages: Vec<LanguageTag>,
    /// Languages whose item cannot be understood, with the first fault of each.
    pub language_faults: Vec<(LanguageTag, ConfigFault)>,
    /// `integration/…`, by id: read by the function that integrates it.
    pub integrations: HashMap<String, Map<String, Value>>,
}

impl Settings {
    /// Sorts items of the kinds `company`, `channel`, `brand`, `language` and `integration`; others
    /// are left out.
    pub fn read(items: &[Map<String, Value>]) -> Self {
        let of = |kind: &'static str| {
            items.iter().filter(move |item| item.get("kind").and_then(Value::as_str) == Some(kind))
        };
        let rows: Vec<LanguageRow> = of("language").map(LanguageRow::read).collect();
        let settings = Self {
            company: of("company")
                // As documented; else as somebody may have spelled it.
                .find(|item| Item::new(item).id() == "settings")
                .or_else(|| {
                    of("company").find(|item| Item::new(item).id().eq_ignore_ascii_case("settings"))
                })
                .map_or_else(|| Company::read(&Map::new()), Company::read),
            channels: of("channel").map(Channel::read).collect(),
            brands: of("brand").map(Brand::read).collect(),
            languages: rows.iter().filter_map(|row| row.tag.clone()).collect(),
            language_faults: rows
                .iter()
                .filter_map(|row| Some((row.named.clone()?, row.faults.first()?.clone())))
                .collect(),
            integrations: integrations(of("integration")),
        };
        let faults = settings.company.faults.iter();
        let faults = faults
            .chain(settings.channels.iter().flat_map(|c| &c.faults))
            .chain(settings.brands.iter().flat_map(|b| &b.faults));
        faults.chain(rows.iter().flat_map(|l| &l.faults)).for_each(log);
        items.iter().for_each(log_unknown);
        settings
    }
}

/// By id in lower case. Of two that differ by case alone, the one that is spelled as documented
/// counts.
fn integrations<'a>(
    items: impl Iterator<Item = &'a Map<String, Value>>,
) -> HashMap<String, Map<String, Value>> {
    let (exact, others): (Vec<_>, Vec<_>) =
        items.partition(|item| Item::new(item).id() == Item::new(item).id().to_lowercase());
    others
        .into_iter()
        .chain(exact)
        .map(|item| (Item::new(item).id().to_lowercase(), item.clone()))
        .collect()
}

impl Settings {
    /// What the checks at the door need to know, with the employee that the request leads to.
    pub fn facts<'a>(&'a self, employee: Option<&'a Employee>) -> Facts<'a> {
        Facts {
            company: &self.company,
            channels: &self.channels,
            brands: &self.brands,
            languages: &self.languages,
            employee,
        }
    }
}

/// An admin's typo is told once for each reading, and again on the status page.
pub(crate) fn log(fault: &ConfigFault) {
    tracing::error!(
        config.item = fault.item,
        config.attribute = fault.attribute,
        config.did_you_mean = fault.meant,
        "config item cannot be understood: nothing is sent on the strength of it"
    );
}

/// Attributes that mean nothing to us, told once for each reading too.
pub(crate) fn log_unknown(item: &Map<String, Value>) {
    let item = Item::new(item);
    let unknown = item.unknown();
    if !unknown.is_empty() {
        tracing::warn!(config.item = item.name(), config.attributes = ?unknown, "config item has attributes that are not known");
    }
}
