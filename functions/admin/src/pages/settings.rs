//! `/admin/settings`: the company, and with `?item=integration/zendesk` the helpdesks.

use policy::config_table::{self, company};
use policy::{Brand, ItemId, Kind};
use serde_json::Value;
use store::{Changed, StoredItem};

use crate::config_link::encoded;
use crate::context::Context;
use crate::edit::{Candidate, EditPage, Editor, FieldError, Submitted, Target};
use crate::error::AdminError;
use crate::reply::Reply;

/// The path of the page.
const HERE: &str = "/admin/settings";

/// The company's attributes in the order of the form; what is in no group comes last.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Company", &["name", "test_email", "from", "reply_to", "default_brand", "default_language"]),
    (
        "Who is asked",
        &["suppression_days", "internal_domains", "do_not_send_tag", "do_not_send_topic"],
    ),
    ("How mails and pages look", &["logo_url", "color", "footer", "question", "thank_you_url"]),
    (
        "Times and limits",
        &["survey_days", "retention_days", "bounce_days", "send_rate", "send_attempts"],
    ),
    ("Duplicates", &["dedupe_minutes"]),
];

/// Items besides the company's, as kind and id, whose kind has attributes.
fn others() -> Vec<(&'static Kind, &'static str)> {
    let ids = |kind: &'static Kind| match kind.id {
        ItemId::OneOf(ids) => ids.to_vec(),
        ItemId::Any(_) => vec!["errors"],
    };
    let kinds = ["integration", "alert"].into_iter().filter_map(config_table::kind);
    let all = kinds.flat_map(|kind| ids(kind).into_iter().map(move |id| (kind, id)));
    all.filter(|(kind, id)| !kind.attributes_of(id).is_empty()).collect()
}

/// The item that the visit is about.
struct About {
    kind: &'static Kind,
    /// As documented.
    id: &'static str,
    stored: Option<StoredItem>,
}

impl About {
    /// The item that `kind/id` names; the company's without it.
    async fn find(context: &Context<'_>, name: &str) -> Result<Self, AdminError> {
        let (kind, id) = match name {
            "" | "company/settings" => (&company::KIND, "settings"),
            name => {
                let (kind, id) = name.split_once('/').ok_or(AdminError::NotFound)?;
                let named =
                    |(of, known): &(&Kind, &str)| of.name == kind && known.eq_ignore_ascii_case(id);
                others().into_iter().find(named).ok_or(AdminError::NotFound)?
            }
        };
        // The readers find an id without case, and prefer the documented spelling.
        let mut items = context.store().config_items_of(kind.name).await?;
        let at = items.iter().position(|item| item.id() == id);
        let at = at.or_else(|| items.iter().position(|item| item.id().eq_ignore_ascii_case(id)));
        Ok(Self { kind, id, stored: at.map(|at| items.swap_remove(at)) })
    }

    fn target(&self) -> Target {
        let id = self.stored.as_ref().map_or(self.id, StoredItem::id);
        Target::new(self.kind, id, &[])
    }

    fn name(&self) -> String {
        format!("{}/{}", self.kind.name, self.id)
    }

    /// Where its form stands.
    fn path(&self) -> String {
        match self.kind.name {
            "company" => HERE.to_owned(),
            _ => format!("{HERE}?item={}", encoded(&self.name())),
        }
    }

    fn page(&self, context: &Context<'_>, editor: Editor) -> EditPage {
        let title = match self.kind.name {
            "company" => "Settings".to_owned(),
            "integration" => format!("Integration: {}", crate::edit::label(self.id)),
            kind => format!("{}: {}", crate::edit::label(kind), self.id),
        };
        let mut page = EditPage::new(context.frame(&title, HERE), HERE, editor);
        page.hidden = vec![("action", "save".to_owned()), ("item", self.name())];
        if self.kind.name == "company" {
            page = page.grouped(&GROUPS);
            let link = |(kind, id): (&Kind, &str)| {
                let (label, id_label) = (crate::edit::label(kind.name), crate::edit::label(id));
                (format!("{HERE}?item={}%2F{id}", kind.name), format!("{label}: {id_label}"))
            };
            page.links = others().into_iter().map(link).collect();
        } else {
            page.links = vec![(HERE.to_owned(), "All settings".to_owned())];
        }
        page
    }
}

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    let about = About::find(context, &context.query("item").unwrap_or_default()).await?;
    let editor = Editor::open(&about.target(), about.stored.as_ref());
    about.page(context, editor).reply(200)
}

