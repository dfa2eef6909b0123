//! One row a request.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use normalize::Source;
use policy::{Mode, Profile, Reason, RequestedVia, Status, WaitingFor, saturating_add};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{DUE_SHARDS, Resolution, StoreError};

/// Partitions of each day in the `day` index.
pub(crate) const DAY_SHARDS: u64 = 4;

/// A ready request that nobody has claimed after this long is woken again by `sweep`: the stream's
/// record was lost.
pub(crate) const STALLED: SignedDuration = SignedDuration::from_mins(3);

/// How long before its row expires a request that waits is ended.
const LAST_DAY: SignedDuration = SignedDuration::from_hours(24);

/// A Gladly conversation that is still to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Gladly's id of the conversation.
    pub conversation_id: String,
    /// Gladly's id of the customer, at the time of the event.
    pub customer_id: String,
    /// Gladly's id of the agent at the time of closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
}

/// Where a request's answer stands in the responses table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerKey {
    /// `2026-11`, UTC.
    pub month: String,
    /// Its place in the export.
    pub sequence_id: u64,
}

/// A row of the interactions table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// UUIDv7: its first 48 bits are the time of receipt.
    #[serde(with = "uuid_text")]
    pub request_id: Uuid,
    /// Of the key that brought it.
    pub mode: Mode,
    /// Who told us.
    pub source: Source,
    /// By a key, or by the private link of an agent's send box.
    #[serde(default, skip_serializing_if = "RequestedVia::is_api")]
    pub requested_via: RequestedVia,
    /// Where it stands.
    pub status: Status,
    /// Why there is no mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Receipt.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When `sweep` looks at it next: end of the delay, of a back-off, or of a lease. Absent at the
    /// end.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub wake_at: Option<Timestamp>,
    /// 1 when nothing is to be waited for; the stream filters need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<u8>,
    /// SHA-256 (hex) of the key that brought it; of one sent by hand, a digest that stands for the
    /// send box.
    pub key: String,
    /// Whom it concerns: [`Subject::as_text`] of the customer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The helpdesk's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_interaction_id: Option<String>,
    /// The channel's own name, or as sent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Signifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// BCP 47, resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The employee as the profile had it at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Profile>,
    /// The request as understood, in the vendor's shape: holds the customer's name and address.
    #[serde(default)]
    pub request: Value,
    /// What arrived, masked, at most 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Tags that are not in `request`, one a line: kept only of what arrived while the settings had
    /// a fault, since it was unknown then which tag means do-not-send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_tags: Option<String>,
    /// Refused attempts so far.
    #[serde(default)]
    pub attempts: u32,
    /// Who holds the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_id: Option<String>,
    /// When the last claim was made.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub claimed_at: Option<Timestamp>,
    /// Until when the survey of the last claim's mail is open.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub open_until: Option<Timestamp>,
    /// What a queued request waits for, if it is more than its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// When SES took the mail.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub sent_at: Option<Timestamp>,
    /// SES's id of the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The customer's current answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerKey>,
    /// Gladly only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// When the delay is over, if there is one and once it is known (Gladly: after the first look).
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_at: Option<Timestamp>,
    /// When the helpdesk showed the ticket open again while a mail was under way: should that come
    /// to nothing, there is no other.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub reopened_at: Option<Timestamp>,
    /// When the sender said do-not-send in a repetition, while a mail was under way. If that send
    /// fails, there is no other.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub declined_at: Option<Timestamp>,
    /// Of what identifies the interaction: its de-duplication marker's [`Subject::as_text`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// TTL, in seconds since 1970: the retention counts from when the survey is due.
    pub expires_at: i64,
}

/// What is known of a request when it is recorded.
#[derive(Clone, Debug)]
pub struct NewInteraction {
    /// Of the key.
    pub mode: Mode,
    /// Digest of the key.
    pub key: String,
    /// Who told us.
    pub source: Source,
    /// Who and how, and why not; of a conversation that is still to be resolved, nothing.
    pub resolution: Resolution,
    /// If it is still to be resolved: which conversation.
    pub conversation: Option<Conversation>,
    /// When the survey is due, as far as is known. Not later than now: ready at once.
    pub due: Timestamp,
    /// The helpdesk's id.
    pub ext_interaction_id: Option<String>,
    /// See [`Interaction::body`].
    pub body: Option<String>,
    /// See [`Interaction::more_tags`].
    pub more_tags: Option<String>,
    /// See [`Interaction::marker`].
    pub marker: Option<Subject>,
    /// How long the row is kept from when it is due.
    pub retention: SignedDuration,
}

impl NewInteraction {
    /// The row, with a new id.
    pub fn into_row(self, now: Timestamp) -> Interaction {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let time =
            uuid::Timestamp::from_unix_time(seconds, now.subsec_nanosecond().unsigned_abs(), 0, 0);
        let Resolution { reason, subject, channel, brand, language, employee, request } =
            self.resolution;
        let status = match (reason, &self.conversation) {
            (Some(reason), _) => reason.outcome().status(),
            (None, Some(_)) => Status::Unresolved,
            (None, None) => Status::Queued,
        };
        let waiting = status.is_waiting();
        let ready = waiting && self.due <= now;
        Interaction {
            request_id: Uuid::new_v7(time),
            mode: self.mode,
            source: self.source,
            requested_via: RequestedVia::Api,
            status,
            reason,
            created_at: now,
            wake_at: waiting.then(|| if ready { saturating_add(now, STALLED) } else { self.due }),
            ready: ready.then_some(1),
            key: self.key,
            subject: subject.map(|subject| subject.as_text()),
            ext_interaction_id: self.ext_interaction_id,
            channel,
            brand,
            language,
            employee,
            request,
            body: self.body,
            more_tags: self.more_tags,
            attempts: 0,
            claim_id: None,
            claimed_at: None,
            open_until: None,
            waiting_for: None,
            sent_at: None,
            message_id: None,
            answer: None,
            conversation: self.conversation,
            due_at: (waiting && !ready).then_some(self.due),
            reopened_at: None,
            declined_at: None,
            marker: self.marker.map(|marker| marker.as_text()),
            expires_at: saturating_add(self.due, self.retention).as_second(),
        }
    }
}

