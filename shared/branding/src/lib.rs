//! The branding of mails and pages: readable colours, and names from outside that are safe to show.
//!
//! **Invariant:** no I/O and no escaping. The results are plain text, and the templates escape
//! them.

mod accent;
mod resolve;
mod shown;

pub use accent::{Accent, contrast};
pub use policy::web_url;
pub use resolve::resolve;
pub use shown::{isolated, isolated_where_needed, name, one_line, paragraphs};

/// How mails and pages of one brand look. The company's values are already in it where the brand
/// has none: see [`resolve()`].
#[derive(Clone, Debug, Default)]
pub struct Branding<'a> {
    /// The brand's signifier, or `company`: for `List-ID` and tags, never shown.
    pub id: &'a str,
    /// Shown as the sender, in the texts, and in place of a logo.
    pub name: &'a str,
    /// A picture's http(s) URL. Any other text is not shown.
    pub logo_url: Option<&'a str>,
    /// Stars, links and button.
    pub accent: Accent,
    /// The line at the foot of mail and page: the postal address.
    pub footer: Option<&'a str>,
    /// The brand's own question, in place of the one in the customer's language.
    pub question: Option<&'a str>,
    /// Where the thank-you page leads: an http(s) URL. Any other text is not used.
    pub thank_you_url: Option<&'a str>,
}

/// The employee who helped the customer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agent<'a> {
    /// Display name, from the profile.
    pub name: &'a str,
    /// A picture's http(s) URL. Any other text is not shown.
    pub picture_url: Option<&'a str>,
}
