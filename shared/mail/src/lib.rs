//! The survey mail: HTML and text in every language, in the brand's branding, with its headers; and
//! Amazon SES, which sends it.
//!
//! [`render`] is pure: it knows neither tables nor policy, and whoever calls it has chosen
//! recipient, language and brand. [`Ses::send`] sends one [`RenderedMail`] once and says what a
//! failure means.
//!
//! RenderedMail programs group mails of one subject, and Gmail clips a group at about 102 KB. Our
//! subjects differ only by the agent's name, and that is accepted: a customer gets one mail in a
//! suppression window, and a mail has under 15 KB.
//!
//! **Invariant:** reads and writes no table; nothing here logs, and no `Debug` or error shows an
//! address, a name or a token.

mod header;
mod ses;
mod survey_mail;

pub use policy::Refusal;
pub use ses::{SendError, Ses, client};
pub use survey_mail::{RenderError, RenderedMail, Sender, SurveyMail, render};
