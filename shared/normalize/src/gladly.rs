//! Gladly's webhook (docs/facts.md, Gladly 1).
//!
//! In: the bytes of an event. Out: the ids of a closed conversation, from which `gladly_resolve`
//! looks up the people, or a reason to ignore the event.

use crate::inbound::{ClosedConversation, Ignored, Inbound};
use crate::json::Node;
use crate::malformed::{Malformed, Place};
use crate::{SurveyRequest, text};

/// Reads one event.
///
/// The agent is the one who was assigned when the conversation was closed, who need not be the one
/// who closed it. A conversation that a rule or the API closed is ignored if no agent was assigned.
/// A ping may have any content, since Gladly does not describe it.
///
/// # Errors
/// The body is not JSON, has no `type`, or is a closed conversation without one of its ids.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let root = Node::parse_strict(body)?;
    let Some(kind) = root.get("type").and_then(Node::text) else {
        return Err(Malformed::invalid(vec![Place::new("/type", "must be a string")]));
    };
    match kind.trim() {
        "PING" => Ok(Inbound::Ignored(Ignored::Ping)),
        "CONVERSATION/CLOSED" => closed(&root),
        _ => Ok(Inbound::Ignored(Ignored::UnknownEvent)),
    }
}

fn closed(root: &Node) -> Result<Inbound, Malformed> {
    let (mut errors, mut ids) = (Vec::new(), Vec::new());
    for (pointer, path) in [
        ("/id", &["id"][..]),
        ("/content/conversationId", &["content", "conversationId"]),
        ("/content/customerId", &["content", "customerId"]),
    ] {
        match id(root, path) {
            Some(id) => ids.push(id),
            None => errors.push(Place::new(pointer, "must be an id: a string of 1 to 1024 bytes")),
        }
    }
    let Ok([event_id, conversation_id, customer_id]) = <[String; 3]>::try_from(ids) else {
        return Err(Malformed::invalid(errors));
    };
    let agent_id = id(root, &["content", "context", "assignee", "agentId"]);
    let initiator = at(root, &["initiator", "type"]).and_then(Node::text).map(str::trim);
    if agent_id.is_none() && matches!(initiator, Some("API" | "AUTOMATION")) {
        return Ok(Inbound::Ignored(Ignored::NoAgent));
    }
    Ok(Inbound::Conversation(ClosedConversation {
        event_id,
        conversation_id,
        customer_id,
        agent_id,
    }))
}

/// The value that `path` leads to.
fn at<'n>(root: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(root, |node, key| node.get(key))
}

/// The id that `path` leads to. `None` if it is missing, empty or too long.
fn id(root: &Node, path: &[&str]) -> Option<String> {
    let id = text::line(at(root, path)?.text()?);
    (!id.is_empty() && id.len() <= SurveyRequest::MAX_ID).then_some(id)
}
