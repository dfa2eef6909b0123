//! "Waiting for the first delivery…": what has arrived of a helpdesk since an admin began to look.

use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::Mode;
use store::{Interaction, ROWS_AT_ONCE};

use super::trial::note;
use crate::context::Context;
use crate::error::AdminError;

/// Seconds between two looks, where the admin has asked for it.
pub(super) const EVERY: &str = "5";
/// How far back a look goes at most.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// Requests that are shown of each mode.
const SHOWN: usize = ROWS_AT_ONCE;
/// Characters that are shown of each field.
const SHOWN_CHARACTERS: usize = 300;

/// Since when deliveries are looked for.
pub(super) struct Watch {
    /// `None`: nobody looks.
    since: Option<Timestamp>,
    /// The query with which the page loads itself again; `None`: it does not.
    pub(super) next: Option<String>,
    /// The query that begins to look now, with the choices of the page.
    pub(super) begin: String,
    /// The same look without loading again.
    pub(super) stop: String,
}

/// A request that has arrived.
pub(super) struct Arrived {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) shown_at: String,
    pub(super) mode: &'static str,
    pub(super) status: String,
    pub(super) understood: Vec<(&'static str, String)>,
    pub(super) notes: Vec<String>,
}

impl Watch {
    pub(super) fn read(context: &Context<'_>, source: Source) -> Self {
        let now = context.now;
        let since: Option<Timestamp> = context.query("since").and_then(|at| at.parse().ok());
        let oldest = policy::saturating_add(now, -LONGEST);
        let since = since.map(|since| since.clamp(oldest, now));
        let query = |since: Timestamp, look: Option<&str>| {
            let query = context.request.uri().query().unwrap_or_default();
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                if !["since", "refresh", "done"].contains(&&*name) {
                    pairs.append_pair(&name, &value);
                }
            }
            pairs.append_pair("since", &since.to_string());
            if let Some(look) = look {
                pairs.append_pair("refresh", look);
            }
            format!("/admin/set-up/{source}?{}#deliveries", pairs.finish())
        };
        // A browser that is to load the address that it shows, with the same `#deliveries`, only
        // scrolls. So each look has another address than the one before.
        let next = |before: String| if before == "on" { "again" } else { "on" };
        let next = since.and_then(|since| {
            context.query("refresh").map(|before| query(since, Some(next(before))))
        });
        Self { next, begin: query(now, Some("on")), stop: query(since.unwrap_or(now), None), since }
    }

    /// Since when, for people.
    pub(super) fn shown_since(&self) -> Option<String> {
        self.since.map(|since| since.strftime("%-d %B %Y, %H:%M:%S").to_string())
    }

    /// The newest requests since then, newest first.
    pub(super) async fn arrived(
        &self,
        context: &Context<'_>,
        source: Source,
    ) -> Result<Vec<Arrived>, AdminError> {
        let Some(since) = self.since else { return Ok(Vec::new()) };
        let (store, now) = (context.store(), context.now);
        let (live, test) = tokio::try_join!(
            store.latest_of_source(Mode::Live, source, since, SHOWN, now),
            store.latest_of_source(Mode::Test, source, since, SHOWN, now),
        )?;
        let mut ids = [live, test].concat();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.truncate(SHOWN);
        let found = store.interactions(&ids, now).await?;
        Ok(ids.iter().filter_map(|id| found.rows.get(id)).map(Arrived::of).collect())
    }
}

impl Arrived {
    fn of(row: &Interaction) -> Self {
        let details = &row.details;
        let cut = |text: &str| text.chars().take(SHOWN_CHARACTERS).collect::<String>();
        let text = |text: Option<&str>| text.map(cut);
        let named = details.employee.as_ref().and_then(|who| who.email().or(who.custom_id()));
        let employee = row.employee.as_ref().map_or(named, |employee| Some(&employee.email));
        let tags: Vec<&str> = details.tags.iter().take(20).map(String::as_str).collect();
        let brand = row.brand.as_deref().or(details.brand.as_deref());
        let language = row.language.as_deref().or(details.language.as_deref());
        let fields = [
            ("Ticket", text(row.ext_interaction_id.as_deref())),
            ("Channel", text(row.channel.as_deref())),
            ("Customer", text(row.customer_name())),
            ("Address", row.customer_address().map(|address| address.masked())),
            ("Agent", text(employee)),
            ("Brand", text(brand)),
            ("Language", text(language)),
            ("Tags", Some(cut(&tags.join(", "))).filter(|tags| !tags.is_empty())),
        ];
        let reason = row.reason.map(|reason| format!(": {}", reason.sentence()));
        Self {
            id: row.request_id.to_string(),
            at: row.created_at.to_string(),
            shown_at: row.created_at.strftime("%-d %B %Y, %H:%M:%S").to_string(),
            mode: row.mode.as_str(),
            status: format!(
                "{}{}",
                row.status.as_str().replace('_', " "),
                reason.unwrap_or_default()
            ),
            understood: fields.into_iter().filter_map(|(name, v)| Some((name, v?))).collect(),
            notes: details.notes.iter().map(note).collect(),
        }
    }
}
