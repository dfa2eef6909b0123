//! Looks for a tag in texts.
//!
//! In: the texts that came for tags, in whatever shape. Out: whether one of them contains the tag.
//! It exists because template engines render tags in more ways than can be told apart: one text of
//! words, a list with one text, Python with HTML escapes.

/// Whether one of the texts contains the tag as a whole word. See [`SurveyRequest::has_tag`].
///
/// [`SurveyRequest::has_tag`]: crate::SurveyRequest::has_tag
pub fn has_tag<'a>(texts: impl IntoIterator<Item = &'a str>, tag: &str) -> bool {
    let tag = lower(tag.trim());
    !tag.is_empty()
        && texts.into_iter().any(|given| {
            let escaped = given.contains(['&', '\\']);
            has_word(&lower(given), &tag) || escaped && has_word(&lower(&unescaped(given)), &tag)
        })
}

/// The text with the escapes of template engines undone: HTML's `&quot;` and `&#39;`, and the
/// backslashes of JSON and Python. Use it only to search for a word.
fn unescaped(text: &str) -> String {
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

/// The character that the HTML entity at the start of the text stands for, and the length of the
/// entity in bytes.
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

/// The character that the backslash escape at the start of the text stands for, and the length of
/// the escape in bytes.
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

/// The text in lower case, letter by letter, so that the letters around a word do not change it.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether `text` contains `word` with no letter, digit, `-` or `_` next to it. Both are in lower
/// case.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    // A word that begins with another character (`#quiet`) may follow a letter directly.
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
