//! The vendor's schema (docs/facts.md, Vendor 1), which every source but Gladly can send.
//!
//! In: a body as a tree, from a program or from a template. Out: a [`SurveyRequest`], or every
//! place that is wrong. Zendesk and Freshdesk send it through templates, `/v1/requests` directly,
//! and `gladly_resolve` builds it from Gladly's answers.

use crate::fields::{FieldReader, Strictness};
use crate::json::Node;
use crate::malformed::{Malformed, Place};
use crate::pointer::child;
use crate::tags::TagStyle;
use crate::template::{Keys, ReservedKeys, Template};
use crate::{Customer, CustomerAddress, EmployeeRef, Note, Source, SurveyRequest};

/// The properties of the schema, without the people.
pub(crate) const PROPERTIES: &[&str] = &[
    "channel",
    "tags",
    "ext_interaction_id",
    "external_url",
    "do_not_send",
    "brand",
    "language",
    "country",
    "custom_properties",
];

/// The properties that name people.
pub(crate) const PEOPLE: &[&str] = &["customer", "employee"];

/// What templates may send besides: the status of the ticket.
pub(crate) const STATUS: &[&str] = &["status"];

/// The properties whose values people write.
pub(crate) const FREE_TEXT: &[&str] = &["name", "brand", "tags"];

/// The reserved keys of the top level, see [`ReservedKeys::top_level`].
pub(crate) const RESERVED: &[&str] = &["customer", "employee", "ext_interaction_id", "do_not_send"];

/// What `/v1/requests` may send at the top level.
const STRICT: Keys = &[PROPERTIES, PEOPLE];

/// The template that admins paste into Zendesk, and the start of Freshdesk's.
pub(crate) const TEMPLATE: Template = Template {
    wrapper: None,
    objects: &["employee", "customer", "custom_properties"],
    object_keys: &["email", "name", "custom_id"],
    top_level: &[PROPERTIES, STATUS],
    free_text: &[FREE_TEXT],
    unknown_keys: true,
    pairs: false,
    reserved: ReservedKeys { top_level: &[RESERVED], in_objects: &[("email", PEOPLE)] },
};

/// A body, and what its source says about it.
pub(crate) struct Body<'a> {
    pub(crate) source: Source,
    /// The object that holds the properties.
    pub(crate) root: &'a Node,
    /// Pointer of `root` in the body.
    pub(crate) pointer: &'a str,
    /// What was changed before: repaired values.
    pub(crate) notes: Vec<Note>,
    /// How a template's texts are split into tags.
    pub(crate) tag_style: TagStyle,
}

/// Reads a body in the vendor's schema.
///
/// # Errors
/// Every place that is wrong, not only the first.
pub(crate) fn read(body: Body<'_>, strictness: Strictness) -> Result<SurveyRequest, Malformed> {
    let Body { source, root, pointer, notes, tag_style } = body;
    let mut reader = FieldReader::new(strictness, notes);
    let r = &mut reader;
    if !matches!(root, Node::Object(_)) {
        return Err(Malformed::invalid(vec![Place::new(pointer, "must be a JSON object")]));
    }
    let customer = r.object(root, pointer, "customer");
    let employee = r.object(root, pointer, "employee");
    let (to, about) = (child(pointer, "customer"), child(pointer, "employee"));
    if r.is_strict() {
        r.only(root, pointer, STRICT);
        customer.inspect(|node| r.only(node, &to, &[&["name", "email", "custom_id"]]));
        employee.inspect(|node| r.only(node, &about, &[&["email", "custom_id"]]));
    }
    let channel = r.required(root, pointer, "channel");
    let customer = match customer {
        Some(node) => Customer {
            name: r.name(node, &to, "name"),
            custom_id: r.customer_id(node, &to, "custom_id", &["name"], &["email"]),
            address: r.address(node, &to, "email"),
        },
        None => Customer { name: None, custom_id: None, address: CustomerAddress::Missing },
    };
    let employee = employee.and_then(|node| {
        let email = r.employee_email(node, &about, "email");
        let custom_id = r.id(node, &about, "custom_id");
        EmployeeRef::new(email.as_deref(), custom_id.as_deref())
    });
    let place = child(pointer, "tags");
    let sent = r.tag_list(root.get("tags"), &place, tag_style);
    let mut tags = r.tags(sent);
    let request = SurveyRequest {
        source,
        ext_interaction_id: r.id(root, pointer, "ext_interaction_id"),
        channel: channel.unwrap_or_default(),
        customer,
        employee,
        do_not_send: r.do_not_send(root, pointer, "do_not_send"),
        brand: r.id(root, pointer, "brand"),
        language: r.language(root, pointer, "language"),
        country: r.country(root, pointer, "country"),
        external_url: r.link(root, pointer, "external_url"),
        tags: Vec::new(),
        surplus_tags: Vec::new(),
        // `/v1/requests` has no such property.
        status: if r.is_strict() { None } else { r.id(root, pointer, "status") },
        custom_properties: r
            .properties(root.get("custom_properties"), &child(pointer, "custom_properties")),
        notes: Vec::new(),
    };
    r.limit_weight(&mut tags, &request.custom_properties, &place);
    let notes = reader.finish()?;
    Ok(SurveyRequest { notes, tags: tags.kept, surplus_tags: tags.surplus, ..request })
}
