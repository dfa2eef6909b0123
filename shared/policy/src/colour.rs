//! Colours and links, as admins write them for the branding.

/// A colour: red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// Reads `#rrggbb` and `#rgb`, with or without `#`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().trim_start_matches('#');
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let [_, r, g, b] = value.to_be_bytes();
        match digits.len() {
            6 => Some(Self(r, g, b)),
            // #abc means #aabbcc.
            3 => Some(Self(17 * (g & 15), 17 * (b >> 4), 17 * (b & 15))),
            _ => None,
        }
    }
}

/// The URL, trimmed, if a browser can load it over http(s) and it fits into an HTML attribute and a
/// header: printable ASCII without quotation marks and blanks. `None` for any other text.
pub fn web_url(text: &str) -> Option<&str> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`'));
    (plain && !rest.is_empty() && !rest.starts_with('/')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_three_or_six_hexadecimal_digits() {
        for (text, colour) in [
            ("#2563eb", Some(Colour(0x25, 0x63, 0xeb))),
            (" FFB400 ", Some(Colour(0xff, 0xb4, 0))),
            ("#1af", Some(Colour(0x11, 0xaa, 0xff))),
            ("", None),
            ("red", None),
            ("#12345", None),
            ("#+12345", None),
        ] {
            assert_eq!(Colour::parse(text), colour, "{text}");
        }
    }
}
