//! What a process remembers of the config table, for a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use policy::{Employee, KeyItem, Settings};

/// How long an item is used before it is read again. The contract allows 30 s; with 10 s, what an
/// admin changes takes effect sooner, for one more read in ten seconds.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// At most so many employees, and so many keys, are remembered; at one more, all are forgotten.
const REMEMBERED: usize = 2_000;

#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Cached>);

#[derive(Debug, Default)]
pub(crate) struct Cached {
    pub(crate) settings: Option<(Timestamp, Arc<Settings>)>,
    pub(crate) people: HashMap<String, (Timestamp, Employee)>,
    pub(crate) ids: HashMap<String, (Timestamp, String)>,
    pub(crate) keys: HashMap<String, (Timestamp, KeyItem)>,
    /// The minute that `Store::note_send_event` noted last.
    pub(crate) noted: Option<i64>,
}

pub(crate) fn fresh(read_at: Timestamp, now: Timestamp) -> bool {
    // In both directions: a clock that was set back must not keep an item for ever, and batches
    // that overlap do not come in the order of their clocks.
    now.duration_since(read_at).abs() < FRESH
}

pub(crate) fn recall<T: Clone>(
    memory: &HashMap<String, (Timestamp, T)>,
    id: &str,
    now: Timestamp,
) -> Option<T> {
    memory.get(id).filter(|(at, _)| fresh(*at, now)).map(|(_, value)| value.clone())
}

pub(crate) fn remember<T>(
    memory: &mut HashMap<String, (Timestamp, T)>,
    id: &str,
    value: T,
    now: Timestamp,
) {
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(id.to_owned(), (now, value));
}

impl Cache {
    /// The key was used on this day: whoever remembers it need not note the day again.
    pub(crate) fn key_was_used(&self, digest: &str, day: Date) {
        self.with(|c| {
            if let Some((_, KeyItem::Good(key))) = c.keys.get_mut(digest) {
                key.last_used = key.last_used.max(Some(day));
            }
        });
    }

    pub(crate) fn has_noted(&self, minute: i64) -> bool {
        self.with(|c| c.noted == Some(minute))
    }

    pub(crate) fn note(&self, minute: i64) {
        self.with(|c| c.noted = Some(minute));
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Cached) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
