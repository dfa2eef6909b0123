//! What the customer meets: `/s/{token}`, the survey, and `/u/{token}`, the way out.
//!
//! - `GET` and `HEAD` show and never write, since link scanners open every link, some of them
//!   twice.
//! - `POST /s/{token}` records; a second answer replaces the first while the survey is open. A 303
//!   leads to `?thanks=STARS`, which can be bookmarked. An answer that is changed more than twenty
//!   times in an hour is a 429 page.
//! - `POST /u/{token}` with `List-Unsubscribe=One-Click` (RFC 8058) unsubscribes from everything at
//!   once, without redirect; the page's own forms say from what, and undo it.
//! - A token that is changed, guessed, unknown or expired is one and the same 404 page.

mod answer;
pub mod pages;
mod submission;
mod unsubscribe;

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use language::Texts;
use links::TokenSecrets;
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

/// A visit ends before Lambda ends it (`template.yaml`), so that the visitor is shown a page, and
/// not API Gateway's JSON.
const DEADLINE: Duration = Duration::from_secs(7);

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// A table is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A template cannot be written: a fault of this program.
    #[error("page: {0}")]
    Template(#[from] askama::Error),
    /// The tables took too long.
    #[error("no page within {DEADLINE:?}")]
    Late,
}

/// What a visit leads to.
pub(crate) enum Visit {
    /// This page.
    Shown(Box<Page>),
    /// 303 to this query of the same path.
    SeeOther(String),
    /// Nothing of ours has this token.
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
        let visit = match visit.unwrap_or(Err(PageError::Late)) {
            Ok(Visit::SeeOther(query)) => return Ok(see_other(&query)),
            Ok(Visit::Shown(page)) => Ok(*page),
            Ok(Visit::Unknown) => pages::unknown(visitor),
            Err(error) => {
                tracing::error!(%error, "visit could not be served");
                pages::trouble(visitor)
            }
        };
        // HEAD is answered as GET is, with the page: who speaks HTTP with the visitor (API Gateway,
        // or the local stack's hyper) sends its length and leaves it out. Of an empty body they
        // would say that it has no bytes.
        Ok(visit.map_or_else(|_| unwritten(), into_response))
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

/// The language that the visitor asks for with `?lang=`, if it is one of ours; else that of the
/// mail.
pub(crate) fn chosen_language(
    request: &Request,
    form: Option<&str>,
    mail: &'static Texts,
) -> &'static Texts {
    let query = request.query_string_parameters();
    form.or_else(|| query.first("lang")).and_then(language::find).unwrap_or(mail)
}

/// For a redirect: the language that was chosen, where it is not the mail's.
pub(crate) fn kept_language(chosen: &'static Texts, mail: &'static Texts) -> String {
    if chosen.tag == mail.tag { String::new() } else { format!("&lang={}", chosen.tag) }
}

/// For pages that know nothing of a mail: what the browser prefers.
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

fn into_response(page: Page) -> Response<Body> {
    let mut response = Response::new(Body::Text(page.html));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
    for (name, value) in page.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// To a query of the same path: relative, so that it holds behind any domain and stage.
fn see_other(query: &str) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(query) {
        response.headers_mut().insert("location", location);
    }
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response.headers_mut().insert("referrer-policy", HeaderValue::from_static("same-origin"));
    response
        .headers_mut()
        .insert("strict-transport-security", HeaderValue::from_static(pages::HTTPS_ALONE));
    response
}

/// Not even the page for trouble could be written.
fn unwritten() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
