//! One agent: the fields of a form or a file, and the item `employee/<e-mail in lower case>`.

use normalize::Address;
use policy::config_table::employee;
use policy::{ConfigFault, Employee, EmployeeStatus, web_url};
use serde_json::{Map, Value};
use store::StoredItem;

use crate::stored_text;

/// The attributes of an agent that a form and a file have, as forms name them, with their names.
pub(crate) const ATTRIBUTES: [(&str, &str); 4] =
    [("name", "Name"), ("status", "Status"), ("custom_id", "Own id"), ("picture_url", "Picture")];

/// Every status, what it is called, and what follows from it.
pub(crate) const STATUSES: [(&str, &str, &str); 5] = [
    ("approved", "Approved", "Surveys about this agent are sent."),
    (
        "pending",
        "Pending",
        "The profile is not complete: requests about this agent are invalid \
         (employee_profile_incomplete).",
    ),
    (
        "deactivated",
        "Deactivated",
        "The agent has left: requests about this agent are invalid (employee_deactivated).",
    ),
    ("unapproved", "Unapproved", "As pending: no survey is sent."),
    ("created", "Created", "As pending: no survey is sent."),
];

/// Bytes of a text at most: what the reader of the item takes.
const LONGEST: usize = employee::NAME.value.longest;
/// Bytes of an e-mail address at most (RFC 5321).
const LONGEST_EMAIL: usize = 254;

/// An agent as the pages show one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) email: String,
    /// By the names of [`ATTRIBUTES`], in their order; empty where there is none.
    pub(crate) values: [String; 4],
    /// What is wrong with the item, each with the attribute.
    pub(crate) faults: Vec<(String, String)>,
}

impl Agent {
    pub(crate) fn read(item: &StoredItem) -> Self {
        let values = ATTRIBUTES.map(|(name, _)| stored_text::text(&item.attributes, name));
        let read = Employee::read(&item.attributes);
        let mut faults: Vec<_> = read.faults.iter().chain(&read.warnings).map(told).collect();
        if item.id() != id_of(item.id()) {
            let fault = "The id has to be the e-mail in lower case: nobody is found by this one. \
                         Add the agent anew, and remove this one.";
            faults.push(("id".to_owned(), fault.to_owned()));
        }
        Self { email: item.id().to_owned(), values: values.map(Option::unwrap_or_default), faults }
    }

    pub(crate) fn name(&self) -> &str {
        &self.values[0]
    }

    /// As written, in lower case; an agent without one is `created`.
    pub(crate) fn status(&self) -> String {
        let status = self.values[1].to_lowercase();
        if status.is_empty() { "created".to_owned() } else { status }
    }

    pub(crate) fn own_id(&self) -> &str {
        &self.values[2]
    }

    pub(crate) fn picture(&self) -> &str {
        &self.values[3]
    }
}

fn told(fault: &ConfigFault) -> (String, String) {
    let sentence = match (fault.meant, &*fault.attribute) {
        (Some(meant), written) => {
            format!("The item has an unknown attribute {written}: did you mean {meant}?")
        }
        (None, "status") => format!("The status cannot be understood. It may be {}.", statuses()),
        (None, written) => format!("The value of {written} cannot be understood."),
    };
    (fault.meant.unwrap_or(&fault.attribute).to_owned(), sentence)
}

/// The names of the statuses, for a sentence.
fn statuses() -> String {
    STATUSES.map(|(status, ..)| status).join(", ")
}

/// The sort key of an agent.
pub(crate) fn id_of(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether an e-mail can be an agent's id.
///
/// # Errors
/// What to do about it.
pub(crate) fn is_id(email: &str) -> Result<String, String> {
    let id = id_of(email);
    if id.is_empty() {
        Err("Type the agent's e-mail address: requests name the agent by it.".to_owned())
    } else if id.len() > LONGEST_EMAIL || Address::parse(&id).is_none() {
        Err("This is no e-mail address. Write it as paul@example.com.".to_owned())
    } else {
        Ok(id)
    }
}

/// A value of an attribute as it is stored. Empty means that there is none.
///
/// # Errors
/// What to do about it.
pub(crate) fn check(attribute: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(String::new());
    }
    if value.len() > LONGEST {
        return Err(format!("This is too long. It may have {LONGEST} bytes."));
    }
    if value.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err("This holds a line break, or another character that is no text. Type it anew."
            .to_owned());
    }
    match attribute {
        "status" => {
            let status = value.to_lowercase();
            let known = STATUSES.iter().any(|(known, ..)| *known == status);
            known
                .then_some(status)
                .ok_or_else(|| format!("This status is not known. It may be {}.", statuses()))
        }
        "picture_url" => web_url(value)
            .map(str::to_owned)
            .ok_or_else(|| "This is no address of a picture. It begins with https://.".to_owned()),
        _ => Ok(value.to_owned()),
    }
}

