//! A sender's body as an admin may see it.

use crate::text;

/// Digits from which on a number may be a telephone or a card: in a row, and in groups, as people
/// write them (a date with its hour has ten).
const LONG_NUMBER: usize = 7;
const LONG_GROUPS: usize = 11;

/// The body with e-mail addresses (`j***@e***.com`) and long numbers (`***42`) masked, cut at
/// `max_bytes` between two characters. Invalid UTF-8 is replaced. Names and free text stay: keep it
/// no longer than the request itself.
pub fn masked_body(body: &[u8], max_bytes: usize) -> String {
    let body = String::from_utf8_lossy(body);
    // JSON and URLs may spell the sign so.
    let body = body.replace("\\u0040", "@").replace("%40", "@");
    let body = numbers(&body);
    let mut masked = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let word_end = rest.find(boundary).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        masked.push_str(&address(word));
        let gap_end = tail.find(|c| !boundary(c)).unwrap_or(tail.len());
        let (gap, tail) = tail.split_at(gap_end);
        masked.push_str(gap);
        rest = tail;
    }
    text::cut_bytes(&masked, max_bytes).map(str::to_owned).unwrap_or(masked)
}

fn boundary(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"<>()[]{},;:\\/=&?|".contains(c)
}

fn address(word: &str) -> String {
    let Some((local, host)) = word.rsplit_once('@') else { return word.to_owned() };
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let label = host
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .rsplit_once('.')
        .map(|(_, label)| label);
    let label = label
        .filter(|label| label.len() <= 12)
        .map(|label| format!(".{label}"))
        .unwrap_or_default();
    format!("{}***@{}***{label}", first(local), first(host))
}

fn numbers(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let (number, after) = number.split_at(length(number.as_bytes()));
        masked.push_str(before);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        if digits >= if digits == number.len() { LONG_NUMBER } else { LONG_GROUPS } {
            masked.push_str("***");
            masked.push_str(number.get(number.len() - 2..).unwrap_or_default());
        } else {
            masked.push_str(number);
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// Bytes of the number that `text` begins with: digits, with at most two spaces, hyphens, points or
/// brackets between two of them.
fn length(text: &[u8]) -> usize {
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    let gap = |at: usize| matches!(text.get(at), Some(b' ' | b'-' | b'.' | b'(' | b')'));
    loop {
        match (0..=2).find(|gaps| digit(end + gaps)) {
            Some(gaps) if (0..gaps).all(|at| gap(end + at)) => end += gaps + 1,
            _ => return end,
        }
    }
}
