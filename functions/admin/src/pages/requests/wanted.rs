//! Which requests a view shows: the parameters of its query.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use normalize::Source;
use policy::{Mode, Reason, Status};
use store::Interaction;
use uuid::Uuid;

use crate::context::Context;

/// Bytes of a text at most, as it is recorded.
const LONGEST: usize = 1_024;

/// The filters of a view, with what was typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) status: Option<Status>,
    pub(crate) reason: Option<Reason>,
    pub(crate) source: Option<Source>,
    pub(crate) mode: Option<Mode>,
    pub(crate) channel: Option<String>,
    pub(crate) employee: Option<String>,
    pub(crate) ext: Option<String>,
    /// Received at this time or later.
    pub(crate) from: Option<Timestamp>,
    /// Received before this time.
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Option<Uuid>,
    /// As typed, by name.
    typed: Vec<(&'static str, String)>,
}

/// The parameters, apart from `after`.
const NAMES: [&str; 9] = [
    "status",
    "reason",
    "source",
    "mode",
    "channel",
    "employee",
    "ext_interaction_id",
    "from",
    "to",
];

impl Wanted {
    /// Reads the query. What cannot be understood is named, with what may be said.
    pub(crate) fn read(context: &Context<'_>) -> (Self, Vec<(&'static str, String)>) {
        let after = context.query("after");
        let typed = NAMES.iter().filter_map(|name| Some((*name, context.query(name)?)));
        Self::of(typed.collect(), after.as_deref())
    }

    fn of(
        typed: Vec<(&'static str, String)>,
        after: Option<&str>,
    ) -> (Self, Vec<(&'static str, String)>) {
        let mut errors: Vec<(&'static str, String)> = Vec::new();
        let text = |name: &str| {
            typed.iter().find(|(typed, _)| *typed == name).map(|(_, value)| value.clone())
        };
        let mut chosen = |name: &'static str, known: bool, may: &str| {
            if !known && text(name).is_some() {
                errors.push((name, format!("This is not known. It can be {may}.")));
            }
        };
        let word = |name: &str| text(name).map(|text| text.to_lowercase());
        let status = word("status").and_then(|name| Status::from_name(&name));
        chosen("status", status.is_some(), "one of the outcomes in the list");
        let reason = word("reason").and_then(|code| Reason::from_code(&code));
        chosen("reason", reason.is_some(), "one of the reasons in the list");
        let source = word("source").and_then(|name| Source::from_name(&name));
        chosen("source", source.is_some(), "one of the sources in the list");
        let mode = word("mode");
        let mode =
            [Mode::Live, Mode::Test].into_iter().find(|m| Some(m.as_str()) == mode.as_deref());
        chosen("mode", mode.is_some(), "live or test");
        let from = text("from").and_then(|text| time(&text, false));
        chosen("from", from.is_some(), "a day such as 2026-11-21");
        let until = text("to").and_then(|text| time(&text, true));
        chosen("to", until.is_some(), "a day such as 2026-11-21");
        for name in ["channel", "employee", "ext_interaction_id"] {
            let fits = text(name).is_none_or(|text| text.len() <= LONGEST);
            chosen(name, fits, "at most 1,024 bytes long");
        }
        let parsed = after.and_then(|after| after.parse().ok());
        if after.is_some() && parsed.is_none() {
            errors.push(("after", "The page after this one is not known.".to_owned()));
        }
        let (channel, employee, ext) =
            (text("channel"), text("employee"), text("ext_interaction_id"));
        let wanted = Self {
            status,
            reason,
            source,
            mode,
            channel,
            employee,
            ext,
            from,
            until,
            after: parsed,
            typed,
        };
        (wanted, errors)
    }

    /// What was typed into a field.
    pub(crate) fn typed(&self, name: &str) -> &str {
        let found = self.typed.iter().find(|(typed, _)| *typed == name);
        found.map_or("", |(_, value)| value)
    }

    /// Whether this word was typed into a field.
    pub(crate) fn is(&self, name: &str, word: &str) -> bool {
        self.typed(name).eq_ignore_ascii_case(word)
    }

    /// Whether any filter is set.
    pub(crate) fn is_any(&self) -> bool {
        !self.typed.is_empty()
    }

    pub(crate) fn statuses(&self) -> &'static [Status] {
        &Status::ALL
    }

    pub(crate) fn reasons(&self) -> &'static [Reason] {
        Reason::ALL
    }

    pub(crate) fn sources(&self) -> &'static [Source] {
        &Source::ALL
    }

    /// The view as a query.
    pub(crate) fn query(&self, after: Option<Uuid>, format: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.typed.iter().map(|(name, value)| (*name, value.as_str())));
        if let Some(after) = after {
            query.append_pair("after", &after.to_string());
        }
        if let Some(format) = format {
            query.append_pair("format", format);
        }
        query.finish()
    }

    /// Whether the request is one of those that are shown.
    pub(crate) fn admits(&self, row: &Interaction) -> bool {
        let same = |given: &str, name: Option<&str>| {
            name.is_some_and(|name| name.trim().to_lowercase() == given.to_lowercase())
        };
        let sent = row.details.employee.as_ref();
        let is_agent = |given: &String| {
            same(given, row.employee.as_ref().map(|employee| employee.email.as_str()))
                || same(given, sent.and_then(|sent| sent.email()))
                || same(given, sent.and_then(|sent| sent.custom_id()))
        };
        self.status.is_none_or(|status| row.status == status)
            && self.reason.is_none_or(|reason| row.reason == Some(reason))
            && self.source.is_none_or(|source| row.source == source)
            && self.mode.is_none_or(|mode| row.mode == mode)
            && self.channel.as_ref().is_none_or(|name| same(name, row.channel.as_deref()))
            && self.employee.as_ref().is_none_or(is_agent)
            && self.ext.as_ref().is_none_or(|ext| row.ext_interaction_id.as_ref() == Some(ext))
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.until.is_none_or(|until| row.created_at < until)
    }
}

