//! The vendor's schema (docs.medallia.com/en/agent-connect/api/requests), which four of the five
//! sources send.

use crate::fields::{FieldReader, Manner, TagStyle};
use crate::inbound::{Malformed, Place};
use crate::json::{Node, child};
use crate::templated::Template;
use crate::{Customer, CustomerAddress, EmployeeRef, Note, Source, SurveyRequest};

const TOP: &[&str] = &[
    "channel",
    "tags",
    "ext_interaction_id",
    "external_url",
    "do_not_send",
    "brand",
    "language",
    "country",
    "custom_properties",
    "customer",
    "employee",
];

/// What the templates may have at the top: the vendor's schema and the ticket's status.
const TEMPLATED_TOP: &[&str] = &[
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
];

/// The shape of the payloads that admins paste into Zendesk and Freshdesk.
pub(crate) const TEMPLATE: Template = Template {
    wrapper: None,
    objects: &["employee", "customer", "custom_properties"],
    inner: &["email", "name", "custom_id"],
    prose: &["name", "brand", "tags"],
    top: TEMPLATED_TOP,
    other_keys: true,
    pairs: false,
    guarded: &[
        ("customer", &[&["customer"]]),
        ("employee", &[&["employee"]]),
        ("email", &[&["customer", "email"], &["employee", "email"]]),
        ("ext_interaction_id", &[&["ext_interaction_id"]]),
        ("do_not_send", &[&["do_not_send"]]),
    ],
};

/// Where a body stands and what is known of it already.
pub(crate) struct Body<'a> {
    pub(crate) source: Source,
    pub(crate) root: &'a Node,
    pub(crate) pointer: &'a str,
    pub(crate) notes: Vec<Note>,
    /// How texts are cut into tags (webhooks only).
    pub(crate) tag_style: TagStyle,
}

/// Reads the vendor's schema. Every wrong place is reported, not only the first.
pub(crate) fn read(body: Body<'_>, manner: Manner) -> Result<SurveyRequest, Malformed> {
    let Body { source, root, pointer, notes, tag_style } = body;
    let mut reader = FieldReader::new(manner, notes);
    let r = &mut reader;
    if !matches!(root, Node::Object(_)) {
        return Err(Malformed::invalid(vec![Place::new(pointer, "must be a JSON object")]));
    }
    let customer = r.object(root, pointer, "customer");
    let employee = r.object(root, pointer, "employee");
    let (to, about) = (child(pointer, "customer"), child(pointer, "employee"));
    if r.strict() {
        r.only(root, pointer, TOP);
        customer.inspect(|node| r.only(node, &to, &["name", "email", "custom_id"]));
        employee.inspect(|node| r.only(node, &about, &["email", "custom_id"]));
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
    let given = r.tag_list(root.get("tags"), &place, tag_style);
    let mut tags = r.tags(given);
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
        status: if r.strict() { None } else { r.id(root, pointer, "status") },
        custom_properties: r
            .properties(root.get("custom_properties"), &child(pointer, "custom_properties")),
        notes: Vec::new(),
    };
    r.fit(&mut tags, &request.custom_properties, &place);
    let notes = reader.finish()?;
    Ok(SurveyRequest { notes, tags: tags.kept, surplus_tags: tags.surplus, ..request })
}
