//! A mail as it travels: RFC 5322 with a `multipart/alternative` body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::mailbox::Message;

const BOUNDARY: &str = "afterword-part";

/// The whole mail, with lines that end in CR LF.
pub(crate) fn eml(message: &Message) -> String {
    let mut eml = String::new();
    for (name, value) in &message.headers {
        eml.push_str(&format!("{name}: {}\r\n", encoded_words(value)));
    }
    eml.push_str(&format!("Content-Type: multipart/alternative; boundary=\"{BOUNDARY}\"\r\n\r\n"));
    for (kind, part) in [("plain", &message.text), ("html", &message.html)] {
        if !part.is_empty() {
            let head = format!("--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
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

/// A header value in ASCII: as it is, or in encoded words of RFC 2047, each of at most 75 characters.
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
    words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word))).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outside_ascii_is_folded_into_encoded_words() {
        assert_eq!(encoded_words("plain"), "plain");
        assert_eq!(encoded_words("é"), "=?UTF-8?B?w6k=?=");
        let long = encoded_words(&"日本語".repeat(20));
        assert!(long.split("\r\n ").all(|word| word.len() <= 75), "{long}");
        assert!(encoded_words("a\r\nBcc: x").starts_with("=?UTF-8?B?"));
    }
}
