//! From the bytes of a file to text: UTF-8 with or without a mark, and UTF-16 with one.

/// Bytes of a list at most, as UTF-8.
const LONGEST: usize = 1_000_000;

/// The text, its lines ended by `\n`.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    let told = |sentence: &str| Err(sentence.to_owned());
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return told("There is nothing in it. Choose a file, or paste the list.");
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return told("This is a spreadsheet's own file. Save it as CSV (UTF-8), and choose that.");
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let binary = "This file is no text. Save the list as CSV (UTF-8), and choose that.";
    let Some(text) = text else {
        if bytes.contains(&0) {
            return told(binary);
        }
        return told(
            "This text is neither UTF-8 nor UTF-16, so that names in it cannot be read for sure. \
             Save the list as “CSV UTF-8”, and choose that.",
        );
    };
    if !text.chars().all(is_text) {
        return told(binary);
    }
    if text.trim().is_empty() {
        return told("There is nothing in it. Choose a file, or paste the list.");
    }
    if text.len() > LONGEST {
        return told("The list is larger than 1 MB. Split it, and import one part at a time.");
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>();
    text.ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, mark: [u8; 2], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect()
    }

    #[test]
    fn every_encoding_of_a_spreadsheet_is_read() {
        let text = "email;name\r\nzoë@a.example;Zoë 🦊\rx@a.example;\n";
        let expected = "email;name\nzoë@a.example;Zoë 🦊\nx@a.example;\n";
        let with_mark = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with_mark,
            encoded(text, [0xff, 0xfe], u16::to_le_bytes),
            encoded(text, [0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        let odd = encoded("email\n", [0xff, 0xfe], u16::to_le_bytes);
        let cases: [(&[u8], &str); 11] = [
            (b"", "nothing in it"),
            (b" \r\n\t", "nothing in it"),
            (&[0xef, 0xbb, 0xbf], "nothing in it"),
            (b"PK\x03\x04\x14\0", "spreadsheet's own"),
            (&[0xd0, 0xcf, 0x11, 0xe0, 0xa1], "spreadsheet's own"),
            (b"email\nzo\xeb@a.example", "neither UTF-8 nor UTF-16"),
            (b"\x89PNG\r\n\x1a\n\0\0", "no text"),
            (b"e\0m\0a\0i\0l\0", "no text"),
            (b"email\n\x01@a.example", "no text"),
            (&odd[..odd.len() - 1], "no text"),
            (&[0xff, 0xfe, 0x00, 0xd8], "no text"),
        ];
        for (bytes, expected) in cases {
            let told = decode(bytes).unwrap_err();
            assert!(told.contains(expected), "{bytes:?}: {told}");
        }
        assert!(decode(&vec![b'a'; LONGEST]).is_ok());
        assert!(decode(&vec![b'a'; LONGEST + 1]).unwrap_err().contains("1 MB"));
    }
}
