//! The survey mail: HTML and text in every language, in the brand's branding, with its headers; and
//! Amazon SES, which sends it.
//!
//! A notice to the company's own people is rendered by [`render_notice`], in English.
//!
//! [`render`] is pure. Its caller has chosen recipient, language and brand. [`Ses::send`] sends one
//! [`RenderedMail`] once and says what a failure means.
//!
//! Mail programs group mails that have the same subject, and Gmail clips a group at about 102 KB.
//! Our subjects differ by the agent's name alone. That does no harm: a customer gets one mail in a
//! suppression window, and a mail has less than 15 KB.
//!
//! **Invariant:** reads and writes no table. Nothing here logs, and no `Debug` or error shows an
//! address, a name or a token.

mod header;
mod notice_mail;
mod render_error;
mod ses;
mod survey_mail;

pub use notice_mail::{Block, NoticeLink, NoticeMail, Point, render_notice};
pub use policy::Refusal;
pub use render_error::RenderError;
pub use ses::{SendError, Ses, client};
pub use survey_mail::{RenderedMail, Sender, SurveyMail, render};
