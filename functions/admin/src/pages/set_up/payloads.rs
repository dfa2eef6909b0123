//! What is to be pasted into each helpdesk, and where.
//!
//! The payloads are those that the vendor's set-up pages have admins paste
//! (`shared/normalize/tests/templates`), with what was chosen put in. Custom fields are made
//! harmless by filters of the helpdesk's own: a quote in one would break the JSON, and that can be
//! mended in names and tags only.

use serde_json::json;

use super::choices::{Choices, From};
use super::helpdesk::Helpdesk;

/// Something to do in the helpdesk.
pub(super) struct Step {
    pub(super) title: String,
    pub(super) texts: Vec<String>,
    /// To be copied.
    pub(super) code: Option<Code>,
}

/// A text to be copied.
pub(super) struct Code {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) text: String,
}

fn step(title: &str, texts: &[&str]) -> Step {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    Step { title: title.to_owned(), texts, code: None }
}

fn with_code(title: &str, texts: &[&str], id: &str, label: &str, text: String) -> Step {
    let code = Code { id: id.to_owned(), label: label.to_owned(), text };
    Step { code: Some(code), ..step(title, texts) }
}

/// All steps of a helpdesk, in order. `url` is where it posts.
pub(super) fn steps(helpdesk: Helpdesk, choices: &Choices, url: &str) -> Vec<Step> {
    let url = |title, texts: &[&str]| with_code(title, texts, "url", "URL", url.to_owned());
    match helpdesk {
        Helpdesk::Zendesk => {
            let mut steps = vec![url(
                "Make the webhook",
                &[
                    "In Admin Center: Apps and integrations, Webhooks, Create webhook, Trigger \
                     or automation.",
                    "Endpoint URL: as below. Request method: POST. Request format: JSON.",
                    "Authentication: API key. Header name: x-api-key. Value: a key of the page \
                     Keys that may send. (Or Basic authentication: user connect, the key as \
                     password.)",
                ],
            )];
            steps.extend(each_channel(choices, |channel| {
                let text = vendor(&ZENDESK, choices, channel);
                let condition = zendesk_condition(channel);
                with_code(
                    &format!("Trigger for {channel}"),
                    &[
                        "In Admin Center: Objects and rules, Triggers, Create trigger.",
                        &format!(
                            "Conditions, all of them: Ticket status, Changed to, Solved. \
                             {condition}"
                        ),
                        "Action: Notify by, Active webhook, the webhook of the first step. JSON \
                         body: as below. The editor may show a red mark at {% assign %}: it \
                         works all the same.",
                    ],
                    &format!("payload-{}", slug(channel)),
                    &format!("JSON body for {channel}"),
                    text,
                )
            }));
            if choices.reopen {
                steps.push(step(
                    "Trigger for tickets that are opened again",
                    &[
                        "One more trigger. Conditions, all of them: Ticket status, Changed from, \
                         Solved; Ticket status, Is not, Closed. Action: the same webhook, with \
                         the JSON body of any trigger above.",
                        "A survey that has not gone out yet is then taken back.",
                    ],
                ));
            }
            steps
        }
        Helpdesk::Freshdesk => each_channel(choices, |channel| {
            let condition = freshdesk_condition(channel);
            let reopened = match choices.reopen {
                true => {
                    "Event: Status is changed, from any status, to any status: a ticket \
                     that is opened again then takes its survey back."
                }
                false => {
                    "Event: Status is changed, from any status, to Resolved. (Add one for \
                     Closed, if tickets are closed without being resolved.)"
                }
            };
            with_code(
                &format!("Rule for {channel}"),
                &[
                    "In Admin: Workflows, Automations, Ticket updates, New rule. When an action \
                     is performed by: agent or system.",
                    reopened,
                    &format!("Condition: {condition}"),
                    "Action: Trigger webhook. Request type: POST. URL: as in the last step. \
                     Requires authentication: user connect, and as password a key of the page \
                     Keys that may send. Encoding: JSON. Content: Advanced, as below.",
                ],
                &format!("payload-{}", slug(channel)),
                &format!("Content for {channel}"),
                vendor(&FRESHDESK, choices, channel),
            )
        })
        .into_iter()
        .chain([url("The URL of each rule", &[])])
        .collect(),
        Helpdesk::Gorgias => vec![
            url(
                "Make the integration",
                &[
                    "In Settings: Integrations, HTTP, Add HTTP integration.",
                    "Triggers: Ticket updated (or Ticket status updated, where there is one). \
                     URL: as below. HTTP method: POST. Request content type: application/json.",
                    "Header: x-api-key, with a key of the page Keys that may send.",
                ],
            ),
            with_code(
                "The body",
                &[
                    "Request body: as below. The channel is Gorgias' own name of it: give the \
                     channel of Afterword that name as an alias.",
                    "A ticket with the company's do-not-send tag is not surveyed.",
                ],
                "payload",
                "Request body",
                gorgias(choices),
            ),
        ],
        Helpdesk::Gladly => vec![
            url(
                "Make the webhook",
                &[
                    "In Settings: Webhooks, Add webhook. URL: as below.",
                    "Authentication: Basic, user connect, and as password a key of the page \
                     Keys that may send; leave the realm empty. (Or a header x-api-key.)",
                    "Event: CONVERSATION/CLOSED alone. Gladly pings the URL when you save.",
                ],
            ),
            step(
                "Let Afterword ask Gladly",
                &[
                    "Gladly's webhook says only which conversation was closed. Afterword asks \
                     Gladly who was in it and how.",
                    "Put base_url (https://COMPANY.gladly.com) and agent_email (the API user) into \
                     the item integration/gladly, and the API user's token into GLADLY_TOKEN.",
                    "A conversation with the company's do-not-send topic is not surveyed.",
                ],
            ),
            with_code(
                "What Gladly sends",
                &["Nothing has to be pasted. A delivery looks like this:"],
                "payload",
                "A delivery of Gladly",
                gladly(),
            ),
        ],
    }
}

