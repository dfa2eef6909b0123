//! Freshdesk automation rules: `POST /v1/webhooks/freshdesk`, and `/v1/auth` without Zendesk's headers.
//!
//! *Advanced* content is the vendor's schema, with or without Freshdesk's wrapper `{"freshdesk_webhook": {…}}`; *Simple*
//! content is the wrapper around flat `ticket_…` properties. What the flat ones say is read into the vendor's places.

use crate::inbound::{Ignored, Inbound, Malformed, Place};
use crate::json::{Node, child};
use crate::reader::Manner;
use crate::templated::Template;
use crate::{Source, text, vendor};

/// Simple content's properties, and where they belong in the vendor's schema.
const FLAT: &[(&str, &str, &str)] = &[
    ("ticket_contact_name", "customer", "name"),
    ("ticket_contact_email", "customer", "email"),
    ("ticket_agent_email", "employee", "email"),
    ("ticket_id", "", "ext_interaction_id"),
    ("ticket_url", "", "external_url"),
    ("ticket_tags", "", "tags"),
    ("ticket_source", "", "channel"),
];

const TEMPLATE: Template = Template {
    wrapper: Some("freshdesk_webhook"),
    prose: &["name", "brand", "tags", "ticket_contact_name", "ticket_tags", "ticket_subject", "ticket_description"],
    top: &[
        "channel",
        "tags",
        "ext_interaction_id",
        "external_url",
        "do_not_send",
        "brand",
        "language",
        "country",
        "custom_properties",
        "ticket_contact_email",
        "ticket_agent_email",
        "ticket_id",
        "ticket_url",
        "ticket_source",
        "ticket_status",
        "ticket_contact_name",
        "ticket_tags",
        "ticket_subject",
        "ticket_description",
    ],
    guarded: &[
        ("customer", &["/customer"]),
        ("employee", &["/employee"]),
        ("email", &["/customer/email", "/employee/email"]),
        ("ticket_contact_email", &["/ticket_contact_email"]),
        ("ticket_agent_email", &["/ticket_agent_email"]),
    ],
    ..vendor::TEMPLATE
};

/// Reads what a rule sent. A `ticket_status` other than Resolved (4) or Closed (5) is ignored; without one, the rule
/// itself has decided.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let mut tree = TEMPLATE.tree(body)?;
    let status = tree.root.get("ticket_status").and_then(spelling).filter(|status| !text::nothing(status));
    if status.is_some_and(|status| !matches!(status.to_lowercase().as_str(), "resolved" | "4" | "closed" | "5")) {
        return Ok(Inbound::Ignored(Ignored::NotClosed));
    }
    unflatten(&mut tree.root, &tree.pointer)?;
    let body = vendor::Body {
        source: Source::Freshdesk,
        root: &tree.root,
        pointer: &tree.pointer,
        notes: tree.notes,
        split: |tags| tags.split(',').collect(),
    };
    vendor::read(body, Manner::Templated).map(|request| Inbound::Survey(Box::new(request)))
}

/// Moves flat properties to the vendor's places. One that is given in both is refused: it may be injected.
fn unflatten(root: &mut Node, pointer: &str) -> Result<(), Malformed> {
    for (flat, object, key) in FLAT {
        let Some(mut value) = root.get(flat).cloned() else { continue };
        if *key == "channel" {
            value = channel(value);
        }
        let twice = || {
            let detail = "is given here and in the place of the vendor's schema";
            Malformed::invalid(vec![Place::new(&child(pointer, flat), detail)])
        };
        let Node::Object(entries) = &mut *root else { return Ok(()) };
        let target = if object.is_empty() {
            entries
        } else {
            if !entries.iter().any(|(k, _)| k == object) {
                entries.push(((*object).to_owned(), Node::Object(Vec::new())));
            }
            match entries.iter_mut().find(|(k, _)| k == object) {
                Some((_, Node::Object(inner))) => inner,
                _ => return Err(twice()),
            }
        };
        if target.iter().any(|(k, _)| k == key) {
            return Err(twice());
        }
        target.push(((*key).to_owned(), value));
    }
    Ok(())
}

/// Codes of Freshdesk's REST API (developers.freshdesk.com/api/#tickets): 1 email, 2 portal, 3 phone, 7 chat. The portal's
/// form is answered by mail. Any other name is left to the channels' aliases.
fn channel(source: Node) -> Node {
    let name = match spelling(&source).unwrap_or_default().to_lowercase().as_str() {
        "1" | "email" | "2" | "portal" => "email",
        "3" | "phone" => "phone",
        "7" | "chat" => "chat",
        _ => return source,
    };
    Node::Text(name.to_owned())
}

fn spelling(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) | Node::Number(text) => Some(text.trim()),
        _ => None,
    }
}
