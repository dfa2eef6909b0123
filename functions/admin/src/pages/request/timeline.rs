//! What happened to a request, as far as its row knows.

use jiff::Timestamp;
use policy::Status;
use store::Interaction;

use crate::context::Context;
use crate::error::AdminError;
use crate::pages::requests::line::shown;

/// Something that happened, or is going to happen.
pub(super) struct Moment {
    pub(super) at: String,
    pub(super) shown_at: String,
    pub(super) what: String,
}

pub(super) async fn timeline(
    context: &Context<'_>,
    row: &Interaction,
) -> Result<Vec<Moment>, AdminError> {
    let mut moments = moments(row, context.now);
    if let Some(key) = &row.answer {
        let answer = context.store().response(key).await?;
        if let Some(answer) = answer {
            let stars = answer.answer.stars;
            moments.push((answer.answer.at, format!("Answered: {stars} of 5 stars.")));
        }
    }
    moments.sort_by_key(|(at, _)| *at);
    let told =
        |(at, what): (Timestamp, String)| Moment { at: at.to_string(), shown_at: shown(at), what };
    Ok(moments.into_iter().map(told).collect())
}

fn moments(row: &Interaction, now: Timestamp) -> Vec<(Timestamp, String)> {
    let mut moments = vec![(
        row.created_at,
        format!("Received from {} with a {} key.", row.source, row.mode.as_str()),
    )];
    let mut add = |at: Option<Timestamp>, what: &str| {
        moments.extend(at.map(|at| (at, what.to_owned())));
    };
    add(row.due_at, "Due: the end of the channel's delay.");
    // What came after the end: it keeps the request from being sent again.
    let ended = row.ended_at.unwrap_or(row.created_at);
    let since = |at: Option<Timestamp>| row.reason.is_some() && at.is_some_and(|at| at >= ended);
    let reopened = match since(row.reopened_at) {
        true => "The ticket was opened again.",
        false => "The ticket was opened again while the mail was being sent.",
    };
    let declined = match since(row.declined_at) {
        true => "The sender took the request back, or said do-not-send.",
        false => "The sender said do-not-send while the mail was being sent.",
    };
    add(row.reopened_at, reopened);
    add(row.declined_at, declined);
    let claimed = match row.attempts {
        0 => "Claimed for sending.".to_owned(),
        n => format!("Claimed for sending, after {n} attempts that were refused."),
    };
    add(row.claimed_at, &claimed);
    add(row.sent_at, "Sent: the mail service took the mail.");
    let outcome = match row.status {
        Status::Delivered => Some("Delivered: the customer's mail server took the mail."),
        Status::SoftBounce => Some("Bounced; the address may work another day."),
        Status::HardBounce => Some("Bounced; the address does not work."),
        Status::Complained => Some("The customer reported the mail as spam."),
        _ => None,
    };
    add(row.outcome_at.filter(|_| outcome.is_some()), outcome.unwrap_or_default());
    let reason = row.reason.map(|reason| reason.sentence()).unwrap_or_default();
    let ended = matches!(row.status, Status::NotSent | Status::Invalid | Status::Failed);
    if ended {
        // What is refused at receipt ends then.
        let at = row.ended_at.unwrap_or(row.created_at);
        add(Some(at), &format!("Ended as {}: {reason}.", row.status.as_str()));
    }
    if let (Some(at), true) = (row.wake_at, row.status.is_waiting()) {
        let next = match row.status {
            Status::Sending => "It is looked whether the mail left, unless its event comes before.",
            _ if at <= now => "To be tried again now.",
            _ => "To be tried again at the latest.",
        };
        add(Some(at), next);
    }
    moments
}
