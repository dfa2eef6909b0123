//! Making a key.

use askama::Template;
use serde_json::{Map, Value, json};
use store::{Change, Changed};

use super::{HERE, list};
use crate::view::Frame;
use crate::{AdminError, Context, Reply};

/// Random bytes of a key.
const RANDOM: usize = 20;
/// Characters of a key that are stored and shown.
const PREFIX: usize = 12;
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

    fn of_form(context: &Context<'_>) -> Self {
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
    } else if ["aw_test_", "aw_live_", "aw_admin_"].iter().any(|start| label.contains(start)) {
        Err("This looks like a key. A name is shown to everybody: do not put a key in it."
            .to_owned())
    } else {
        Ok(label.to_owned())
    }
}

#[derive(Template)]
#[template(path = "key_made.html")]
struct MadePage {
    frame: Frame,
    key: String,
    label: String,
    mode: &'static str,
    scopes: String,
}

/// Makes a key and shows it, in the reply to the form and never again.
pub(super) async fn make(context: &Context<'_>) -> Result<Reply, AdminError> {
    let making = Making::of_form(context);
    let mode = MODES.iter().find(|mode| mode.name == making.mode);
    let (Some(mode), true) = (mode, making.errors().is_empty()) else {
        return list(context, making, None, 422).await;
    };
    let Some(key) = random_key(mode.name) else {
        tracing::error!("the operating system gave no random bytes");
        return Err(AdminError::Late);
    };
    let attributes = json!({
        "mode": mode.name,
        "scopes": making.scopes,
        "label": making.label,
        "prefix": key.get(..PREFIX),
        "revoked": false,
        "made_at": context.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "made_by": context.visitor.name,
    });
    let after: Option<Map<String, Value>> = attributes.as_object().cloned();
    let id = intake::digest(key.as_bytes());
    let change = Change { kind: "key".to_owned(), id, before: None, after };
    if context.change("Make a key", &[change]).await? != Changed::Yes {
        return super::busy(context).await; // two keys of 160 random bits never are the same
    }
    let page = MadePage {
        frame: context.frame("The new key", HERE),
        key,
        label: making.label,
        mode: mode.name,
        scopes: making.scopes.join(", "),
    };
    // Every page of ours has `cache-control: no-store`; this one depends on it.
    Ok(Reply::html(200, page.render()?))
}

fn random_key(mode: &str) -> Option<String> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random).ok()?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("aw_{mode}_{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_have_enough_random_bits() {
        let key = random_key("live").unwrap();
        let random = key.strip_prefix("aw_live_").unwrap();
        assert!(random.len() * 4 >= 128 && random.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(Some(key), random_key("live"));
    }

    #[test]
    fn a_label_says_who_has_the_key_and_is_no_key() {
        assert_eq!(label(" Zendesk, Zoë "), Ok("Zendesk, Zoë".to_owned()));
        assert!(label(&"n".repeat(LONGEST_LABEL)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{fffd}", "aw_live_0123", &"n".repeat(LONGEST_LABEL + 1)] {
            assert!(label(bad).is_err(), "{bad}");
        }
    }
}
