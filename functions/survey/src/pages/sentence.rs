//! A text with names in it, as HTML.

use std::fmt::{self, Write as _};

/// A sentence in which each name stands between isolation marks ([`branding::isolated`]). It is
/// shown as HTML: escaped, and with each name in a `<bdi>`.
///
/// [`branding::one_line`] has removed such marks from text that comes from outside. So each mark
/// here is ours, and marks come in pairs.
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

/// [`Display`](fmt::Display) escapes, so that the template does not have to.
impl askama::filters::HtmlSafe for Sentence {}

/// As [`Display`](fmt::Display).
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
