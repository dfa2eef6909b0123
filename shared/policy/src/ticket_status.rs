//! Decides by a ticket's status whether the ticket is closed.

use serde_json::{Map, Value};

use crate::config_table::integration;
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::slips::same;

/// What a ticket's status means for its survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStatus {
    /// The interaction is over: a survey may go out.
    Closed,
    /// The interaction continues: a survey that has not been sent is withdrawn.
    Open,
    /// A status in another language, or one that the account has made, which the company's settings
    /// do not name.
    Unknown,
}

/// Zendesk's and Freshdesk's names for a closed ticket, and Freshdesk's codes for it
/// (docs/facts.md, Zendesk 4, Freshdesk 3 and 4).
const CLOSED: [&str; 5] = ["solved", "resolved", "closed", "4", "5"];

/// Their names and codes for an open ticket.
const OPEN: [&str; 12] = [
    "open",
    "new",
    "pending",
    "hold",
    "on-hold",
    "on hold",
    "waiting on customer",
    "waiting on third party",
    "2",
    "3",
    "6",
    "7",
];

impl TicketStatus {
    /// Reads a status. It ignores case and white space around the status; several blanks count as
    /// one. No status means closed: the helpdesk's own rule has decided that. A status in
    /// `closed_statuses` is closed, even if it would mean open otherwise.
    pub fn read(status: Option<&str>, closed_statuses: &[String]) -> Self {
        let status = status.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let status = status.as_str();
        let is = |name: &str| same(status, name);
        if status.is_empty()
            || closed_statuses.iter().any(|name| is(name))
            || CLOSED.into_iter().any(is)
        {
            Self::Closed
        } else if OPEN.into_iter().any(is) {
            Self::Open
        } else {
            Self::Unknown
        }
    }
}

/// `closed_statuses` of a helpdesk's `integration` item: the account's own names for a closed
/// ticket.
///
/// # Errors
/// The fault, if the value is neither a list of texts nor one text. The caller then uses the
/// built-in names alone, by which fewer tickets are closed.
pub fn closed_statuses(item: &Map<String, Value>) -> Result<Vec<String>, ConfigFault> {
    Item::new(item).read(&integration::CLOSED_STATUSES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(closed_statuses: &Value) -> Map<String, Value> {
        let item =
            json!({ "kind": "integration", "id": "zendesk", "closed_statuses": closed_statuses });
        item.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_status_is_read_by_the_companys_names_then_by_the_built_in_ones() {
        use TicketStatus::{Closed, Open, Unknown};
        let ours =
            closed_statuses(&item(&json!(["Gelöst", " Résolu ", "Waiting on Customer", "8"])))
                .unwrap_or_default();
        let cases = [
            (None, Closed, Closed),
            (Some(""), Closed, Closed),
            (Some("  "), Closed, Closed),
            (Some("solved"), Closed, Closed),
            (Some(" Solved\n"), Closed, Closed),
            (Some("RESOLVED"), Closed, Closed),
            (Some("Closed"), Closed, Closed),
            (Some("4"), Closed, Closed),
            (Some(" 5 "), Closed, Closed),
            (Some("Open"), Open, Open),
            (Some("pending"), Open, Open),
            (Some("new"), Open, Open),
            (Some("HOLD"), Open, Open),
            (Some("On-hold"), Open, Open),
            (Some("On Hold"), Open, Open),
            (Some("waiting on customer"), Open, Closed),
            (Some("Waiting on Third Party"), Open, Open),
            (Some("2"), Open, Open),
            (Some("3"), Open, Open),
            (Some("6"), Open, Open),
            (Some("7"), Open, Open),
            (Some("gelöst"), Unknown, Closed),
            (Some("GELÖST"), Unknown, Closed),
            (Some("résolu"), Unknown, Closed),
            (Some("8"), Unknown, Closed),
            (Some("Escalated"), Unknown, Unknown),
            (Some("not closed"), Unknown, Unknown),
            (Some("45"), Unknown, Unknown),
        ];
        for (status, built_in, with_ours) in cases {
            assert_eq!(TicketStatus::read(status, &[]), built_in, "{status:?}");
            assert_eq!(
                TicketStatus::read(status, &ours),
                with_ours,
                "{status:?} with the company's own"
            );
        }
    }

    #[test]
    fn a_value_that_is_not_a_list_of_texts_is_a_fault() {
        for (value, read) in [
            (json!(null), Some(vec![])),
            (json!([]), Some(vec![])),
            (json!("Gelöst, Erledigt"), Some(vec!["Gelöst", "Erledigt"])),
            (json!(["Gelöst", ""]), Some(vec!["Gelöst"])),
            (json!(4), None),
            (json!([4]), None),
            (json!([["Gelöst"]]), None),
            (json!({ "Gelöst": true }), None),
        ] {
            let names = read.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            let read = closed_statuses(&item(&value));
            assert_eq!(read.clone().ok(), names, "{value}");
            if let Err(fault) = read {
                assert_eq!(
                    (fault.item.as_str(), fault.attribute.as_str()),
                    ("integration/zendesk", "closed_statuses")
                );
            }
        }
    }
}
