//! Why a request got no mail, or what it waits for.

use policy::{
    Brand, Case, Counterfactual, DueFacts, Earlier, Reason, RequestedVia, Status, WaitingFor,
    counterfactual, recheck, recheck_by_hand,
};
use store::Interaction;

use crate::context::Context;
use crate::error::AdminError;

/// What is said about a request.
#[derive(Default)]
pub(super) struct Explained {
    /// What a queued request waits for.
    pub(super) waits: Option<String>,
    /// The fault that holds it.
    pub(super) fault: Option<String>,
    /// Why there is no mail.
    pub(super) no_mail: Option<Counterfactual>,
}

pub(super) async fn explained(
    context: &Context<'_>,
    row: &Interaction,
) -> Result<Explained, AdminError> {
    let waiting = row.waiting_for.filter(|_| row.status == Status::Queued);
    let Some(reason) = row.reason else {
        let fault = match waiting {
            Some(WaitingFor::Configuration) => holding_fault(context, row).await?,
            _ => None,
        };
        let waits = waiting.map(|waiting| waiting.sentence().to_owned());
        return Ok(Explained { waits, fault, no_mail: None });
    };
    let (store, now) = (context.store(), context.now);
    let ended = row.ended_at.unwrap_or(row.created_at);
    let request = row.details.to_request(row.source, row.more_tags.as_deref());
    let employee = match &request.employee {
        Some(employee) => store.employee(employee, now).await?,
        None => None,
    };
    let earlier = match reason {
        Reason::SuppressionPeriod => store.asked_before(row, ended, now).await?,
        _ => None,
    };
    let standing = match &row.subject {
        Some(subject) if reason == Reason::Rejected => {
            store.standing(subject, row.brand.as_deref(), now).await?
        }
        _ => store::Standing::default(),
    };
    let no_mail = counterfactual(&Case {
        reason,
        mode: row.mode,
        via: row.requested_via,
        request: &request,
        settings: &context.settings,
        employee: employee.as_ref(),
        received: row.created_at,
        ended,
        earlier: earlier.as_ref().and_then(|row| {
            let sent_at = row.sent_at.or(row.claimed_at)?;
            Some(Earlier { sent_at, about: row.ext_interaction_id.as_deref() })
        }),
        bounced_until: standing.bounced_until,
        now,
    });
    Ok(Explained { no_mail: Some(no_mail), ..Explained::default() })
}

/// The fault that holds a request back, if it is still there.
async fn holding_fault(
    context: &Context<'_>,
    row: &Interaction,
) -> Result<Option<String>, AdminError> {
    let (store, settings) = (context.store(), &context.settings);
    let key = store.key(&row.key, context.now).await?;
    let employee = match &row.employee {
        Some(profile) => store.employee_by_email(&profile.email, context.now).await?,
        None => None,
    };
    let facts = DueFacts {
        company: &settings.company,
        channels: &settings.channels,
        brand: row.brand.as_deref().and_then(|brand| Brand::find(&settings.brands, brand)),
        key: key.as_ref(),
        employee: employee.as_ref(),
    };
    let channel = row.channel.as_deref().unwrap_or_default();
    let fault = match row.requested_via {
        RequestedVia::Api => recheck(row.mode, channel, &facts),
        RequestedVia::Manual => recheck_by_hand(channel, &facts),
    };
    let language = settings.language_faults.iter();
    let mut language = language.filter(|(tag, _)| Some(tag.as_str()) == row.language.as_deref());
    let fault = fault.ok().flatten().or_else(|| language.next().map(|(_, fault)| fault));
    Ok(fault.map(ToString::to_string))
}
