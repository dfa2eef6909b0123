//! Strings into the forms that the rest may rely on.

use crate::SurveyRequest;

/// One line: control characters and Unicode's line separators become spaces, and the ends are
/// trimmed.
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
        // Embeddings, overrides and isolates reorder what stands around the value; right-to-left
        // names need none.
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

/// What template engines make of a text that they escape, undone: HTML's `&quot;` and `&#39;`, and
/// the backslashes of JSON and Python. Only ever to look for a word in it.
pub(crate) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '\\']) {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let (c, length) = entity(escape).or_else(|| backslash(escape)).unwrap_or((' ', 1));
        plain.push(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The character that an HTML entity at the beginning means, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(10).position(|b| b == b';')?;
    let name = name.get(..end)?;
    let code =
        |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let c = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => code(hex, 16)?,
            None => code(number, 10)?,
        },
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        },
    };
    Some((c, end + 2))
}

/// The character that a backslash at the beginning makes of what follows it, and the length of
/// both.
fn backslash(text: &str) -> Option<(char, usize)> {
    let escaped = text.strip_prefix('\\')?;
    let code = |digits: usize| {
        let number = u32::from_str_radix(escaped.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(number)?, digits + 2))
    };
    match escaped.chars().next()? {
        'n' | 't' | 'r' | 'b' | 'f' => Some((' ', 2)),
        'x' => code(2),
        'u' => code(4),
        'U' => code(8),
        c => Some((c, 1 + c.len_utf8())),
    }
}

/// The text in lower case, letter by letter: what stands around a word does not change it.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether `word` stands in `text` on its own, with no letter, digit, `-` or `_` on either side.
/// Both in lower case.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    // A word that itself begins with a mark (`#quiet`) needs none before it.
    let joined = |outside: Option<char>, edge: Option<char>| {
        outside.is_some_and(part) && edge.is_some_and(part)
    };
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(word)).map(|at| from + at) {
        let (before, found) = text.split_at(start);
        let after = found.get(word.len()..).unwrap_or_default();
        if !joined(before.chars().next_back(), word.chars().next())
            && !joined(after.chars().next(), word.chars().next_back())
        {
            return true;
        }
        from = start + found.chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// A placeholder that no template engine filled in.
pub(crate) fn unrendered(text: &str) -> bool {
    let opened = |open: &str, close: &str| {
        text.find(open).is_some_and(|at| text.get(at..).is_some_and(|rest| rest.contains(close)))
    };
    opened("{{", "}}") || opened("{%", "%}")
}

/// What template engines write where there is nothing: Jinja's `None`, Liquid's blank, Zendesk's
/// `-` for an unselected field. Compared with case: there are people called Null.
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
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '.']) => {
            (scheme.to_ascii_lowercase(), rest)
        }
        // Zendesk's `ticket.url` has none.
        _ => ("https".to_owned(), text.strip_prefix("//").unwrap_or(text)),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let web = scheme == "https" || scheme == "http";
    let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    (web && !host.is_empty() && host.chars().all(plain) && port.chars().all(|c| c.is_ascii_digit()))
        .then(|| format!("{scheme}://{rest}"))
}
