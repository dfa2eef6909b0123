//! What an admin chooses on a set-up page: a `GET` form, so that the page can be a bookmark.

use lambda_http::RequestExt as _;
use store::Settings;

use super::helpdesk::Helpdesk;
use crate::context::Context;

/// Custom properties, and fields for tags, at most.
const MOST: usize = 20;
/// Names that a payload has of its own: a custom property of such a name would be refused, or taken
/// for it.
const OWN: &[&str] = &[
    "brand",
    "channel",
    "country",
    "custom_id",
    "custom_properties",
    "customer",
    "customer_custom_id",
    "customer_email",
    "customer_name",
    "do_not_send",
    "email",
    "employee",
    "employee_email",
    "ext_interaction_id",
    "external_url",
    "freshdesk_webhook",
    "language",
    "meta",
    "name",
    "snooze_datetime",
    "status",
    "tags",
];

/// Where brand or language comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum From {
    /// It is not sent.
    #[default]
    Nowhere,
    /// From the ticket.
    Ticket,
    /// Always this one.
    Always(String),
}

/// A wrong choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) text: String,
}

/// What was chosen, as far as it can be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// Names of channels.
    pub(super) channels: Vec<String>,
    pub(super) brand: From,
    pub(super) language: From,
    /// The field that says do-not-send, as the placeholder names it.
    pub(super) do_not_send: String,
    /// Fields that become tags, instead of the ticket's tags.
    pub(super) tags: Vec<String>,
    /// Name, and the field it comes from.
    pub(super) properties: Vec<(String, String)>,
    /// Whether a ticket that is opened again takes its survey back.
    pub(super) reopen: bool,
    /// As typed, to be shown again.
    pub(super) typed: Typed,
    pub(super) wrong: Vec<Wrong>,
}

/// The texts as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) do_not_send: String,
    pub(super) tags: String,
    pub(super) properties: String,
}

impl Choices {
    /// From the query; a page that is opened without one has every channel chosen that is switched
    /// on.
    pub(super) fn read(context: &Context<'_>, helpdesk: Helpdesk) -> Self {
        let settings = &*context.settings;
        let query = context.request.query_string_parameters();
        let all = |name: &str| query.all(name).unwrap_or_default();
        let text = |name: &str| query.first(name).unwrap_or_default().trim().to_owned();
        let open = usable(settings);
        if query.first("chosen").is_none() {
            let several = settings.brands.iter().filter(|brand| brand.active).count() > 1;
            return Self {
                channels: open,
                brand: if several && helpdesk.names_brands() {
                    From::Ticket
                } else {
                    From::Nowhere
                },
                language: From::Ticket,
                reopen: true,
                ..Self::default()
            };
        }
        let mut choices = Self {
            reopen: !text("reopen").is_empty(),
            typed: Typed {
                do_not_send: text("do_not_send"),
                tags: text("tags"),
                properties: text("properties"),
            },
            ..Self::default()
        };
        let asked = all("channel");
        choices.channels = open.into_iter().filter(|name| asked.contains(&name.as_str())).collect();
        if choices.channels.is_empty() && helpdesk.has_channels() {
            choices.blame("channel", "Choose at least one channel.");
        }
        let brands = settings.brands.iter().filter(|b| b.active).map(|b| b.signifier.clone());
        choices.brand = choices.source("brand", &text("brand"), brands.collect());
        let languages = settings.languages.iter().map(ToString::to_string);
        choices.language = choices.source("language", &text("language"), languages.collect());
        choices.fields(helpdesk);
        choices
    }

    fn blame(&mut self, field: &'static str, text: &str) {
        self.wrong.push(Wrong { field, text: text.to_owned() });
    }

    fn source(&mut self, field: &'static str, text: &str, known: Vec<String>) -> From {
        match text {
            "" => From::Nowhere,
            "ticket" => From::Ticket,
            text => match text.strip_prefix('=').map(str::to_owned) {
                Some(value) if known.contains(&value) && is_safe(&value) => From::Always(value),
                _ => {
                    self.blame(field, "Choose one of the list.");
                    From::Nowhere
                }
            },
        }
    }

    fn fields(&mut self, helpdesk: Helpdesk) {
        let typed = self.typed.clone();
        if !typed.do_not_send.is_empty() {
            match helpdesk.field(&typed.do_not_send) {
                Some(field) => self.do_not_send = field,
                None => self.blame("do_not_send", helpdesk.field_hint()),
            }
        }
        let tags = typed.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        for tag in tags.take(MOST) {
            match helpdesk.field(tag) {
                Some(field) => self.tags.push(field),
                None => {
                    self.blame("tags", helpdesk.field_hint());
                    break;
                }
            }
        }
        let lines = typed.properties.lines().map(str::trim).filter(|line| !line.is_empty());
        for (number, line) in lines.enumerate() {
            if let Err(wrong) = self.property(helpdesk, number, line) {
                self.blame("properties", &format!("Line {}: {wrong}", number + 1));
                break;
            }
        }
    }

    fn property(&mut self, helpdesk: Helpdesk, number: usize, line: &str) -> Result<(), String> {
        if number >= MOST {
            return Err("20 properties are the most.".to_owned());
        }
        let (name, field) = line.split_once('=').ok_or("write name = field.")?;
        let (name, field) = (name.trim(), field.trim());
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
            return Err("a name has 1 to 60 letters, digits, _ or -.".to_owned());
        }
        if OWN.contains(&name) {
            return Err(format!("the payload itself has {name}: choose another name."));
        }
        if self.properties.iter().any(|(other, _)| other == name) {
            return Err(format!("{name} stands twice."));
        }
        let field = helpdesk.field(field).ok_or_else(|| helpdesk.field_hint().to_owned())?;
        self.properties.push((name.to_owned(), field));
        Ok(())
    }
}

/// Names of channels that a payload can name.
pub(super) fn usable(settings: &Settings) -> Vec<String> {
    let open = settings.channels.iter().filter(|channel| channel.enabled && is_safe(&channel.name));
    open.map(|channel| channel.name.clone()).collect()
}

/// Whether a template engine leaves the text alone.
fn is_safe(text: &str) -> bool {
    !text.contains("{{") && !text.contains("{%")
}
