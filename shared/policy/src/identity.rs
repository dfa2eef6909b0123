//! Decides whether two deliveries are the same request.

use normalize::{CustomerAddress, Source, SurveyRequest};

use crate::requested_via::RequestedVia;

/// The parts that identify the interaction of a request: source, the helpdesk's id, customer,
/// employee and channel. The caller adds the key's mode and makes a marker of them, which is kept
/// for [`crate::Company::dedupe_window`].
///
/// Gorgias sends every update of a closed ticket again, whatever has changed in it (docs/facts.md,
/// Gorgias 1). So for Gorgias the ticket alone is the identity.
///
/// `channel` is the channel's own name, and `employee` the employee's e-mail, if the settings have
/// them: a delivery with another alias or custom id of them is about the same interaction.
///
/// What an agent sends by hand has an identity of its own. Otherwise a machine's request that was
/// refused because the channel is in manual mode would keep the agent's from being sent.
pub fn identity(
    via: RequestedVia,
    request: &SurveyRequest,
    channel: &str,
    employee: Option<&str>,
) -> Vec<String> {
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
    let mut parts =
        vec![request.source.as_str().to_owned(), ext, customer, employee, channel.to_lowercase()];
    if via == RequestedVia::Manual {
        parts.push(via.as_str().to_owned());
    }
    parts
}

/// The parts that identify a ticket by the helpdesk's id alone. An update that shows the ticket
/// open again has the same identity.
pub fn ticket(source: Source, ext_interaction_id: &str) -> Vec<String> {
    vec![source.as_str().to_owned(), ext_interaction_id.to_owned()]
}
