//! Gorgias HTTP integrations: a flat body, whose values Gorgias' template engine (Jinja) wrote.

use crate::inbound::{Ignored, Inbound, Malformed, Place};
use crate::json::{Node, child};
use crate::reader::{Manner, Reader};
use crate::templated::{Template, Tree};
use crate::{Customer, EmployeeRef, Note, Source, SurveyRequest, python, text};

const TEMPLATE: Template = Template {
    wrapper: None,
    objects: &[],
    inner: &[],
    prose: &["customer_name", "tags", "meta"],
    top: &[
        "channel",
        "meta",
        "ext_interaction_id",
        "customer_custom_id",
        "employee_email",
        "customer_name",
        "snooze_datetime",
        "status",
        "language",
        "tags",
        "customer_email",
        "brand",
        "external_url",
        "do_not_send",
        "country",
    ],
    // The Python in `tags` and `meta` holds quoted keys of its own.
    other_keys: false,
    guarded: &[("customer_email", &["/customer_email"]), ("employee_email", &["/employee_email"])],
};

/// Reads one update of a ticket. A closed one that is not snoozed asks for a survey; an open one says so, since it may have
/// been closed before; others are ignored. Do-not-send comes as a tag, which the company's settings name.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let Tree { root, pointer, notes } = TEMPLATE.tree(body)?;
    let root = match root {
        Node::List(items) => pairs(items)?,
        root => root,
    };
    let mut reader = Reader::new(Manner::Templated, notes);
    let r = &mut reader;
    let p = pointer.as_str();
    let id = r.required(&root, p, "ext_interaction_id");
    let status = r.required(&root, p, "status");
    // An id that is missing is reported with whatever else is.
    let closed = match (status.map(|s| s.to_lowercase()).as_deref(), &id) {
        (Some("open"), Some(id)) => return Ok(Inbound::Reopened { ext_interaction_id: id.clone() }),
        (Some("closed"), _) => true,
        (Some(_), Some(_)) => return Ok(Inbound::Ignored(Ignored::NotClosed)),
        _ => false,
    };
    if closed && r.id(&root, p, "snooze_datetime").is_some() {
        return Ok(Inbound::Ignored(Ignored::Snoozed));
    }
    let channel = r.required(&root, p, "channel");
    let email = r.employee_email(&root, p, "employee_email");
    let (tags, surplus_tags) = tags(r, root.get("tags"), &child(p, "tags"));
    let request = SurveyRequest {
        source: Source::Gorgias,
        ext_interaction_id: id,
        channel: channel.unwrap_or_default(),
        customer: Customer {
            name: r.name(&root, p, "customer_name"),
            custom_id: r.id(&root, p, "customer_custom_id"),
            address: r.address(&root, p, "customer_email"),
        },
        employee: EmployeeRef::new(email.as_deref(), None),
        do_not_send: r.do_not_send(&root, p, "do_not_send"),
        brand: r.id(&root, p, "brand"),
        language: r.language(&root, p, "language"),
        country: r.country(&root, p, "country"),
        external_url: r.link(&root, p, "external_url"),
        tags,
        surplus_tags,
        status: None,
        custom_properties: r.properties(root.get("meta").map(literal).as_ref(), &child(p, "meta")),
        notes: Vec::new(),
    };
    let notes = reader.finish()?;
    Ok(Inbound::Survey(Box::new(SurveyRequest { notes, ..request })))
}

/// `[{"key": …, "value": …}]`, which Gorgias sends when the form was configured as a list.
fn pairs(items: Vec<Node>) -> Result<Node, Malformed> {
    let (mut entries, mut errors) = (Vec::<(String, Node)>::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        let key = item.get("key").and_then(Node::text).map(str::trim).unwrap_or_default();
        let pointer = format!("/{index}");
        if key.is_empty() {
            errors.push(Place::new(&pointer, "must be an object with `key` and `value`"));
        } else {
            entries.push((key.to_owned(), item.get("value").cloned().unwrap_or(Node::Null)));
        }
    }
    if !errors.is_empty() {
        return Err(Malformed::invalid(errors));
    }
    let object = Node::Object(entries);
    object.unique()?;
    Ok(object)
}

/// Text that Python's `repr` or a JSON encoder wrote, as what it says; anything else as it is.
fn literal(node: &Node) -> Node {
    let Some(text) = node.text().map(str::trim).filter(|text| text.starts_with(['[', '(', '{'])) else {
        return node.clone();
    };
    // JSON first: Python's reader takes most of it too, but not `true`, `null` and surrogate pairs.
    Node::parse(text).ok().or_else(|| python::literal(text)).unwrap_or_else(|| node.clone())
}

/// The names of the tags; those beyond the limit apart.
fn tags(r: &mut Reader, node: Option<&Node>, pointer: &str) -> (Vec<String>, Vec<String>) {
    let mut tags = Vec::new();
    match node.map(literal) {
        Some(Node::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let pointer = format!("{pointer}/{index}");
                match named(item) {
                    Some(name) => tags.push((pointer, name)),
                    None => r.dropped(&pointer),
                }
            }
        }
        Some(object @ Node::Object(_)) => tags.extend(named(&object).map(|name| (pointer.to_owned(), name))),
        Some(Node::Text(text)) if !text::nothing(text.trim()) => {
            if text.trim().starts_with(['[', '(', '{']) {
                r.note(Note::Repaired { pointer: pointer.to_owned() });
            }
            tags.extend(text.split(',').filter_map(bare).map(|tag| (pointer.to_owned(), tag)));
        }
        Some(Node::Number(tag)) => tags.push((pointer.to_owned(), tag)),
        _ => {}
    }
    r.tags(tags)
}

fn named(item: &Node) -> Option<String> {
    match item {
        Node::Text(name) | Node::Number(name) => Some(name.clone()),
        Node::Object(_) => item.get("name")?.text().map(str::to_owned),
        _ => None,
    }
}

/// The last resort: one piece of a list that is neither Python nor JSON, without brackets and quotes. Of a dictionary's
/// pieces only `'name': …` counts.
fn bare(piece: &str) -> Option<String> {
    let marks: &[char] = &['[', ']', '(', ')', '{', '}', '\'', '"', ' '];
    let piece = piece.trim_matches(marks);
    match piece.split_once([':']) {
        Some((key, value)) if key.ends_with(['\'', '"']) => {
            (key.trim_matches(marks) == "name").then(|| value.trim_matches(marks).to_owned())
        }
        _ => Some(piece.to_owned()),
    }
}
