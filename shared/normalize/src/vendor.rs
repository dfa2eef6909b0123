//! The vendor's schema (docs.medallia.com/en/agent-connect/api/requests), which four of the five sources send.

use crate::inbound::{Malformed, Place};
use crate::json::{Node, child};
use crate::reader::{Manner, Reader};
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

/// The shape of the payloads that admins paste into Zendesk and Freshdesk.
pub(crate) const TEMPLATE: Template = Template {
    wrapper: None,
    objects: &["employee", "customer", "custom_properties"],
    inner: &["email", "name", "custom_id"],
    prose: &["name", "brand", "tags"],
    top: TOP,
    other_keys: true,
    guarded: &[("customer", &["/customer"]), ("employee", &["/employee"]), ("email", &["/customer/email", "/employee/email"])],
};

/// Where a body stands and what is known of it already.
pub(crate) struct Body<'a> {
    pub(crate) source: Source,
    pub(crate) root: &'a Node,
    pub(crate) pointer: &'a str,
    pub(crate) notes: Vec<Note>,
    /// Cuts one tag of the sender's into tags (webhooks only).
    pub(crate) split: fn(&str) -> Vec<&str>,
}

/// Reads the vendor's schema. Every wrong place is reported, not only the first.
pub(crate) fn read(body: Body<'_>, manner: Manner) -> Result<SurveyRequest, Malformed> {
    let Body { source, root, pointer, notes, split } = body;
    let mut reader = Reader::new(manner, notes);
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
        Some(node) => {
            Customer { name: r.name(node, &to, "name"), custom_id: r.id(node, &to, "custom_id"), address: r.address(node, &to, "email") }
        }
        None => Customer { name: None, custom_id: None, address: CustomerAddress::Missing },
    };
    let employee = employee.and_then(|node| {
        let email = r.employee_email(node, &about, "email");
        let custom_id = r.id(node, &about, "custom_id");
        EmployeeRef::new(email.as_deref(), custom_id.as_deref())
    });
    let tags = r.tag_list(root.get("tags"), &child(pointer, "tags"), split);
    let (tags, surplus_tags) = r.tags(tags);
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
        tags,
        surplus_tags,
        // `/v1/requests` has no such property.
        status: if r.strict() { None } else { r.id(root, pointer, "status") },
        custom_properties: r.properties(root.get("custom_properties"), &child(pointer, "custom_properties")),
        notes: Vec::new(),
    };
    let notes = reader.finish()?;
    Ok(SurveyRequest { notes, ..request })
}
