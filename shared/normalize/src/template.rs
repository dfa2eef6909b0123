//! The keys of a webhook template: which there are, and where each may stand.
//!
//! A [`Template`] is the description that the readers of template bodies work with. Each source
//! declares one as a constant. [`crate::template_body`] explains the rules that use it.

use crate::pointer::Step;

/// Keys, in one or more lists, so that sources can share a list.
pub(crate) type Keys = &'static [&'static [&'static str]];

/// The shape of the payloads that a source's templates write.
pub(crate) struct Template {
    /// The key of an object that may enclose all other properties.
    pub(crate) wrapper: Option<&'static str>,
    /// The keys whose values are objects. They stand at the top level.
    pub(crate) objects: &'static [&'static str],
    /// The keys that stand only inside those objects.
    pub(crate) object_keys: &'static [&'static str],
    /// All other keys of the top level.
    pub(crate) top_level: Keys,
    /// The keys whose values people write, such as names and tags. In broken JSON, only these
    /// values may contain quotation marks.
    pub(crate) free_text: Keys,
    /// Whether, in broken JSON, a key that is not listed above also ends the value before it. Must
    /// be `false` if a value can contain JSON-like text with keys of its own.
    pub(crate) unknown_keys: bool,
    /// Whether the body may also be a list of `{"key": …, "value": …}` objects.
    pub(crate) pairs: bool,
    /// The keys that are refused at any other place than their own.
    pub(crate) reserved: ReservedKeys,
}

/// Keys that a crafted value could inject to change who is mailed, about whom, or about which
/// ticket. Each may stand only in the place that the template has for it.
pub(crate) struct ReservedKeys {
    /// These may stand only at the top level.
    pub(crate) top_level: Keys,
    /// Each of these may stand only directly inside the named objects of the top level.
    pub(crate) in_objects: &'static [(&'static str, &'static [&'static str])],
}

impl Template {
    /// Whether the template itself writes this key.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.object_keys.contains(&key) || self.is_top_level_only(key) || self.is_free_text(key)
    }

    /// Whether the key stands at the top level and never inside an object.
    pub(crate) fn is_top_level_only(&self, key: &str) -> bool {
        let top_level = contains(self.top_level, key)
            || self.objects.contains(&key)
            || self.wrapper == Some(key);
        top_level && !self.object_keys.contains(&key)
    }

    /// Whether the value of this key is text that people write.
    pub(crate) fn is_free_text(&self, key: &str) -> bool {
        contains(self.free_text, key)
    }
}

impl ReservedKeys {
    /// Whether the key is reserved at all.
    pub(crate) fn contains(&self, key: &str) -> bool {
        contains(self.top_level, key)
            || self.in_objects.iter().any(|(reserved, _)| *reserved == key)
    }

    /// Whether the property at `path`, counted from the top level, may stand there. True for any
    /// property whose key is not reserved.
    pub(crate) fn allow(&self, path: &[Step<'_>]) -> bool {
        let Some((Step::Key(key), parents)) = path.split_last() else { return true };
        if contains(self.top_level, key) {
            return parents.is_empty();
        }
        match self.in_objects.iter().find(|(reserved, _)| reserved == key) {
            Some((_, objects)) => {
                matches!(parents, [Step::Key(object)] if objects.contains(object))
            }
            None => true,
        }
    }
}

/// Whether one of the lists has the key.
pub(crate) fn contains(keys: &[&[&str]], key: &str) -> bool {
    keys.iter().any(|keys| keys.contains(&key))
}
