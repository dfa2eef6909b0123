//! De-duplication markers: items of the suppression table that lead to the first request.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use links::{Subject, SubjectSecret};
use policy::{Mode, Reason, Status, saturating_add};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ground::{Item, kind, request_id, s, seconds, suppression_key, text};

/// The partition key of a marker: an HMAC of what it stands for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MarkerKey(String);

impl MarkerKey {
    /// The key of a marker of this `kind` (`interaction`, `delivery`, `idempotency`, `withdrawal`)
    /// for test or live requests, of what `parts` name.
    pub fn new(secret: &SubjectSecret, kind: &str, mode: Mode, parts: &[String]) -> Self {
        let mut all = vec![kind, mode.as_str()];
        all.extend(parts.iter().map(String::as_str));
        Self(secret.of_marker(&all).as_text())
    }

    /// As it stands in the tables: [`Subject::as_text`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn item_key(&self) -> Item {
        suppression_key(&self.0, kind::MARKER)
    }
}

/// The stored text is not the key of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a marker")]
pub struct NotAMarker;

impl TryFrom<String> for MarkerKey {
    type Error = NotAMarker;

    fn try_from(text: String) -> Result<Self, NotAMarker> {
        Subject::from_text(&text).map(|_| Self(text)).ok_or(NotAMarker)
    }
}

impl From<MarkerKey> for String {
    fn from(key: MarkerKey) -> Self {
        key.0
    }
}

/// Its first characters, which tell markers apart in a log.
impl fmt::Debug for MarkerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkerKey({}…)", self.0.get(..8).unwrap_or_default())
    }
}

/// Something that means the same request if it is seen again within its window.
#[derive(Clone, Debug)]
pub struct Marker {
    /// What it stands for.
    pub key: MarkerKey,
    /// How long it counts. The caller leaves out markers that do not count at all.
    pub window: SignedDuration,
    /// For an `Idempotency-Key`: the keyed digest of the body, which has to be the same. Without
    /// the secret nobody can confirm a guessed body by it.
    pub fingerprint: Option<String>,
}

/// The first request, as its markers remember it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its id.
    pub request_id: Uuid,
    /// The status that it was answered with.
    pub status: Status,
    /// The reason that it was answered with.
    pub reason: Option<Reason>,
    /// The fingerprint of the marker that matched first.
    pub fingerprint: Option<String>,
}

impl Marker {
    /// The item that leads to `first` until the window is over.
    pub(crate) fn item(&self, first: &First, now: Timestamp) -> Item {
        let mut item = self.key.item_key();
        item.insert("request_id".into(), s(first.request_id.to_string()));
        item.insert("status".into(), s(first.status.as_str()));
        item.insert("expires_at".into(), seconds(saturating_add(now, self.window)));
        if let Some(reason) = first.reason {
            item.insert("reason".into(), s(reason.code()));
        }
        if let Some(fingerprint) = &self.fingerprint {
            item.insert("fingerprint".into(), s(fingerprint));
        }
        item
    }
}

impl First {
    /// The request that a marker leads to; `None` if the item is not one that we write.
    pub(crate) fn read(item: &Item) -> Option<Self> {
        Some(Self {
            request_id: request_id(item)?,
            status: Status::from_name(text(item, "status")?)?,
            reason: text(item, "reason").and_then(Reason::from_code),
            fingerprint: text(item, "fingerprint").map(str::to_owned),
        })
    }
}
