//! Language tags.
//!
//! In: a language in any spelling that helpdesks send. Out: a BCP 47 tag, and the tags to try where
//! there are no texts in that language.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language_names;

/// A BCP 47 tag in canonical spelling: `en`, `pt-BR`, `zh-Hans`, `es-419`.
///
/// Serde writes the tag as a text, and reads a text through [`LanguageTag::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LanguageTag(String);

/// Regions whose Spanish is that of `es-419` (CLDR `parentLocales`).
const LATIN_AMERICA: &[&str] = &[
    "AR", "BO", "BR", "BZ", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE",
    "PR", "PY", "SV", "US", "UY", "VE",
];
/// Regions that write English as in Britain: those children of `en-001` in CLDR that helpdesks
/// send.
const BRITISH: &[&str] =
    &["001", "150", "AU", "HK", "IE", "IN", "KE", "MY", "NG", "NZ", "PK", "SG", "ZA"];
/// Regions that write Portuguese as in Portugal (CLDR `parentLocales`).
const LUSOPHONE: &[&str] = &["AO", "CH", "CV", "GW", "LU", "MO", "MZ", "ST", "TL"];

impl LanguageTag {
    /// Reads a language as helpdesks send it: `en-us`, `pt_BR`, `English`, `es-LA`, `UK`. `None` if
    /// the text is not a spelling that we know.
    ///
    /// For Chinese only the script is kept (`zh-cn` → `zh-Hans`, `zh-hk` → `zh-Hant`). Old
    /// codes become their successors (`iw` → `he`, `no` → `nb`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // The first language of an `Accept-Language`, or a POSIX locale without its encoding.
        let spelling =
            text.split([',', ';', '.', '@']).next()?.trim().replace('_', "-").to_lowercase();
        Self::from_code(&spelling).or_else(|| {
            language_names::code(&text.to_lowercase()).and_then(|code| Self::from_code(&code))
        })
    }

    fn from_code(code: &str) -> Option<Self> {
        let mut parts = code.split('-');
        let language = language_names::language(parts.next()?)?;
        let (mut script, mut region) = (None, None);
        for part in parts {
            let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
            match part.len() {
                1 => break, // an extension
                4 if letters && script.is_none() && region.is_none() => script = Some(title(part)),
                2 if letters && region.is_none() => region = Some(part.to_ascii_uppercase()),
                3 if part.bytes().all(|b| b.is_ascii_digit()) && region.is_none() => {
                    region = Some(part.to_owned())
                }
                3..=8 if part.bytes().all(|b| b.is_ascii_alphanumeric()) => {} // a variant
                _ => return None,
            }
        }
        let region = region.map(|region| match (language, region.as_str()) {
            (_, "UK") => "GB".to_owned(),
            // In BCP 47 `LA` is Laos, but helpdesks mean Latin America.
            ("es", "LA") => "419".to_owned(),
            _ => region,
        });
        if language == "zh" || language == "yue" {
            let traditional = match script.as_deref() {
                Some(script) => script == "Hant",
                None => matches!(region.as_deref(), Some("TW" | "HK" | "MO")) || language == "yue",
            };
            return Some(Self(if traditional { "zh-Hant" } else { "zh-Hans" }.to_owned()));
        }
        let tag =
            [Some(language.to_owned()), script, region].into_iter().flatten().collect::<Vec<_>>();
        Some(Self(tag.join("-")))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tags to try, best first: the tag itself, then its parents (`es-MX`, `es-419`, `es`;
    /// `en-AU`, `en-GB`, `en`). For Portuguese the last one is that of Brazil, which `pt` alone
    /// usually means (CLDR likely subtags).
    pub fn fallbacks(&self) -> Vec<LanguageTag> {
        let mut parts = self.0.split('-');
        let language = parts.next().unwrap_or_default();
        let region = parts.clone().find(|part| part.len() < 4);
        let related = match (language, region) {
            ("es", Some(region)) if LATIN_AMERICA.contains(&region) => Some("es-419"),
            ("en", Some(region)) if BRITISH.contains(&region) => Some("en-GB"),
            ("pt", Some(region)) if LUSOPHONE.contains(&region) => Some("pt-PT"),
            _ => None,
        };
        let mut chain = vec![self.0.as_str()];
        chain.extend(related);
        // Another script is not a fallback: a person who reads `zh-Hant` may not read `zh-Hans`.
        if language != "zh" {
            let script = self
                .0
                .rsplit_once('-')
                .filter(|(_, last)| last.len() < 4)
                .map(|(parent, _)| parent);
            chain.extend(script.filter(|parent| parent.contains('-')));
            chain.push(language);
        }
        if language == "pt" {
            chain.push("pt-BR");
        }
        let mut tags: Vec<LanguageTag> = Vec::new();
        for tag in chain {
            if !tags.iter().any(|seen| seen.0 == tag) {
                tags.push(Self(tag.to_owned()));
            }
        }
        tags
    }
}

fn title(script: &str) -> String {
    let (first, rest) = script.split_at(1);
    first.to_ascii_uppercase() + rest
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<LanguageTag> for String {
    fn from(tag: LanguageTag) -> Self {
        tag.0
    }
}

impl TryFrom<String> for LanguageTag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a language")
    }
}
