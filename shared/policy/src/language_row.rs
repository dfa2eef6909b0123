//! The languages of a company.

use normalize::LanguageTag;
use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::config_table::language;
use crate::fault::ConfigFault;
use crate::item::Item;

/// Says whether there are texts for readers of a language. (The texts are not part of this crate.)
pub type HasTexts = fn(&LanguageTag) -> bool;

/// `language/<BCP 47>`.
#[derive(Clone, Debug)]
pub struct LanguageRow {
    /// The language that the id means, active or not.
    pub named: Option<LanguageTag>,
    /// The language, if it is active and has texts.
    pub tag: Option<LanguageTag>,
    /// Values that cannot be understood; such a language is inactive.
    pub faults: Vec<ConfigFault>,
}

impl LanguageRow {
    /// Reads an item. A language without texts is a fault of `id`: the mail could not be written.
    pub fn read(attributes: &Map<String, Value>, has_texts: HasTexts) -> Self {
        let mut reader = Reader::new(Item::new(attributes));
        let named = LanguageTag::parse(reader.item.id());
        let tag = named.clone().filter(has_texts);
        if tag.is_none() {
            let fault = reader.item.fault("id");
            reader.faults.push(fault);
        }
        let active = reader.read(&language::ACTIVE);
        Self { named, tag: tag.filter(|_| active), faults: reader.faults.stopping }
    }
}
