//! "Send now": a request that was refused is sent once more, after an admin has mended what
//! prevented it.
//!
//! The request is recorded anew from what was understood of it. It passes the checks at receipt
//! here, and those at sending in `dispatch`, like every other; the customer's suppression window is
//! taken with the claim. [`store::Store::record_again`] sees to it that one new request comes of
//! it at most.

use jiff::Timestamp;
use links::SubjectSecret;
use normalize::SurveyRequest;
use policy::{Approval, Channel, Employee, Reason, Verdict, may_send_again};
use store::{
    Arrival, AuditEntry, Conversation, Interaction, MarkerKey, NewInteraction, Resolution,
    SentAgain,
};
use uuid::Uuid;

use crate::context::Context;
use crate::error::AdminError;

/// How it ended.
pub(super) enum Sent {
    /// A new request is recorded.
    As(Uuid),
    /// Nothing was recorded: this request came first.
    Before(Uuid),
    /// It would not go out: why.
    No(String),
}

/// Whether what prevented the request can have been mended.
fn is_possible(row: &Interaction) -> bool {
    may_send_again(row.status, row.reason, row.claimed_at.is_some())
}

/// Whether "Send now" is offered.
pub(super) enum Offer {
    /// It is.
    Now,
    /// Once this is mended.
    OnceMended(Reason),
    /// Not for a request that ended like this.
    Never,
}

pub(super) async fn offer(context: &Context<'_>, row: &Interaction) -> Result<Offer, AdminError> {
    if !is_possible(row) {
        return Ok(Offer::Never);
    }
    let (request, employee) = understood(context, row).await?;
    Ok(match checked(context, row, &request, employee.as_ref()) {
        Ok(_) => Offer::Now,
        Err(reason) => Offer::OnceMended(reason),
    })
}

/// What was understood of the request when it came, with its agent as the table is now.
async fn understood(
    context: &Context<'_>,
    row: &Interaction,
) -> Result<(SurveyRequest, Option<Employee>), AdminError> {
    let request = row.details.to_request(row.source, row.more_tags.as_deref());
    let employee = match &request.employee {
        Some(employee) => context.store().employee(employee, context.now).await?,
        None => None,
    };
    Ok((request, employee))
}

/// The conversation that Gladly could not be asked about.
fn unasked(row: &Interaction) -> Option<&Conversation> {
    row.conversation.as_ref().filter(|_| row.reason == Some(Reason::SourceUnreachable))
}

/// What the settings of now make of the request.
enum Checked {
    /// Gladly is asked again.
    ToBeAsked(Conversation),
    /// A survey.
    Send(Approval),
}

impl Checked {
    /// How the request comes in anew, and when it is due.
    fn arrival(
        self,
        request: &SurveyRequest,
        secret: &SubjectSecret,
        now: Timestamp,
    ) -> (Arrival, Timestamp) {
        match self {
            Self::ToBeAsked(conversation) => (Arrival::ToBeAsked(conversation), now),
            Self::Send(approval) => {
                let due = approval.due;
                let resolution = Resolution::of(request, Verdict::Send(approval), secret);
                (Arrival::Decided(Box::new(resolution)), due)
            }
        }
    }
}

/// Checks the request against the settings of now.
///
/// # Errors
/// Why the settings of now refuse it.
fn checked(
    context: &Context<'_>,
    row: &Interaction,
    request: &SurveyRequest,
    employee: Option<&Employee>,
) -> Result<Checked, Reason> {
    if let Some(conversation) = unasked(row) {
        return Ok(Checked::ToBeAsked(conversation.clone()));
    }
    // A channel's delay counts from when the interaction ended.
    let facts = context.settings.facts(employee);
    match policy::decide_via(row.requested_via, request, row.mode, &facts, row.created_at) {
        Verdict::Refuse(reason) => Err(reason),
        Verdict::Send(approval) => Ok(Checked::Send(approval)),
    }
}

pub(super) async fn send(context: &Context<'_>, row: &Interaction) -> Result<Sent, AdminError> {
    let (store, settings, now) = (context.store(), &context.settings, context.now);
    if let Some(id) = store.sent_again_as(row).await? {
        return Ok(Sent::Before(id));
    }
    if !is_possible(row) {
        return Ok(Sent::No("A request that ended in this way is not sent again.".to_owned()));
    }
    let (request, employee) = understood(context, row).await?;
    let checked = match checked(context, row, &request, employee.as_ref()) {
        Ok(checked) => checked,
        Err(reason) => {
            let sentence = reason.sentence();
            return Ok(Sent::No(format!("It would still get no mail: {sentence}.")));
        }
    };
    let secret = store.secret(now).await?;
    let (arrival, due) = checked.arrival(&request, secret, now);
    let channel = Channel::find(&settings.channels, &request.channel)
        .map_or(&*request.channel, |channel| &*channel.name);
    let email = employee.as_ref().map(|employee| &*employee.email);
    let identity = policy::identity(row.requested_via, &request, channel, email);
    let marker = MarkerKey::new(secret, "interaction", row.mode, &identity);
    let window = settings.company.dedupe_window(row.source);
    let identity = (!window.is_zero() && unasked(row).is_none()).then_some((marker, window));
    let new = NewInteraction {
        mode: row.mode,
        key: row.key.clone(),
        requested_via: row.requested_via,
        source: row.source,
        arrival,
        due: due.max(now),
        ext_interaction_id: row.ext_interaction_id.clone(),
        body: row.body.clone(),
        more_tags: row.more_tags.clone(),
        marker: identity.as_ref().map(|(marker, _)| marker.clone()),
        retention: settings.company.kept(),
    };
    let mut new = new.into_row(now);
    new.again_of = Some(row.request_id);
    let item = format!("interactions/{}", row.request_id);
    let entry = AuditEntry::new(&context.visitor.name, "sent a request again", &item, now);
    let entry =
        AuditEntry { items: vec![item, format!("interactions/{}", new.request_id)], ..entry };
    Ok(match store.record_again(row, &new, identity, &entry, now).await? {
        SentAgain::Recorded => Sent::As(new.request_id),
        SentAgain::Already(id) => Sent::Before(id),
    })
}