pub(super) async fn submit(context: &Context<'_>) -> Result<Reply, AdminError> {
    let about = About::find(context, context.form.text("item")).await?;
    let target = about.target();
    let check = |candidate: &Candidate<'_>| check(context, about.kind, candidate);
    match Editor::submit(&target, &context.form, about.stored.as_ref(), check) {
        Submitted::Unchanged => Ok(done(&about, "unchanged")),
        Submitted::Again(status, editor) => about.page(context, *editor).reply(status),
        Submitted::Change(change) => match context.change("settings changed", &[*change]).await? {
            Changed::Yes => Ok(done(&about, "saved")),
            Changed::Conflict => {
                let about = About::find(context, &about.name()).await?;
                let editor =
                    Editor::conflict(&about.target(), &context.form, about.stored.as_ref());
                about.page(context, editor).reply(409)
            }
        },
    }
}

fn done(about: &About, done: &str) -> Reply {
    let path = about.path();
    let and = if path.contains('?') { '&' } else { '?' };
    Reply::see_other(&format!("{path}{and}done={done}"))
}

/// What is wrong beyond the item itself.
fn check(context: &Context<'_>, kind: &Kind, candidate: &Candidate<'_>) -> Vec<FieldError> {
    let text = |name: &str| {
        let value = candidate.after.get(name).and_then(Value::as_str).unwrap_or_default().trim();
        (candidate.changes(name) && !value.is_empty()).then_some(value)
    };
    let mut errors = Vec::new();
    if kind.name == "company"
        && let Some(name) = text("default_brand")
        && !Brand::find(&context.settings.brands, name).is_some_and(|brand| brand.active)
    {
        errors.push(FieldError::new(
            "default_brand",
            format!("There is no active brand “{name}”. Add the brand first."),
        ));
    }
    if kind.name == "integration"
        && let Some(address) = text("base_url")
        && !is_host_alone(address)
    {
        errors.push(FieldError::new(
            "base_url",
            "Write https:// and the host alone, such as https://example.gladly.com.",
        ));
    }
    errors
}

/// Whether the text is `https://` and a host; `http://` is right for the local stack.
fn is_host_alone(address: &str) -> bool {
    let secure = address.strip_prefix("https://");
    let loopback = |host: &&str| {
        let name = host.split(':').next().unwrap_or_default();
        name == "localhost" || name.starts_with("127.")
    };
    let host = secure.or_else(|| address.strip_prefix("http://").filter(loopback));
    let host = host.map(|host| host.strip_suffix('/').unwrap_or(host)).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_helpdesk_is_a_host() {
        for (address, right) in [
            ("https://example.gladly.com", true),
            ("https://example.gladly.com/", true),
            ("http://127.0.0.1:4000", true),
            ("http://example.gladly.com", false),
            ("example.gladly.com", false),
            ("https://", false),
            ("https://example.gladly.com/api", false),
            ("https://user@example.gladly.com", false),
            ("https://example.gladly.com?x", false),
        ] {
            assert_eq!(is_host_alone(address), right, "{address}");
        }
    }

    #[test]
    fn every_attribute_in_a_group_is_one_of_the_company() {
        let known: Vec<&str> = company::KIND.attributes().map(|known| known.name).collect();
        for name in GROUPS.iter().flat_map(|(_, names)| *names) {
            assert!(known.contains(name), "{name}");
        }
        assert!(others().iter().any(|(kind, id)| (kind.name, *id) == ("integration", "gladly")));
    }
}
