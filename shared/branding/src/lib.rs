//! A brand's look, made readable, and names from outside, made safe to show: what mail and pages
//! share.
//!
//! **Invariant:** no I/O and no escaping; what comes out is plain text, and the templates escape
//! it.

mod accent;
mod resolve;
mod shown;

pub use accent::{Accent, contrast};
pub use resolve::resolve;
pub use shown::{isolated, isolated_where_needed, name, one_line, paragraphs, web_url};

/// How mail and pages look for one brand. Whoever builds it has already put the company's value
/// where the brand has none.
#[derive(Clone, Debug, Default)]
pub struct Branding<'a> {
    /// The brand's signifier, or `company`: for `List-ID` and tags, never shown.
    pub id: &'a str,
    /// Shown as sender, in the texts, and instead of a logo.
    pub name: &'a str,
    /// An http(s) image; anything else counts as none.
    pub logo_url: Option<&'a str>,
    /// Stars, links and button.
    pub accent: Accent,
    /// Postal line under mail and page.
    pub footer: Option<&'a str>,
    /// The brand's own question, instead of the language's.
    pub question: Option<&'a str>,
    /// Where the thank-you page leads; an http(s) URL, anything else counts as none.
    pub thank_you_url: Option<&'a str>,
}

/// Who helped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agent<'a> {
    /// Display name, as it stands in the profile.
    pub name: &'a str,
    /// An http(s) image; anything else counts as none.
    pub picture_url: Option<&'a str>,
}
