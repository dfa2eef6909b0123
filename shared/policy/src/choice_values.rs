//! Values that are words from a list.

use std::marker::PhantomData;

use crate::choices::Choice;
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::value_type::{Fallback, Value, ValueType, quoted};

fn choice<T: Choice>(text: &str) -> Option<T> {
    T::from_name(&text.to_lowercase())
}

/// One of the words of a [`Choice`].
pub struct OneOf<T> {
    /// The name of the default.
    pub default: &'static str,
    /// The default, which is also used in place of a word that cannot be understood.
    pub value: T,
}

impl<T: Choice + Sync> Value for OneOf<T> {
    type Read = T;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        match item.words(name)? {
            None => Ok(self.value),
            Some(text) => choice(&text).ok_or_else(|| item.fault(name)),
        }
    }

    fn value_type(&self) -> ValueType {
        ValueType::OneOf(T::names())
    }

    fn default(&self) -> String {
        quoted(self.default)
    }
}

impl<T: Choice + Sync> Fallback for OneOf<T> {
    fn fallback(&self) -> Self::Read {
        self.value
    }
}

/// One of the words of a [`Choice`], which has to be there.
pub struct RequiredOneOf<T>(pub PhantomData<T>);

impl<T: Choice + Sync> Value for RequiredOneOf<T> {
    type Read = T;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        item.words(name)?.and_then(|text| choice(&text)).ok_or_else(|| item.fault(name))
    }

    fn value_type(&self) -> ValueType {
        ValueType::OneOf(T::names())
    }

    fn default(&self) -> String {
        String::new()
    }

    fn required(&self) -> bool {
        true
    }
}

/// Any of the words of a [`Choice`]. What no word at all means is said in words.
pub struct AnyOf<T> {
    /// What is used without any.
    pub otherwise: &'static str,
    /// The choice.
    pub choice: PhantomData<T>,
}

impl<T: Choice + Sync> Value for AnyOf<T> {
    type Read = Vec<T>;

    fn read(&self, item: &Item<'_>, name: &'static str) -> Result<Self::Read, ConfigFault> {
        let texts = item.list(name)?.unwrap_or_default();
        texts.iter().map(|text| choice(text).ok_or_else(|| item.fault(name))).collect()
    }

    fn value_type(&self) -> ValueType {
        ValueType::AnyOf(T::names())
    }

    fn default(&self) -> String {
        self.otherwise.to_owned()
    }
}
