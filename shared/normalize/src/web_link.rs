//! Links to tickets.
//!
//! In: a link as a helpdesk wrote it, perhaps without a scheme. Out: a web link that is safe to
//! show to an admin: `http` or `https`, and nothing before the host.

use crate::{SurveyRequest, text};

/// The link with a scheme. `None` if it is not a web link, or longer than
/// [`SurveyRequest::MAX_VALUE`] characters.
pub(crate) fn parse(text: &str) -> Option<String> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\".contains(c))
        || text::cut_chars(text, SurveyRequest::MAX_VALUE).is_some()
    {
        return None;
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '.']) => {
            (scheme.to_ascii_lowercase(), rest)
        }
        // Zendesk's `ticket.url` has no scheme (docs/facts.md, Zendesk 3).
        _ => ("https".to_owned(), text.strip_prefix("//").unwrap_or(text)),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let web = scheme == "https" || scheme == "http";
    let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    (web && !host.is_empty() && host.chars().all(plain) && port.chars().all(|c| c.is_ascii_digit()))
        .then(|| format!("{scheme}://{rest}"))
}