/// A day in UTC, or a time. `end`: the end of that day, since people mean it included.
fn time(text: &str, end: bool) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let day: Date = text.parse().ok()?;
    let day = if end { day.checked_add(1.day()).ok()? } else { day };
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> (Wanted, Vec<&'static str>) {
        let typed = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (wanted, errors) = Wanted::of(typed, None);
        (wanted, errors.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn filters_are_read_as_people_type_them_and_what_is_not_known_is_named() {
        let (wanted, errors) = of(&[
            ("status", "Invalid"),
            ("reason", "CHANNEL_MANUAL"),
            ("source", "Zendesk"),
            ("mode", "TEST"),
            ("from", "2026-11-20"),
            ("to", "2026-11-21"),
        ]);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(wanted.status, Some(Status::Invalid));
        assert_eq!(wanted.reason, Some(Reason::ChannelManual));
        assert_eq!((wanted.source, wanted.mode), (Some(Source::Zendesk), Some(Mode::Test)));
        assert_eq!(wanted.from.unwrap().to_string(), "2026-11-20T00:00:00Z");
        assert_eq!(
            wanted.until.unwrap().to_string(),
            "2026-11-22T00:00:00Z",
            "the day is included"
        );
        for name in ["status", "reason", "source", "mode", "from", "to"] {
            assert_eq!(of(&[(name, "nonsense")]).1, [name]);
        }
        let long = "x".repeat(1_025);
        assert_eq!(of(&[("channel", &long)]).1, ["channel"]);
        assert_eq!(of(&[("to", "9999-12-31")]).1, ["to"], "there is no day after it");
    }

    #[test]
    fn a_view_is_a_query_with_what_was_typed() {
        let (wanted, _) = of(&[("channel", "a&b"), ("employee", "zoë@x.example")]);
        assert_eq!(
            wanted.query(None, Some("csv")),
            "channel=a%26b&employee=zo%C3%AB%40x.example&format=csv"
        );
    }
}
