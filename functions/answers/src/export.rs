//! One row in the vendor's shape (docs/facts.md, Vendor 6).

use intake::address_as_sent;
use policy::Status;
use serde_json::{Map, Value, json};
use store::{Interaction, ResponseRow};

/// The row, joined with its interaction while that is kept.
pub(crate) fn row(row: &ResponseRow, interaction: Option<&Interaction>) -> Value {
    let details = interaction.map(|interaction| &interaction.details);
    let customer = details.map(|details| &details.customer);
    let email = customer.and_then(|customer| address_as_sent(&customer.address));
    let properties = details.map(|d| d.custom_properties.clone()).unwrap_or_default();
    let employee = row.employee.as_ref();
    let name = employee.and_then(|e| e.name.as_deref()).unwrap_or_default();
    let (first_name, last_name) = name.split_once(' ').unwrap_or((name, ""));
    let stars = row.answer.stars.to_string();
    // The page asks what went well, or what could be better (docs/facts.md, Vendor 6).
    let areas = if row.answer.stars >= 4 { "areas_of_excellence" } else { "areas_of_improvement" };
    let topics: Map<String, Value> = row
        .answer
        .topics
        .iter()
        .map(|topic| (topic.clone(), json!({ "option_id": topic, "option_text": topic })))
        .collect();
    json!({
        "uuid": row.request_id,
        "sequence_id": row.sequence_id,
        "parent_uuid": null,
        "is_recovery": false,
        "branding": row.brand,
        "channel": row.channel,
        "ext_interaction_id": row.ext_interaction_id,
        "external_url": details.and_then(|details| details.external_url.as_deref()),
        "language": row.language,
        "survey_id": null,
        "survey_name": null,
        "tags": details.map(|details| details.tags.as_slice()).unwrap_or_default(),
        "country": details.and_then(|details| details.country.as_deref()),
        "request_created_at": row.created_at.to_string(),
        "request_delivery_status": interaction.map(|i| delivery_status(i.status)),
        "request_sent_at": interaction.and_then(|i| i.sent_at).map(|at| at.to_string()),
        "requested_via": row.requested_via,
        "response_received_at": row.answer.at.to_string(),
        "previous_answers": row.previous_answers(),
        "reward_eligible": false,
        "reward_name": null,
        "marketing": {},
        "employee": {
            "custom_id": employee.and_then(|e| e.custom_id.as_deref()).unwrap_or_default(),
            "email": employee.map(|e| e.email.as_str()).unwrap_or_default(),
            "first_name": first_name,
            "last_name": last_name,
        },
        "team_leader": { "custom_id": "", "full_name": "" },
        "customer": {
            "custom_id": customer.and_then(|c| c.custom_id.as_deref()).unwrap_or_default(),
            "email": email.unwrap_or_default(),
            "full_name": customer.and_then(|c| c.name.as_deref()).unwrap_or_default(),
        },
        "custom_properties": properties,
        "answers": {
            "agent_star_rating": {
                "question_id": "agent_star_rating",
                "question_text": null,
                "comment": row.answer.comment,
                "selected_options": { stars.clone(): {
                    "option_id": stars, "option_text": stars, "integer_value": row.answer.stars,
                } },
            },
            areas: { "question_id": areas, "question_text": null, "selected_options": topics },
        },
    })
}

/// The vendor's words (docs/facts.md, Vendor 5).
fn delivery_status(status: Status) -> &'static str {
    match status {
        Status::SoftBounce => "Soft bounce",
        Status::HardBounce => "Hard bounce",
        Status::Complained => "Complained",
        _ => "Sent",
    }
}
