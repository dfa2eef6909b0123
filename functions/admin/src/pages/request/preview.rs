//! `?view=mail`: the mail of a request, composed by the code that composes what is sent.
//!
//! It is a page of its own, in a frame without any rights, and not the frame's `srcdoc`: that would
//! inherit the `Content-Security-Policy` of our pages, which forbids the mail's inline styles. Its
//! links lead nowhere: they are signed with a secret of the preview alone, so nobody answers or
//! unsubscribes for the customer.

use links::{Links, TokenSecrets};
use normalize::Address;
use policy::{Company, Mode};
use store::Interaction;
use survey_mail::{NoMail, compose};

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::{Message, Reply};

/// Opens nothing.
const SECRET: &str = "v1:the secret of previews opens nothing";
/// A name that is never one of ours (RFC 2606).
const NOWHERE: &str = "https://preview.invalid";

/// Whether the request got as far as a mail.
pub(super) fn is_possible(row: &Interaction) -> bool {
    row.subject.is_some() && row.employee.is_some()
}

pub(super) fn mail(context: &Context<'_>, row: &Interaction) -> Result<Reply, AdminError> {
    let secrets = TokenSecrets::parse(SECRET).ok();
    let links = secrets.and_then(|secrets| Links::new(NOWHERE, secrets).ok());
    let Some(links) = links.filter(|_| is_possible(row)) else { return Err(AdminError::NotFound) };
    // The stack's sender is not known here. It does not show in the mail's text.
    let sender = Address::parse("sender@preview.invalid");
    let mut settings = (*context.settings).clone();
    fill_in(&mut settings.company, row.mode, sender.as_ref());
    let mail = compose(&links, sender.as_ref(), row, &settings, context.now);
    let html = match mail {
        Ok(mail) => mail.html,
        Err(NoMail::Refused(reason)) => return Ok(said(reason.sentence())),
        Err(NoMail::Held(waiting_for, _)) => return Ok(said(waiting_for.sentence())),
    };
    Ok(Reply::framed(html))
}

/// A test request is shown even if there is no test address yet.
fn fill_in(company: &mut Company, mode: Mode, address: Option<&Address>) {
    if mode == Mode::Test && company.test_email.is_none() {
        company.test_email = address.cloned();
    }
}

fn said(sentence: &str) -> Reply {
    Message { status: 404, text: format!("There is no mail to show: {sentence}.") }.page()
}
