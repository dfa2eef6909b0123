//! Gorgias HTTP integrations: a flat body, whose values Gorgias' template engine (Jinja) wrote.

use crate::fields::{FieldReader, Given, Manner, Tags};
use crate::inbound::{Ignored, Inbound, Malformed};
use crate::json::{Node, child};
use crate::templated::{Template, Tree};
use crate::{Customer, EmployeeRef, Note, Source, SurveyRequest, python, snooze, text};

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
    pairs: true,
    guarded: &[
        ("customer_email", &[&["customer_email"]]),
        ("employee_email", &[&["employee_email"]]),
        ("customer_custom_id", &[&["customer_custom_id"]]),
        ("ext_interaction_id", &[&["ext_interaction_id"]]),
        ("snooze_datetime", &[&["snooze_datetime"]]),
        ("do_not_send", &[&["do_not_send"]]),
    ],
};

/// Keys that every form has of its own, so that no text can add them.
const OWN: &[&str] =
    &["channel", "ext_interaction_id", "status", "customer_email", "employee_email"];

/// Reads one update of a ticket. A closed one asks for a survey, at once or once its snooze is
/// over; an open one says so, since it may have been closed before; others are ignored. Do-not-send
/// comes as a tag, which the company's settings name.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let Tree { root, pointer, notes } = TEMPLATE.tree(body)?;
    let mut reader = FieldReader::new(Manner::Templated, notes);
    let r = &mut reader;
    let p = pointer.as_str();
    let id = r.required(&root, p, "ext_interaction_id");
    let status = r.required(&root, p, "status");
    // An id that is missing is reported with whatever else is.
    let closed = match (status.map(|s| s.to_lowercase()).as_deref(), &id) {
        (Some("open"), Some(id)) => {
            return Ok(Inbound::Reopened { ext_interaction_id: id.clone() });
        }
        (Some("closed"), _) => true,
        (Some(_), Some(_)) => return Ok(Inbound::Ignored(Ignored::NotClosed)),
        _ => false,
    };
    let snoozed = if closed { r.id(&root, p, "snooze_datetime") } else { None };
    let channel = r.required(&root, p, "channel");
    let email = r.employee_email(&root, p, "employee_email");
    let place = child(p, "tags");
    let mut tags = tags(r, root.get("tags"), &place);
    let request = SurveyRequest {
        source: Source::Gorgias,
        ext_interaction_id: id,
        channel: channel.unwrap_or_default(),
        customer: Customer {
            name: r.name(&root, p, "customer_name"),
            custom_id: r.customer_id(&root, p, "customer_custom_id", TEMPLATE.prose, OWN),
            address: r.address(&root, p, "customer_email"),
        },
        employee: EmployeeRef::new(email.as_deref(), None),
        do_not_send: r.do_not_send(&root, p, "do_not_send"),
        brand: r.id(&root, p, "brand"),
        language: r.language(&root, p, "language"),
        country: r.country(&root, p, "country"),
        external_url: r.link(&root, p, "external_url"),
        tags: Vec::new(),
        surplus_tags: Vec::new(),
        status: None,
        custom_properties: r.properties(root.get("meta").map(literal).as_ref(), &child(p, "meta")),
        notes: Vec::new(),
    };
    r.fit(&mut tags, &request.custom_properties, &place);
    let notes = reader.finish()?;
    let request =
        Box::new(SurveyRequest { notes, tags: tags.kept, surplus_tags: tags.surplus, ..request });
    Ok(match snoozed {
        Some(until) => Inbound::Snoozed { until: snooze::time(&until), request },
        None => Inbound::Survey(request),
    })
}

/// Text that Python's `repr` or a JSON encoder wrote, as what it says; anything else as it is.
fn literal(node: &Node) -> Node {
    let Some(text) = node.text().map(str::trim).filter(|text| text.starts_with(['[', '(', '{']))
    else {
        return node.clone();
    };
    // JSON first: Python's reader takes most of it too, but not `true`, `null` and surrogate pairs.
    Node::parse(text).ok().or_else(|| python::literal(text)).unwrap_or_else(|| node.clone())
}

/// The names of the tags.
fn tags(r: &mut FieldReader, node: Option<&Node>, pointer: &str) -> Tags {
    let mut given = Given::default();
    match node.map(literal) {
        Some(Node::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let pointer = child(pointer, &index.to_string());
                match named(item) {
                    Some(name) => given.tags.push((pointer, name)),
                    None => {
                        r.dropped(&pointer);
                        item.texts(&mut given.unread);
                    }
                }
            }
        }
        Some(object @ Node::Object(_)) => match named(&object) {
            Some(name) => given.tags.push((pointer.to_owned(), name)),
            None => object.texts(&mut given.unread),
        },
        Some(Node::Text(text)) if !text::nothing(text.trim()) => {
            if text.trim().starts_with(['[', '(', '{']) {
                r.note(Note::Repaired { pointer: pointer.to_owned() });
            }
            given
                .tags
                .extend(text.split(',').filter_map(bare).map(|tag| (pointer.to_owned(), tag)));
            given.unread.push(text);
        }
        Some(Node::Number(tag)) => given.tags.push((pointer.to_owned(), tag)),
        _ => {}
    }
    r.tags(given)
}

fn named(item: &Node) -> Option<String> {
    match item {
        Node::Text(name) | Node::Number(name) => Some(name.clone()),
        Node::Object(_) => item.get("name")?.text().map(str::to_owned),
        _ => None,
    }
}

/// The last resort: one piece of a list that is neither Python nor JSON, without brackets and
/// quotes. Of a dictionary's pieces only `'name': …` counts.
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
