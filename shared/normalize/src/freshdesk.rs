//! Freshdesk automation rules: `POST /v1/webhooks/freshdesk`, and `/v1/auth` without Zendesk's
//! headers (docs/facts.md, Freshdesk 3).
//!
//! In: the bytes of a body in one of two shapes. *Advanced* content has the vendor's schema, with
//! or without the wrapper `{"freshdesk_webhook": {…}}`. *Simple* content is the wrapper around
//! flat `ticket_…` properties, which are moved to their places in the vendor's schema. Out: a
//! survey.
//!
//! A body may name people in one of the two shapes only. Otherwise a ticket's subject could add
//! `employee` to a flat body, and a contact's name could add `ticket_agent_email` to a body in the
//! vendor's schema.

use crate::Source;
use crate::fields::Strictness;
use crate::inbound::Inbound;
use crate::json::Node;
use crate::malformed::{Malformed, Place};
use crate::pointer::child;
use crate::tags::TagStyle;
use crate::template::{ReservedKeys, Template};
use crate::template_body::{self, TemplateBody};
use crate::vendor_schema::{self, FREE_TEXT, PEOPLE, PROPERTIES, RESERVED, STATUS};

/// A property of *Simple* content, and its place in the vendor's schema.
struct Flat {
    key: &'static str,
    /// The object that it belongs into; `None` is the top level.
    object: Option<&'static str>,
    property: &'static str,
}

const fn flat(key: &'static str, object: Option<&'static str>, property: &'static str) -> Flat {
    Flat { key, object, property }
}

/// The properties of *Simple* content that are read.
const FLAT: &[Flat] = &[
    flat("ticket_contact_name", Some("customer"), "name"),
    flat("ticket_contact_email", Some("customer"), "email"),
    flat("ticket_agent_email", Some("employee"), "email"),
    flat("ticket_id", None, "ext_interaction_id"),
    flat("ticket_url", None, "external_url"),
    flat("ticket_tags", None, "tags"),
    flat("ticket_source", None, "channel"),
    flat("ticket_status", None, "status"),
];

/// The keys of [`FLAT`].
const FLAT_KEYS: &[&str] = &{
    let (mut keys, mut index) = ([""; FLAT.len()], 0);
    while index < keys.len() {
        keys[index] = FLAT[index].key;
        index += 1;
    }
    keys
};

/// Properties of *Simple* content that are not read, but can break a body.
const UNREAD_KEYS: &[&str] = &["ticket_subject", "ticket_description"];

const TEMPLATE: Template = Template {
    wrapper: Some("freshdesk_webhook"),
    top_level: &[PROPERTIES, STATUS, FLAT_KEYS, UNREAD_KEYS],
    free_text: &[FREE_TEXT, &["ticket_contact_name", "ticket_tags"], UNREAD_KEYS],
    reserved: ReservedKeys {
        top_level: &[RESERVED, &["ticket_contact_email", "ticket_agent_email"]],
        ..vendor_schema::TEMPLATE.reserved
    },
    ..vendor_schema::TEMPLATE
};

/// The keys that are reserved as well if the body is flat. A body in the vendor's schema may have
/// custom properties with these names.
const FLAT_RESERVED: ReservedKeys = ReservedKeys { top_level: &[FLAT_KEYS], in_objects: &[] };

/// Reads the body that a rule sent. `policy` decides later what its `status` or `ticket_status`
/// means.
///
/// # Errors
/// The body breaks a rule against injection, names people in both shapes, or a value is missing or
/// wrong.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let mut body = template_body::read(body, &TEMPLATE)?;
    if is_flat(&body)? {
        template_body::check_reserved(&body.root, &body.pointer, &FLAT_RESERVED)?;
    }
    unflatten(&mut body.root, &body.pointer)?;
    let body = vendor_schema::Body {
        source: Source::Freshdesk,
        root: &body.root,
        pointer: &body.pointer,
        notes: body.notes,
        tag_style: TagStyle::Phrases,
    };
    vendor_schema::read(body, Strictness::Lenient).map(|request| Inbound::Survey(Box::new(request)))
}

/// Whether the body names people in the flat shape.
///
/// # Errors
/// It names people in the vendor's shape too.
fn is_flat(body: &TemplateBody) -> Result<bool, Malformed> {
    let person = PEOPLE.iter().find(|key| body.root.get(key).is_some());
    let flat: Vec<&str> = FLAT
        .iter()
        .filter(|flat| flat.object.is_some() && body.root.get(flat.key).is_some())
        .map(|flat| flat.key)
        .collect();
    match person {
        Some(person) if !flat.is_empty() => {
            let detail = format!(
                "may not stand beside `{person}`, which says the same: a value may have broken \
                 the template"
            );
            Err(Malformed::invalid(
                flat.into_iter()
                    .map(|key| Place::new(&child(&body.pointer, key), &detail))
                    .collect(),
            ))
        }
        _ => Ok(!flat.is_empty()),
    }
}

/// Moves the flat properties to their places in the vendor's schema.
///
/// # Errors
/// A property stands in both places: one of the two may have been injected.
fn unflatten(root: &mut Node, pointer: &str) -> Result<(), Malformed> {
    for Flat { key, object, property } in FLAT {
        let Some(mut value) = root.get(key).cloned() else { continue };
        if *property == "channel" {
            value = channel(value);
        }
        let twice = || {
            let detail = "is given here and in the place of the vendor's schema";
            Malformed::invalid(vec![Place::new(&child(pointer, key), detail)])
        };
        let Node::Object(entries) = &mut *root else { return Ok(()) };
        let target = match object {
            None => entries,
            Some(object) => {
                if !entries.iter().any(|(k, _)| k == object) {
                    entries.push(((*object).to_owned(), Node::Object(Vec::new())));
                }
                match entries.iter_mut().find(|(k, _)| k == object) {
                    Some((_, Node::Object(inner))) => inner,
                    _ => return Err(twice()),
                }
            }
        };
        if target.iter().any(|(k, _)| k == property) {
            return Err(twice());
        }
        target.push(((*property).to_owned(), value));
    }
    Ok(())
}

/// The channel of a `ticket_source`, which may be a code of Freshdesk's REST API (docs/facts.md,
/// Freshdesk 3). Tickets from the portal are answered by e-mail. Any other value is kept, since a
/// channel may have it as an alias.
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
