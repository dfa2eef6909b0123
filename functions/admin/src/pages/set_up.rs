//! `/admin/set-up/{helpdesk}`: what to paste into a helpdesk, what has arrived of it, and what
//! would become of a payload of the admin's own.

mod choices;
mod helpdesk;
mod payloads;
mod render;
mod tickets;
mod trial;
mod watch;

use askama::Template;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::{Frame, base_url};
use choices::{Choices, From, usable};
use helpdesk::Helpdesk;
use payloads::Step;
use trial::Trial;
use watch::{Arrived, Watch};

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    helpdesk: Helpdesk,
    channels: Vec<String>,
    brands: Vec<(String, String)>,
    languages: Vec<String>,
    choices: Choices,
    /// The choices as the page's address has them: a trial keeps them.
    query: String,
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
    let reply = Reply::html(status, page.render()?);
    Ok(match &page.watch.next {
        Some(next) => reply.with("refresh", format!("{}; url={next}", watch::EVERY)),
        None => reply,
    })
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
        query: context.request.uri().query().unwrap_or_default().to_owned(),
        steps,
        watch,
        arrived,
        payload: String::new(),
        wrong_payload: None,
        trials: Vec::new(),
    })
}
