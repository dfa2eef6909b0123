//! Cleans and cuts texts, and recognises texts that stand for no value.
//!
//! In: a text as it was sent. Out: one without control characters and without the characters that
//! change the direction of what stands around them. Stored texts are shown in mails and pages.

/// One line: control characters and Unicode's line separators become spaces, and both ends are
/// trimmed.
pub(crate) fn line(text: &str) -> String {
    let line: String = text.chars().filter_map(|c| visible(c, false)).collect();
    line.trim().to_owned()
}

/// As [`line()`], but line feeds and tabs are kept.
pub(crate) fn lines(text: &str) -> String {
    let lines: String = text.chars().filter_map(|c| visible(c, true)).collect();
    lines.trim().to_owned()
}

/// A name: one line with single spaces.
pub(crate) fn name(text: &str) -> String {
    line(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The character to show for `c`; `None` for none. `breaks`: whether line feeds and tabs are kept.
fn visible(c: char, breaks: bool) -> Option<char> {
    match c {
        '\n' | '\t' if breaks => Some(c),
        // Embeddings, overrides and isolates can change the order of the text around the value.
        // Right-to-left names do not need them.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => None,
        '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some(' '),
        c => Some(c),
    }
}

/// The first `max` characters. `None` if there are no more than that.
pub(crate) fn cut_chars(text: &str, max: usize) -> Option<&str> {
    text.char_indices().nth(max).and_then(|(end, _)| text.get(..end))
}

/// The first `max` bytes, or a few less to end between two characters. `None` if there are no more
/// than that.
pub(crate) fn cut_bytes(text: &str, max: usize) -> Option<&str> {
    (text.len() > max).then(|| text.get(..text.floor_char_boundary(max)).unwrap_or_default())
}

/// Whether the text contains a placeholder that no template engine has filled in.
fn is_unrendered(text: &str) -> bool {
    let opened = |open: &str, close: &str| {
        text.find(open).is_some_and(|at| text.get(at..).is_some_and(|rest| rest.contains(close)))
    };
    opened("{{", "}}") || opened("{%", "%}")
}

/// Whether the text is what template engines write for a missing value: Jinja's `None`, Liquid's
/// blank, Zendesk's `-` for a field in which nothing is selected, or an unfilled placeholder.
/// Upper and lower case differ, since there are people called Null.
pub(crate) fn is_empty_value(text: &str) -> bool {
    matches!(text, "" | "-" | "None" | "null" | "undefined") || is_unrendered(text)
}
