//! One row a request.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use normalize::{Address, Source};
use policy::{Mode, Notice, Profile, Reason, RequestedVia, Status, WaitingFor, saturating_add};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::details::RequestDetails;
use crate::error::StoreError;
use crate::ground::{Item, s};
use crate::marker::MarkerKey;
use crate::outcome_month::outcome_month;
use crate::shards::{DAY_SHARDS, DUE_SHARDS, day_shard, due_shard, shard_of};

/// A waiting request is ended this long before its row expires.
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
///
/// Only this crate can make one: from [`crate::NewInteraction`], which is never `sending`, or by
/// reading the table. A row becomes `sending` by [`crate::Store::claim`] alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interaction {
    /// UUIDv7: its first 48 bits are the time of receipt.
    #[serde(with = "uuid_text")]
    pub request_id: Uuid,
    /// Of the key that brought it.
    pub mode: Mode,
    /// The helpdesk, or the API, that sent it.
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
    /// When `sweep` looks at the row next: the end of a delay, of a back-off, or of a lease. Absent
    /// once the request has ended.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub wake_at: Option<Timestamp>,
    /// 1 when the request can be worked on now; the stream filters look for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<u8>,
    /// SHA-256 (hex) of the key that brought it. Of a request that was sent by hand: a digest that
    /// stands for the send box.
    pub key: String,
    /// The pseudonym of the customer's address.
    #[serde(default, with = "parsed", skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
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
    /// The employee's profile at receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Profile>,
    /// The request as it was understood: holds the customer's name and address.
    #[serde(default, rename = "request")]
    pub details: RequestDetails,
    /// What arrived, masked, at most 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Tags that are not in [`RequestDetails::tags`], one a line. They are kept only of a request
    /// that arrived while the settings had a fault: it was not known then which tag means
    /// do-not-send.
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
    /// What a queued request waits for besides its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// When SES took the mail.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub sent_at: Option<Timestamp>,
    /// When the request ended without a mail.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<Timestamp>,
    /// When the mail's outcome happened, as SES says.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub outcome_at: Option<Timestamp>,
    /// The request that an admin has sent again by this one.
    #[serde(default, with = "id_text", skip_serializing_if = "Option::is_none")]
    pub again_of: Option<Uuid>,
    /// The request by which an admin has sent this one again.
    #[serde(default, with = "id_text", skip_serializing_if = "Option::is_none")]
    pub sent_again_as: Option<Uuid>,
    /// SES's id of the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The customer's current answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerKey>,
    /// Gladly only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// When the channel's delay is over, if it has one. Of a Gladly request it is known once Gladly
    /// was asked for the first time.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_at: Option<Timestamp>,
    /// When the helpdesk reopened the ticket while a mail was being sent, or after the request was
    /// refused. If that send fails, the request ends `not_sent: reopened` instead of retrying; a
    /// refused one is not sent again.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub reopened_at: Option<Timestamp>,
    /// When the sender repeated the request with do-not-send, or took it back after it was refused.
    /// If a send that was under way fails, the request ends `not_sent: do_not_send` instead of
    /// retrying; a refused one is not sent again.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub declined_at: Option<Timestamp>,
    /// The de-duplication marker of what identifies the interaction.
    #[serde(default, with = "parsed", skip_serializing_if = "Option::is_none")]
    pub marker: Option<MarkerKey>,
    /// What it tells the company's own people. Such a row is no request: it concerns no customer,
    /// no list shows it and nothing counts it. See [`Interaction::of_notice`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// TTL, in seconds since 1970: the retention counts from when the survey is due.
    pub expires_at: i64,
}

impl Interaction {
    /// The customer's address, if there is one to mail.
    pub fn customer_address(&self) -> Option<&Address> {
        self.details.customer.address.valid()
    }

    /// The tags that were kept.
    pub fn tags(&self) -> Vec<&str> {
        self.details.tags.iter().map(String::as_str).chain(self.more_tags.as_deref()).collect()
    }

    /// The customer's display name, untrusted.
    pub fn customer_name(&self) -> Option<&str> {
        self.details.customer.name.as_deref()
    }

    /// Whether the row will have expired at that time, or expires within a day of it. A request
    /// that would have to wait until then is ended instead, while a person can still see why.
    pub fn ends_before(&self, at: Timestamp) -> bool {
        self.expires_at <= saturating_add(at, LAST_DAY).as_second()
    }

    /// Whether the row has expired. DynamoDB deletes it later.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_second()
    }

    /// The item, with the attributes that only the indexes need.
    pub(crate) fn to_item(&self) -> Result<Item, StoreError> {
        let mut item: Item =
            serde_dynamo::to_item(self).map_err(StoreError::corrupt("interactions"))?;
        if self.notice.is_none() {
            let shard = shard_of(self.request_id, DAY_SHARDS);
            item.insert("day_shard".into(), s(day_shard(self.mode, self.created_at, shard)));
        }
        if self.wake_at.is_some() {
            let shard = shard_of(self.request_id, DUE_SHARDS);
            item.insert("due_shard".into(), s(due_shard(shard)));
        }
        if let Some(month) = self.outcome_month(self.status) {
            item.insert("outcome_month".into(), month);
        }
        Ok(item)
    }

    /// The attribute of the index of outcomes that the row has with this status.
    pub(crate) fn outcome_month(&self, status: Status) -> Option<AttributeValue> {
        let listed = self.notice.is_none();
        listed.then(|| outcome_month(self.mode, status, self.request_id)).flatten()
    }

    /// Reads an item of the table.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if an attribute that every row has is absent or has another type.
    pub fn from_item(item: HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        serde_dynamo::from_item(item).map_err(StoreError::corrupt("interactions"))
    }
}

/// A text that is read through its parser. One that does not parse counts as absent: a row that
/// was edited by hand must stay readable, or it could never end.
mod parsed {
    use links::Subject;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::marker::MarkerKey;

    pub(super) trait Text: Sized {
        fn parse(text: String) -> Option<Self>;
        fn text(&self) -> String;
    }

    impl Text for Subject {
        fn parse(text: String) -> Option<Self> {
            Self::from_text(&text)
        }
        fn text(&self) -> String {
            self.as_text()
        }
    }

    impl Text for MarkerKey {
        fn parse(text: String) -> Option<Self> {
            text.try_into().ok()
        }
        fn text(&self) -> String {
            self.as_str().to_owned()
        }
    }

    pub(super) fn serialize<T: Text, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text::text).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(T::parse))
    }
}

/// The same for an id that may be absent. One that cannot be read counts as absent.
mod id_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(
        id: &Option<Uuid>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        id.map(|id| id.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Uuid>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(|id| id.parse().ok()))
    }
}

/// `serde_dynamo` is not a human-readable format to `uuid`, which would write bytes.
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
