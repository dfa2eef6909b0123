//! What a request said, as its row keeps it in the attribute `request`.

use std::collections::BTreeMap;

use normalize::{
    Address, Customer, CustomerAddress, EmployeeRef, Language, LanguageTag, Note, Source,
    SurveyRequest,
};
use policy::Approval;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The request as it was understood. Holds the customer's name and address.
///
/// Its form in the table is fixed, since rows outlive a deployment: the vendor's names of 2026,
/// `customer.email` one text, absent fields left out. It is not the form of any reply. Reading is
/// lenient, as rows are edited by hand: a field that does not have its type counts as absent, and
/// an e-mail address that does not parse is [`CustomerAddress::Malformed`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestDetails {
    /// The helpdesk's id of the interaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ext_interaction_id: Option<String>,
    /// The channel's own name; as sent if the request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Whom to ask.
    #[serde(serialize_with = "customer", skip_serializing_if = "says_nothing")]
    pub customer: Customer,
    /// About whom to ask, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeRef>,
    /// Link to the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_url: Option<String>,
    /// Signifier of the brand; as sent if the request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The language of the mail; as sent if the request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The sender's own wish that no mail goes out. `None` while that is not known (Gladly).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_not_send: Option<bool>,
    /// Tags that were kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Properties that were kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_properties: BTreeMap<String, String>,
    /// What was changed on the way in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl Default for RequestDetails {
    fn default() -> Self {
        Self {
            ext_interaction_id: None,
            channel: None,
            customer: Customer { name: None, custom_id: None, address: CustomerAddress::Missing },
            employee: None,
            external_url: None,
            brand: None,
            language: None,
            country: None,
            do_not_send: None,
            tags: Vec::new(),
            custom_properties: BTreeMap::new(),
            notes: Vec::new(),
        }
    }
}

impl RequestDetails {
    /// Of a request, as it was sent.
    pub fn of(request: &SurveyRequest) -> Self {
        let language = request.language.as_ref();
        Self {
            ext_interaction_id: request.ext_interaction_id.clone(),
            channel: Some(request.channel.clone()),
            customer: request.customer.clone(),
            employee: request.employee.clone(),
            external_url: request.external_url.clone(),
            brand: request.brand.clone(),
            language: language
                .map(|l| l.tag.as_ref().map_or(l.given.as_str(), |tag| tag.as_str()).to_owned()),
            country: request.country.clone(),
            do_not_send: Some(request.do_not_send),
            tags: request.tags.clone(),
            custom_properties: request.custom_properties.clone(),
            notes: request.notes.clone(),
        }
    }

    /// The request again, for the checks. Notes and what was cut are gone.
    pub fn to_request(&self, source: Source, more_tags: Option<&str>) -> SurveyRequest {
        let language = self.language.as_ref();
        SurveyRequest {
            source,
            ext_interaction_id: self.ext_interaction_id.clone(),
            channel: self.channel.clone().unwrap_or_default(),
            customer: self.customer.clone(),
            employee: self.employee.clone(),
            do_not_send: self.do_not_send.unwrap_or_default(),
            brand: self.brand.clone(),
            language: language
                .map(|given| Language { given: given.clone(), tag: LanguageTag::parse(given) }),
            country: self.country.clone(),
            external_url: self.external_url.clone(),
            tags: self.tags.clone(),
            surplus_tags: more_tags.into_iter().flat_map(str::lines).map(str::to_owned).collect(),
            status: None,
            custom_properties: self.custom_properties.clone(),
            notes: self.notes.clone(),
        }
    }

    /// With the company's own names of channel, brand and language, whatever alias, spelling or
    /// fallback led to them.
    pub(crate) fn approved(self, approval: &Approval) -> Self {
        Self {
            channel: Some(approval.channel.clone()),
            language: Some(approval.language.to_string()),
            brand: approval.brand.clone().or(self.brand),
            ..self
        }
    }
}

/// The customer as it is stored.
#[derive(Serialize)]
struct StoredCustomer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<&'a str>,
}

fn customer<S: Serializer>(customer: &Customer, serializer: S) -> Result<S::Ok, S::Error> {
    let email = match &customer.address {
        CustomerAddress::Missing => None,
        CustomerAddress::Malformed(text) => Some(text.clone()),
        CustomerAddress::Valid(address) => Some(address.as_mailbox()),
    };
    let (name, custom_id) = (customer.name.as_deref(), customer.custom_id.as_deref());
    StoredCustomer { name, email, custom_id }.serialize(serializer)
}

fn says_nothing(customer: &Customer) -> bool {
    customer.name.is_none()
        && customer.custom_id.is_none()
        && customer.address == CustomerAddress::Missing
}

