//! From a body to a recorded request: the one road in.

use std::convert::Infallible;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use normalize::{ClosedConversation, Inbound, Malformed, Note, Source, SurveyRequest};
use policy::{Channel, KeyScope, Outcome, Reason, Status, TicketStatus, Verdict};
use serde_json::{Map, Value, json};
use store::{
    Conversation, First, Interaction, Marker, NewInteraction, Recorded, Resolution, Settings,
    Ticket,
};

use crate::{Entered, Intake, Problem, digest, in_time, json_reply, respond};

/// How a sender is told that a request is invalid for this company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 400 with the reason: an API's caller reads it.
    Api,
    /// 200 with the reason in the body: a helpdesk switches a webhook off that keeps failing.
    Webhook,
}

/// Reads a source's body.
pub type Parse = fn(&[u8]) -> Result<Inbound, Malformed>;

/// What a function knows of the delivery that it hands over.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Who sends.
    pub source: Source,
    /// The sender's own id of this delivery, the same in each repetition.
    pub id: Option<&'a str>,
    /// Reads the body.
    pub parse: Parse,
    /// How refusals are told.
    pub style: Style,
}

/// How long an `Idempotency-Key` and a sender's delivery id count.
const DELIVERY_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How long the markers of an invalid request count at most, so that what an admin mends can come
/// again.
const INVALID_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Bytes of tags that are kept besides those of the request, while a fault of the settings makes it
/// unknown what they mean.
const KEPT_TAGS: usize = 16 * 1024;
/// Bytes of a sender's body that are kept, masked.
const KEPT_BODY: usize = 8 * 1024;

impl Intake {
    /// A helpdesk's webhook from door to reply, where no header of its own matters.
    pub async fn webhook(
        &self,
        request: &Request,
        source: Source,
        parse: Parse,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        respond(in_time(async {
            let entered = self.enter(request, KeyScope::Send, now).await?;
            self.accept(&entered, Delivery { source, id: None, parse, style: Style::Webhook }, now)
                .await
        }))
        .await
    }

