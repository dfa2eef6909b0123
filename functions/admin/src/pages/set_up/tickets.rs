//! Tickets that a payload is tried on: an ordinary one, and what customers make of the others.

/// A ticket, as far as placeholders ask about it.
pub(super) struct Ticket {
    /// For people.
    pub(super) title: &'static str,
    /// Blank: none of the people is known.
    known: bool,
    name: String,
    /// Of every field of the company's own, and of the subject.
    words: String,
    tags: &'static str,
}

/// In the order of the page.
pub(super) fn all() -> Vec<Ticket> {
    let ticket = |title, name: &str, words: &str| Ticket {
        title,
        known: true,
        name: name.to_owned(),
        words: words.to_owned(),
        tags: "vip returns",
    };
    vec![
        ticket("An ordinary ticket", "Jane Doe", "Late delivery"),
        ticket(
            "Quotes, line breaks, braces and emoji",
            "Jane \"JD\" O'Neil {a: \\b} 🦊\nDoe",
            "He said: \"no\", \\ {\"a\": [1]} 🦊\r\nand\tleft",
        ),
        ticket(
            "A name that wants to be more than a name",
            "Eve\", \"email\": \"victim@example.com",
            "x\", \"employee\": {\"custom_id\": \"1\"}, \"z\": \"",
        ),
        ticket("Very long texts", &"Jane Long ".repeat(500), &"Long text ".repeat(1_000)),
        Ticket {
            title: "An empty ticket: no agent, no customer, no texts",
            known: false,
            name: String::new(),
            words: String::new(),
            tags: "",
        },
    ]
}

impl Ticket {
    /// What a placeholder stands for; `None`: blank. `flag` is the placeholder of the do-not-send
    /// field, which nobody has ticked. `python`: as Gorgias writes it, whose engine has `None` for
    /// nothing.
    pub(super) fn value(&self, path: &str, flag: Option<&str>, python: bool) -> Option<String> {
        let text = |text: &str| Some(text.to_owned());
        if flag == Some(path) {
            return text(if self.known { "0" } else { "" });
        }
        let Some(field) = path.strip_prefix("ticket.") else {
            return self.known.then(|| self.words.clone());
        };
        match field {
            "id" => text("4711"),
            "status" => text(if python { "closed" } else { "Solved" }),
            "link" => text("https://example.zendesk.com/agent/tickets/4711"),
            "url" => text("example.freshdesk.com/a/tickets/4711"),
            "channel" | "via" | "source" => text("email"),
            "tags" if python => text(&self.python_tags()),
            "tags" => text(self.tags),
            "meta" | "snooze_datetime" if python => text("None"),
            "language" if python && !self.known => text("None"),
            _ if !self.known => None,
            "brand" | "brand.name" => text("Blanca Kids"),
            "from_email" => text("jane@example.com"),
            "language" => text("en"),
            _ if field.ends_with(".locale") || field.ends_with(".language") => text("en-US"),
            _ if field.starts_with("assignee") || field.starts_with("agent") => {
                person(field, "agent@example.com", "Paul Agent", "70")
            }
            _ if ["requester", "contact", "customer"].iter().any(|who| field.starts_with(who)) => {
                person(field, "jane@example.com", &self.name, "9")
            }
            _ => text(&self.words),
        }
    }

    fn python_tags(&self) -> String {
        let tags = self.tags.split_whitespace().enumerate();
        let tags = tags.map(|(id, tag)| format!("{{'id': {id}, 'name': '{tag}'}}"));
        format!("[{}]", tags.collect::<Vec<_>>().join(", "))
    }
}

fn person(field: &str, email: &str, name: &str, id: &str) -> Option<String> {
    let what = field.rsplit_once('.').map_or("", |(_, what)| what);
    let value = match what {
        "email" => email,
        "id" => id,
        "first_name" | "name" => name,
        _ => return None,
    };
    Some(value.to_owned())
}
