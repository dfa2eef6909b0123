//! How the config table is described: kinds of items and their attributes.

use crate::fault::{ConfigFault, ConfigFaults, Severity};
use crate::item::Item;
use crate::slips;
use crate::value_type::{Fallback, Value, ValueType};

/// One attribute of a kind of config item: its name, its type with range and default, and what it
/// is for.
pub struct Attribute<T> {
    /// The name in the item.
    pub name: &'static str,
    /// Type, range and default.
    pub value: T,
    /// What it is for, in one sentence for admins.
    pub sentence: &'static str,
    /// The ids of items that have it; empty: every item of the kind.
    pub ids: &'static [&'static str],
}

/// An [`Attribute`] as forms and the documentation show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeDescription {
    /// The name in the item.
    pub name: &'static str,
    /// What an admin may write.
    pub value_type: ValueType,
    /// The default in Markdown; empty if there is none.
    pub default: String,
    /// Whether an item is not complete without it.
    pub required: bool,
    /// Whether an empty value is another value than none at all, which means the default.
    pub may_be_empty: bool,
    /// What it is for, in one sentence for admins.
    pub sentence: &'static str,
    /// The ids of items that have it; empty: every item of the kind.
    pub ids: &'static [&'static str],
}

/// An attribute of any type.
pub(crate) trait Describe: Sync {
    fn describe(&self) -> AttributeDescription;

    /// The fault that a reader of this attribute finds in the item.
    fn check(&self, item: &Item<'_>) -> Option<ConfigFault>;
}

impl<T: Value> Describe for Attribute<T> {
    fn describe(&self) -> AttributeDescription {
        AttributeDescription {
            name: self.name,
            value_type: self.value.value_type(),
            default: self.value.default(),
            required: self.value.required(),
            may_be_empty: self.value.may_be_empty(),
            sentence: self.sentence,
            ids: self.ids,
        }
    }

    fn check(&self, item: &Item<'_>) -> Option<ConfigFault> {
        item.read(self).err()
    }
}

/// What the id of an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemId {
    /// One of these words, compared without case.
    OneOf(&'static [&'static str]),
    /// Whatever these words describe.
    Any(&'static str),
}

/// A kind of config items.
pub struct Kind {
    /// The partition key.
    pub name: &'static str,
    /// The sort key.
    pub id: ItemId,
    pub(crate) attributes: &'static [&'static dyn Describe],
    /// The names of `attributes`, and names that only a later version reads. The log does not
    /// report these as unknown.
    pub(crate) known: &'static [&'static str],
}

impl Kind {
    /// Its attributes, in the order of the documentation.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeDescription> + use<'_> {
        self.attributes.iter().map(|attribute| attribute.describe())
    }

    /// Whether an attribute of this name has a meaning, if only to a later version.
    pub fn knows(&self, name: &str) -> bool {
        ["kind", "id"].contains(&name) || self.known.contains(&name)
    }

    /// The known name that a misspelled one is nearest to.
    pub fn meant(&self, name: &str) -> Option<&'static str> {
        slips::meant(name, self.known.iter().copied())
    }

    /// The attributes that the item with this id has.
    pub fn attributes_of(&self, id: &str) -> Vec<AttributeDescription> {
        let of = |attribute: &AttributeDescription| {
            attribute.ids.is_empty() || attribute.ids.iter().any(|of| of.eq_ignore_ascii_case(id))
        };
        self.attributes().filter(of).collect()
    }

    /// What the readers of the item's attributes find wrong with it, so that a form refuses exactly
    /// what they do. A fault of a misspelled name is named once.
    pub fn faults(&self, item: &Item<'_>) -> Vec<ConfigFault> {
        let mut faults: Vec<ConfigFault> = Vec::new();
        for attribute in self.attributes {
            let ids = attribute.describe().ids;
            if !ids.is_empty() && !ids.iter().any(|of| of.eq_ignore_ascii_case(item.id())) {
                continue;
            }
            if let Some(fault) = attribute.check(item)
                && !faults.contains(&fault)
            {
                faults.push(fault);
            }
        }
        faults
    }
}

impl Item<'_> {
    /// Reads an attribute; without it, gives its default.
    ///
    /// # Errors
    /// The fault, if the value cannot be understood, if the name is misspelled, or if a required
    /// value is absent.
    pub fn read<T: Value>(&self, attribute: &Attribute<T>) -> Result<T::Read, ConfigFault> {
        attribute.value.read(self, attribute.name)
    }

    /// The fault if the item's key is misspelled: then no reader finds the item. `Ok(false)` if
    /// the key is not like any key of the table either.
    pub(crate) fn check_key(&self, kinds: &'static [Kind]) -> Result<bool, ConfigFault> {
        let misspelled = |attribute: &str, item: String, meant| ConfigFault {
            item,
            attribute: attribute.to_owned(),
            meant: Some(meant),
            severity: Severity::Warning,
        };
        let (kind, id) = (self.kind(), self.id());
        let Some(known) = kinds.iter().find(|known| known.name == kind) else {
            // The id may be an address.
            let item = format!("{}/…", slips::shown(kind));
            return match slips::meant(kind, kinds.iter().map(|known| known.name)) {
                Some(meant) => Err(misspelled("kind", item, meant)),
                None => Ok(false),
            };
        };
        let ItemId::OneOf(ids) = known.id else { return Ok(true) };
        if ids.iter().any(|known| known.eq_ignore_ascii_case(id)) {
            return Ok(true);
        }
        match slips::meant(id, ids.iter().copied()) {
            Some(meant) => Err(misspelled("id", format!("{kind}/{}", slips::shown(id)), meant)),
            None => Ok(false),
        }
    }
}

/// Reads the attributes of one item, and collects the faults. In place of a value that cannot be
/// understood it gives a safe one.
pub(crate) struct Reader<'a> {
    pub(crate) item: Item<'a>,
    pub(crate) faults: ConfigFaults,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(item: Item<'a>) -> Self {
        Self { item, faults: ConfigFaults::default() }
    }

    pub(crate) fn read<T: Fallback>(&mut self, attribute: &Attribute<T>) -> T::Read {
        let read = self.item.read(attribute);
        self.faults.keep(read).unwrap_or_else(|| attribute.value.fallback())
    }
}
