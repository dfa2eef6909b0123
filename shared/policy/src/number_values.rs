//! Values that are switches and numbers.

use jiff::SignedDuration;
use normalize::Source;

use crate::fault::ConfigFault;
use crate::item::Item;
use crate::value_type::{Fallback, Value, ValueType};

/// True or false.
pub struct Switch {
    /// Without a value.
    pub default: bool,
    /// With one that cannot be understood: the safe side.
    pub on_fault: bool,
}

impl Value for Switch {
    type Read = bool;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        Ok(item.switch(name)?.unwrap_or(self.default))
    }

    fn value_type(&self) -> ValueType {
        ValueType::Switch
    }

    fn default(&self) -> String {
        self.default.to_string()
    }
}

impl Fallback for Switch {
    fn fallback(&self) -> Self::Read {
        self.on_fault
    }
}

/// A whole number. A smaller one counts as the smallest; a larger one is a fault.
pub struct Count {
    /// Smallest.
    pub least: u32,
    /// Largest.
    pub most: u32,
    /// Without a value.
    pub default: u32,
}

impl Count {
    fn number(&self, item: &Item<'_>, name: &str) -> Result<u32, ConfigFault> {
        Ok(item.number(name, self.most)?.unwrap_or(self.default).max(self.least))
    }
}

impl Value for Count {
    type Read = u32;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        self.number(item, name)
    }

    fn value_type(&self) -> ValueType {
        ValueType::Count(self.least, self.most)
    }

    fn default(&self) -> String {
        self.default.to_string()
    }
}

impl Fallback for Count {
    fn fallback(&self) -> Self::Read {
        self.default
    }
}

/// A number of days.
pub struct Days(pub Count);

/// A number of minutes, from 0.
pub struct Minutes(pub Count);

fn days(number: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(number))
}

fn minutes(number: u32) -> SignedDuration {
    SignedDuration::from_mins(number.into())
}

impl Value for Days {
    type Read = SignedDuration;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        self.0.number(item, name).map(days)
    }

    fn value_type(&self) -> ValueType {
        ValueType::Days(self.0.least, self.0.most)
    }

    fn default(&self) -> String {
        self.0.default()
    }
}

impl Fallback for Days {
    fn fallback(&self) -> Self::Read {
        days(self.0.default)
    }
}

impl Value for Minutes {
    type Read = SignedDuration;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        self.0.number(item, name).map(minutes)
    }

    fn value_type(&self) -> ValueType {
        ValueType::Minutes(self.0.most)
    }

    fn default(&self) -> String {
        self.0.default()
    }
}

impl Fallback for Minutes {
    fn fallback(&self) -> Self::Read {
        minutes(self.0.default)
    }
}

/// A map from sources to minutes.
pub struct MinutesBySource {
    /// Largest number of minutes.
    pub most: u32,
    /// The minutes of a source that the map does not name.
    pub default: fn(Source) -> u32,
    /// The names of all sources.
    pub sources: &'static [&'static str],
}

impl Value for MinutesBySource {
    type Read = Vec<(Source, SignedDuration)>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        let Some(value) = item.get(name)? else { return Ok(self.fallback()) };
        let entries = value.as_object().ok_or_else(|| item.fault(name))?;
        let entries = item.within(name, entries, self.sources);
        let read = |source: Source| {
            let set = entries.number(source.as_str(), self.most)?;
            Ok((source, minutes(set.unwrap_or_else(|| (self.default)(source)))))
        };
        Source::ALL.into_iter().map(read).collect()
    }

    fn value_type(&self) -> ValueType {
        ValueType::MinutesBySource(self.most)
    }

    fn default(&self) -> String {
        let entry = |source: Source| format!("{source} {}", (self.default)(source));
        Source::ALL.map(entry).join(", ")
    }
}

impl Fallback for MinutesBySource {
    fn fallback(&self) -> Self::Read {
        Source::ALL.map(|source| (source, minutes((self.default)(source)))).to_vec()
    }
}
