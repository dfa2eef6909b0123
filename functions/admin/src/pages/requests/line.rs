//! One request as a line of a table. No customer is in it.

use jiff::Timestamp;
use store::Interaction;

/// A request as lists show it.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) shown_at: String,
    pub(crate) source: &'static str,
    pub(crate) ext: String,
    pub(crate) channel: String,
    pub(crate) agent: String,
    pub(crate) mode: &'static str,
    pub(crate) status: &'static str,
    /// `good`, `bad` or nothing: the colour of the badge.
    pub(crate) tone: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) reason_code: &'static str,
}

impl Line {
    pub(crate) fn of(row: &Interaction) -> Self {
        use policy::Status::*;
        let waiting = row.waiting_for.filter(|_| row.status == Queued);
        let reason = row.reason.map(|reason| (reason.sentence(), reason.code()));
        let waiting = waiting.map(|waiting| (waiting.sentence(), waiting.as_str()));
        let (reason, reason_code) = reason.or(waiting).unwrap_or_default();
        Self {
            id: row.request_id.to_string(),
            at: row.created_at.to_string(),
            shown_at: shown(row.created_at),
            source: row.source.as_str(),
            ext: row.ext_interaction_id.clone().unwrap_or_default(),
            channel: row.channel.clone().unwrap_or_default(),
            agent: agent(row),
            mode: row.mode.as_str(),
            status: row.status.as_str(),
            tone: match row.status {
                Sent | Delivered => "good",
                Invalid | Failed | HardBounce | Complained => "bad",
                _ => "",
            },
            reason,
            reason_code,
        }
    }
}

/// The employee's e-mail, or else how the request named the employee.
pub(crate) fn agent(row: &Interaction) -> String {
    let named = row.details.employee.as_ref();
    let named = named.and_then(|named| named.email().or(named.custom_id()));
    let known = row.employee.as_ref().map(|employee| employee.email.as_str());
    known.or(named).unwrap_or_default().to_owned()
}

/// `21 November 2026, 14:03`.
pub(crate) fn shown(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M").to_string()
}
