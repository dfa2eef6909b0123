//! What makes two deliveries the same request.

use normalize::{CustomerAddress, Source, SurveyRequest};

/// What identifies the interaction that a request is about: source, the helpdesk's id, customer,
/// employee and channel. The caller adds the key's mode and makes a marker of it, which lives for
/// [`crate::Company::dedupe_window`].
///
/// Every update of a closed Gorgias ticket fires again, whatever has changed in it (docs/facts.md,
/// Gorgias 1), so there the ticket alone counts.
///
/// `channel` and `employee` are the channel's own name and the employee's e-mail where they are
/// known: whatever alias or custom id a delivery spells them by, it is the same interaction.
pub fn identity(request: &SurveyRequest, channel: &str, employee: Option<&str>) -> Vec<String> {
    let ext = request.ext_interaction_id.clone().unwrap_or_default();
    if request.source == Source::Gorgias && !ext.is_empty() {
        return ticket(request.source, &ext);
    }
    let customer = match &request.customer.address {
        CustomerAddress::Valid(address) => address.canonical(),
        CustomerAddress::Malformed(text) => text.to_lowercase(),
        CustomerAddress::Missing => request.customer.custom_id.clone().unwrap_or_default(),
    };
    let given = request.employee.as_ref().and_then(|who| who.email().or(who.custom_id()));
    let employee = employee.or(given).unwrap_or_default().to_owned();
    vec![request.source.as_str().to_owned(), ext, customer, employee, channel.to_lowercase()]
}

/// The identity where the helpdesk's id alone decides: also of an update that shows the ticket open
/// again.
pub fn ticket(source: Source, ext_interaction_id: &str) -> Vec<String> {
    vec![source.as_str().to_owned(), ext_interaction_id.to_owned()]
}
