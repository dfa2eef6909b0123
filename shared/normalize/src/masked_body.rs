//! A body for admins to look at.
//!
//! In: the bytes of a body. Out: its text, with e-mail addresses and long numbers masked. Requests
//! keep the start of it, so that an admin can see what the helpdesk sent.

use crate::text;

/// A number with this many digits in a row is masked: it may be a telephone or card number.
const LONG_NUMBER: usize = 7;
/// A number in groups, such as `555 010 99 88 77`, is masked if it has this many digits. A date
/// with its hour has ten.
const LONG_GROUPS: usize = 11;

/// The body with e-mail addresses (`j***@e***.com`) and long numbers (`***42`) masked. The result
/// is cut between two characters to have at most `max_bytes`. Invalid UTF-8 is replaced.
///
/// Names and free text are not masked, so store it no longer than the request itself.
pub fn masked_body(body: &[u8], max_bytes: usize) -> String {
    let body = String::from_utf8_lossy(body);
    // JSON and URLs may write the `@` in these ways.
    let body = body.replace("\\u0040", "@").replace("%40", "@");
    let body = numbers(&body);
    let mut masked = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let word_end = rest.find(is_boundary).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        masked.push_str(&address(word));
        let gap_end = tail.find(|c| !is_boundary(c)).unwrap_or(tail.len());
        let (gap, tail) = tail.split_at(gap_end);
        masked.push_str(gap);
        rest = tail;
    }
    text::cut_bytes(&masked, max_bytes).map(str::to_owned).unwrap_or(masked)
}

/// Whether the character cannot be part of an address.
fn is_boundary(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"<>()[]{},;:\\/=&?|".contains(c)
}

/// The word, masked if it is an address.
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

/// The text with its long numbers masked.
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

/// The length in bytes of the number at the start of `text`: digits, with at most two spaces,
/// hyphens, points or brackets between two of them.
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
