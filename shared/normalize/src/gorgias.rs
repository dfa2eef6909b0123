//! Gorgias HTTP integrations (docs/facts.md, Gorgias 1 and 2).
//!
//! In: the bytes of a flat body, or of a list of pairs (`pairs.rs`), whose values Gorgias'
//! template engine Jinja wrote. Out: a survey if the ticket is closed; otherwise what its status
//! says. Jinja writes lists as Python's `repr` does, so that tags need a reader of their own.

use crate::fields::{FieldReader, Strictness};
use crate::inbound::{Ignored, Inbound};
use crate::json::Node;
use crate::malformed::Malformed;
use crate::pointer::child;
use crate::tags::{SentTags, Tags};
use crate::template::{ReservedKeys, Template};
use crate::template_body::{self, TemplateBody};
use crate::{
    Customer, EmployeeRef, Note, Source, SurveyRequest, python_literal, snooze_time, text,
};

/// The keys whose values people write.
const FREE_TEXT: &[&str] = &["customer_name", "tags", "meta"];

const TEMPLATE: Template = Template {
    wrapper: None,
    objects: &[],
    object_keys: &[],
    free_text: &[FREE_TEXT],
    top_level: &[
        FREE_TEXT,
        RESERVED,
        &["channel", "status", "language", "brand", "external_url", "country"],
    ],
    // The Python in `tags` and `meta` contains quoted keys of its own.
    unknown_keys: false,
    pairs: true,
    reserved: ReservedKeys { top_level: &[RESERVED], in_objects: &[] },
};

/// The keys that may stand only at the top level.
const RESERVED: &[&str] = &[
    "customer_email",
    "employee_email",
    "customer_custom_id",
    "ext_interaction_id",
    "snooze_datetime",
    "do_not_send",
];

/// Keys that every form has, so that an injected one would stand twice.
const ALWAYS_PRESENT: &[&str] =
    &["channel", "ext_interaction_id", "status", "customer_email", "employee_email"];

/// Reads one update of a ticket.
///
/// A closed ticket asks for a survey, at once or after its snooze. An open ticket is reported,
/// since it may have been closed before. Any other is ignored. Do-not-send comes as a tag, which
/// the company's settings name.
///
/// # Errors
/// The body breaks a rule against injection, or a value is missing or wrong.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let TemplateBody { root, pointer, notes } = template_body::read(body, &TEMPLATE)?;
    let mut reader = FieldReader::new(Strictness::Lenient, notes);
    let r = &mut reader;
    let p = pointer.as_str();
    let id = r.required(&root, p, "ext_interaction_id");
    let status = r.required(&root, p, "status");
    // A missing id is reported below, together with all other errors.
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
            custom_id: r.customer_id(&root, p, "customer_custom_id", FREE_TEXT, ALWAYS_PRESENT),
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
        custom_properties: r.properties(root.get("meta").map(unquoted).as_ref(), &child(p, "meta")),
        notes: Vec::new(),
    };
    r.limit_weight(&mut tags, &request.custom_properties, &place);
    let notes = reader.finish()?;
    let request =
        Box::new(SurveyRequest { notes, tags: tags.kept, surplus_tags: tags.surplus, ..request });
    Ok(match snoozed {
        Some(until) => Inbound::Snoozed { until: snooze_time::parse(&until), request },
        None => Inbound::Survey(request),
    })
}

/// The value that a text means if Python's `repr` or a JSON encoder wrote it. Any other value is
/// returned unchanged.
fn unquoted(node: &Node) -> Node {
    let Some(text) = node.text().map(str::trim).filter(|text| text.starts_with(['[', '(', '{']))
    else {
        return node.clone();
    };
    // JSON first: the Python parser reads most JSON too, but not `true`, `null` and surrogate
    // pairs.
    Node::parse(text).ok().or_else(|| python_literal::parse(text)).unwrap_or_else(|| node.clone())
}

/// The tags, each by its name.
fn tags(r: &mut FieldReader, node: Option<&Node>, pointer: &str) -> Tags {
    let mut sent = SentTags::default();
    match node.map(unquoted) {
        Some(Node::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let pointer = child(pointer, &index.to_string());
                match tag_name(item) {
                    Some(name) => sent.tags.push((pointer, name)),
                    None => {
                        r.dropped(&pointer);
                        item.texts(&mut sent.other_texts);
                    }
                }
            }
        }
        Some(object @ Node::Object(_)) => match tag_name(&object) {
            Some(name) => sent.tags.push((pointer.to_owned(), name)),
            None => object.texts(&mut sent.other_texts),
        },
        Some(Node::Text(text)) if !text::is_empty_value(text.trim()) => {
            if text.trim().starts_with(['[', '(', '{']) {
                r.note(Note::Repaired { pointer: pointer.to_owned() });
            }
            sent.tags.extend(
                text.split(',').filter_map(broken_tag).map(|tag| (pointer.to_owned(), tag)),
            );
            sent.other_texts.push(text);
        }
        Some(Node::Number(tag)) => sent.tags.push((pointer.to_owned(), tag)),
        _ => {}
    }
    r.tags(sent)
}

/// The name of a tag: a text, or the `name` of an object.
fn tag_name(item: &Node) -> Option<String> {
    match item {
        Node::Text(name) | Node::Number(name) => Some(name.clone()),
        Node::Object(_) => item.get("name")?.text().map(str::to_owned),
        _ => None,
    }
}

/// The tag in one piece of a list that is neither Python nor JSON: the piece without brackets and
/// quotation marks. Of a dictionary only the piece `'name': …` is a tag.
fn broken_tag(piece: &str) -> Option<String> {
    let marks: &[char] = &['[', ']', '(', ')', '{', '}', '\'', '"', ' '];
    let piece = piece.trim_matches(marks);
    match piece.split_once([':']) {
        Some((key, value)) if key.ends_with(['\'', '"']) => {
            (key.trim_matches(marks) == "name").then(|| value.trim_matches(marks).to_owned())
        }
        _ => Some(piece.to_owned()),
    }
}
