//! A stored request in the vendor's shape: what replies show of it. This form is for senders alone;
//! nothing is read back from it.

use normalize::CustomerAddress;
use serde_json::{Map, Value, json};
use store::RequestDetails;

/// The fields of a request as understood, with the vendor's names; absent ones are left out. Holds
/// the customer's name and address: for the sender, never for a log.
pub fn echo(details: &RequestDetails) -> Map<String, Value> {
    let (customer, employee) = (&details.customer, details.employee.as_ref());
    let email = address_as_sent(&customer.address);
    let mut fields = object([
        ("ext_interaction_id", text(details.ext_interaction_id.as_deref())),
        ("channel", text(details.channel.as_deref())),
        (
            "customer",
            nested([
                ("name", text(customer.name.as_deref())),
                ("email", text(email.as_deref())),
                ("custom_id", text(customer.custom_id.as_deref())),
            ]),
        ),
        (
            "employee",
            nested([
                ("email", text(employee.and_then(|e| e.email()))),
                ("custom_id", text(employee.and_then(|e| e.custom_id()))),
            ]),
        ),
        ("external_url", text(details.external_url.as_deref())),
        ("brand", text(details.brand.as_deref())),
        ("language", text(details.language.as_deref())),
        ("country", text(details.country.as_deref())),
        ("do_not_send", details.do_not_send.map(Value::from)),
    ]);
    if !details.tags.is_empty() {
        fields.insert("tags".to_owned(), json!(details.tags));
    }
    if !details.custom_properties.is_empty() {
        fields.insert("custom_properties".to_owned(), json!(details.custom_properties));
    }
    if !details.notes.is_empty() {
        fields.insert("notes".to_owned(), json!(details.notes));
    }
    fields
}

/// The customer's address as replies and exports show it: a malformed one as it was sent.
pub fn address_as_sent(address: &CustomerAddress) -> Option<String> {
    match address {
        CustomerAddress::Missing => None,
        CustomerAddress::Malformed(text) => Some(text.clone()),
        CustomerAddress::Valid(address) => Some(address.as_mailbox()),
    }
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

#[cfg(test)]
mod tests {
    use normalize::Inbound;

    use super::*;

    #[test]
    fn the_vendors_example_is_shown_back_as_understood() {
        let body = include_str!("../../normalize/tests/bodies/requests.json");
        let Ok(Inbound::Survey(request)) = normalize::requests::parse(body.as_bytes()) else {
            panic!("the vendor's example is not a survey request")
        };
        let mut expected: Value = serde_json::from_str(body).unwrap();
        expected["country"] = json!("US");
        assert_eq!(Value::Object(echo(&RequestDetails::of(&request))), expected);
    }
}
