//! One attribute as a template shows it.

use policy::{AttributeDescription, ValueType};

use super::value::{Shown, input_names, is_list};
use super::words;

/// A field of a form.
pub(crate) struct Field {
    /// The attribute, which is also the anchor of the field.
    pub(crate) name: &'static str,
    pub(crate) label: String,
    pub(crate) hint: String,
    /// What is wrong with it.
    pub(crate) error: Option<String>,
    /// What stands there and fits into no input.
    pub(crate) odd: Option<String>,
    /// Whether the box is ticked that removes it.
    pub(crate) dropped: bool,
    /// One, or one for each source.
    pub(crate) inputs: Vec<Input>,
    /// The words to choose from; empty if it is typed.
    pub(crate) options: Vec<Choice>,
    /// Whether it has several lines.
    pub(crate) area: bool,
    /// The box that means "none", if the attribute can have none where the default is something.
    pub(crate) none: Option<NoneBox>,
    /// The value for those who only look.
    pub(crate) in_words: String,
}

/// One input.
pub(crate) struct Input {
    pub(crate) name: String,
    /// The label, if the field has several.
    pub(crate) label: String,
    pub(crate) value: String,
    /// What the input held when the form was first shown.
    pub(crate) was: String,
}

/// A word to choose.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// The box that means "none".
pub(crate) struct NoneBox {
    pub(crate) ticked: bool,
    pub(crate) was_ticked: bool,
}

impl Field {
    pub(super) fn new(
        description: &AttributeDescription,
        shown: &Shown,
        was: &Shown,
        odd: Option<String>,
        error: Option<String>,
    ) -> Self {
        let names = input_names(description);
        let part = |name: &str| name.split_once('.').map_or("", |(_, part)| part).to_owned();
        let text = |shown: &Shown, n: usize| shown.texts.get(n).cloned().unwrap_or_default();
        let inputs = names.into_iter().enumerate().map(|(n, name)| Input {
            label: part(&name),
            value: text(shown, n),
            was: text(was, n),
            name,
        });
        let list = is_list(&description.value_type);
        Self {
            name: description.name,
            label: words::label(description.name),
            hint: words::hint(description),
            error,
            odd,
            dropped: shown.dropped,
            inputs: inputs.collect(),
            options: options(description, shown.text()),
            area: list || shown.text().contains('\n'),
            none: description
                .may_be_empty
                .then_some(NoneBox { ticked: shown.none, was_ticked: was.none }),
            in_words: shown.in_words(description),
        }
    }

    /// Ids of the texts that describe the field.
    pub(crate) fn described_by(&self) -> String {
        let error = self.error.as_ref().map(|_| format!(" {}-error", self.name));
        format!("{}-hint{}", self.name, error.unwrap_or_default())
    }
}

fn options(description: &AttributeDescription, chosen: &str) -> Vec<Choice> {
    let default = words::plain(&description.default);
    let of = |value: &str, label: String| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen,
    };
    let mut options = match &description.value_type {
        ValueType::Switch => {
            let default = if default == "true" { "yes" } else { "no" };
            vec![
                of("", format!("Not set, which means {default}")),
                of("true", "Yes".to_owned()),
                of("false", "No".to_owned()),
            ]
        }
        ValueType::OneOf(names) => {
            let unset = match default.is_empty() {
                true => "Not set".to_owned(),
                false => format!("Not set, which means {default}"),
            };
            let named = names.iter().map(|name| of(name, (*name).to_owned()));
            std::iter::once(of("", unset)).chain(named).collect()
        }
        _ => return Vec::new(),
    };
    // What stands there by hand stays to be seen, and is not replaced in silence.
    if !options.iter().any(|option| option.chosen) {
        options.push(of(chosen, format!("{chosen} (not understood)")));
    }
    options
}
