//! Values of headers: what SES accepts, and how a text is encoded.
//!
//! Encoded-words are made here and not by the `mail-builder` crate. It puts a name into one
//! encoded-word however long that is, and a line break behind it. SES's parameters take no line
//! breaks, and two short words are all that a header of ours may have (docs/facts.md, SES 5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use normalize::Address;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::render_error::RenderError;

/// The longest value that SES takes in `Simple` content. Name and value together may have one byte
/// more (API reference, `MessageHeader`).
const LONGEST_VALUE: usize = 995;

/// Longest tag value (API reference, `MessageTag`).
const LONGEST_TAG: usize = 256;

/// Bytes of text in one encoded-word. RFC 2047 allows a word 75 characters, and its line 76.
/// SES's parameters take no line breaks: a later mail server folds the header, at the blanks. 39
/// bytes become 64 characters, which fit on a line after `Reply-To: `.
const LONGEST_WORD: usize = 39;

/// How many encoded-words one name may have: 26 Chinese or 39 Cyrillic letters. So the whole header
/// is short, even if no server folds it.
const MOST_WORDS: usize = 2;

/// The characters that are percent-encoded in a `mailto:`: all but RFC 3986's unreserved ones and
/// the `@`.
const BESIDE_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Name and value of a header that SES takes: printable ASCII of bounded length. A value without CR
/// and LF cannot add another header.
///
/// # Errors
/// [`RenderError::Header`] if the value is empty, too long, or not printable ASCII.
pub(crate) fn header(name: &'static str, value: String) -> Result<(String, String), RenderError> {
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if printable
        && !value.is_empty()
        && value.len() <= LONGEST_VALUE
        && name.len() + value.len() <= LONGEST_VALUE + 1
    {
        Ok((name.to_owned(), value))
    } else {
        Err(RenderError::Header(name))
    }
}

/// The address in `text`, if it can stand in a header and SES takes it: ASCII, one `@` with
/// something on both sides, and no character that has a meaning in a header.
pub(crate) fn bare_address(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = text.len() <= 320
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&b));
    let (local, domain) = text.split_once('@')?;
    (plain && !local.is_empty() && domain.contains('.') && !domain.contains('@')).then_some(text)
}

/// `name <address>`. The name must be one line.
pub(crate) fn mailbox(name: &str, address: &Address) -> String {
    let address = address.as_mailbox();
    if name.is_empty() { address } else { format!("{} <{address}>", phrase(name)) }
}

/// A display name: a quoted string if it is ASCII, otherwise encoded-words of RFC 2047.
fn phrase(name: &str) -> String {
    if name.is_ascii() {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        encoded_words(name)
    }
}

/// The text as base64 encoded-words of RFC 2047. No letter is divided between two words. A text
/// that needs more than [`MOST_WORDS`] is cut, and ends in `…`.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= LONGEST_WORD => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    if words.len() > MOST_WORDS {
        words.truncate(MOST_WORDS);
        if let Some(last) = words.last_mut() {
            while last.len() + '…'.len_utf8() > LONGEST_WORD {
                last.pop();
            }
            last.push('…');
        }
    }
    let words: Vec<String> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join(" ")
}

/// A `mailto:` link (RFC 6068): the reader's mail program prepares a message to `to`.
pub(crate) fn mailto(to: &Address, subject: &str, body: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, BESIDE_UNRESERVED).to_string();
    format!(
        "mailto:{}?subject={}&body={}",
        encoded(&to.as_mailbox()),
        encoded(subject),
        encoded(body)
    )
}

/// The text in the alphabet of SES's tags, `[A-Za-z0-9_-]`. Any other byte, and `_` itself, becomes
/// `_` and two hex digits. At most [`LONGEST_TAG`] characters are kept.
pub(crate) fn tag(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let tag: String = text
        .bytes()
        .map(|b| if keep(b) { char::from(b).to_string() } else { format!("_{b:02x}") })
        .collect();
    tag.chars().take(LONGEST_TAG).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_printable_ascii_of_bounded_length() {
        assert!(header("X", "a".repeat(995)).is_ok());
        assert!(header("List-Unsubscribe", "a".repeat(980)).is_ok());
        for bad in [
            String::new(),
            "a\r\nBcc: x".to_owned(),
            "ö".to_owned(),
            "a\0".to_owned(),
            "a".repeat(996),
        ] {
            assert!(header("X", bad).is_err());
        }
        assert!(header("List-Unsubscribe", "a".repeat(981)).is_err(), "name and value together");
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_name_stands_before_its_address() {
        for (name, shown) in [
            ("Acme", "\"Acme\" <s@acme.example>"),
            ("Support, Acme", "\"Support, Acme\" <s@acme.example>"),
            ("DEBUG: Acme", "\"DEBUG: Acme\" <s@acme.example>"),
            ("", "s@acme.example"),
            ("A \"B\" \\ C", "\"A \\\"B\\\" \\\\ C\" <s@acme.example>"),
            ("Käse", "=?UTF-8?B?S8Okc2U=?= <s@acme.example>"),
        ] {
            assert_eq!(mailbox(name, &address("s@acme.example")), shown);
        }
        assert_eq!(mailbox("", &address("s@käse.example")), "s@xn--kse-qla.example");
    }

    #[test]
    fn a_long_name_becomes_two_encoded_words_that_divide_no_letter_and_fit_on_a_line() {
        for (name, shown) in [
            ("日本語の会社".repeat(10), format!("{}日…", "日本語の会社".repeat(4))),
            ("Ж".repeat(39), "Ж".repeat(37) + "…"),
            ("Ж".repeat(38), "Ж".repeat(38)),
            ("Bäckerei Müller & Söhne".to_owned(), "Bäckerei Müller & Söhne".to_owned()),
            ("👍".repeat(60), "👍".repeat(18) + "…"),
        ] {
            let words = encoded_words(&name);
            let decoded: Vec<String> = words
                .split(' ')
                .map(|word| {
                    assert!("Reply-To: ".len() + word.len() <= 76, "{word}");
                    let inner =
                        word.strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
                    String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
                })
                .collect();
            assert!(decoded.len() <= 2, "{words}");
            assert_eq!(decoded.concat(), shown);
        }
    }

    #[test]
    fn a_mailto_encodes_each_character_that_has_a_meaning_in_it() {
        assert_eq!(
            mailto(&address("a+b&c?d@acme.example"), "unsubscribe", "https://x.example/u/T?a=b,c>"),
            "mailto:a%2Bb%26c%3Fd@acme.example?subject=unsubscribe\
             &body=https%3A%2F%2Fx.example%2Fu%2FT%3Fa%3Db%2Cc%3E"
        );
    }

    #[test]
    fn a_tag_has_only_characters_of_its_alphabet() {
        assert_eq!(tag("0197-ab"), "0197-ab");
        assert_eq!(tag("Acme Kids_é"), "Acme_20Kids_5f_c3_a9");
        assert_eq!(tag(&"é".repeat(200)).len(), 256);
    }
}
