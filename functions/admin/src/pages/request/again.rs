//! "Send now": a request that was refused is sent once more, after an admin has mended what
//! prevented it.
//!
//! The request is recorded anew from what was understood of it. It passes the checks at receipt
//! here, and those at sending in `dispatch`, like every other; the customer's suppression window is
//! taken with the claim. [`store::Store::record_again`] sees to it that one new request comes of
//! it at most, and none of what its sender has withdrawn.
//!
//! What `dispatch` would refuse as things stand is refused here already, so that
//! nobody is told that it is on its way.

use jiff::Timestamp;
use links::SubjectSecret;
use normalize::SurveyRequest;
use policy::{Approval, Channel, Employee, KeyItem, Mode, Reason, RequestedVia, Verdict};
use store::{
    Arrival, AuditEntry, Conversation, Interaction, MarkerKey, NewInteraction, Resolution,
    SentAgain, StoreError,
};
use uuid::Uuid;

use crate::context::Context;
use crate::error::AdminError;

const ENDED: &str = "A request that ended in this way is not sent again.";
const WITHDRAWN: &str = "Its sender has withdrawn it since: the ticket was opened again, the \
    request was taken back, or do-not-send was said. So it is not sent again.";
const MOVED_ON: &str = "It has changed at this moment: its sender has withdrawn it, or its mail \
    had left. So it was not sent again.";

/// How it ended.
pub(super) enum Sent {
    /// A new request is recorded.
    As(Uuid),
    /// Nothing was recorded: this request came first.
    Before(Uuid),
    /// It would not go out: why.
    No(String),
}

/// Whether "Send now" is offered.
pub(super) enum Offer {
    /// It is.
    Now,
    /// Once this is mended.
    OnceMended(Reason),
    /// Not for what its sender has withdrawn since.
    Withdrawn,
    /// Not for a request that ended like this.
    Never,
}

pub(super) async fn offer(context: &Context<'_>, row: &Interaction) -> Result<Offer, AdminError> {
    if !row.may_be_sent_again() {
        return Ok(Offer::Never);
    }
    if row.is_withdrawn() {
        return Ok(Offer::Withdrawn);
    }
    let (request, employee) = understood(context, row).await?;
    let checked = match checked(context, row, &request, employee.as_ref()) {
        Ok(checked) => checked,
        Err(reason) => return Ok(Offer::OnceMended(reason)),
    };
    let secret = match context.store().secret(context.now).await {
        // The page says so at its top.
        Err(StoreError::SubjectSecret) => return Ok(Offer::Never),
        secret => secret?,
    };
    let (arrival, _) = checked.arrival(&request, secret, context.now);
    Ok(match held_against(context, row, &arrival).await? {
        None => Offer::Now,
        Some(reason) => Offer::OnceMended(reason),
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

/// Why its key or its customer would keep `dispatch` from sending it, in the order of its checks.
///
/// What a test key sent goes to the company's own address, so it is bound by none of this.
async fn held_against(
    context: &Context<'_>,
    row: &Interaction,
    arrival: &Arrival,
) -> Result<Option<Reason>, AdminError> {
    let (store, now) = (context.store(), context.now);
    if row.mode == Mode::Test {
        return Ok(None);
    }
    // What an agent sent by hand has no key.
    if row.requested_via == RequestedVia::Api {
        let is_revoked = match store.key(&row.key, now).await? {
            None | Some(KeyItem::Revoked | KeyItem::Admin(_)) => true,
            Some(KeyItem::Good(key)) => key.mode != row.mode,
            // It waits until the item is corrected.
            Some(KeyItem::Faulty(_)) => false,
        };
        if is_revoked {
            return Ok(Some(Reason::KeyRevoked));
        }
    }
    let (subject, brand) = match arrival {
        Arrival::Decided(resolution) => {
            let approval = resolution.approval();
            (resolution.subject(), approval.and_then(|approval| approval.brand.as_deref()))
        }
        Arrival::ToBeAsked(_) => (row.subject.as_ref(), row.brand.as_deref()),
    };
    let Some(subject) = subject else { return Ok(None) };
    let standing = store.standing(subject, brand, now).await?;
    let suppresses = !context.settings.company.suppression.is_zero();
    Ok(if standing.unsubscribed {
        Some(Reason::Unsubscribed)
    } else if standing.bounced_until.is_some() {
        Some(Reason::Rejected)
    } else {
        standing.window.filter(|_| suppresses).map(|_| Reason::SuppressionPeriod)
    })
}

fn still_refused(reason: Reason) -> Sent {
    Sent::No(format!("It would still get no mail: {}.", reason.sentence()))
}

pub(super) async fn send(context: &Context<'_>, row: &Interaction) -> Result<Sent, AdminError> {
    let (store, settings, now) = (context.store(), &context.settings, context.now);
    if let Some(id) = store.sent_again_as(row).await? {
        return Ok(Sent::Before(id));
    }
    if !row.may_be_sent_again() {
        return Ok(Sent::No(ENDED.to_owned()));
    }
    if row.is_withdrawn() {
        return Ok(Sent::No(WITHDRAWN.to_owned()));
    }
    let (request, employee) = understood(context, row).await?;
    let checked = match checked(context, row, &request, employee.as_ref()) {
        Ok(checked) => checked,
        Err(reason) => return Ok(still_refused(reason)),
    };
    let secret = store.secret(now).await?;
    let (arrival, due) = checked.arrival(&request, secret, now);
    if let Some(reason) = held_against(context, row, &arrival).await? {
        return Ok(still_refused(reason));
    }
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
        SentAgain::MovedOn => Sent::No(MOVED_ON.to_owned()),
    })
}
