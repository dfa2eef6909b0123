//! A request in the vendor's shape, for replies.
//!
//! In: a [`SurveyRequest`]. Out: a JSON object that shows the sender how the request was
//! understood.

use serde_json::{Map, Value, json};

use crate::{CustomerAddress, SurveyRequest};

/// The fields of the request as a JSON object with the vendor's names. Absent fields are left out;
/// `notes` is there if there are any.
///
/// The object contains the customer's name and address. It may go to the sender, but never to a
/// log.
pub fn echo(request: &SurveyRequest) -> Value {
    let address = match &request.customer.address {
        CustomerAddress::Missing => None,
        CustomerAddress::Malformed(text) => Some(text.clone()),
        CustomerAddress::Valid(address) => Some(address.as_mailbox()),
    };
    let employee = request.employee.as_ref();
    let mut fields = object([
        ("ext_interaction_id", text(request.ext_interaction_id.as_deref())),
        ("channel", text(Some(&request.channel))),
        (
            "customer",
            nested([
                ("name", text(request.customer.name.as_deref())),
                ("email", text(address.as_deref())),
                ("custom_id", text(request.customer.custom_id.as_deref())),
            ]),
        ),
        (
            "employee",
            nested([
                ("email", text(employee.and_then(|e| e.email()))),
                ("custom_id", text(employee.and_then(|e| e.custom_id()))),
            ]),
        ),
        ("external_url", text(request.external_url.as_deref())),
        ("brand", text(request.brand.as_deref())),
        (
            "language",
            text(
                request
                    .language
                    .as_ref()
                    .map(|l| l.tag.as_ref().map_or(l.given.as_str(), |t| t.as_str())),
            ),
        ),
        ("country", text(request.country.as_deref())),
    ]);
    fields.insert("do_not_send".to_owned(), json!(request.do_not_send));
    if !request.tags.is_empty() {
        fields.insert("tags".to_owned(), json!(request.tags));
    }
    if !request.custom_properties.is_empty() {
        fields.insert("custom_properties".to_owned(), json!(request.custom_properties));
    }
    if !request.notes.is_empty() {
        fields.insert("notes".to_owned(), json!(request.notes));
    }
    Value::Object(fields)
}

fn text(value: Option<&str>) -> Option<Value> {
    value.map(Value::from)
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn nested<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let fields = object(fields);
    (!fields.is_empty()).then_some(Value::Object(fields))
}