    /// Requires a key for this source, reads the body, checks, records, and answers.
    pub async fn accept(
        &self,
        entered: &Entered<'_>,
        delivery: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Response<Body>, Problem> {
        entered.is_for(delivery.source)?;
        match (delivery.parse)(entered.body())? {
            Inbound::Survey(request) => self.survey(entered, &delivery, &request, now).await,
            Inbound::Snoozed { until, request } => match until {
                Some(until) if until <= now => self.survey(entered, &delivery, &request, now).await,
                _ => Ok(ignored(&normalize::Ignored::Snoozed)),
            },
            Inbound::Conversation(closed) => {
                self.conversation(entered, &delivery, &closed, now).await
            }
            Inbound::Reopened { ext_interaction_id } => {
                let identity = policy::ticket(delivery.source, &ext_interaction_id);
                self.reopened(entered, &delivery, &ext_interaction_id, &identity, now).await
            }
            Inbound::Ignored(ignore) => Ok(ignored(&ignore)),
        }
    }

    async fn survey(
        &self,
        entered: &Entered<'_>,
        delivery: &Delivery<'_>,
        request: &SurveyRequest,
        now: Timestamp,
    ) -> Result<Response<Body>, Problem> {
        let employee = async {
            match &request.employee {
                Some(who) => self.store.employee(who, now).await,
                None => Ok(None),
            }
        };
        let (settings, employee) = tokio::try_join!(self.store.settings(now), employee)?;
        let channel = Channel::find(&settings.channels, &request.channel)
            .map_or(&*request.channel, |channel| &*channel.name);
        let mut identity =
            policy::identity(request, channel, employee.as_ref().map(|employee| &*employee.email));
        let verdict = match ticket_status(&settings, delivery.source, request.status.as_deref()) {
            TicketStatus::Closed => policy::decide_via(
                entered.via(),
                request,
                entered.key().mode,
                &settings.facts(employee.as_ref()),
                now,
            ),
            TicketStatus::Open => {
                return match &request.ext_interaction_id {
                    Some(ext) => self.reopened(entered, delivery, ext, &identity, now).await,
                    None => Ok(ignored(&normalize::Ignored::NotClosed)),
                };
            }
            // Do-not-send comes before everything else.
            TicketStatus::Unknown
                if matches!(policy::who(request, &settings.company), Err(Reason::DoNotSend)) =>
            {
                Verdict::Refuse(Reason::DoNotSend)
            }
            TicketStatus::Unknown => {
                // A request of its own: an earlier close does not hide it from the company, and it
                // is not in the way of the next one.
                identity.extend([
                    "status".to_owned(),
                    request.status.as_deref().unwrap_or_default().trim().to_lowercase(),
                ]);
                Verdict::Refuse(Reason::StatusUnknown)
            }
        };
        let due = match &verdict {
            Verdict::Send(plan) => plan.due,
            Verdict::Refuse(_) => now,
        };
        let new = NewInteraction {
            mode: entered.key().mode,
            key: entered.key().digest.clone(),
            source: delivery.source,
            resolution: Resolution::of(request, verdict, self.store.secret()),
            conversation: None,
            due,
            ext_interaction_id: request.ext_interaction_id.clone(),
            body: Some(normalize::masked_body(entered.body(), KEPT_BODY)),
            more_tags: unread_tags(&settings, request.surplus_tags.iter()),
            marker: None,
            retention: settings.company.kept(),
        };
        let declined = new.resolution.reason == Some(Reason::DoNotSend);
        let tags = unread_tags(&settings, request.tags.iter().chain(&request.surplus_tags));
        let repaired =
            request.notes.iter().filter(|note| matches!(note, Note::Repaired { .. })).count();
        let window = settings.company.dedupe_window(delivery.source);
        let (first, reply) =
            self.record(entered, delivery, new, (identity.clone(), window), repaired, now).await?;
        if let (Some(first), Some(tags)) = (first, tags) {
            self.store.note_tags(first.request_id, &tags).await?;
        }
        // A helpdesk says it of the whole ticket, whoever is assigned to it by now. (`/v1/requests`
        // says it of one request.)
        if let (true, Style::Webhook, Some(ext)) =
            (declined, delivery.style, &request.ext_interaction_id)
        {
            let marker = self.marker(entered, "interaction", &identity);
            let ticket = Ticket {
                source: delivery.source,
                mode: entered.key().mode,
                ext_interaction_id: ext,
                marker: &marker,
            };
            self.store.withdraw(&ticket, Reason::DoNotSend, now).await?;
        }
        Ok(reply)
    }

    /// The ticket is open again: its surveys are withdrawn, and nothing is recorded.
    async fn reopened(
        &self,
        entered: &Entered<'_>,
        delivery: &Delivery<'_>,
        ext_interaction_id: &str,
        identity: &[String],
        now: Timestamp,
    ) -> Result<Response<Body>, Problem> {
        // A helpdesk may deliver twice, and the ticket may be closed again in between: the
        // repetition must not withdraw that survey.
        let this = delivery.id.map(|id| {
            self.marker(entered, "withdrawal", &[delivery.source.to_string(), id.to_owned()])
        });
        if let Some(this) = &this
            && self.store.has_withdrawn(this, now).await?
        {
            return Ok(ignored(&normalize::Ignored::NotClosed));
        }
        let marker = self.marker(entered, "interaction", identity);
        let ticket = Ticket {
            source: delivery.source,
            mode: entered.key().mode,
            ext_interaction_id,
            marker: &marker,
        };
        self.store.withdraw(&ticket, Reason::Reopened, now).await?;
        if let Some(this) = &this {
            self.store.note_withdrawal(this, DELIVERY_WINDOW, now).await?;
        }
        Ok(ignored(&normalize::Ignored::NotClosed))
    }

    async fn conversation(
        &self,
        entered: &Entered<'_>,
        delivery: &Delivery<'_>,
        closed: &ClosedConversation,
        now: Timestamp,
    ) -> Result<Response<Body>, Problem> {
        let settings = self.store.settings(now).await?;
        let request = json!({ "ext_interaction_id": closed.conversation_id });
        let new = NewInteraction {
            mode: entered.key().mode,
            key: entered.key().digest.clone(),
            source: delivery.source,
            resolution: Resolution { request, ..Resolution::default() },
            conversation: Some(Conversation {
                conversation_id: closed.conversation_id.clone(),
                customer_id: closed.customer_id.clone(),
                agent_id: closed.agent_id.clone(),
            }),
            due: now,
            ext_interaction_id: Some(closed.conversation_id.clone()),
            body: Some(normalize::masked_body(entered.body(), KEPT_BODY)),
            more_tags: None,
            marker: None,
            retention: settings.company.kept(),
        };
        let delivery = Delivery { id: Some(&closed.event_id), ..*delivery };
        let identity = (
            policy::ticket(delivery.source, &closed.conversation_id),
            settings.company.dedupe_window(delivery.source),
        );
        self.record(entered, &delivery, new, identity, 0, now).await.map(|(_, reply)| reply)
    }

    /// Records; returns the first request if this one repeats it, and the reply.
    async fn record(
        &self,
        entered: &Entered<'_>,
        delivery: &Delivery<'_>,
        new: NewInteraction,
        (identity, window): (Vec<String>, SignedDuration),
        repaired: usize,
        now: Timestamp,
    ) -> Result<(Option<First>, Response<Body>), Problem> {
        let identity = (!window.is_zero()).then(|| self.marker(entered, "interaction", &identity));
        let mut row = NewInteraction { marker: identity.clone(), ..new }.into_row(now);
        row.requested_via = entered.via();
        let limit = |window: SignedDuration| {
            if row.status == Status::Invalid { window.min(INVALID_WINDOW) } else { window }
        };
        let mut markers = Vec::new();
        // A helpdesk's form can only say the same key each time.
        if let Some(key) = entered.idempotency_key()?.filter(|_| delivery.style == Style::Api) {
            let key = self.marker(
                entered,
                "idempotency",
                &[entered.key().digest.clone(), key.to_owned()],
            );
            markers.push(Marker {
                key,
                window: limit(DELIVERY_WINDOW),
                fingerprint: Some(digest(entered.body())),
            });
        }
        if let Some(id) = delivery.id {
            let key =
                self.marker(entered, "delivery", &[delivery.source.to_string(), id.to_owned()]);
            markers.push(Marker { key, window: limit(DELIVERY_WINDOW), fingerprint: None });
        }
        if let Some(key) = identity {
            markers.push(Marker { key, window: limit(window), fingerprint: None });
        }
        let (first, duplicate) = match self.store.record(&row, &markers, now).await? {
            Recorded::New => (None, false),
            Recorded::Duplicate(index, first) => {
                let theirs = markers.get(index).and_then(|marker| marker.fingerprint.as_ref());
                if theirs.is_some() && theirs != first.fingerprint.as_ref() {
                    return Err(Problem::IdempotencyKeyReused);
                }
                (Some(self.repeated(&row, &markers, index, first, now).await?), true)
            }
        };
        let repeats = first.clone();
        let (request_id, status, reason) = first
            .map_or((row.request_id, row.status, row.reason), |f| {
                (f.request_id, f.status, f.reason)
            });
        tracing::info!(
            %request_id, source = %delivery.source, mode = row.mode.as_str(), status = status.as_str(),
            reason = reason.map(Reason::code), duplicate, repaired, "request recorded"
        );
        Ok((
            repeats,
            reply(&row, request_id.to_string(), status, reason, duplicate, delivery.style)?,
        ))
    }

    /// What the repetition of an earlier request adds to it: an `Idempotency-Key` or a delivery id
    /// of its own, and the wish that nothing be sent. Do-not-send wins also if it is said later, as
    /// long as no mail has gone out. The answer says how the first request stands then.
    async fn repeated(
        &self,
        row: &Interaction,
        markers: &[Marker],
        index: usize,
        first: First,
        now: Timestamp,
    ) -> Result<First, Problem> {
        for unknown in markers.iter().take(index) {
            // What was invalid may come again soon, under any name.
            let window =
                if first.status == Status::Invalid { INVALID_WINDOW } else { DELIVERY_WINDOW };
            self.store.remember(&Marker { window, ..unknown.clone() }, &first, now).await?;
        }
        let declined = row.reason == Some(Reason::DoNotSend) && first.reason.is_none();
        if declined && self.store.decline(first.request_id, now).await? {
            return Ok(First { status: Status::NotSent, reason: row.reason, ..first });
        }
        Ok(first)
    }

    fn marker(&self, entered: &Entered<'_>, kind: &str, parts: &[String]) -> links::Subject {
        let mut all = vec![kind, entered.key().mode.as_str()];
        all.extend(parts.iter().map(String::as_str));
        self.store.secret().of_marker(&all)
    }
}

/// Tags that have to be looked at again, since a fault of the settings makes it unknown which of
/// them means do-not-send. `None`: there is no fault.
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

/// What the ticket's status means to this company. A `closed_statuses` that cannot be understood is
/// told in the log, and makes nothing closed.
fn ticket_status(settings: &Settings, source: Source, status: Option<&str>) -> TicketStatus {
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

fn ignored(why: &normalize::Ignored) -> Response<Body> {
    tracing::info!(reason = why.code(), "nothing to do");
    json_reply(
        StatusCode::OK,
        "application/json",
        &json!({ "status": "ignored", "reason": why.code(), "detail": why.sentence() }),
    )
}

/// The reply to a recorded request: its id, how it stands, why, and the fields as understood, in
/// the vendor's shape.
fn reply(
    row: &Interaction,
    request_id: String,
    status: Status,
    reason: Option<Reason>,
    duplicate: bool,
    style: Style,
) -> Result<Response<Body>, Problem> {
    let mut fields: Map<String, Value> = row.request.as_object().cloned().unwrap_or_default();
    fields.insert("request_id".into(), json!(request_id));
    if duplicate {
        fields.insert("duplicate".into(), json!(true));
    }
    if let Some(reason) = reason.filter(|r| r.outcome() == Outcome::Invalid && style == Style::Api)
    {
        return Err(Problem::Invalid(reason, fields));
    }
    fields.insert("status".into(), json!(status));
    if let Some(reason) = reason {
        fields.insert("reason".into(), json!(reason.code()));
        fields.insert("detail".into(), json!(reason.sentence()));
    }
    Ok(json_reply(StatusCode::OK, "application/json", &Value::Object(fields)))
}
