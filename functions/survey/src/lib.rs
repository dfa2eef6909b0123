//! The customer's pages: `/s/{token}`, the survey, and `/u/{token}`, which unsubscribes.
//!
//! - `GET` and `HEAD` show a page and never write, since link scanners open every link, some of
//!   them twice.
//! - `POST /s/{token}` records the answer. A second answer replaces the first while the survey is
//!   open. A 303 leads to `?thanks=STARS`, which can be bookmarked. A customer who changes the
//!   answer more than twenty times in an hour gets a 429 page.
//! - `POST /u/{token}` with `List-Unsubscribe=One-Click` (RFC 8058) unsubscribes from everything at
//!   once, without a redirect. The page's own forms say from what, and can undo it.
//! - A token that was changed, guessed, never existed or has expired gives the same 404 page.

mod answer;
pub mod pages;
mod submission;
mod unsubscribe;

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, RequestExt, Response};
use language::Texts;
use links::TokenSecrets;
use metrics::Measure;
use pages::Page;
use store::{Store, StoreError};

/// The function and what it needs.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The tables.
    pub store: Store,
    /// What opens the tokens.
    pub secrets: TokenSecrets,
}

/// How long a visit may take: less than the function's time-out in `template.yaml`, so that the
/// visitor sees a page and not API Gateway's JSON.
const DEADLINE: Duration = Duration::from_secs(7);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// A table could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A template cannot be rendered: a bug.
    #[error("page: {0}")]
    Template(#[from] askama::Error),
    /// The tables took too long.
    #[error("no page within {DEADLINE:?}")]
    Late,
}

/// The result of a visit.
pub(crate) enum Visit {
    /// A page.
    Shown(Box<Page>),
    /// 303 to the same path with this query.
    SeeOther(String),
    /// The token opens nothing.
    Unknown,
}

impl From<Page> for Visit {
    fn from(page: Page) -> Self {
        Visit::Shown(Box::new(page))
    }
}

impl Survey {
    /// Answers one visit.
    pub async fn handle(
        &self,
        request: Request,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        let visitor = visitor_language(&request);
        let visit = tokio::time::timeout(DEADLINE, self.visit(&request, now)).await;
        let page = match visit.unwrap_or(Err(PageError::Late)) {
            Ok(Visit::SeeOther(query)) => {
                return Ok(see_other(&query).unwrap_or_else(|error| unwritten(&error)));
            }
            Ok(Visit::Shown(page)) => Ok(*page),
            Ok(Visit::Unknown) => pages::unknown(visitor),
            Err(error) => {
                let measured = metrics::of(&[Measure::Unavailable]);
                tracing::error!(%error, metrics = %measured, "visit failed");
                pages::trouble(visitor)
            }
        };
        // HEAD gets the page, as GET does: the HTTP server (API Gateway, or the local stack's
        // hyper) leaves the body out and sends its length. For an empty body it would send zero.
        Ok(match page {
            Ok(page) => into_response(page).unwrap_or_else(|error| unwritten(&error)),
            Err(error) => unwritten(&error),
        })
    }

    async fn visit(&self, request: &Request, now: Timestamp) -> Result<Visit, PageError> {
        let path = request.raw_http_path();
        let token = |prefix: &str| {
            path.rsplit_once(prefix).map(|(_, token)| token).filter(|token| !token.contains('/'))
        };
        match (token("/s/"), token("/u/")) {
            (Some(token), _) => self.survey(request, token, now).await,
            (None, Some(token)) => self.unsubscribe(request, token, now).await,
            (None, None) => Ok(Visit::Unknown),
        }
    }
}

/// The language that the visitor chose with the form's or the query's `lang`, if we have texts in
/// it; otherwise the mail's.
pub(crate) fn chosen_language(
    request: &Request,
    form: Option<&str>,
    mail: &'static Texts,
) -> &'static Texts {
    let query = request.query_string_parameters();
    form.or_else(|| query.first("lang")).and_then(language::find).unwrap_or(mail)
}

/// For the query of a redirect: `&lang=…` if the visitor chose a language other than the mail's.
pub(crate) fn kept_language(chosen: &'static Texts, mail: &'static Texts) -> String {
    if chosen.tag == mail.tag { String::new() } else { format!("&lang={}", chosen.tag) }
}

/// The language of a page that belongs to no mail: what the browser prefers.
fn visitor_language(request: &Request) -> &'static Texts {
    let accepted = request
        .headers()
        .get("accept-language")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let tags: Vec<&str> =
        accepted.split(',').take(8).filter_map(|part| part.split(';').next()).collect();
    language::best(&tags)
}

/// Fails rather than leave a header out: without its policy a page would be less safe.
fn into_response(page: Page) -> Result<Response<Body>, lambda_http::http::Error> {
    let response = Response::builder().status(page.status);
    let headers = page.headers.into_iter();
    headers
        .fold(response, |response, (name, value)| response.header(name, value))
        .body(Body::Text(page.html))
}

/// A redirect to the same path with `query`. It is relative, so that it works behind any domain and
/// stage.
fn see_other(query: &str) -> Result<Response<Body>, lambda_http::http::Error> {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header("location", query)
        .header("cache-control", "no-store")
        .header("referrer-policy", "same-origin")
        .header("strict-transport-security", pages::HTTPS_ONLY)
        .body(Body::Empty)
}

/// A bug: not even the page that apologises could be written.
fn unwritten(error: &dyn std::error::Error) -> Response<Body> {
    tracing::error!(%error, "page cannot be written");
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
