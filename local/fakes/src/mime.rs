//! A mail in the format of RFC 5322, with a `multipart/alternative` body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::mailbox::Message;

const BOUNDARY: &str = "afterword-part";

/// The whole mail, with lines that end in CR LF.
pub(crate) fn eml(message: &Message) -> String {
    let mut eml = String::new();
    for (name, value) in &message.headers {
        eml.push_str(&format!("{}\r\n", folded(&format!("{name}: {}", encoded_words(value)))));
    }
    eml.push_str(&format!("Content-Type: multipart/alternative; boundary=\"{BOUNDARY}\"\r\n\r\n"));
    for (kind, part) in [("plain", &message.text), ("html", &message.html)] {
        if !part.is_empty() {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n"
            );
            eml.push_str(&head);
            // RFC 2045: at most 76 characters a line. 57 bytes are 76 characters.
            for line in part.as_bytes().chunks(57) {
                eml.push_str(&BASE64.encode(line));
                eml.push_str("\r\n");
            }
        }
    }
    eml.push_str(&format!("--{BOUNDARY}--\r\n"));
    eml
}

/// A header on lines of at most 76 characters, as RFC 5322 advises and RFC 2047 demands of encoded
/// words. Lines are broken at blanks only: a longer word makes a longer line.
fn folded(header: &str) -> String {
    let (mut folded, mut length) = (String::new(), 0);
    for (place, word) in header.split(' ').enumerate() {
        // Not directly after the name: a line must not consist of blanks only.
        if place > 1 && length + 1 + word.len() > 76 {
            folded.push_str("\r\n ");
            length = 1;
        } else if place > 0 {
            folded.push(' ');
            length += 1;
        }
        folded.push_str(word);
        // A value in encoded words is on several lines already.
        length = word.rsplit_once("\r\n").map_or(length + word.len(), |(_, last)| last.len());
    }
    folded
}

/// A header value in ASCII: as it is, or in encoded words of RFC 2047, each of at most 75
/// characters.
fn encoded_words(value: &str) -> String {
    if value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return value.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in value.chars() {
        // 45 bytes are 60 characters of base64, and `=?UTF-8?B?` and `?=` are 12.
        if word.len() + letter.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter);
    }
    words.push(word);
    words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word)))
        .collect::<Vec<_>>()
        .join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_header_is_folded_at_its_blanks() {
        assert_eq!(folded("X-A: b c"), "X-A: b c");
        let word = "w".repeat(40);
        assert_eq!(folded(&format!("X-A: {word} {word} c")), format!("X-A: {word}\r\n {word} c"));
        let endless = "w".repeat(200);
        assert_eq!(folded(&format!("X-A: {endless} c")), format!("X-A: {endless}\r\n c"));
        let subject = format!("Subject: {}", encoded_words(&"日本語".repeat(20)));
        assert_eq!(folded(&subject).replace("\r\n", ""), subject.replace("\r\n", ""));
        assert!(
            folded(&subject)
                .split("\r\n")
                .skip(1)
                .all(|line| line.starts_with(' ') && line.len() <= 76)
        );
    }

    #[test]
    fn a_value_outside_ascii_is_folded_into_encoded_words() {
        assert_eq!(encoded_words("plain"), "plain");
        assert_eq!(encoded_words("é"), "=?UTF-8?B?w6k=?=");
        let long = encoded_words(&"日本語".repeat(20));
        assert!(long.split("\r\n ").all(|word| word.len() <= 75), "{long}");
        assert!(encoded_words("a\r\nBcc: x").starts_with("=?UTF-8?B?"));
    }
}
