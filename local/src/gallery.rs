//! The gallery: every mail and page in each language, theme and state, light and dark, narrow and
//! wide. It is for designers and translators.
//!
//! `GET /gallery?lang=&look=THEME` is the overview. `GET /gallery/THEME/SCHEME/STATE.html?lang=` is
//! one mail or page alone, rendered by the functions that render it in production. Links between
//! languages stay inside the gallery; forms and scripts are disabled.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use language::Texts;
use serde::Deserialize;

use crate::functions::FunctionError;
use crate::gallery_states::{MAILS, PAGES, THEMES, Theme};

/// A mail or page may use its own styles and load pictures, and nothing else.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src http: https:";

/// The sample pictures of an agent and of a logo.
const PICTURES: [(&str, &str); 2] = [
    ("agent.svg", include_str!("../templates/gallery_agent.svg")),
    ("logo.svg", include_str!("../templates/gallery_logo.svg")),
];

/// The visitor's choice in the overview's form.
#[derive(Deserialize)]
struct Choice {
    lang: Option<String>,
    /// Name of a theme.
    look: Option<String>,
}

#[derive(Template)]
#[template(path = "gallery.html")]
struct Overview {
    themes: &'static [Theme],
    languages: &'static [Texts],
    theme: &'static Theme,
    t: &'static Texts,
    colour: Option<String>,
    entries: Vec<Entry>,
}

/// One state on the overview.
struct Entry {
    name: &'static str,
    title: &'static str,
    /// Subject and text part, if it is a mail.
    mail: Option<(String, String)>,
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/gallery", get(overview))
        .route("/gallery/{theme}/{scheme}/{state}", get(alone))
        .route("/gallery/{picture}", get(async |Path(name): Path<String>| picture(&name)))
}

async fn overview(Query(choice): Query<Choice>, headers: HeaderMap) -> Response {
    let theme = choice.look.as_deref().and_then(Theme::find).unwrap_or(&THEMES[0]);
    let t = language(choice.lang.as_deref());
    shown(written(theme, t, &origin(&headers)))
}

fn written(
    theme: &'static Theme,
    t: &'static Texts,
    origin: &str,
) -> Result<String, FunctionError> {
    let mut entries = Vec::new();
    for (name, title, adapt) in MAILS {
        let mail = theme.mail(t, origin, adapt)?;
        entries.push(Entry { name, title, mail: Some((mail.subject, mail.text)) });
    }
    entries.extend(PAGES.map(|(name, title, _)| Entry { name, title, mail: None }));
    let colour = theme.corrected();
    Ok(Overview { themes: &THEMES, languages: &language::ALL, theme, t, colour, entries }
        .render()?)
}

async fn alone(
    Path((theme, scheme, state)): Path<(String, String, String)>,
    Query(choice): Query<Choice>,
    headers: HeaderMap,
) -> Response {
    let t = language(choice.lang.as_deref());
    let html = Theme::find(&theme)
        .zip(state.strip_suffix(".html"))
        .and_then(|(theme, state)| html(theme, state, t, &origin(&headers)));
    let (Some(html), "light" | "dark") = (html, scheme.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], shown(html.map(|html| forced(&html, &scheme))))
        .into_response()
}

/// A mail or page as in production; `None` if there is no such state.
fn html(
    theme: &Theme,
    state: &str,
    t: &'static Texts,
    origin: &str,
) -> Option<Result<String, FunctionError>> {
    let mail = MAILS
        .iter()
        .find(|(name, _, _)| *name == state)
        .map(|(_, _, adapt)| theme.mail(t, origin, *adapt).map(|mail| mail.html));
    let page = || {
        PAGES
            .iter()
            .find(|(name, _, _)| *name == state)
            .map(|(_, _, page)| theme.page(t, origin, *page).map(|page| page.html))
    };
    mail.or_else(page)
}

/// The document in this colour scheme, whatever the visitor's system prefers: the media query is
/// replaced by its result.
fn forced(html: &str, scheme: &str) -> String {
    let medium = if scheme == "dark" { "all" } else { "not all" };
    let html = html
        .replace("(prefers-color-scheme: dark)", medium)
        .replace("(prefers-color-scheme:dark)", medium);
    html.replace("light dark", scheme)
}

fn picture(name: &str) -> Response {
    match PICTURES.iter().find(|(picture, _)| *picture == name) {
        Some((_, svg)) => ([(header::CONTENT_TYPE, "image/svg+xml")], *svg).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn language(tag: Option<&str>) -> &'static Texts {
    language::best(tag.as_slice())
}

/// The gallery's own URL without a path. Pictures in mails need absolute URLs.
fn origin(headers: &HeaderMap) -> String {
    let host =
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8025");
    format!("http://{host}")
}

fn shown(html: Result<String, FunctionError>) -> Response {
    match html {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_there_in_every_language_theme_and_scheme() {
        for theme in &THEMES {
            for t in &language::ALL {
                let overview = written(theme, t, "http://127.0.0.1:1").unwrap();
                for name in
                    MAILS.map(|(name, _, _)| name).into_iter().chain(PAGES.map(|(name, _, _)| name))
                {
                    assert!(overview.contains(&format!("/{name}.html?lang={}", t.tag)), "{name}");
                    let html = html(theme, name, t, "http://127.0.0.1:1").unwrap().unwrap();
                    for scheme in ["light", "dark"] {
                        let forced = forced(&html, scheme);
                        assert!(
                            !forced.contains("prefers-color-scheme")
                                && !forced.contains("light dark"),
                            "{name}"
                        );
                        assert!(
                            forced.contains("color-scheme")
                                && forced.contains(if scheme == "dark" {
                                    "@media all"
                                } else {
                                    "@media not all"
                                })
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_shown() {
        assert!(html(&THEMES[0], "none", language(None), "").is_none());
        assert!(Theme::find("none").is_none());
        assert_eq!(picture("none.svg").status(), StatusCode::NOT_FOUND);
        assert_eq!(language(Some("tlh")).tag, "en");
    }

    #[test]
    fn the_overview_says_that_a_colour_was_corrected() {
        let overview = |name: &str| {
            written(Theme::find(name).unwrap(), language(None), "http://127.0.0.1:1").unwrap()
        };
        assert!(overview("sunny").contains("#ffd400") && overview("sunny").contains("corrected"));
        assert!(!overview("blancakids").contains("corrected"));
    }
}
