//! Text from outside, made fit to be shown inside a sentence.

/// The longest name that is shown; longer ones are not names.
const LONGEST_NAME: usize = 60;

/// First strong isolate: what follows decides its own direction and disturbs nothing around it
/// (Unicode UAX 9).
const ISOLATE: char = '\u{2068}';
/// Pop directional isolate: its end.
const POP: char = '\u{2069}';

/// Characters that change the direction of other text, or have no shape at all: never kept, since
/// they can make a text say what it does not.
fn is_invisible(c: char) -> bool {
    // Bidirectional marks, embeddings, overrides and isolates; zero-width space, word joiner and
    // invisible operators; BOM; line and paragraph separators; tags. Zero-width (non-)joiner stays:
    // Persian names and emoji need it.
    matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line: control characters and runs of white space become one space, bidirectional controls
/// and invisible characters go.
pub fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`one_line`], but its lines stay apart: for a comment or a postal address.
pub fn paragraphs(text: &str) -> String {
    let lines: Vec<String> = text
        .replace("\r\n", "\n")
        .split(['\n', '\r', '\u{2028}', '\u{2029}'])
        .map(one_line)
        .collect();
    lines.join("\n").trim().to_owned()
}

/// A name that may stand in a greeting: one line, at most 60 characters, and neither URL nor
/// address.
///
/// A "name" is typed by whoever opened the ticket. One that holds a link would make our mail carry
/// it to somebody else, under our sender.
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

/// `example.com/x`, but not `J.Doe` or `Dr.`: a dot between two labels, the last of which mail
/// programs would take for a top-level domain.
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

/// `name` between isolation marks, so that neither it nor the sentence around it is reordered.
pub fn isolated(name: &str) -> String {
    format!("{ISOLATE}{name}{POP}")
}

/// As [`isolated`], but only where the name runs against the sentence (`rtl`): for subjects, where
/// old mail programs show the marks as boxes.
pub fn isolated_where_needed(name: &str, rtl: bool) -> String {
    let against = name.chars().any(|c| c.is_alphanumeric() && is_rtl(c) != rtl);
    if against { isolated(name) } else { name.to_owned() }
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and their neighbours, with presentation forms: the blocks
/// that Unicode keeps for right-to-left scripts.
fn is_rtl(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// The URL, if it is one that a browser loads over http(s) and that can stand in an attribute or a
/// header: printable ASCII, no quotes, no spaces.
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
            prop_assert!(name(&text).is_none_or(|n| n.chars().count() <= LONGEST_NAME && !n.contains('@')));
        }
    }
}
