//! What makes two deliveries the same request.

use normalize::{CustomerAddress, Source, SurveyRequest};

/// What identifies the interaction that a request is about: source, the helpdesk's id, customer, employee and channel. The caller adds the
/// key's mode and makes a marker of it, which lives for [`crate::Company::dedupe_window`].
///
/// Every update of a closed Gorgias ticket fires again, whatever has changed in it (helpdesk facts 3.1), so there the ticket alone counts.
pub fn identity(request: &SurveyRequest) -> Vec<String> {
    let ext = request.ext_interaction_id.clone().unwrap_or_default();
    if request.source == Source::Gorgias && !ext.is_empty() {
        return ticket(request.source, &ext);
    }
    let customer = match &request.customer.address {
        CustomerAddress::Valid(address) => address.canonical(),
        CustomerAddress::Malformed(text) => text.to_lowercase(),
        CustomerAddress::Missing => String::new(),
    };
    let employee = request.employee.as_ref();
    let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
    vec![
        request.source.as_str().to_owned(),
        ext,
        customer,
        part(request.customer.custom_id.as_deref()),
        part(employee.and_then(|e| e.email())),
        part(employee.and_then(|e| e.custom_id())),
        request.channel.to_lowercase(),
    ]
}

/// The identity where the helpdesk's id alone decides: also of an update that shows the ticket open again.
pub fn ticket(source: Source, ext_interaction_id: &str) -> Vec<String> {
    vec![source.as_str().to_owned(), ext_interaction_id.to_owned()]
}
