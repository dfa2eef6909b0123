//! The pages of a send box.

use askama::Template;
use jiff::Timestamp;
use policy::Status;
use store::Interaction;

use super::form::{Choices, Trouble, Typed};
use crate::admin::Admin;
use crate::error::AdminError;
use crate::reply::{Reply, Style};

#[derive(Template)]
#[template(path = "send_box.html")]
struct FormPage<'a> {
    style: Style,
    agent: &'a str,
    token: &'a str,
    choices: &'a Choices,
    typed: &'a Typed,
    troubles: &'a [Trouble],
}

impl FormPage<'_> {
    fn trouble(&self, field: &str) -> Option<&str> {
        self.troubles.iter().find(|trouble| trouble.field == field).map(|t| t.text.as_str())
    }
}

#[derive(Template)]
#[template(path = "send_box_sent.html")]
struct SentPage<'a> {
    style: Style,
    agent: &'a str,
    token: &'a str,
    to: String,
    title: &'static str,
    what: String,
    /// Whether it may stand otherwise in a while.
    moves: bool,
}

#[derive(Template)]
#[template(path = "send_box_gone.html")]
struct GonePage {
    style: Style,
}

/// Of every link that opens nothing, whatever the reason.
pub(super) fn gone() -> Result<Reply, AdminError> {
    Ok(Reply::html(404, GonePage { style: Style }.render()?))
}

pub(super) fn form(
    status: u16,
    agent: &str,
    token: &str,
    choices: &Choices,
    typed: &Typed,
    troubles: &[Trouble],
) -> Result<Reply, AdminError> {
    let page = FormPage { style: Style, agent, token, choices, typed, troubles };
    Ok(Reply::html(status, page.render()?))
}

/// Of a survey that nothing is recorded of.
pub(super) fn not_recorded(agent: &str, token: &str, why: String) -> Result<Reply, AdminError> {
    let title = "No survey is sent";
    let to = String::new();
    let page = SentPage { style: Style, agent, token, to, title, what: why, moves: false };
    Ok(Reply::html(200, page.render()?))
}

/// What became of a request.
pub(super) async fn sent(
    admin: &Admin,
    agent: &str,
    token: &str,
    row: &Interaction,
    now: Timestamp,
) -> Result<Reply, AdminError> {
    let (title, what) = told(row, now);
    // Masked: the page may stay open on a screen for long.
    let to = row.customer_address().map(|address| address.masked()).unwrap_or_default();
    let moves = !matches!(row.status, Status::NotSent | Status::Invalid | Status::Failed);
    let days = admin.store.settings(now).await?.company.suppression.as_hours() / 24;
    let what = match row.reason {
        Some(policy::Reason::SuppressionPeriod) if days > 0 => {
            format!("{what} A customer is asked at most once in {days} days.")
        }
        _ => what,
    };
    let page = SentPage { style: Style, agent, token, to, title, what, moves };
    Ok(Reply::html(200, page.render()?))
}

fn told(row: &Interaction, now: Timestamp) -> (&'static str, String) {
    let reason = row.reason.map(|reason| format!("{}.", reason.sentence()));
    match row.status {
        Status::NotSent | Status::Invalid => ("No survey is sent", reason.unwrap_or_default()),
        Status::Failed => ("The survey could not be sent", reason.unwrap_or_default()),
        Status::Unresolved | Status::Queued => {
            let why = match (row.waiting_for, row.due_at.filter(|due| *due > now)) {
                (Some(policy::WaitingFor::MailsPerHour), _) => {
                    "Many surveys were sent by this link in this hour. It goes out in the next one."
                        .to_owned()
                }
                (Some(waiting_for), _) => format!("{}.", waiting_for.sentence()),
                (None, Some(due)) => {
                    format!("It goes out on {} (UTC).", due.strftime("%-d %B %Y, %H:%M"))
                }
                (None, None) => "It goes out in a moment, unless the customer has unsubscribed or \
                                 was asked lately. Load this page again to see."
                    .to_owned(),
            };
            ("The survey is recorded", why)
        }
        Status::Sending => ("The survey is being sent", "It is on its way now.".to_owned()),
        Status::Sent | Status::Delivered => (
            "The survey was sent",
            "The customer has got, or is about to get, the mail.".to_owned(),
        ),
        Status::SoftBounce | Status::HardBounce => {
            let what = "The mail came back. Check the address with the customer.";
            ("The survey did not arrive", what.to_owned())
        }
        Status::Complained => {
            let what = "The customer has called the mail spam, and gets no more of them.";
            ("The survey was sent", what.to_owned())
        }
    }
}
