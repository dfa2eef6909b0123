//! Freshdesk automation rules: `POST /v1/webhooks/freshdesk`, and `/v1/auth` without Zendesk's
//! headers.
//!
//! *Advanced* content is the vendor's schema, with or without Freshdesk's wrapper
//! `{"freshdesk_webhook": {…}}`; *Simple* content is the wrapper around flat `ticket_…` properties.
//! What the flat ones say is read into the vendor's places.
//!
//! People are named in one of the two shapes, never in both: a ticket's subject can add `employee`
//! to a flat body, and a contact's name `ticket_agent_email` to a body in the vendor's schema.

use crate::fields::{Manner, TagStyle};
use crate::inbound::{Inbound, Malformed, Place};
use crate::json::{Node, child};
use crate::templated::{Guarded, Template, Tree};
use crate::{Source, vendor};

/// Simple content's properties, and where they belong in the vendor's schema.
const FLAT: &[(&str, &str, &str)] = &[
    ("ticket_contact_name", "customer", "name"),
    ("ticket_contact_email", "customer", "email"),
    ("ticket_agent_email", "employee", "email"),
    ("ticket_id", "", "ext_interaction_id"),
    ("ticket_url", "", "external_url"),
    ("ticket_tags", "", "tags"),
    ("ticket_source", "", "channel"),
    ("ticket_status", "", "status"),
];

const TEMPLATE: Template = Template {
    wrapper: Some("freshdesk_webhook"),
    prose: &[
        "name",
        "brand",
        "tags",
        "ticket_contact_name",
        "ticket_tags",
        "ticket_subject",
        "ticket_description",
    ],
    top: &[
        "status",
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
        ("customer", &[&["customer"]]),
        ("employee", &[&["employee"]]),
        ("email", &[&["customer", "email"], &["employee", "email"]]),
        ("ext_interaction_id", &[&["ext_interaction_id"]]),
        ("do_not_send", &[&["do_not_send"]]),
        ("ticket_contact_email", &[&["ticket_contact_email"]]),
        ("ticket_agent_email", &[&["ticket_agent_email"]]),
    ],
    ..vendor::TEMPLATE
};

/// Guarded besides where the people are named in the flat shape. (A body in the vendor's schema may
/// call a custom property so.)
const FLAT_GUARDED: Guarded = &[
    ("ticket_contact_name", &[&["ticket_contact_name"]]),
    ("ticket_id", &[&["ticket_id"]]),
    ("ticket_url", &[&["ticket_url"]]),
    ("ticket_tags", &[&["ticket_tags"]]),
    ("ticket_source", &[&["ticket_source"]]),
    ("ticket_status", &[&["ticket_status"]]),
];

/// Reads what a rule sent. What its `status`, or `ticket_status`, means for the company is not
/// decided here.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let mut tree = TEMPLATE.tree(body)?;
    if one_shape(&tree)? {
        TEMPLATE.guard(&tree.root, &tree.pointer, FLAT_GUARDED)?;
    }
    unflatten(&mut tree.root, &tree.pointer)?;
    let body = vendor::Body {
        source: Source::Freshdesk,
        root: &tree.root,
        pointer: &tree.pointer,
        notes: tree.notes,
        tag_style: TagStyle::Phrases,
    };
    vendor::read(body, Manner::Templated).map(|request| Inbound::Survey(Box::new(request)))
}

/// Whether the people are named in the flat shape; refused if they are in the vendor's too.
fn one_shape(tree: &Tree) -> Result<bool, Malformed> {
    let vendors = ["customer", "employee"].into_iter().find(|key| tree.root.get(key).is_some());
    let flat: Vec<&str> = FLAT
        .iter()
        .filter(|(flat, object, _)| !object.is_empty() && tree.root.get(flat).is_some())
        .map(|(flat, ..)| *flat)
        .collect();
    match vendors {
        Some(vendors) if !flat.is_empty() => {
            let detail = format!(
                "may not stand beside `{vendors}`, which says the same: a value may have broken the template"
            );
            Err(Malformed::invalid(
                flat.into_iter()
                    .map(|key| Place::new(&child(&tree.pointer, key), &detail))
                    .collect(),
            ))
        }
        _ => Ok(!flat.is_empty()),
    }
}

/// Moves flat properties to the vendor's places. One that is given in both is refused: it may be
/// injected.
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

/// Codes of Freshdesk's REST API (developers.freshdesk.com/api/#tickets): 1 email, 2 portal, 3
/// phone, 7 chat. The portal's form is answered by mail. Any other name is left to the channels'
/// aliases.
fn channel(source: Node) -> Node {
    let spelling = match &source {
        Node::Text(text) | Node::Number(text) => text.trim().to_lowercase(),
        _ => return source,
    };
    let name = match spelling.as_str() {
        "1" | "email" | "2" | "portal" => "email",
        "3" | "phone" => "phone",
        "7" | "chat" => "chat",
        _ => return source,
    };
    Node::Text(name.to_owned())
}
