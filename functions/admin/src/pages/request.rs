//! `/admin/requests/{request_id}`: what came, what became of it, why, and what would have changed
//! that.
//!
//! - `POST` `action=show` shows the customer's address, and writes that into the audit trail.
//! - `POST` `action=send` sends a request that was refused once more, by the one road: see
//!   [`again`].

mod again;
mod explained;
mod preview;
mod timeline;

use askama::Template;
use normalize::{CustomerAddress, Note};
use policy::RequestedVia;
use store::{AuditEntry, Interaction};
use uuid::Uuid;

use super::people::Unknown;
use super::requests::line::Line;
use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::view::Frame;

use explained::{Explained, explained};
use timeline::{Moment, timeline};

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    frame: Frame,
    line: Line,
    explained: Explained,
    moments: Vec<Moment>,
    fields: Vec<(String, String)>,
    notes: Vec<String>,
    body: Option<String>,
    /// Whether the customer's address is masked and can be shown.
    masked: bool,
    /// By which request this one was sent again, and which one it sends again.
    sent_again_as: Option<Uuid>,
    again_of: Option<Uuid>,
    may_send: bool,
    /// Whether it is not sent again because its sender has withdrawn it.
    is_withdrawn: bool,
    /// The agent whom the request names, if nobody is found by that and an agent can be added.
    unknown: Option<Unknown>,
    /// What has to be mended before it may be sent.
    to_mend: Option<&'static str>,
    /// Whether there is enough of it to show the mail; the preview says what is missing.
    has_preview: bool,
    /// Why it was not sent just now.
    refused: Option<String>,
}

pub(super) async fn show(context: &Context<'_>, id: Uuid) -> Result<Reply, AdminError> {
    let row = found(context, id).await?;
    match context.query("view").as_deref() {
        Some("mail") => preview::mail(context, &row),
        _ => page(context, &row, false, None).await,
    }
}

pub(super) async fn submit(context: &Context<'_>, id: Uuid) -> Result<Reply, AdminError> {
    let row = found(context, id).await?;
    match context.form.text("action") {
        "show" => {
            let item = format!("interactions/{id}");
            let who = &context.visitor.name;
            let what = "looked at the customer of a request";
            context.store().audit(&AuditEntry::new(who, what, &item, context.now)).await?;
            page(context, &row, true, None).await
        }
        "send" => match again::send(context, &row).await? {
            again::Sent::As(id) => Ok(Reply::see_other(&format!("/admin/requests/{id}?done=sent"))),
            again::Sent::Before(id) => Ok(Reply::see_other(&format!("/admin/requests/{id}"))),
            again::Sent::No(why) => {
                // As it is now: it may have changed at this moment.
                page(context, &found(context, id).await?, false, Some(why)).await
            }
        },
        _ => Err(AdminError::NotUnderstood("the form does not say what is to be done".to_owned())),
    }
}

async fn found(context: &Context<'_>, id: Uuid) -> Result<Interaction, AdminError> {
    context.store().interaction(id, context.now).await?.ok_or(AdminError::NotFound)
}

async fn page(
    context: &Context<'_>,
    row: &Interaction,
    shows_customer: bool,
    refused: Option<String>,
) -> Result<Reply, AdminError> {
    let explained = explained(context, row).await?;
    let sent_again_as = context.store().sent_again_as(row).await?;
    let offer = match sent_again_as {
        Some(_) => again::Offer::Never,
        None => again::offer(context, row).await?,
    };
    let line = Line::of(row);
    let ext = row.ext_interaction_id.as_deref();
    let title = ext.map_or_else(|| "Request".to_owned(), |ext| format!("Request #{ext}"));
    let address = row.details.customer.address.clone();
    let cure = explained.no_mail.as_ref().and_then(|no_mail| no_mail.cure.as_ref());
    let is_unknown = cure.is_some_and(|cure| cure.path.starts_with("/admin/people?add="));
    let employee = row.details.employee.as_ref().filter(|_| is_unknown);
    let page = RequestPage {
        unknown: employee.and_then(Unknown::of),
        frame: context.frame(&title, "/admin/requests"),
        moments: timeline(context, row).await?,
        fields: fields(row, shows_customer),
        notes: row.details.notes.iter().map(noted).collect(),
        body: row.body.clone(),
        masked: !shows_customer && address != CustomerAddress::Missing,
        may_send: matches!(offer, again::Offer::Now),
        is_withdrawn: matches!(offer, again::Offer::Withdrawn),
        to_mend: match offer {
            again::Offer::OnceMended(reason) => Some(reason.sentence()),
            _ => None,
        },
        sent_again_as,
        again_of: row.again_of,
        has_preview: preview::is_possible(row),
        explained,
        line,
        refused,
    };
    let status = if page.refused.is_some() { 422 } else { 200 };
    Ok(Reply::html(status, page.render()?))
}

/// What was understood, by field.
fn fields(row: &Interaction, shows_customer: bool) -> Vec<(String, String)> {
    let details = &row.details;
    let address = match &details.customer.address {
        CustomerAddress::Missing => None,
        CustomerAddress::Valid(address) if shows_customer => Some(address.as_mailbox()),
        CustomerAddress::Valid(address) => Some(address.masked()),
        CustomerAddress::Malformed(text) if shows_customer => Some(text.clone()),
        CustomerAddress::Malformed(_) => Some("(malformed, masked)".to_owned()),
    };
    let employee = details.employee.as_ref();
    let text = |text: Option<&str>| text.map(str::to_owned);
    let do_not_send = details.do_not_send.map(|value| if value { "yes" } else { "no" });
    let by_hand = row.requested_via == RequestedVia::Manual;
    let fixed = [
        ("Asked for", by_hand.then(|| "by the agent, in the send box".to_owned())),
        ("External id", details.ext_interaction_id.clone()),
        ("Channel", details.channel.clone()),
        ("Customer", details.customer.name.clone()),
        ("Customer's e-mail", address),
        ("Customer's own id", details.customer.custom_id.clone()),
        ("Agent's e-mail", text(employee.and_then(|employee| employee.email()))),
        ("Agent's own id", text(employee.and_then(|employee| employee.custom_id()))),
        ("Brand", details.brand.clone()),
        ("Language", details.language.clone()),
        ("Country", details.country.clone()),
        ("Link", details.external_url.clone()),
        ("Do not send", text(do_not_send)),
        ("Tags", Some(details.tags.join(", ")).filter(|tags| !tags.is_empty())),
    ];
    let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let properties = details.custom_properties.iter();
    fixed.chain(properties.map(|(name, value)| (name.clone(), value.clone()))).collect()
}

/// What was mended, in a sentence.
fn noted(note: &Note) -> String {
    let place = |pointer: &str| if pointer.is_empty() { "the body" } else { pointer }.to_owned();
    match note {
        Note::Truncated { pointer } => format!("{} was too long, and was cut.", place(pointer)),
        Note::Dropped { pointer } => format!("{} was left out.", place(pointer)),
        Note::Assumed { pointer } => {
            format!("{} was neither yes nor no: the safer of the two was taken.", place(pointer))
        }
        Note::Repaired { pointer } => {
            format!("{} was broken by the helpdesk's template, and was repaired.", place(pointer))
        }
    }
}
