//! A text with names in it, as HTML.

use std::fmt::{self, Write as _};

/// A sentence whose names are between isolation marks ([`branding::isolated`]): written as HTML,
/// escaped, each name in a `<bdi>`.
///
/// Text from outside has lost such marks before it gets here ([`branding::one_line`]), so that each
/// one is ours and has its partner.
pub(super) struct Sentence(pub(super) String);

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\u{2068}' => f.write_str("<bdi>")?,
                '\u{2069}' => f.write_str("</bdi>")?,
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// It escapes itself.
impl askama::filters::HtmlSafe for Sentence {}

/// Writes itself character by character, like any other value.
impl askama::FastWritable for Sentence {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(dest, "{self}")?)
    }
}

#[cfg(test)]
mod tests {
    use super::Sentence;

    #[test]
    fn names_are_isolated_and_everything_is_escaped() {
        let sentence = Sentence(format!("<{}> & \"co\"", branding::isolated("<b>O'Hara</b>")));
        assert_eq!(
            sentence.to_string(),
            "&lt;<bdi>&lt;b&gt;O&#39;Hara&lt;/b&gt;</bdi>&gt; &amp; &quot;co&quot;"
        );
    }
}
