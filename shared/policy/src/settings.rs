//! The settings of a company: the whole config table but people and keys.

use std::collections::HashMap;

use normalize::LanguageTag;
use serde_json::{Map, Value};

use crate::alert::AlertSettings;
use crate::brand::Brand;
use crate::channel::Channel;
use crate::company::Company;
use crate::config_table::KINDS;
use crate::employee::Employee;
use crate::fault::{ConfigFault, Severity};
use crate::item::Item;
use crate::language_row::{HasTexts, LanguageRow};
use crate::receipt_checks::Facts;

/// The items of the kinds in [`Settings::KINDS`].
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
    /// `alert/errors`, or its defaults.
    pub alert: AlertSettings,
    /// `integration/…`, by id in lower case: read by the function that integrates the helpdesk.
    pub integrations: HashMap<String, Map<String, Value>>,
    /// Every fault, for the log: those of the company, the channels, the brands and the alert, of
    /// languages that are none, and of misspelled keys.
    pub faults: Vec<ConfigFault>,
    /// Items with attributes, or with keys, that the config table does not have.
    pub unknown: Vec<Unknown>,
    /// For which languages there are texts.
    pub(crate) has_texts: HasTexts,
}

/// Something in an item that has no meaning here, as a log may show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// `kind/id`.
    pub item: String,
    /// The attributes. Empty if the item's key itself is unknown.
    pub attributes: Vec<String>,
}

impl Settings {
    /// The kinds of items that are settings.
    pub const KINDS: [&str; 6] =
        ["company", "channel", "brand", "language", "integration", "alert"];

    /// Makes settings of the items. Items of other kinds have no effect; one whose kind or id is a
    /// misspelled one is a fault. `has_texts` says for which languages there are texts.
    pub fn read(items: &[Map<String, Value>], has_texts: HasTexts) -> Self {
        let of =
            |kind: &'static str| items.iter().filter(move |item| Item::new(item).kind() == kind);
        let alert = of(AlertSettings::KIND).find(|item| AlertSettings::is_described_by(item));
        let alert = alert.map_or_else(AlertSettings::default, AlertSettings::read);
        let mut misspelled = Vec::new();
        let mut unknown = Vec::new();
        for item in items.iter().map(Item::new).filter(|item| !AlertSettings::is_state(item)) {
            match item.check_key(KINDS) {
                Err(fault) => misspelled.push(fault),
                Ok(false) => unknown.push(Unknown { item: item.name(), attributes: Vec::new() }),
                Ok(true) => {}
            }
            let attributes = item.unknown();
            if !attributes.is_empty() {
                unknown.push(Unknown { item: item.name(), attributes });
            }
        }
        let rows: Vec<LanguageRow> =
            of("language").map(|item| LanguageRow::read(item, has_texts)).collect();
        let mut company = match company_item(items) {
            Some(item) => Company::read(item, has_texts),
            None => Company::read(&Map::new(), has_texts),
        };
        // Without the real item, the misspelled one holds settings that nobody reads: no mail may
        // go out on the defaults.
        if company_item(items).is_none() {
            let (of_company, others): (Vec<_>, Vec<_>) = misspelled
                .into_iter()
                .partition(|fault| matches!(fault.meant, Some("company" | "settings")));
            misspelled = others;
            let stopping = |fault| ConfigFault { severity: Severity::StopsMail, ..fault };
            company.faults.extend(of_company.into_iter().map(stopping));
        }
        let channels: Vec<Channel> = of("channel").map(Channel::read).collect();
        let brands: Vec<Brand> = of("brand").map(Brand::read).collect();
        let faults = company.faults.iter().chain(&company.warnings);
        let faults = faults.chain(channels.iter().flat_map(|channel| &channel.faults));
        let faults = faults.chain(brands.iter().flat_map(|brand| &brand.faults));
        let faults = faults.chain(brands.iter().flat_map(|brand| &brand.warnings));
        let faults = faults.chain(&alert.faults);
        let faults = faults.chain(rows.iter().flat_map(|row| &row.faults)).chain(&misspelled);
        Self {
            faults: faults.cloned().collect(),
            company,
            channels,
            brands,
            alert,
            languages: rows.iter().filter_map(|row| row.tag.clone()).collect(),
            language_faults: rows
                .iter()
                .filter_map(|row| Some((row.named.clone()?, row.faults.first()?.clone())))
                .collect(),
            integrations: integrations(of("integration")),
            unknown,
            has_texts,
        }
    }

    /// The facts for the checks at receipt, with the employee that the request's reference leads
    /// to.
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

/// `company/settings`, spelled as documented, or else in another case.
fn company_item(items: &[Map<String, Value>]) -> Option<&Map<String, Value>> {
    let company = || items.iter().filter(|item| Item::new(item).kind() == "company");
    company()
        .find(|item| Item::new(item).id() == "settings")
        .or_else(|| company().find(|item| Item::new(item).id().eq_ignore_ascii_case("settings")))
}

/// By id in lower case. Of two items whose ids differ in case alone, the one with the documented
/// spelling counts.
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
