//! The mailbox: every mail that the fake of SES accepted. Mails are in memory only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// One mail as SES accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// SES's message id, unique.
    pub id: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// `From` as sent. A display name outside ASCII is in encoded words of RFC 2047.
    pub from: String,
    /// All recipients.
    pub to: Vec<String>,
    /// Subject as text.
    pub subject: String,
    /// HTML part; empty if the mail has none.
    pub html: String,
    /// Text part; empty if the mail has none.
    pub text: String,
    /// The mail's headers by name, with those that SES adds.
    pub headers: BTreeMap<String, String>,
    /// SES's message tags by name.
    pub tags: BTreeMap<String, String>,
}

/// All mails since the start. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Message>>>);

impl Mailbox {
    /// All mails, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The mail with this id.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<Message> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|message| message.id == id)
            .cloned()
    }

    pub(crate) fn add(&self, message: Message) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}
