//! Gladly's webhook, whose payloads carry ids only (developer.gladly.com, OpenAPI path
//! `/gladly/webhook`).

use crate::inbound::{ClosedConversation, Ignored, Inbound, Malformed, Place};
use crate::json::Node;
use crate::{SurveyRequest, text};

/// Reads one event. A ping is understood with any content or none. The agent is whoever was
/// assigned just before the closing, which is not always who closed it; a conversation that a rule
/// or the API closed counts only if there was one.
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

fn at<'n>(root: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(root, |node, key| node.get(key))
}

fn id(root: &Node, path: &[&str]) -> Option<String> {
    let id = text::line(at(root, path)?.text()?);
    (!id.is_empty() && id.len() <= SurveyRequest::MAX_ID).then_some(id)
}
