//! Makes text from outside safe to show inside a sentence.

/// The longest name that is shown, in characters. A longer text is not a name.
const LONGEST_NAME: usize = 60;

/// First strong isolate: the text after it has its own direction and does not affect the text
/// around it (Unicode UAX 9).
const ISOLATE: char = '\u{2068}';
/// Pop directional isolate: its end.
const POP: char = '\u{2069}';

/// Whether a character changes the direction of other text, or is invisible. Such characters are
/// removed, because they can make a text look like another one.
fn is_invisible(c: char) -> bool {
    // Bidirectional marks, embeddings, overrides and isolates; zero-width space, word joiner and
    // invisible operators; BOM; line and paragraph separators; tags. The zero-width joiner and
    // non-joiner stay, because Persian names and emoji need them.
    matches!(
        c,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Makes one line of a text: control characters and runs of white space become one space;
/// bidirectional controls and invisible characters are removed.
pub fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Does the same to each line of a text, and keeps the lines: for a comment or a postal address.
pub fn paragraphs(text: &str) -> String {
    let lines: Vec<String> = text
        .replace("\r\n", "\n")
        .split(['\n', '\r', '\u{2028}', '\u{2029}'])
        .map(one_line)
        .collect();
    lines.join("\n").trim().to_owned()
}

/// A name that may stand in a greeting: one line of at most 60 characters, without a URL or an
/// address. `None` for any other text.
///
/// The customer, or somebody else who opened the ticket, typed the name. With a link in it, our
/// mail would carry that link to another person, with our name as the sender.
pub fn name(text: &str) -> Option<String> {
    let name = one_line(text);
    let lower = name.to_lowercase();
    let link = lower.contains("://")
        || lower.contains("www.")
        || lower.contains('@')
        || lower.split(' ').any(looks_like_a_host);
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.chars().any(char::is_alphanumeric);
    (fits && !link).then_some(name)
}

/// Whether mail programs would make a link of the word: `example.com/x`, but not `J.Doe` or `Dr.`.
/// It has a dot between two labels, and the last label could be a top-level domain.
fn looks_like_a_host(word: &str) -> bool {
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let path = host.len() != word.len();
    match host.rsplit_once('.') {
        Some((before, last)) if !before.is_empty() => {
            let tld = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
            tld && (path || before.chars().count() >= 2)
        }
        _ => false,
    }
}

/// The name between isolation marks, so that its direction and that of the sentence do not affect
/// each other.
pub fn isolated(name: &str) -> String {
    format!("{ISOLATE}{name}{POP}")
}

/// The name, isolated only if it has letters of the other direction than the sentence (`rtl`). For
/// subjects, where old mail programs show the marks as boxes.
pub fn isolated_where_needed(name: &str, rtl: bool) -> String {
    let against = name.chars().any(|c| c.is_alphanumeric() && is_rtl(c) != rtl);
    if against { isolated(name) } else { name.to_owned() }
}

/// Whether a character is in a block that Unicode keeps for right-to-left scripts: Hebrew, Arabic,
/// Syriac, Thaana, N'Ko and their neighbours, with presentation forms.
fn is_rtl(c: char) -> bool {
    matches!(
        c,
        '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::web_url;
    use proptest::prelude::*;

    #[test]
    fn names_are_kept_and_links_are_not() {
        for kept in [
            "Ann",
            "J. Doe",
            "J.Doe",
            "O'Brien & Sons",
            "王小明",
            "عمر",
            "Dr. med. Eva-Maria Ö.",
            "Jean-Luc",
            "St.John",
            "<b>",
        ] {
            let expected = (kept != "St.John").then_some(kept);
            assert_eq!(name(kept).as_deref(), expected, "{kept}");
        }
        let long = "x".repeat(61);
        for gone in [
            "",
            "  ",
            "-",
            "http://evil.example",
            "Buy at evil.com",
            "evil.com/x",
            "a.co/x",
            "www.evil",
            "eve@evil.com",
            "\u{202e}",
            &long,
        ] {
            assert_eq!(name(gone), None, "{gone}");
        }
        assert_eq!(name("  Eve\r\nBcc: x \u{202e}\u{0} ").as_deref(), Some("Eve Bcc: x"));
        assert_eq!(name("\u{2068}Ann\u{2069}").as_deref(), Some("Ann"));
    }

    #[test]
    fn lines_stay_apart_only_in_paragraphs() {
        assert_eq!(one_line("a\n\tb\u{2028}c"), "a bc");
        assert_eq!(paragraphs(" a \r\n\r\n b\u{7}c\u{2029}d\n"), "a\n\nb c\nd");
    }

    #[test]
    fn a_name_that_runs_against_the_sentence_is_isolated() {
        assert_eq!(isolated_where_needed("Ann", false), "Ann");
        assert_eq!(isolated_where_needed("עמר", true), "עמר");
        assert_eq!(isolated_where_needed("Ann", true), "\u{2068}Ann\u{2069}");
        assert_eq!(isolated_where_needed("عمر", false), "\u{2068}عمر\u{2069}");
        assert_eq!(isolated_where_needed("王小明", false), "王小明");
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert_eq!(web_url(" https://example.com/a?b=c "), Some("https://example.com/a?b=c"));
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "//x.example",
            "https://x.example/\"onload=",
            "https://x.example/ y",
            "data:x",
            "https://ö.example",
        ] {
            assert_eq!(web_url(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left(text: String) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_invisible(c)));
            prop_assert_eq!(one_line(&line), line.clone());
            let fits = |n: String| n.chars().count() <= LONGEST_NAME && !n.contains('@');
            prop_assert!(name(&text).is_none_or(fits));
        }
    }
}