/// The item's attributes without its key.
pub(crate) fn without_key(attributes: &Map<String, Value>) -> Map<String, Value> {
    let mut attributes = attributes.clone();
    attributes.retain(|name, _| !["kind", "id"].contains(&name.as_str()));
    attributes
}

/// What stands in an attribute that no field can show, as JSON.
pub(super) fn odd(item: &StoredItem, name: &str) -> Option<String> {
    match item.attributes.get(name)? {
        Value::Null | Value::String(_) | Value::Number(_) => None,
        other => Some(other.to_string()),
    }
}

/// What to do about such a value that was left as it stands.
pub(super) fn left_standing(name: &str, odd: &str) -> String {
    let may = match name {
        "status" => format!("Choose one of {}", statuses()),
        "picture_url" => "Write an address that begins with https://".to_owned(),
        _ => format!("Write a text of at most {LONGEST} bytes"),
    };
    let shown: String = odd.chars().take(80).collect();
    let more = if shown.len() < odd.len() { "…" } else { "" };
    format!(
        "It says {shown}{more}, which cannot be understood. {may}, or tick the box that removes it."
    )
}

/// The item with these checked values, by the names of [`ATTRIBUTES`]. An empty one removes its
/// attribute, and `None` leaves it. What the item says already, however it is spelled, stays, and
/// so does every other attribute. So does what no field can show, while nothing takes its place.
pub(crate) fn written(
    before: Option<&StoredItem>,
    values: &[Option<String>; 4],
) -> Map<String, Value> {
    let mut attributes = before.map(|item| without_key(&item.attributes)).unwrap_or_default();
    for ((name, _), value) in ATTRIBUTES.into_iter().zip(values) {
        let Some(value) = value else { continue };
        let same = match stored_text::text(&attributes, name) {
            Some(is) if name == "status" => is.eq_ignore_ascii_case(value),
            Some(is) => is == *value,
            None => value.is_empty(),
        };
        if same {
            continue;
        }
        if value.is_empty() {
            attributes.remove(name);
        } else {
            attributes.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    attributes
}

/// An `employee_id` item that leads to this agent.
pub(crate) fn leading_to(email: &str, before: Option<&StoredItem>) -> Map<String, Value> {
    let mut attributes = before.map(|item| without_key(&item.attributes)).unwrap_or_default();
    attributes.insert("email".to_owned(), Value::String(email.to_owned()));
    attributes
}

/// What follows from an agent's status and faults.
pub(crate) fn consequence(item: &StoredItem) -> &'static str {
    let employee = Employee::read(&item.attributes);
    let at = match employee.status {
        EmployeeStatus::Approved if employee.faults.is_empty() => 0,
        EmployeeStatus::Deactivated => 2,
        _ => 1,
    };
    STATUSES[at].2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_e_mail_is_an_id_in_lower_case() {
        assert_eq!(is_id(" Paul@Example.COM "), Ok("paul@example.com".to_owned()));
        assert_eq!(is_id("o'brien+x@sub.example.com"), Ok("o'brien+x@sub.example.com".to_owned()));
        let long = format!("{}@example.com", "p".repeat(300));
        for bad in [
            "",
            "  ",
            "paul",
            "paul@",
            "@example.com",
            "paul@example",
            "a b@example.com",
            "Paul <paul@example.com>",
            "paul@example.com, nora@example.com",
            &long,
        ] {
            assert!(is_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_checked_as_the_reader_of_the_item_reads_them() {
        for (attribute, value, expected) in [
            ("name", "  Zoë Núñez ", Some("Zoë Núñez")),
            ("name", "", Some("")),
            ("name", "a\nb", None),
            ("name", "a\0b", None),
            ("name", "Zo\u{fffd}", None),
            ("status", "APPROVED", Some("approved")),
            ("status", "Created ", Some("created")),
            ("status", "aproved", None),
            ("status", "active", None),
            ("custom_id", "00017", Some("00017")),
            ("picture_url", "https://example.com/a.png", Some("https://example.com/a.png")),
            ("picture_url", "example.com/a.png", None),
            ("picture_url", "javascript:alert(1)", None),
            ("picture_url", "data:image/png;base64,AA", None),
        ] {
            assert_eq!(check(attribute, value).ok().as_deref(), expected, "{attribute} {value}");
        }
        assert!(check("name", &"n".repeat(LONGEST)).is_ok());
        assert!(check("custom_id", &"n".repeat(LONGEST + 1)).is_err());
    }
}