impl<'de> Deserialize<'de> for RequestDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = match Value::deserialize(deserializer)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let object = |fields: &mut Map<String, Value>, name| {
            take::<Map<String, Value>>(fields, name).unwrap_or_default()
        };
        let (mut customer, mut employee) =
            (object(&mut fields, "customer"), object(&mut fields, "employee"));
        let email: Option<String> = take(&mut employee, "email");
        let custom_id: Option<String> = take(&mut employee, "custom_id");
        Ok(Self {
            ext_interaction_id: take(&mut fields, "ext_interaction_id"),
            channel: take(&mut fields, "channel"),
            customer: Customer {
                name: take(&mut customer, "name"),
                custom_id: take(&mut customer, "custom_id"),
                address: address(take(&mut customer, "email")),
            },
            employee: EmployeeRef::new(email.as_deref(), custom_id.as_deref()),
            external_url: take(&mut fields, "external_url"),
            brand: take(&mut fields, "brand"),
            language: take(&mut fields, "language"),
            country: take(&mut fields, "country"),
            do_not_send: take(&mut fields, "do_not_send"),
            tags: each(take::<Vec<Value>>(&mut fields, "tags").unwrap_or_default()),
            custom_properties: object(&mut fields, "custom_properties")
                .into_iter()
                .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)))
                .collect(),
            notes: each(take::<Vec<Value>>(&mut fields, "notes").unwrap_or_default()),
        })
    }
}

fn address(stored: Option<String>) -> CustomerAddress {
    match stored {
        None => CustomerAddress::Missing,
        Some(text) => Address::parse(&text)
            .map_or_else(|| CustomerAddress::Malformed(text), CustomerAddress::Valid),
    }
}

fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Option<T> {
    fields.remove(name).and_then(|value| serde_json::from_value(value).ok())
}

fn each<T: DeserializeOwned>(values: Vec<Value>) -> Vec<T> {
    values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

#[cfg(test)]
mod tests {
    use normalize::Inbound;
    use serde_json::json;

    use super::*;

    fn survey(body: &Value) -> SurveyRequest {
        match normalize::requests::parse(body.to_string().as_bytes()).unwrap() {
            Inbound::Survey(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_form_in_the_table_is_what_it_was_and_is_read_back() {
        let body = json!({
            "channel": "phone", "ext_interaction_id": "7", "brand": "Kids", "language": "pt-br",
            "country": "de", "external_url": "https://x.example/7", "tags": ["a", "b"],
            "custom_properties": { "plan": "gold", "cut": "x".repeat(2_001) }, "do_not_send": false,
            "customer": { "name": "Jane", "email": "Jane@Bücher.example", "custom_id": "c1" },
            "employee": { "email": "paul@example.com", "custom_id": "e1" },
        });
        let nobody = json!({ "channel": "chat", "customer": {}, "employee": {} });
        let malformed = json!({ "channel": "chat", "customer": { "email": "jane at example" } });
        let cut = "x".repeat(2_000);
        let kept = json!({
            "channel": "phone", "ext_interaction_id": "7", "brand": "Kids", "language": "pt-BR",
            "country": "DE", "external_url": "https://x.example/7", "tags": ["a", "b"],
            "custom_properties": { "plan": "gold", "cut": cut }, "do_not_send": false,
            "customer": {
                "name": "Jane", "email": "Jane@xn--bcher-kva.example", "custom_id": "c1",
            },
            "employee": { "email": "paul@example.com", "custom_id": "e1" },
            "notes": [{ "note": "truncated", "pointer": "/custom_properties/cut" }],
        });
        let kept_of_nobody = json!({ "channel": "chat", "do_not_send": false });
        let kept_of_malformed = json!({
            "channel": "chat", "do_not_send": false, "customer": { "email": "jane at example" },
        });
        let all = [(body, kept), (nobody, kept_of_nobody), (malformed, kept_of_malformed)];
        for (body, expected) in all {
            let request = survey(&body);
            let details = RequestDetails::of(&request);
            let stored = serde_json::to_value(&details).unwrap();
            assert_eq!(stored, expected);
            assert_eq!(serde_json::from_value::<RequestDetails>(stored).unwrap(), details);
            assert_eq!(RequestDetails::of(&details.to_request(request.source, None)), details);
        }
    }

    #[test]
    fn what_was_edited_by_hand_is_read_as_far_as_it_has_its_type() {
        let read = |value| serde_json::from_value::<RequestDetails>(value).unwrap();
        for nothing in [json!(null), json!([]), json!("x"), json!({ "customer": [], "tags": 1 })] {
            assert_eq!(read(nothing), RequestDetails::default());
        }
        let odd = read(json!({
            "channel": 7, "customer": { "email": "nobody", "name": "Jane" },
            "tags": ["a", 1, "b"], "notes": [{ "note": "of the future" }],
            "custom_properties": { "good": "1", "bad": 1 },
        }));
        assert_eq!(odd.channel, None);
        assert_eq!(odd.customer.address, CustomerAddress::Malformed("nobody".to_owned()));
        assert_eq!(odd.customer.name.as_deref(), Some("Jane"));
        assert_eq!((odd.tags.len(), odd.custom_properties.len(), odd.notes.len()), (2, 1, 0));
    }
}
