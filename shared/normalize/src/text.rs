//! Strings into the forms that the rest may rely on.

use crate::SurveyRequest;

/// One line: control characters and Unicode's line separators become spaces, and the ends are trimmed.
pub(crate) fn line(text: &str) -> String {
    let line: String = text.chars().filter_map(|c| visible(c, false)).collect();
    line.trim().to_owned()
}

/// The same, keeping line feeds and tabs.
pub(crate) fn lines(text: &str) -> String {
    let lines: String = text.chars().filter_map(|c| visible(c, true)).collect();
    lines.trim().to_owned()
}

/// A name: one line with single spaces.
pub(crate) fn name(text: &str) -> String {
    line(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn visible(c: char, breaks: bool) -> Option<char> {
    match c {
        '\n' | '\t' if breaks => Some(c),
        // Embeddings, overrides and isolates reorder what stands around the value; right-to-left names need none.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    }
}

/// The first `max` characters, if there are more.
pub(crate) fn cut_chars(text: &str, max: usize) -> Option<&str> {
    text.char_indices().nth(max).and_then(|(end, _)| text.get(..end))
}

/// The longest beginning of at most `max` bytes, if there is more.
pub(crate) fn cut_bytes(text: &str, max: usize) -> Option<&str> {
    (text.len() > max).then(|| text.get(..text.floor_char_boundary(max)).unwrap_or_default())
}

/// A placeholder that no template engine filled in.
pub(crate) fn unrendered(text: &str) -> bool {
    let opened = |open: &str, close: &str| text.find(open).is_some_and(|at| text.get(at..).is_some_and(|rest| rest.contains(close)));
    opened("{{", "}}") || opened("{%", "%}")
}

/// What template engines write where there is nothing: Jinja's `None`, Liquid's blank, Zendesk's `-` for an unselected field.
/// Compared with case: there are people called Null.
pub(crate) fn nothing(text: &str) -> bool {
    matches!(text, "" | "-" | "None" | "null" | "undefined") || unrendered(text)
}

/// A link with a scheme; `None` if it is no web link.
pub(crate) fn link(text: &str) -> Option<String> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\".contains(c))
        || cut_chars(text, SurveyRequest::MAX_VALUE).is_some()
    {
        return None;
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '.']) => (scheme.to_ascii_lowercase(), rest),
        // Zendesk's `ticket.url` has none.
        _ => ("https".to_owned(), text.strip_prefix("//").unwrap_or(text)),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let web = scheme == "https" || scheme == "http";
    let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    (web && !host.is_empty() && host.chars().all(plain) && port.chars().all(|c| c.is_ascii_digit())).then(|| format!("{scheme}://{rest}"))
}
