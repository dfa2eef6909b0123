//! Recording a delivery, or recognising it as a repetition, and the reply to it.

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use metrics::Field;
use policy::{Outcome, Reason, Status};
use serde_json::{Value, json};
use store::{Arrival, First, Interaction, Marker, MarkerKey, NewInteraction, Recorded};

use crate::admission::{Admission, DELIVERY_WINDOW};
use crate::delivery::Style;
use crate::echo::echo;
use crate::entry::digest;
use crate::json_reply::json_reply;
use crate::measured::measured;
use crate::problem::Problem;

/// How long the markers of an invalid request count at most, so that it may come again once an
/// admin has corrected the configuration.
const INVALID_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Bytes of a sender's body that are kept, masked.
const KEPT_BODY: usize = 8 * 1024;

/// What is recorded of a delivery.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What was decided, or whom to ask.
    pub(crate) arrival: Arrival,
    /// When the survey is due.
    pub(crate) due: Timestamp,
    /// The helpdesk's id.
    pub(crate) ext_interaction_id: Option<String>,
    /// See [`Interaction::more_tags`].
    pub(crate) more_tags: Option<String>,
    /// How long the row is kept from when it is due.
    pub(crate) retention: SignedDuration,
    /// What identifies the interaction.
    pub(crate) identity: Vec<String>,
    /// How long another delivery with the same identity is a repetition; zero: never.
    pub(crate) window: SignedDuration,
    /// For the log: how many values of the body were repaired.
    pub(crate) repaired: usize,
}

/// How a delivery was recorded.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The earlier request that it repeats.
    pub(crate) repeats: Option<First>,
    /// The reply to the sender.
    pub(crate) reply: Response<Body>,
}