impl Interaction {
    /// The customer's address as SES takes it.
    pub fn customer_email(&self) -> Option<&str> {
        self.request.pointer("/customer/email").and_then(Value::as_str)
    }

    /// The tags that were kept.
    pub fn tags(&self) -> Vec<&str> {
        let tags = self
            .request
            .get("tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        tags.chain(self.more_tags.as_deref()).collect()
    }

    /// The customer's display name, untrusted.
    pub fn customer_name(&self) -> Option<&str> {
        self.request.pointer("/customer/name").and_then(Value::as_str)
    }

    /// What a caller may see: id, status, reason, times, and the request as understood.
    pub fn public(&self) -> Value {
        let mut value = json!({ "request_id": self.request_id, "status": self.status });
        if let (Some(into), Some(from)) = (value.as_object_mut(), self.request.as_object()) {
            for (name, field) in from {
                into.entry(name.clone()).or_insert_with(|| field.clone());
            }
            into.insert("source".into(), json!(self.source));
            into.insert("mode".into(), json!(self.mode));
            into.insert("requested_via".into(), json!(self.requested_via));
            into.insert("created_at".into(), json!(self.created_at.to_string()));
            into.insert("answered".into(), json!(self.answer.is_some()));
            if let Some(reason) = self.reason {
                into.insert("reason".into(), json!(reason));
                into.insert("detail".into(), json!(reason.sentence()));
            }
            if let Some(waiting_for) = self.waiting_for.filter(|_| self.status == Status::Queued) {
                into.insert("waiting_for".into(), json!(waiting_for));
                into.insert("detail".into(), json!(waiting_for.sentence()));
            }
            for (name, time) in [("sent_at", self.sent_at), ("wake_at", self.wake_at)] {
                if let Some(time) = time {
                    into.insert(name.into(), json!(time.to_string()));
                }
            }
            for (name, text) in
                [("message_id", &self.message_id), ("ext_interaction_id", &self.ext_interaction_id)]
            {
                if let Some(text) = text {
                    into.insert(name.into(), json!(text));
                }
            }
        }
        value
    }

    /// Whether the row would be gone, or about to go, at that time. What would wait so long ends
    /// instead, while somebody can still see why.
    pub fn ends_before(&self, at: Timestamp) -> bool {
        self.expires_at <= saturating_add(at, LAST_DAY).as_second()
    }

    /// Whether the row should be gone by now.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_second()
    }

    pub(crate) fn to_item(&self) -> Result<HashMap<String, AttributeValue>, StoreError> {
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(self).map_err(StoreError::corrupt("interactions"))?;
        item.insert(
            "day_shard".into(),
            s(day_shard(self.mode, self.created_at, self.shard(DAY_SHARDS))),
        );
        if self.wake_at.is_some() {
            item.insert("due_shard".into(), s(self.due_shard()));
        }
        Ok(item)
    }

    pub(crate) fn from_item(item: HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        serde_dynamo::from_item(item).map_err(StoreError::corrupt("interactions"))
    }

    /// Partition in the `due` index.
    pub(crate) fn due_shard(&self) -> String {
        due_shard(self.shard(DUE_SHARDS))
    }

    /// The random end of the id, so that a shard is known from the id alone.
    fn shard(&self, of: u64) -> u64 {
        shard_of(self.request_id, of)
    }
}

pub(crate) fn shard_of(request_id: Uuid, of: u64) -> u64 {
    request_id.as_u64_pair().1 % of
}

pub(crate) fn due_shard(shard: u64) -> String {
    format!("due#{shard}")
}

/// `live#2026-11-21#3`: test or live, day of receipt in UTC, shard.
pub(crate) fn day_shard(mode: Mode, at: Timestamp, shard: u64) -> String {
    format!("{}#{}#{shard}", mode.as_str(), at.strftime("%Y-%m-%d"))
}

/// An id before every one that is received in the span (in seconds, from the epoch on) that `at` is
/// in.
pub(crate) fn first_id(at: Timestamp, span: i64) -> Uuid {
    id_at(at.as_second().div_euclid(span) * span * 1_000, [0; 10])
}

/// An id after every one that is received in that span, and still in it.
pub(crate) fn last_id(at: Timestamp, span: i64) -> Uuid {
    id_at((at.as_second().div_euclid(span) + 1) * span * 1_000 - 1, [0xff; 10])
}

fn id_at(millis: i64, rest: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or_default(), &rest)
        .into_uuid()
}

/// `2026-11-21T05`, UTC.
pub(crate) fn hour(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H").to_string()
}

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn ms(at: Timestamp) -> AttributeValue {
    n(at.as_millisecond())
}

/// serde_dynamo is no human-readable format to `uuid`, which would then write bytes.
mod uuid_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Uuid, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
