//! What a visit can fail with, and the one place where that becomes HTTP.

use metrics::Measure;
use store::StoreError;

use crate::reply::{Message, Reply};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// No key, or one that opens nothing here: 401.
    #[error("sign in: HTTP Basic with your name and an admin key, or /admin/sign-in")]
    Unauthorized,
    /// A viewer posted a change: 403.
    #[error("your key may look, and change nothing")]
    ViewersOnlyLook,
    /// The `POST` came from another site: 403.
    #[error("this form was sent from another site, so nothing was changed")]
    CrossSite,
    /// The form's token is absent, or belongs to another session: 403.
    #[error("this form is from another session: load the page again, then send it once more")]
    FormToken,
    /// Nothing has this path: 404.
    #[error("there is no such page")]
    NotFound,
    /// The path exists, but not with this method: 405.
    #[error("this page cannot be called in this way")]
    MethodNotAllowed,
    /// The body is larger than any of our forms: 413.
    #[error("what was sent is larger than {0}")]
    TooLarge(&'static str),
    /// The body or the query could not be understood at all: 400.
    #[error("{0}")]
    NotUnderstood(String),
    /// A table is in trouble: 503.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A template cannot be written, which is a fault of this program: 500.
    #[error("page: {0}")]
    Template(#[from] askama::Error),
    /// The tables took too long: 503.
    #[error("no page in time")]
    Late,
}

impl AdminError {
    fn status(&self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::ViewersOnlyLook | Self::CrossSite | Self::FormToken => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge(_) => 413,
            Self::NotUnderstood(_) => 400,
            Self::Template(_) => 500,
            Self::Store(_) | Self::Late => 503,
        }
    }

    /// A page for a browser, a problem document (RFC 9457) for anything else. Causes inside our
    /// tables are logged, and not shown.
    pub(crate) fn into_reply(self, html: bool) -> Reply {
        let status = self.status();
        let shown = if status >= 500 {
            let measured = metrics::of(&[Measure::Unavailable]);
            tracing::error!(error = %self, metrics = %measured, "an admin page could not be served");
            "Something on our side did not work. Try again in half a minute.".to_owned()
        } else {
            self.to_string()
        };
        let mut reply = match html {
            true => Message { status, text: shown }.page(),
            false => Reply::problem(status, &shown),
        };
        match self {
            Self::Unauthorized => {
                reply.headers.push(("www-authenticate", "Basic realm=\"Afterword\"".to_owned()));
            }
            Self::Store(_) | Self::Late => {
                reply.headers.push(("retry-after", "30".to_owned()));
            }
            _ => {}
        }
        reply
    }
}
