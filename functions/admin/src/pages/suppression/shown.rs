//! What the page shows of a person's pseudonym: words for what the tables hold.

use jiff::Timestamp;
use links::Subject;
use policy::Brand;
use store::{ErasedRecords, Erasure, Suppression, SuppressionKind};

/// A time, in UTC.
pub(super) struct At {
    pub(super) exact: String,
    pub(super) shown: String,
}

impl At {
    fn of(at: Timestamp) -> Self {
        Self { exact: at.to_string(), shown: at.strftime("%-d %B %Y, %H:%M").to_string() }
    }
}

/// The beginning of a pseudonym: enough to recognise it in the audit trail.
pub(super) fn pseudonym(subject: &Subject) -> String {
    subject.as_text().chars().take(8).collect()
}

/// What was found of an address.
pub(super) struct Looked {
    pub(super) subject: String,
    pub(super) pseudonym: String,
    pub(super) holds: Vec<Hold>,
    pub(super) erasure: Option<ErasureShown>,
}

/// Why an address is not mailed.
pub(super) struct Hold {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) why: String,
    /// What to think of before it is released.
    pub(super) before: &'static str,
    /// Whether it may be released.
    pub(super) releasable: bool,
    pub(super) request: Option<String>,
    pub(super) since: Option<At>,
    /// `None`: for good.
    pub(super) until: Option<At>,
}

impl Hold {
    /// `sends`: the mail of the request that holds the window is on its way.
    pub(super) fn of(found: &Suppression, brands: &[Brand], sends: bool) -> Option<Self> {
        let is_window = matches!(found.kind, SuppressionKind::Window { .. });
        let (name, why, before, request, since, until) = match &found.kind {
            SuppressionKind::Window { request_id, until } if sends => (
                "suppression window".to_owned(),
                "A survey to this address is on its way: it is not known yet whether the mail left."
                    .to_owned(),
                "It cannot be released before that is known: the customer could get two mails.",
                request_id.map(|id| id.to_string()),
                None,
                *until,
            ),
            SuppressionKind::Window { request_id, until } => (
                "suppression window".to_owned(),
                "A survey went to this address lately: it is in the suppression period.".to_owned(),
                "The next request may be sent at once.",
                request_id.map(|id| id.to_string()),
                None,
                *until,
            ),
            SuppressionKind::Unsubscribed { brand, at, by } => {
                let by = match by.as_str() {
                    "complaint" => "The customer reported a survey as spam",
                    "one_click" => "The customer unsubscribed in the mail program",
                    "admin" => "An admin unsubscribed the address",
                    _ => "The customer unsubscribed by the link in a mail",
                };
                let named = brand.as_ref().map(|signifier| {
                    let known =
                        brands.iter().find(|brand| brand.signifier.to_lowercase() == *signifier);
                    known.map_or(signifier.clone(), |brand| brand.name.clone())
                });
                let from =
                    named.map_or("every survey".to_owned(), |name| format!("surveys of {name}"));
                (
                    format!("unsubscribe from {from}"),
                    format!("{by}: no mail, from {from}."),
                    "Release it only if the customer asked for surveys again.",
                    None,
                    *at,
                    None,
                )
            }
            SuppressionKind::Bounced { at, until } => (
                "bounce".to_owned(),
                "A mail to this address bounced: the mail server says that it does not exist."
                    .to_owned(),
                "Release it only if the address works again.",
                None,
                *at,
                *until,
            ),
            SuppressionKind::Erased(_) => return None,
        };
        let (since, until) = (since.map(At::of), until.map(At::of));
        let (id, version) = (found.id.clone(), found.version.clone());
        let releasable = !(is_window && sends);
        Some(Self { id, version, name, why, before, releasable, request, since, until })
    }
}

/// An erasure, with its receipt.
pub(super) struct ErasureShown {
    pub(super) started: At,
    pub(super) done: Option<At>,
    pub(super) counts: Vec<(&'static str, u64)>,
}

impl ErasureShown {
    pub(super) fn of(erasure: &Erasure) -> Self {
        let erased = erasure.erased;
        Self {
            started: At::of(erasure.started_at),
            done: erasure.done_at.map(At::of),
            counts: vec![
                ("Live requests, with what the helpdesk sent", erased.live_requests),
                ("Test requests", erased.test_requests),
                ("Answers, deleted", erased.answers_deleted),
                ("Answers, kept without comment and person", erased.answers_without_person),
                ("De-duplication markers", erased.markers),
                ("Suppression windows", erased.windows),
            ],
        }
    }
}

/// What an erasure would do.
pub(super) struct Rehearsal {
    pub(super) caption: String,
    pub(super) rows: Vec<Held>,
    pub(super) backups: &'static str,
    pub(super) is_agent: bool,
    /// What is chosen for the answers.
    pub(super) delete: bool,
}

/// Records of one kind.
pub(super) struct Held {
    pub(super) table: &'static str,
    pub(super) what: &'static str,
    pub(super) count: u64,
    pub(super) becomes: &'static str,
}

impl Rehearsal {
    /// `unread`: requests that were found and not read; `more`: there are others besides.
    pub(super) fn of(
        held: ErasedRecords,
        found: &[Suppression],
        unread: usize,
        more: bool,
    ) -> Self {
        let count = |is: fn(&SuppressionKind) -> bool| {
            found.iter().filter(|found| is(&found.kind)).count() as u64
        };
        let row = |table, what, count, becomes| Held { table, what, count, becomes };
        let windows = count(|kind| matches!(kind, SuppressionKind::Window { .. }));
        let unsubscribed = count(|kind| matches!(kind, SuppressionKind::Unsubscribed { .. }));
        let bounced = count(|kind| matches!(kind, SuppressionKind::Bounced { .. }));
        let stays = "stay: they hold no address, and the person must not be mailed again";
        let mut rows = vec![
            row("interactions", "Requests of live keys", held.live_requests, "deleted"),
            row("interactions", "Requests of test keys", held.test_requests, "deleted"),
            row(
                "responses",
                "Answers",
                held.answers_without_person,
                "as you choose below: kept without comment and person, or deleted",
            ),
            row("suppression", "De-duplication markers", held.markers, "deleted"),
            row("suppression", "Suppression window", windows, "deleted"),
            row("suppression", "Unsubscribes", unsubscribed, stays),
            row("suppression", "Bounces", bounced, stays),
        ];
        if unread > 0 {
            let unread = unread as u64;
            rows.insert(2, row("interactions", "Further requests, not read", unread, "deleted"));
        }
        let caption = match (unread, more) {
            (0, _) => "All that can be found by the address".to_owned(),
            (_, false) => "Counted in full are the newest 200 requests".to_owned(),
            (_, true) => "There are more than 1,000 requests: the newest are counted".to_owned(),
        };
        let backups = "35 days, 24 hours and 4 days";
        Self { caption, rows, backups, is_agent: false, delete: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_says_how_much_of_it_was_counted() {
        let held = ErasedRecords { live_requests: 2, markers: 1, ..ErasedRecords::default() };
        for (unread, more, caption, rows) in [
            (0, false, "All that can be found by the address", 7),
            (50, false, "Counted in full are the newest 200 requests", 8),
            (800, true, "There are more than 1,000 requests: the newest are counted", 8),
        ] {
            let rehearsal = Rehearsal::of(held, &[], unread, more);
            assert_eq!((rehearsal.caption.as_str(), rehearsal.rows.len()), (caption, rows));
        }
    }
}