fn each_channel(choices: &Choices, step: impl Fn(&str) -> Step) -> Vec<Step> {
    choices.channels.iter().map(|channel| step(channel)).collect()
}

fn zendesk_condition(channel: &str) -> &'static str {
    match channel.to_lowercase().as_str() {
        "email" => "Ticket channel, Is, Email (and, in a trigger of its own, Web form).",
        "chat" => "Ticket channel, Is, Messaging (or Chat).",
        "phone" => "Ticket channel, Is, Phone call (inbound).",
        _ => "Whatever tells tickets of this channel: a channel, a group or a tag.",
    }
}

fn freshdesk_condition(channel: &str) -> &'static str {
    match channel.to_lowercase().as_str() {
        "email" => "Source is Email or Portal.",
        "chat" => "Source is Chat.",
        "phone" => "Source is Phone.",
        _ => "whatever tells tickets of this channel: a source, a group or a tag.",
    }
}

/// A channel's name as part of an element's id, which has no blanks.
fn slug(channel: &str) -> String {
    channel.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect()
}

/// The places of a ticket in a helpdesk that writes the vendor's schema.
struct Places {
    agent: &'static str,
    name: &'static str,
    email: &'static str,
    link: &'static str,
    brand: &'static str,
    language: &'static str,
}

const ZENDESK: Places = Places {
    agent: "ticket.assignee.email",
    name: "ticket.requester.name",
    email: "ticket.requester.email",
    link: "ticket.link",
    brand: "ticket.brand.name",
    language: "ticket.requester.locale",
};

const FRESHDESK: Places = Places {
    agent: "ticket.agent.email",
    name: "ticket.requester.name",
    email: "ticket.from_email",
    link: "ticket.url",
    brand: "ticket.brand",
    language: "ticket.contact.language",
};

/// A JSON string of a placeholder alone.
fn place(path: &str) -> String {
    format!("\"{{{{{path}}}}}\"")
}

/// The same of a custom field, whose text is the customer's or an agent's.
fn harmless(path: &str) -> String {
    format!(
        "\"{{{{{path} | replace: '\"', ' ' | replace: '\\', ' ' | replace: '\t', ' ' | \
         strip_newlines}}}}\""
    )
}

fn source(from: &From, path: &str) -> Option<String> {
    match from {
        From::Nowhere => None,
        From::Ticket => Some(place(path)),
        From::Always(value) => Some(json!(value).to_string()),
    }
}

fn vendor(places: &Places, choices: &Choices, channel: &str) -> String {
    let mut lines = vec![
        format!("\"employee\": {{ \"email\": {} }}", place(places.agent)),
        format!("\"channel\": {}", json!(channel)),
        format!(
            "\"customer\": {{ \"name\": {}, {{% assign customer_email = {} | strip %}}\"email\": \
             {{% if customer_email and customer_email != \"\" %}}\"{{{{customer_email}}}}\"\
             {{% else %}}\"no_email\"{{% endif %}} }}",
            place(places.name),
            places.email
        ),
        format!("\"ext_interaction_id\": {}", place("ticket.id")),
    ];
    let mut property = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("\"{name}\": {value}")));
    };
    property("status", choices.reopen.then(|| place("ticket.status")));
    property("brand", source(&choices.brand, places.brand));
    property("language", source(&choices.language, places.language));
    let field = Some(&choices.do_not_send).filter(|field| !field.is_empty());
    property("do_not_send", field.map(|field| place(&format!("ticket.{field}"))));
    property("external_url", Some(place(places.link)));
    if !choices.properties.is_empty() {
        let pairs = choices.properties.iter();
        let pairs = pairs.map(|(name, field)| {
            format!("    \"{name}\": {}", harmless(&format!("ticket.{field}")))
        });
        let pairs = pairs.collect::<Vec<_>>().join(",\n");
        property("custom_properties", Some(format!("{{\n{pairs}\n  }}")));
    }
    let tags = if choices.tags.is_empty() {
        "{% assign raw_tags = ticket.tags | split: ' ' %}\"tags\": [{% for tag in raw_tags %}\
         \"{{tag}}\"{% unless forloop.last %},{% endunless %}{% endfor %}]"
            .to_owned()
    } else {
        let fields = choices.tags.iter().map(|tag| harmless(&format!("ticket.{}", titled(tag))));
        format!("\"tags\": [{}]", fields.collect::<Vec<_>>().join(", "))
    };
    lines.push(tags);
    format!("{{\n  {}\n}}", lines.join(",\n  "))
}

