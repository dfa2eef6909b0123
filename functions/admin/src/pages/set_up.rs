//! `/admin/set-up/{helpdesk}`: what to paste into a helpdesk, what has arrived of it, and what
//! would become of a payload of the admin's own.

mod choices;
mod payloads;
mod render;
mod tickets;
mod trial;
mod watch;

use askama::Template;
use normalize::{Inbound, Malformed, Source};

use crate::view::{Frame, base_url};
use crate::{AdminError, Context, Reply};
use choices::{Choices, From, usable};
use payloads::Step;
use trial::Trial;
use watch::{Arrived, Watch};

/// A helpdesk that has a set-up page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Helpdesk {
    Zendesk,
    Freshdesk,
    Gladly,
    Gorgias,
}

impl Helpdesk {
    const ALL: [Self; 4] = [Self::Zendesk, Self::Freshdesk, Self::Gladly, Self::Gorgias];

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|helpdesk| helpdesk.source().as_str() == name)
    }

    fn source(self) -> Source {
        match self {
            Self::Zendesk => Source::Zendesk,
            Self::Freshdesk => Source::Freshdesk,
            Self::Gladly => Source::Gladly,
            Self::Gorgias => Source::Gorgias,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Zendesk => "Zendesk",
            Self::Freshdesk => "Freshdesk",
            Self::Gladly => "Gladly",
            Self::Gorgias => "Gorgias",
        }
    }

    /// The function's own reader.
    fn parse(self) -> fn(&[u8]) -> Result<Inbound, Malformed> {
        match self {
            Self::Zendesk => normalize::zendesk::parse,
            Self::Freshdesk => normalize::freshdesk::parse,
            Self::Gladly => normalize::gladly::parse,
            Self::Gorgias => normalize::gorgias::parse,
        }
    }

    /// Whether a payload names one channel. (Gorgias' names the ticket's, Gladly's none.)
    fn has_channels(self) -> bool {
        matches!(self, Self::Zendesk | Self::Freshdesk)
    }

    /// Whether a ticket knows its brand.
    fn names_brands(self) -> bool {
        self.has_channels()
    }

    /// Whether fields of the company's own can be sent.
    fn has_fields(self) -> bool {
        self.has_channels()
    }

    /// A custom field as placeholders name it, after `ticket.`.
    fn field(self, text: &str) -> Option<String> {
        let text = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        let text = text.strip_prefix("ticket.").unwrap_or(text);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits && self == Self::Zendesk {
            return Some(format!("ticket_field_{text}")).filter(|field| field.len() <= 60);
        }
        let fits = (1..=100).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
        fits.then(|| text.to_owned())
    }

    fn field_hint(self) -> &'static str {
        match self {
            Self::Zendesk => {
                "Type the number of the field, as Zendesk shows it, or a placeholder like \
                 {{ticket.ticket_field_360001}}."
            }
            _ => "Type the name of the field as its placeholder has it, like cf_order_number.",
        }
    }
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    helpdesk: Helpdesk,
    channels: Vec<String>,
    brands: Vec<(String, String)>,
    languages: Vec<String>,
    choices: Choices,
    steps: Vec<Step>,
    watch: Watch,
    arrived: Vec<Arrived>,
    payload: String,
    wrong_payload: Option<String>,
    trials: Vec<Trial>,
}

impl SetUpPage {
    fn wrong(&self, field: &str) -> Option<&str> {
        self.choices.wrong.iter().find(|wrong| wrong.field == field).map(|w| w.text.as_str())
    }

    fn chosen(&self, from: &From, value: &str) -> bool {
        matches!(from, From::Always(always) if always == value)
    }
}

pub(super) async fn show(context: &Context<'_>, helpdesk: &str) -> Result<Reply, AdminError> {
    let helpdesk = Helpdesk::find(helpdesk).ok_or(AdminError::NotFound)?;
    let page = page(context, helpdesk).await?;
    let status = if page.choices.wrong.is_empty() { 200 } else { 422 };
    // A header, and no element: the page is without it unless somebody has asked for it.
    let refresh = page.watch.refresh;
    let reply = Reply::html(status, page.render()?);
    Ok(if refresh { reply.with("refresh", watch::EVERY) } else { reply })
}

pub(super) async fn submit(context: &Context<'_>, helpdesk: &str) -> Result<Reply, AdminError> {
    let helpdesk = Helpdesk::find(helpdesk).ok_or(AdminError::NotFound)?;
    let mut page = page(context, helpdesk).await?;
    // Line breaks come as CR LF from a form; a helpdesk has them as LF.
    let payload = context.form.first("payload").unwrap_or_default().replace("\r\n", "\n");
    let status = match trial::try_payload(helpdesk, &payload, &context.settings) {
        Ok(trials) => {
            page.trials = trials;
            page.payload = payload;
            200
        }
        Err(wrong) => {
            page.wrong_payload = Some(wrong);
            // What is too large to be read is too large to be shown.
            page.payload =
                Some(payload).filter(|text| text.len() <= 256 * 1024).unwrap_or_default();
            422
        }
    };
    Ok(Reply::html(status, page.render()?))
}

async fn page(context: &Context<'_>, helpdesk: Helpdesk) -> Result<SetUpPage, AdminError> {
    let settings = &context.settings;
    let choices = Choices::read(context, helpdesk);
    let url = format!("{}/v1/webhooks/{}", base_url(context.request), helpdesk.source());
    let steps = match choices.wrong.is_empty() {
        true => payloads::steps(helpdesk, &choices, &url),
        false => Vec::new(),
    };
    let watch = Watch::read(context, helpdesk.source());
    let arrived = watch.arrived(context, helpdesk.source()).await?;
    let active = settings.brands.iter().filter(|brand| brand.active);
    Ok(SetUpPage {
        frame: context.frame(&format!("Set up {}", helpdesk.title()), "/admin/set-up"),
        helpdesk,
        channels: usable(settings),
        brands: active.map(|brand| (brand.signifier.clone(), brand.name.clone())).collect(),
        languages: settings.languages.iter().map(ToString::to_string).collect(),
        choices,
        steps,
        watch,
        arrived,
        payload: String::new(),
        wrong_payload: None,
        trials: Vec::new(),
    })
}
