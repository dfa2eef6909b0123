//! What surrounds every page: `base.html`, its stylesheet, and the headers.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use branding::Agent;
use lambda_http::http::StatusCode;
use language::Texts;
use sha2::{Digest, Sha256};

use super::content::{Frame, Page};

/// What `base.html` shows of a [`Frame`].
pub(super) struct Sheet<'a> {
    pub(super) style: String,
    pub(super) policy: String,
    pub(super) test: bool,
    pub(super) logo: Option<&'a str>,
    pub(super) brand: String,
    pub(super) footer: Vec<String>,
    pub(super) languages: &'static [Texts],
    /// The query without the language: a link to another language leads to the same page.
    pub(super) kept: String,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(frame: &Frame<'a>, agent: Option<Agent<'a>>) -> Self {
        let branding = &frame.branding;
        let style = format!(
            "{}:root{{--light:{};--dark:{}}}",
            include_str!("../../templates/page.css"),
            branding.accent.light(),
            branding.accent.dark()
        );
        let logo = branding.logo_url.filter(|url| origin(url).is_some());
        let images: Vec<&str> =
            logo.into_iter().chain(agent.and_then(|agent| agent.picture_url)).collect();
        Self {
            policy: content_security_policy(&style, &images),
            style,
            test: frame.test,
            logo,
            brand: branding::one_line(branding.name),
            footer: branding
                .footer
                .map(branding::paragraphs)
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            languages: frame.languages,
            kept: String::new(),
        }
    }
}

/// A template that becomes a [`Page`].
pub(super) trait Finish: Template + Sized {
    fn policy(&self) -> String;

    fn page(&self, status: StatusCode) -> askama::Result<Page> {
        Ok(Page { status, html: self.render()?, headers: security_headers(self.policy()) })
    }
}

/// The `Content-Security-Policy` of a page: it may load this stylesheet and these images, and
/// nothing else.
///
/// `default-src` does not cover `form-action`. Chrome applies `form-action` to the redirect after a
/// POST, too, and would block one to another host. So the brand's own thank-you page is a link.
pub fn content_security_policy(style: &str, images: &[&str]) -> String {
    let hash = STANDARD.encode(Sha256::digest(style));
    let mut images: Vec<String> = images.iter().filter_map(|url| origin(url)).collect();
    images.dedup();
    let images = if images.is_empty() { "'none'".to_owned() } else { images.join(" ") };
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src {images}; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// `Strict-Transport-Security` for a year. It leaves out subdomains, which may be another team's.
/// Browsers ignore it on plain http, so that it does no harm on loopback.
pub const HTTPS_ONLY: &str = "max-age=31536000";

/// The headers of every page. The referrer policy is not `no-referrer`, since browsers would then
/// send `Origin: null` with our own forms.
pub fn security_headers(policy: String) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", policy),
        ("referrer-policy", "same-origin".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-robots-tag", "noindex, nofollow".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("strict-transport-security", HTTPS_ONLY.to_owned()),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()".to_owned()),
    ]
}

/// `https://host:port` of a URL, if its host can stand in a policy.
pub(super) fn origin(url: &str) -> Option<String> {
    let url = branding::web_url(url)?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    plain.then(|| format!("{scheme}://{host}"))
}
