//! The channel of a conversation.
//!
//! In: the items of a conversation. Out: the name of a channel. Gladly does not tell the channel,
//! so the type of most messages decides (docs/facts.md, Gladly 2).

use std::collections::HashMap;

use jiff::Timestamp;

/// One item of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConversationItem {
    /// `content.type`.
    pub(crate) kind: String,
    /// `timestamp`; `None` if it cannot be read.
    pub(crate) at: Option<Timestamp>,
}

/// The channel of a conversation without messages. No company has it, so that the request ends as
/// `channel_not_enabled`.
const UNKNOWN: &str = "unknown";

/// The channel with the most messages. If several have as many, the one with the latest message.
///
/// Gladly may add types of messages, and a company may have custom channels. If no message has a
/// type that we map to a channel, the type itself in lower case is the channel: the status page
/// then shows the name under which an admin can enable it.
pub(crate) fn channel(items: &[ConversationItem]) -> String {
    let mapped = |item: &ConversationItem| mapped(&item.kind).map(str::to_owned);
    let others =
        |item: &ConversationItem| (!is_bookkeeping(&item.kind)).then(|| item.kind.to_lowercase());
    most(items, mapped).or_else(|| most(items, others)).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The channel that a type of message belongs to.
fn mapped(kind: &str) -> Option<&'static str> {
    match kind {
        "EMAIL" => Some("email"),
        "CHAT_MESSAGE" | "SMS" | "WHATSAPP" | "FACEBOOK_MESSAGE" | "INSTAGRAM_DIRECT" => {
            Some("chat")
        }
        "PHONE_CALL" | "VOICEMAIL" => Some("phone"),
        _ => None,
    }
}

/// Whether items of this type are not messages.
fn is_bookkeeping(kind: &str) -> bool {
    matches!(
        kind,
        "" | "CONVERSATION_NOTE"
            | "CONVERSATION_STATUS_CHANGE"
            | "TOPIC_CHANGE"
            | "CUSTOMER_ACTIVITY"
    )
}

/// The name that most items have; the latest item breaks a tie. Items without a name do not count.
fn most(
    items: &[ConversationItem],
    name: impl Fn(&ConversationItem) -> Option<String>,
) -> Option<String> {
    let mut tally: HashMap<String, (usize, Option<Timestamp>, usize)> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let Some(name) = name(item) else { continue };
        let (count, latest, place) = tally.entry(name).or_default();
        (*count, *latest, *place) = (*count + 1, (*latest).max(item.at), index);
    }
    tally.into_iter().max_by_key(|(_, rank)| *rank).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: &[(&str, i64)]) -> String {
        let items = items.iter().map(|(kind, second)| ConversationItem {
            kind: (*kind).to_owned(),
            at: (*second > 0).then(|| Timestamp::from_second(*second).unwrap()),
        });
        channel(&items.collect::<Vec<_>>())
    }

    #[test]
    fn most_messages_win_and_the_latest_breaks_a_tie() {
        assert_eq!(of(&[("EMAIL", 1), ("CHAT_MESSAGE", 2), ("SMS", 3)]), "chat");
        assert_eq!(of(&[("PHONE_CALL", 1), ("EMAIL", 2)]), "email");
        assert_eq!(of(&[("EMAIL", 2), ("VOICEMAIL", 1)]), "email");
        assert_eq!(of(&[("EMAIL", 0), ("VOICEMAIL", 0)]), "phone", "Gladly lists them ascending");
    }

    #[test]
    fn bookkeeping_is_no_channel() {
        let notes = [("CONVERSATION_NOTE", 1); 9];
        assert_eq!(
            of(&[&notes[..], &[("WHATSAPP", 2), ("TWITTER", 3), ("TWITTER", 4)]].concat()),
            "chat"
        );
        assert_eq!(of(&[&notes[..], &[("TWITTER", 3)]].concat()), "twitter");
        assert_eq!(of(&notes), "unknown");
        assert_eq!(of(&[]), "unknown");
    }
}
