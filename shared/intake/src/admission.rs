//! One delivery whose key is good, on its way to a row.

use jiff::{SignedDuration, Timestamp};
use policy::RequestedVia;
use store::{MarkerKey, Store};

use crate::delivery::Delivery;
use crate::entry::Entered;

/// How long an `Idempotency-Key` and a sender's delivery id count.
pub(crate) const DELIVERY_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A delivery with everything that its way to a row needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission<'a> {
    pub(crate) store: &'a Store,
    pub(crate) entered: &'a Entered<'a>,
    pub(crate) delivery: Delivery<'a>,
    /// The time of receipt.
    pub(crate) now: Timestamp,
}

impl Admission<'_> {
    /// Notes on which day the key was used, for the page of keys: at most one write a day, key and
    /// process. Nothing depends on it.
    ///
    /// Not called for a request that is accepted, which costs one round trip: `dispatch` notes it
    /// when it works on the request.
    pub(crate) async fn note_key_use(&self) {
        if self.entered.via() == RequestedVia::Manual {
            return; // A private link stands for the key.
        }
        let key = self.entered.key();
        self.store.note_key_use(&key.digest, key.last_used, self.now).await;
    }

    /// The marker of what identifies the interaction.
    pub(crate) fn interaction_marker(&self, identity: &[String]) -> MarkerKey {
        self.marker("interaction", identity)
    }

    /// A marker of this kind that stands for the sender's own id of a delivery.
    pub(crate) fn delivery_marker(&self, kind: &str, id: &str) -> MarkerKey {
        self.marker(kind, &[self.delivery.source.to_string(), id.to_owned()])
    }

    /// A marker of this kind, of test or live requests, that stands for `parts`.
    pub(crate) fn marker(&self, kind: &str, parts: &[String]) -> MarkerKey {
        MarkerKey::new(self.store.secret(), kind, self.entered.key().mode, parts)
    }
}
