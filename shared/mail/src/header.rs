//! What may stand in a header, and how.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::RenderError;

/// The longest value that SES takes in `Simple` content; name and value together may have one more (API reference, `MessageHeader`).
const LONGEST_VALUE: usize = 995;

/// Longest tag value (API reference, `MessageTag`).
const LONGEST_TAG: usize = 256;

/// A header as SES takes it: printable ASCII, not too long. Without CR and LF there is no way to add another header.
pub(crate) fn header(name: &'static str, value: String) -> Result<(String, String), RenderError> {
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if printable && !value.is_empty() && value.len() <= LONGEST_VALUE && name.len() + value.len() <= LONGEST_VALUE + 1 {
        Ok((name.to_owned(), value))
    } else {
        Err(RenderError::Header(name))
    }
}

/// A bare address that can stand in a header and that SES takes: ASCII, one `@` with something on both sides, nothing that has a meaning there.
pub(crate) fn bare_address(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = text.len() <= 320 && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&b));
    let (local, domain) = text.split_once('@')?;
    (plain && !local.is_empty() && domain.contains('.') && !domain.contains('@')).then_some(text)
}

/// `name <address>`, where `from` is an address, or has a name of its own: `Support <support@example.com>`.
pub(crate) fn sender(from: &str, name: &str) -> Option<String> {
    let (name, address) = match from.trim().strip_suffix('>').and_then(|from| from.rsplit_once('<')) {
        Some((own, address)) if !own.trim().is_empty() => (own.trim().trim_matches('"'), address),
        Some((_, address)) => (name, address),
        None => (name, from),
    };
    let address = bare_address(address)?;
    let name = dress::one_line(name);
    if name.is_empty() { Some(address.to_owned()) } else { Some(format!("{} <{address}>", phrase(&name))) }
}

/// A display name: quoted if it is ASCII, else RFC 2047 encoded-words.
fn phrase(name: &str) -> String {
    if name.is_ascii() { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) } else { encoded_words(name) }
}

/// RFC 2047, base64. A word may have 75 characters, of which `=?UTF-8?B?` and `?=` take 12: 45 bytes in 60 characters, never within a letter.
fn encoded_words(text: &str) -> String {
    let mut chunks = vec![String::new()];
    for c in text.chars() {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + c.len_utf8() <= 45 => chunk.push(c),
            _ => chunks.push(c.to_string()),
        }
    }
    let words: Vec<String> = chunks.iter().map(|chunk| format!("=?UTF-8?B?{}?=", STANDARD.encode(chunk))).collect();
    words.join(" ")
}

/// A text in the alphabet of SES's tags, `[A-Za-z0-9_-]`: any other byte becomes `_` and two hex digits.
pub(crate) fn tag(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let tag: String = text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("_{b:02x}") }).collect();
    tag.chars().take(LONGEST_TAG).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_printable_ascii_of_bounded_length() {
        assert!(header("X", "a".repeat(995)).is_ok());
        assert!(header("List-Unsubscribe", "a".repeat(980)).is_ok());
        for bad in [String::new(), "a\r\nBcc: x".to_owned(), "ö".to_owned(), "a\0".to_owned(), "a".repeat(996)] {
            assert!(header("X", bad).is_err());
        }
        assert!(header("List-Unsubscribe", "a".repeat(981)).is_err(), "name and value together");
    }

    #[test]
    fn a_sender_has_a_name() {
        assert_eq!(sender("s@acme.example", "Acme").unwrap(), "\"Acme\" <s@acme.example>");
        assert_eq!(sender("Support, Acme <s@acme.example>", "x").unwrap(), "\"Support, Acme\" <s@acme.example>");
        assert_eq!(sender("<s@acme.example>", "").unwrap(), "s@acme.example");
        assert_eq!(sender("s@acme.example", "A \"B\" \\ C").unwrap(), "\"A \\\"B\\\" \\\\ C\" <s@acme.example>");
        assert_eq!(sender("s@acme.example", "Käse").unwrap(), "=?UTF-8?B?S8Okc2U=?= <s@acme.example>");
        assert_eq!(sender("s@acme.example", "A\r\nBcc: eve@evil.example").unwrap(), "\"A Bcc: eve@evil.example\" <s@acme.example>");
        for bad in [
            "",
            "s",
            "s@",
            "@x.example",
            "s@x",
            "a@b@c.example",
            "s@acme.example, eve@evil.example",
            "s@acme.example\nBcc: x@y.example",
            "sö@acme.example",
        ] {
            assert_eq!(sender(bad, "Acme"), None, "{bad}");
        }
    }

    #[test]
    fn long_names_become_several_words_of_whole_letters() {
        let words = encoded_words(&"日本語の会社".repeat(10));
        for word in words.split(' ') {
            assert!(word.len() <= 75, "{word}");
            let inner = word.strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
            assert!(String::from_utf8(STANDARD.decode(inner).unwrap()).is_ok());
        }
    }

    #[test]
    fn tags_keep_to_their_alphabet() {
        assert_eq!(tag("0197-ab"), "0197-ab");
        assert_eq!(tag("Acme Kids_é"), "Acme_20Kids_5f_c3_a9");
        assert_eq!(tag(&"é".repeat(200)).len(), 256);
    }
}