impl Admission<'_> {
    /// Records the delivery, or finds the request that it repeats.
    pub(crate) async fn record(&self, recording: Recording) -> Result<Admitted, Problem> {
        let Recording { window, repaired, .. } = recording;
        let identity = match window.is_zero() {
            true => None,
            false => Some(self.interaction_marker(&recording.identity).await?),
        };
        let row = self.row(recording, identity.clone());
        let markers = self.markers(&row, identity, window).await?;
        let repeats = match self.store.record(&row, &markers, self.now).await? {
            Recorded::New => None,
            Recorded::Duplicate(index, first) => {
                let given = markers.get(index).and_then(|marker| marker.fingerprint.as_ref());
                if given.is_some() && given != first.fingerprint.as_ref() {
                    return Err(Problem::IdempotencyKeyReused);
                }
                Some(self.repeated(&row, &markers, index, first).await?)
            }
            Recorded::Erased => return self.erased(&row),
        };
        let answered = repeats.clone().unwrap_or(First {
            request_id: row.request_id,
            status: row.status,
            reason: row.reason,
            fingerprint: None,
        });
        let outcome = if repeats.is_some() { "duplicate" } else { answered.status.as_str() };
        tracing::info!(
            request_id = %answered.request_id, source = %row.source, mode = row.mode.as_str(),
            status = answered.status.as_str(), reason = answered.reason.map(Reason::code),
            duplicate = repeats.is_some(), repaired, metrics = %self.measured(outcome),
            "request recorded"
        );
        let reply = reply(&row, &answered, repeats.is_some(), self.delivery.style)?;
        Ok(Admitted { repeats, reply })
    }

    /// The customer is being erased: nothing is recorded, and nothing will be sent. The sender is
    /// told so, and need not try again.
    fn erased(&self, row: &Interaction) -> Result<Admitted, Problem> {
        tracing::info!(
            request_id = %row.request_id, source = %row.source, mode = row.mode.as_str(),
            metrics = %self.measured(Status::NotSent.as_str()),
            "request not recorded: its customer is being erased"
        );
        let reply = json!({
            "request_id": row.request_id.to_string(), "status": Status::NotSent, "reason": "erased",
            "detail": "The data of this customer are being erased, so nothing was recorded.",
        });
        let reply = json_reply(StatusCode::OK, "application/json", &reply);
        Ok(Admitted { repeats: None, reply })
    }

    /// What the line about this delivery measures.
    fn measured(&self, outcome: &str) -> Field {
        measured(self.delivery.source, outcome)
    }

    fn row(&self, recording: Recording, marker: Option<MarkerKey>) -> Interaction {
        let key = self.entered.key();
        NewInteraction {
            mode: key.mode,
            key: key.digest.clone(),
            requested_via: self.entered.via(),
            source: self.delivery.source,
            arrival: recording.arrival,
            due: recording.due,
            ext_interaction_id: recording.ext_interaction_id,
            body: Some(normalize::masked_body(self.entered.body(), KEPT_BODY)),
            more_tags: recording.more_tags,
            marker,
            retention: recording.retention,
        }
        .into_row(self.now)
    }

    /// The markers of a row, the strongest first: of the `Idempotency-Key`, of the sender's
    /// delivery id, and of what identifies the interaction.
    async fn markers(
        &self,
        row: &Interaction,
        identity: Option<MarkerKey>,
        window: SignedDuration,
    ) -> Result<Vec<Marker>, Problem> {
        let limit = |window| bounded_window(row.status, window);
        let mut markers = Vec::new();
        // Read in any case: one that is not understood is a 400 from helpdesks too. But the form
        // of a helpdesk can only say the same key each time, so there it does not count.
        let idempotency_key = self.entered.idempotency_key()?;
        if let Some(key) = idempotency_key.filter(|_| self.delivery.style == Style::Api) {
            let parts = [self.entered.key().digest.clone(), key.to_owned()];
            markers.push(Marker {
                key: self.marker("idempotency", &parts).await?,
                window: limit(DELIVERY_WINDOW),
                fingerprint: Some(self.fingerprint().await?),
            });
        }
        if let Some(id) = self.delivery.id {
            let key = self.delivery_marker("delivery", id).await?;
            markers.push(Marker { key, window: limit(DELIVERY_WINDOW), fingerprint: None });
        }
        if let Some(key) = identity {
            markers.push(Marker { key, window: limit(window), fingerprint: None });
        }
        Ok(markers)
    }

    /// Tells bodies apart. It outlives an erasure by a day, so it is keyed like every pseudonym: a
    /// plain digest would let whoever reads the table confirm a guessed address.
    async fn fingerprint(&self) -> Result<String, Problem> {
        let marker = self.marker("body", &[digest(self.entered.body())]).await?;
        Ok(marker.as_str().to_owned())
    }

    /// What the repetition of an earlier request adds to it: an `Idempotency-Key` or a delivery id
    /// of its own, and do-not-send. Do-not-send has effect also if it is said later, as long as no
    /// mail has gone out: a refused request remembers it, and no admin sends it again.
    ///
    /// Returns the first request as it is afterwards.
    async fn repeated(
        &self,
        row: &Interaction,
        markers: &[Marker],
        index: usize,
        first: First,
    ) -> Result<First, Problem> {
        let window = bounded_window(first.status, DELIVERY_WINDOW);
        for unknown in markers.iter().take(index) {
            let marker = Marker { window, ..unknown.clone() };
            self.store.remember(&marker, &first, self.now).await?;
        }
        // A first request that was refused for its do-not-send tag is declined only by the word of
        // the sender: which tag means that is the company's to change.
        let is_new =
            first.reason != Some(Reason::DoNotSend) || row.details.do_not_send.unwrap_or_default();
        let declined = row.reason == Some(Reason::DoNotSend) && is_new;
        if declined && self.store.decline(first.request_id, self.now).await? {
            return Ok(First { status: Status::NotSent, reason: row.reason, ..first });
        }
        Ok(first)
    }
}

/// How long a marker counts that leads to a request with this status.
fn bounded_window(status: Status, window: SignedDuration) -> SignedDuration {
    if status == Status::Invalid { window.min(INVALID_WINDOW) } else { window }
}

/// The reply to a recorded request: its id, status and reason, and the fields as understood.
fn reply(
    row: &Interaction,
    answered: &First,
    duplicate: bool,
    style: Style,
) -> Result<Response<Body>, Problem> {
    let mut fields = echo(&row.details);
    fields.insert("request_id".into(), json!(answered.request_id.to_string()));
    if duplicate {
        fields.insert("duplicate".into(), json!(true));
    }
    let invalid = answered.reason.filter(|reason| reason.outcome() == Outcome::Invalid);
    if let Some(reason) = invalid.filter(|_| style == Style::Api) {
        return Err(Problem::Invalid(reason, fields));
    }
    fields.insert("status".into(), json!(answered.status));
    if let Some(reason) = answered.reason {
        fields.insert("reason".into(), json!(reason.code()));
        fields.insert("detail".into(), json!(reason.sentence()));
    }
    Ok(json_reply(StatusCode::OK, "application/json", &Value::Object(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_of_an_invalid_request_counts_for_a_short_time() {
        let (day, minute) = (SignedDuration::from_hours(24), SignedDuration::from_mins(1));
        for status in Status::ALL {
            let expected = if status == Status::Invalid { INVALID_WINDOW } else { day };
            assert_eq!(bounded_window(status, day), expected, "{status:?}");
            assert_eq!(bounded_window(status, minute), minute, "{status:?}");
        }
    }
}
