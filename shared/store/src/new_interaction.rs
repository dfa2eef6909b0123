//! What a new row says.

use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::{Mode, RequestedVia, Status, saturating_add};
use uuid::Uuid;

use crate::details::RequestDetails;
use crate::ground::STALLED;
use crate::interaction::{Conversation, Interaction};
use crate::marker::MarkerKey;
use crate::resolution::Resolution;

/// What is known of a request at receipt.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// The checks have decided.
    Decided(Box<Resolution>),
    /// Only a conversation is known: the helpdesk has to be asked who was in it.
    ToBeAsked(Conversation),
}

/// A request that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewInteraction {
    /// Of the key.
    pub mode: Mode,
    /// Digest of the key, or of what stands for it.
    pub key: String,
    /// By which way it came in.
    pub requested_via: RequestedVia,
    /// The helpdesk, or the API, that sent it.
    pub source: Source,
    /// What was decided, or whom to ask.
    pub arrival: Arrival,
    /// When the survey is due, if that is known yet. Now or earlier: the row is ready at once.
    pub due: Timestamp,
    /// The helpdesk's id.
    pub ext_interaction_id: Option<String>,
    /// See [`Interaction::body`].
    pub body: Option<String>,
    /// See [`Interaction::more_tags`].
    pub more_tags: Option<String>,
    /// See [`Interaction::marker`].
    pub marker: Option<MarkerKey>,
    /// How long the row is kept, counted from `due`.
    pub retention: SignedDuration,
}

impl NewInteraction {
    /// The row, with a new id.
    pub fn into_row(self, now: Timestamp) -> Interaction {
        let asked = RequestDetails {
            ext_interaction_id: self.ext_interaction_id.clone(),
            ..RequestDetails::default()
        };
        let (status, resolution, conversation) = match self.arrival {
            Arrival::ToBeAsked(conversation) => (Status::Unresolved, None, Some(conversation)),
            Arrival::Decided(resolution) => {
                let end = resolution.reason().map(|reason| reason.outcome().status());
                (end.unwrap_or(Status::Queued), Some(resolution), None)
            }
        };
        let resolution = resolution.as_deref();
        let approval = resolution.and_then(Resolution::approval);
        let details = resolution.map_or(&asked, Resolution::details);
        let waiting = status.is_waiting();
        let ready = waiting && self.due <= now;
        Interaction {
            request_id: new_id(now),
            mode: self.mode,
            source: self.source,
            requested_via: self.requested_via,
            status,
            reason: resolution.and_then(Resolution::reason),
            created_at: now,
            wake_at: waiting.then(|| if ready { saturating_add(now, STALLED) } else { self.due }),
            ready: ready.then_some(1),
            key: self.key,
            subject: resolution.and_then(Resolution::subject).cloned(),
            ext_interaction_id: self.ext_interaction_id,
            channel: details.channel.clone(),
            brand: approval.and_then(|approval| approval.brand.clone()),
            language: approval.map(|approval| approval.language.to_string()),
            employee: approval.map(|approval| approval.employee.clone()),
            details: details.clone(),
            body: self.body,
            more_tags: self.more_tags,
            attempts: 0,
            claim_id: None,
            claimed_at: None,
            open_until: None,
            waiting_for: None,
            sent_at: None,
            ended_at: None,
            outcome_at: None,
            again_of: None,
            sent_again_as: None,
            message_id: None,
            answer: None,
            conversation,
            due_at: (waiting && !ready).then_some(self.due),
            reopened_at: None,
            declined_at: None,
            marker: self.marker,
            notice: None,
            expires_at: saturating_add(self.due, self.retention).as_second(),
        }
    }
}

/// A new id of this time.
pub(crate) fn new_id(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = now.subsec_nanosecond().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix_time(seconds, nanos, 0, 0))
}
