//! A ticket as each helpdesk's template engine sees it, and payloads rendered with one.

use liquid::model::Value;

use super::Desk;

/// One ticket. The same fields under each helpdesk's own names.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) agent: String,
    pub(crate) status: String,
    pub(crate) language: String,
    pub(crate) tags: String,
    pub(crate) brand: String,
    pub(crate) do_not_send: String,
    /// What a customer typed into a field of the company's own.
    pub(crate) field: String,
}

impl Ticket {
    /// A closed ticket that is surveyed, of a customer of its own.
    pub(crate) fn closed(desk: Desk, id: &str) -> Self {
        let (status, tags) = match desk {
            Desk::Zendesk => ("Solved", "billing vip"),
            Desk::Freshdesk | Desk::Gladly => ("Resolved", "late delivery, vip"),
            Desk::Gorgias => ("closed", "[{'id': 1, 'name': 'billing'}, {'id': 2, 'name': 'vip'}]"),
        };
        Self {
            id: id.to_owned(),
            channel: "email".to_owned(),
            name: "Jane Doe".to_owned(),
            email: format!("{}-{id}@customers.example", desk.name()),
            agent: "paul@blancapeak.example".to_owned(),
            status: status.to_owned(),
            language: "fr".to_owned(),
            tags: tags.to_owned(),
            brand: "Blanca Kids".to_owned(),
            do_not_send: String::new(),
            field: "A-17".to_owned(),
        }
    }

    /// Renders a payload with the Liquid engine. A placeholder that the ticket does not have is an
    /// error. (Gorgias has Jinja, which writes a plain placeholder alike. What only Jinja can
    /// write, lists and `None`, is in the fixture `gorgias_guide.json`.)
    pub(crate) fn render(&self, desk: Desk, payload: &str) -> String {
        let text = |text: &String| Value::scalar(text.clone());
        let link = Value::scalar(format!("https://blancapeak.example/tickets/{}", self.id));
        let email = liquid::object!({ "email": text(&self.agent) });
        let ticket = match desk {
            Desk::Zendesk => liquid::object!({
                "id": text(&self.id), "link": link, "status": text(&self.status),
                "assignee": email, "tags": text(&self.tags),
                "requester": {
                    "name": text(&self.name), "email": text(&self.email),
                    "locale": text(&self.language),
                },
                "brand": { "name": text(&self.brand) },
                "ticket_field_360001234567": text(&self.do_not_send),
                "ticket_field_option_title_360001234568": "Late delivery",
                "ticket_field_option_title_360001234569": "-",
                "ticket_field_360001234570": text(&self.field),
            }),
            Desk::Freshdesk => liquid::object!({
                "id": text(&self.id), "url": link, "status": text(&self.status),
                "source": "Email", "agent": email, "tags": text(&self.tags),
                "requester": { "name": text(&self.name) }, "from_email": text(&self.email),
                "contact": { "language": text(&self.language) },
                "cf_do_not_send_a_survey": text(&self.do_not_send), "cf_brand": text(&self.brand),
                "cf_reason": "Late delivery", "cf_product": "",
                "cf_order_number": text(&self.field),
            }),
            Desk::Gorgias => liquid::object!({
                "id": text(&self.id), "channel": text(&self.channel), "status": text(&self.status),
                "meta": "{'order': 17}", "snooze_datetime": "None", "assignee_user": email,
                "customer": { "id": "991", "name": text(&self.name), "email": text(&self.email) },
                "language": text(&self.language), "tags": text(&self.tags),
            }),
            // Gladly sends ids, and has no templates.
            Desk::Gladly => return payload.to_owned(),
        };
        let parser = liquid::ParserBuilder::with_stdlib().build().unwrap();
        let template = parser.parse(payload).unwrap_or_else(|why| panic!("{why}: {payload}"));
        let values = liquid::object!({ "ticket": ticket });
        template.render(&values).unwrap_or_else(|why| panic!("{why}: {payload}"))
    }
}
