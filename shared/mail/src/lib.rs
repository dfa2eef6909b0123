//! The survey mail: HTML and text in every language, in the brand's dress, with its headers; and Amazon SES, which sends it.
//!
//! [`render`] is pure: it knows neither tables nor policy, and whoever calls it has chosen recipient, language and brand.
//! [`Ses::send`] sends one [`Mail`] once and says what a failure means.
//!
//! **Invariant:** reads and writes no table; nothing here logs, and no `Debug` or error shows an address, a name or a token.

mod header;
mod letter;
mod ses;

pub use letter::{Letter, Mail, RenderError, render};
pub use ses::{Refusal, SendError, Ses, client};