/// Zendesk has a placeholder for the title of a field's option; the other one says its tag.
fn titled(field: &str) -> String {
    field.replace("ticket_field_", "ticket_field_option_title_")
}

/// Every value is a text: Gorgias fills in each by itself.
fn gorgias(choices: &Choices) -> String {
    let mut lines = Vec::new();
    let mut put = |name: &str, value: &str| {
        lines.push(format!("  \"{name}\": {}", json!(value)));
    };
    put("channel", "{{ticket.channel}}");
    put("meta", "{{ticket.meta}}");
    put("ext_interaction_id", "{{ticket.id}}");
    put("customer_custom_id", "{{ticket.customer.id}}");
    put("employee_email", "{{ticket.assignee_user.email}}");
    put("customer_name", "{{ticket.customer.name}}");
    put("snooze_datetime", "{{ticket.snooze_datetime}}");
    put("status", "{{ticket.status}}");
    match &choices.language {
        From::Nowhere => {}
        From::Ticket => put("language", "{{ticket.language}}"),
        From::Always(language) => put("language", language),
    }
    if let From::Always(brand) = &choices.brand {
        put("brand", brand);
    }
    put("tags", "{{ticket.tags}}");
    put("customer_email", "{{ticket.customer.email}}");
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn gladly() -> String {
    let event = json!({
        "id": "yHaHXjD4SR-moMR9LbULDb",
        "type": "CONVERSATION/CLOSED",
        "timestamp": "2026-11-21T09:00:00Z",
        "initiator": { "id": "NFpDZtfqhk2pI6fjaVDlFf", "type": "AGENT" },
        "content": {
            "customerId": "THx8Z8y-ScuMoqBH8Awtng",
            "conversationId": "aGaHXjD4li-moMR8LbULZb",
            "context": { "assignee": { "agentId": "NFpDZtfqhk2pI6fjaVDlFf" } },
        },
    });
    serde_json::to_string_pretty(&event).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the vendor has admins paste, without white space.
    fn pasted(template: &str) -> String {
        template.split_whitespace().collect()
    }

    #[test]
    fn the_payloads_are_those_that_admins_paste_today() {
        let plain = |do_not_send: &str| Choices {
            do_not_send: do_not_send.to_owned(),
            ..Choices::default()
        };
        let zendesk = plain("ticket_field_YOUR CUSTOM ID HERE");
        let freshdesk = plain("cf_do_not_send_stella_connect_request");
        let branded = |choices: &Choices| Choices { brand: From::Ticket, ..choices.clone() };
        let spoken = Choices { language: From::Ticket, ..zendesk.clone() };
        macro_rules! file {
            ($name:literal) => {
                include_str!(concat!("../../../../../shared/normalize/tests/templates/", $name))
            };
        }
        for (places, choices, channel, template) in [
            (&ZENDESK, &zendesk, "email", file!("zendesk/email.liquid")),
            (&ZENDESK, &zendesk, "chat", file!("zendesk/chat.liquid")),
            (&ZENDESK, &zendesk, "phone", file!("zendesk/phone.liquid")),
            (&ZENDESK, &branded(&zendesk), "email", file!("zendesk/brand.liquid")),
            (&ZENDESK, &spoken, "email", file!("zendesk/language.liquid")),
            (&FRESHDESK, &freshdesk, "email", file!("freshdesk/email.liquid")),
            (&FRESHDESK, &freshdesk, "chat", file!("freshdesk/chat.liquid")),
            (&FRESHDESK, &freshdesk, "phone", file!("freshdesk/phone.liquid")),
        ] {
            assert_eq!(pasted(&vendor(places, choices, channel)), pasted(template), "{template}");
        }
        let spoken = Choices { language: From::Ticket, ..Choices::default() };
        assert_eq!(pasted(&gorgias(&spoken)), pasted(file!("gorgias/body.jinja.json")));
    }
}
