//! What each kind of delivery asks for: a survey, the withdrawal of one, or a question to the
//! helpdesk about a conversation.

use lambda_http::{Body, Response};
use normalize::{ClosedConversation, Ignored, Note, Source, SurveyRequest};
use policy::{Channel, Reason, TicketStatus, Verdict};
use store::{Arrival, Conversation, Resolution, Settings, Ticket, Unreadable};

use crate::admission::{Admission, DELIVERY_WINDOW};
use crate::delivery::{Delivery, Style, ignored};
use crate::problem::Problem;
use crate::recording::Recording;

/// Bytes of tags that are kept besides those of the request, while a fault of the settings makes it
/// unknown which tag means do-not-send.
const KEPT_TAGS: usize = 16 * 1024;

impl Admission<'_> {
    /// A request to survey somebody: checks, records, and replies.
    pub(crate) async fn survey(&self, request: &SurveyRequest) -> Result<Response<Body>, Problem> {
        let employee = async {
            match &request.employee {
                Some(employee) => self.store.employee(employee, self.now).await,
                None => Ok(None),
            }
        };
        let (settings, employee) = tokio::try_join!(self.store.settings(self.now), employee)?;
        let channel = Channel::find(&settings.channels, &request.channel)
            .map_or(&*request.channel, |channel| &*channel.name);
        let email = employee.as_ref().map(|employee| &*employee.email);
        let mut identity = policy::identity(self.entered.via(), request, channel, email);
        let verdict = match self.ticket_status(&settings, request) {
            TicketStatus::Closed => {
                let facts = settings.facts(employee.as_ref());
                policy::decide_via(
                    self.entered.via(),
                    request,
                    self.entered.key().mode,
                    &facts,
                    self.now,
                )
            }
            TicketStatus::Open => {
                return match &request.ext_interaction_id {
                    Some(ext) => self.reopened(ext, &identity).await,
                    None => Ok(ignored(&Ignored::NotClosed)),
                };
            }
            // Do-not-send comes before every other check.
            TicketStatus::Unknown
                if matches!(policy::who(request, &settings.company), Err(Reason::DoNotSend)) =>
            {
                Verdict::Refuse(Reason::DoNotSend)
            }
            TicketStatus::Unknown => {
                // The status is part of the identity: an earlier close does not hide this row from
                // the company, and this row does not prevent the next close.
                let status = request.status.as_deref().unwrap_or_default();
                identity.extend(["status".to_owned(), status.trim().to_lowercase()]);
                Verdict::Refuse(Reason::StatusUnknown)
            }
        };
        let due = match &verdict {
            Verdict::Send(approval) => approval.due,
            Verdict::Refuse(_) => {
                self.note_key_use().await;
                self.now
            }
        };
        let resolution = Resolution::of(request, verdict, self.store.secret());
        let declined = resolution.reason() == Some(Reason::DoNotSend);
        let recorded = self
            .record(Recording {
                arrival: Arrival::Decided(Box::new(resolution)),
                due,
                ext_interaction_id: request.ext_interaction_id.clone(),
                more_tags: unread_tags(&settings, request.surplus_tags.iter()),
                retention: settings.company.kept(),
                identity: identity.clone(),
                window: settings.company.dedupe_window(self.delivery.source),
                repaired: repairs(request),
            })
            .await?;
        let tags = unread_tags(&settings, request.tags.iter().chain(&request.surplus_tags));
        if let (Some(first), Some(tags)) = (&recorded.repeats, tags) {
            self.store.note_tags(first.request_id, &tags).await?;
        }
        // A helpdesk says do-not-send of the whole ticket, whichever agent it is assigned to by
        // now. `/v1/requests` says it of one request.
        if let (true, Style::Webhook, Some(ext)) =
            (declined, self.delivery.style, &request.ext_interaction_id)
        {
            self.withdraw(ext, &identity, Reason::DoNotSend).await?;
        }
        Ok(recorded.reply)
    }

    /// The ticket is open again: its surveys are withdrawn, and nothing is recorded.
    pub(crate) async fn reopened(
        &self,
        ext_interaction_id: &str,
        identity: &[String],
    ) -> Result<Response<Body>, Problem> {
        // A helpdesk may deliver twice, and the ticket may be closed again in between. The
        // repetition must not withdraw the survey of that close.
        let delivery = self.delivery.id.map(|id| self.delivery_marker("withdrawal", id));
        if let Some(delivery) = &delivery
            && self.store.has_withdrawn(delivery, self.now).await?
        {
            return Ok(ignored(&Ignored::NotClosed));
        }
        self.withdraw(ext_interaction_id, identity, Reason::Reopened).await?;
        if let Some(delivery) = &delivery {
            self.store.note_withdrawal(delivery, DELIVERY_WINDOW, self.now).await?;
        }
        Ok(ignored(&Ignored::NotClosed))
    }

    /// A closed conversation that came as ids only: recorded, and the helpdesk is asked later.
    pub(crate) async fn conversation(
        &self,
        closed: &ClosedConversation,
    ) -> Result<Response<Body>, Problem> {
        let settings = self.store.settings(self.now).await?;
        let source = self.delivery.source;
        let admission = Admission {
            delivery: Delivery { id: Some(&closed.event_id), ..self.delivery },
            ..*self
        };
        let recorded = admission
            .record(Recording {
                arrival: Arrival::ToBeAsked(Conversation {
                    conversation_id: closed.conversation_id.clone(),
                    customer_id: closed.customer_id.clone(),
                    agent_id: closed.agent_id.clone(),
                }),
                due: self.now,
                ext_interaction_id: Some(closed.conversation_id.clone()),
                more_tags: None,
                retention: settings.company.kept(),
                identity: policy::ticket(source, &closed.conversation_id),
                window: settings.company.dedupe_window(source),
                repaired: 0,
            })
            .await?;
        Ok(recorded.reply)
    }

    async fn withdraw(
        &self,
        ext_interaction_id: &str,
        identity: &[String],
        reason: Reason,
    ) -> Result<(), Problem> {
        let ticket = Ticket {
            source: self.delivery.source,
            mode: self.entered.key().mode,
            ext_interaction_id,
            marker: &self.interaction_marker(identity),
        };
        let withdrawn = self.store.withdraw(&ticket, reason, self.now).await?;
        if let Some(rows) = withdrawn.only_newest {
            tracing::warn!(
                source = %self.delivery.source,
                rows,
                "the ticket has more requests than are withdrawn at once: only the newest were"
            );
        }
        for Unreadable { request_id, error } in &withdrawn.unreadable {
            tracing::error!(?request_id, %error, "a row cannot be read and was not withdrawn");
        }
        Ok(())
    }

    /// What the ticket's status means to this company. If its `closed_statuses` cannot be
    /// understood, none of them counts as closed, and the log says so.
    fn ticket_status(&self, settings: &Settings, request: &SurveyRequest) -> TicketStatus {
        let source: Source = self.delivery.source;
        let status = request.status.as_deref();
        let closed = settings
            .integrations
            .get(source.as_str())
            .filter(|_| status.is_some())
            .map(policy::closed_statuses)
            .transpose();
        let closed = closed.unwrap_or_else(|fault| {
            tracing::error!(
                config.item = fault.item,
                config.attribute = fault.attribute,
                "config item cannot be understood: only the built-in statuses count as closed"
            );
            None
        });
        TicketStatus::read(status, &closed.unwrap_or_default())
    }
}

/// Values of the body that a template had broken and that were repaired.
fn repairs(request: &SurveyRequest) -> usize {
    request.notes.iter().filter(|note| matches!(note, Note::Repaired { .. })).count()
}

/// Tags that are checked again when the mail is due, because a fault of the settings makes it
/// unknown which of them means do-not-send. `None`: there is no fault.
fn unread_tags<'a>(settings: &Settings, tags: impl Iterator<Item = &'a String>) -> Option<String> {
    if settings.company.faults.is_empty() {
        return None;
    }
    let mut texts = String::new();
    for tag in tags {
        texts.push_str(tag);
        texts.push('\n');
    }
    texts.truncate(texts.floor_char_boundary(KEPT_TAGS));
    Some(texts).filter(|texts| !texts.is_empty())
}
