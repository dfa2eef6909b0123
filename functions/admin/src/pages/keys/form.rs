//! The form to make a key.

use crate::context::Context;
use crate::visitor::looks_like_a_key;

/// Characters of a label at most.
const LONGEST_LABEL: usize = 100;

/// The modes, what each is for, and its scopes with what each allows.
pub(super) const MODES: [Mode; 3] = [
    Mode {
        name: "test",
        meaning: "Every mail goes to the company's test address; nobody else is written to.",
        scopes: &SCOPES,
    },
    Mode { name: "live", meaning: "Customers are written to.", scopes: &SCOPES },
    Mode { name: "admin", meaning: "Opens these pages, and nothing else.", scopes: &ADMIN_SCOPES },
];
const SCOPES: [(&str, &str); 2] =
    [("send", "Post requests: what a helpdesk needs."), ("read", "Read requests and answers.")];
const ADMIN_SCOPES: [(&str, &str); 3] = [
    ("admin", "Look at every page, and change everything."),
    ("viewer", "Look at every page, and change nothing."),
    ("erase", "Erase a person by DELETE /v1/people."),
];

pub(super) struct Mode {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) scopes: &'static [(&'static str, &'static str)],
}

/// The form to make a key: what was typed, and what is wrong with it.
#[derive(Default)]
pub(super) struct Making {
    pub(super) label: String,
    pub(super) mode: String,
    pub(super) scopes: Vec<String>,
    pub(super) label_error: Option<String>,
    pub(super) mode_error: Option<String>,
    pub(super) scopes_error: Option<String>,
}

impl Making {
    pub(super) fn modes(&self) -> &'static [Mode; 3] {
        &MODES
    }

    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|chosen| chosen == scope)
    }

    /// Field and message.
    pub(super) fn errors(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("label", &self.label_error),
            ("mode-test", &self.mode_error),
            ("scope-send", &self.scopes_error),
        ];
        fields.into_iter().filter_map(|(field, error)| Some((field, error.as_deref()?))).collect()
    }

    pub(super) fn of_form(context: &Context<'_>) -> Self {
        let form = &context.form;
        let mut making = Self {
            label: form.text("label").to_owned(),
            mode: form.text("mode").to_owned(),
            scopes: form.all("scope").map(|scope| scope.trim().to_owned()).collect(),
            ..Self::default()
        };
        making.scopes.sort();
        making.scopes.dedup();
        making.label_error = label(&making.label).err();
        let Some(mode) = MODES.iter().find(|mode| mode.name == making.mode) else {
            making.mode_error = Some("Choose what the key is for: test, live or admin.".to_owned());
            return making;
        };
        let known = |scope: &String| mode.scopes.iter().any(|(name, _)| name == scope);
        let names: Vec<&str> = mode.scopes.iter().map(|(name, _)| *name).collect();
        if making.scopes.is_empty() || !making.scopes.iter().all(known) {
            making.scopes_error = Some(format!(
                "Choose what a key of mode {} may do: {}. It can do nothing else.",
                mode.name,
                names.join(", ")
            ));
        }
        making
    }
}

/// A label as it is stored.
///
/// # Errors
/// What to do about it.
pub(super) fn label(typed: &str) -> Result<String, String> {
    let label = typed.trim();
    if label.is_empty() {
        Err("Give the key a name that says who has it, such as “Zendesk”.".to_owned())
    } else if label.chars().count() > LONGEST_LABEL {
        Err(format!("This name is too long. It may have {LONGEST_LABEL} characters."))
    } else if label.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        Err("This name holds a character that is no text. Type it anew.".to_owned())
    } else if looks_like_a_key(label) {
        Err("This looks like a key. A name is shown to everybody: do not put a key in it."
            .to_owned())
    } else {
        Ok(label.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_who_has_the_key_and_is_no_key() {
        assert_eq!(label(" Zendesk, Zoë "), Ok("Zendesk, Zoë".to_owned()));
        assert!(label(&"n".repeat(LONGEST_LABEL)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{fffd}", "aw_live_0123", &"n".repeat(LONGEST_LABEL + 1)] {
            assert!(label(bad).is_err(), "{bad}");
        }
    }
}
