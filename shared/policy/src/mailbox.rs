//! The sender of a mail and where replies go, as admins write them.

use normalize::Address;

/// `address` or `Name <address>`, parsed: the address is certain to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name, if one is given: one line, never empty.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// Reads `address`, `<address>`, `Name <address>` and `"Name" <address>`. It ignores `mailto:`
    /// before the address, a comma or semicolon at the end, and additional blanks. `None` for any
    /// other text, also for two addresses.
    pub fn parse(text: &str) -> Option<Self> {
        let text =
            text.trim_end_matches(|c: char| c.is_whitespace() || c == ',' || c == ';').trim_start();
        let Some(named) = text.strip_suffix('>') else {
            return Some(Self { name: None, address: address(text)? });
        };
        let (name, bare) = named.rsplit_once('<')?;
        let address = address(bare)?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = match quoted(&name) {
            Some(inside) => inside?,
            None => plain(name, &address)?,
        };
        Some(Self { name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()), address })
    }
}

fn address(text: &str) -> Option<Address> {
    let text = text.trim();
    let bare = text
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .map_or(text, |scheme| &text[scheme.len()..]);
    Address::parse(bare)
}

/// The text between quotation marks, without the backslashes of RFC 5322. `None` if the name has no
/// quotation marks around it; `Some(None)` if they end before the name does.
fn quoted(name: &str) -> Option<Option<String>> {
    // Word writes these.
    if let Some(inside) =
        name.strip_prefix(['“', '„']).and_then(|name| name.strip_suffix(['”', '“']))
    {
        return Some((!inside.contains(['“', '„', '”', '<', '>'])).then(|| inside.to_owned()));
    }
    let inside = name.strip_prefix('"')?.strip_suffix('"')?;
    let (mut text, mut letters) = (String::new(), inside.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(None),
            '\\' => text.extend(letters.next()),
            _ => text.push(letter),
        }
    }
    Some(Some(text))
}

/// A name without quotation marks, unless another address is in it: `a@x.example, Bob
/// <b@x.example>` is a list.
fn plain(name: String, address: &Address) -> Option<String> {
    let another = |word: &str| Address::parse(word).is_some_and(|other| other != *address);
    (!name.contains(['<', '>']) && !name.split([',', ';', ' ']).any(another)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(String, String)> {
        Mailbox::parse(text)
            .map(|mailbox| (mailbox.name.unwrap_or_default(), mailbox.address.as_mailbox()))
    }

    #[test]
    fn what_people_write_is_understood() {
        for (text, name) in [
            ("help@peak.example", ""),
            ("<help@peak.example>", ""),
            (" < help@peak.example > ", ""),
            ("mailto:help@peak.example", ""),
            ("<MAILTO:help@peak.example>;", ""),
            ("help@peak.example,", ""),
            ("Peak <help@peak.example>", "Peak"),
            ("Peak<help@peak.example>", "Peak"),
            ("Peak <mailto:help@peak.example>", "Peak"),
            ("  Blanca   Peak\t<help@peak.example> , ", "Blanca Peak"),
            ("\"Blanca Peak\" <help@peak.example>", "Blanca Peak"),
            ("“Blanca Peak” <help@peak.example>", "Blanca Peak"),
            ("\"Peak, Blanca\" <help@peak.example>", "Peak, Blanca"),
            ("Peak, Blanca <help@peak.example>", "Peak, Blanca"),
            ("\"The \\\"Peak\\\"\" <help@peak.example>", "The \"Peak\""),
            ("The \"Peak\" Inc. <help@peak.example>", "The \"Peak\" Inc."),
            ("\"\" <help@peak.example>", ""),
            ("Bäckerei Söhne <help@peak.example>", "Bäckerei Söhne"),
            ("株式会社 <help@peak.example>", "株式会社"),
            ("Meet @ Peak <help@peak.example>", "Meet @ Peak"),
            ("help@peak.example <help@peak.example>", "help@peak.example"),
        ] {
            assert_eq!(
                read(text),
                Some((name.to_owned(), "help@peak.example".to_owned())),
                "{text}"
            );
        }
        assert_eq!(read("Käse <hilfe@käse.example>").unwrap().1, "hilfe@xn--kse-qla.example");
    }

    #[test]
    fn a_text_without_exactly_one_address_is_not_a_mailbox() {
        for text in [
            "",
            "Peak",
            "help",
            "help@",
            "help@peak",
            "<>",
            "Peak <>",
            "Peak <help@peak.example",
            "Peak help@peak.example",
            "help@peak.example Peak",
            "help@peak.example (Peak)",
            "hilfé@peak.example",
            "help@peak.example, other@peak.example",
            "help@peak.example; other@peak.example",
            "help@peak.example other@peak.example",
            "other@peak.example, Peak <help@peak.example>",
            "Peak <help@peak.example>, Other <other@peak.example>",
            "\"Peak\" <help@peak.example>, \"Other\" <other@peak.example>",
            "“Peak” <help@peak.example>, “Other” <other@peak.example>",
            "mailto:help@peak.example?subject=x",
            "https://peak.example",
            "help@peak.example\nBcc: eve@evil.example",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_a_name_is_one_line(text in ".{0,80}", name in "[^<>\"@]{0,40}") {
            let _ = Mailbox::parse(&text);
            let mailbox = Mailbox::parse(&format!("{name} <help@peak.example>"));
            let shown = mailbox.and_then(|mailbox| mailbox.name).unwrap_or_default();
            prop_assert!(!shown.contains(['\r', '\n']) && shown.trim() == shown);
        }
    }
}
