//! Every text that a customer reads, in every language.
//!
//! A language is one file, `texts/<tag>.toml`, which a translator can edit without knowing Rust:
//! `key = "text"`, with `{placeholders}`. The build checks that each file has exactly the keys and
//! placeholders of `texts/en.toml`, and turns it into `static` data. Nothing is parsed at run time.
//!
//! **Invariant:** no I/O and no escaping. Text goes into the placeholders unchanged; code that
//! writes HTML escapes the whole sentence.

use normalize::LanguageTag;

/// A part of a text that has placeholders.
#[derive(Debug)]
enum Piece {
    /// Text that is used unchanged.
    Literal(&'static str),
    /// The argument with this number.
    Argument(usize),
}

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// Puts arguments in the places of the placeholders, in one pass: an argument that looks like a
/// placeholder is not replaced.
fn fill(pieces: &[Piece], arguments: &[&str]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::Argument(n) => arguments.get(*n).copied().unwrap_or_default(),
        })
        .collect()
}

/// The language with this tag, compared without case.
pub fn find(tag: &str) -> Option<&'static Texts> {
    ALL.iter().find(|texts| texts.tag.eq_ignore_ascii_case(tag))
}

/// The texts in the first of the wanted languages that has any, else in English. A language may
/// have texts under a more general tag: `en-GB` leads to `en`.
pub fn best(wanted: &[&str]) -> &'static Texts {
    let tags = wanted.iter().filter_map(|tag| LanguageTag::parse(tag));
    tags.flat_map(|tag| tag.fallbacks()).find_map(|tag| find(tag.as_str())).unwrap_or(&ALL[0])
}

/// Whether there are texts for readers of this language.
pub fn is_spoken(tag: &LanguageTag) -> bool {
    tag.fallbacks().iter().any(|tag| TAGS.contains(&tag.as_str()))
}

impl Texts {
    /// `rtl` or `ltr`, as HTML's `dir` wants it.
    pub fn dir(&self) -> &'static str {
        if self.rtl { "rtl" } else { "ltr" }
    }

    /// The word for a number of stars, 1 to 5; anything else counts as the nearer end.
    pub fn word(&self, stars: u8) -> &'static str {
        match stars {
            0 | 1 => self.stars_1_word,
            2 => self.stars_2_word,
            3 => self.stars_3_word,
            4 => self.stars_4_word,
            _ => self.stars_5_word,
        }
    }

    /// “4 stars”, for 1 to 5; anything else counts as the nearer end.
    pub fn count(&self, stars: u8) -> &'static str {
        match stars {
            0 | 1 => self.stars_1,
            2 => self.stars_2,
            3 => self.stars_3,
            4 => self.stars_4,
            _ => self.stars_5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_languages_of_the_project_are_all_there() {
        let tags: Vec<&str> = ALL.iter().map(|texts| texts.tag).collect();
        assert_eq!(
            tags,
            [
                "en", "ar", "de", "es", "es-419", "fr", "he", "it", "ja", "nl", "pl", "pt-BR",
                "sv", "zh-Hans"
            ]
        );
        let rtl: Vec<&str> = ALL.iter().filter(|texts| texts.rtl).map(|texts| texts.tag).collect();
        assert_eq!(rtl, ["ar", "he"]);
    }

    #[test]
    fn the_first_known_tag_wins_and_english_is_last() {
        assert_eq!(best(&["fr-CA", "de"]).tag, "fr");
        assert_eq!(best(&["en-gb", "de"]).tag, "en");
        assert_eq!(best(&["da", "fr-CA"]).tag, "fr");
        assert_eq!(best(&["ES-419", "es"]).tag, "es-419");
        assert_eq!(best(&["tlh", "so"]).tag, "en");
        assert_eq!(best(&[]).tag, "en");
        assert!(find("").is_none());
        for (tag, spoken) in [("en-GB", true), ("es-MX", true), ("da", false)] {
            assert_eq!(is_spoken(&LanguageTag::parse(tag).unwrap()), spoken, "{tag}");
        }
    }

    #[test]
    fn an_argument_that_looks_like_a_placeholder_stays_text() {
        let text = find("en").unwrap().date("{month}", "{year}", "2026");
        assert_eq!(text, "2026-{year}-{month}");
    }

    #[test]
    fn no_text_is_too_long_for_its_place() {
        for texts in &ALL {
            let wide = matches!(texts.tag, "ja" | "zh-Hans");
            // A column of the star row is 57 px on a phone: about nine letters of the longest word
            // at 12 px, or four characters.
            let longest = if wide { 4 } else { 9 };
            for stars in 1..=5 {
                for word in texts.word(stars).split(' ') {
                    assert!(word.chars().count() <= longest, "{}: {word}", texts.tag);
                }
            }
            // What an inbox shows of the preheader.
            let preheader = texts.mail_preheader.chars().count();
            let least = if wide { 20 } else { 50 };
            assert!((least..=95).contains(&preheader), "{}: {preheader}", texts.tag);
        }
    }
}
