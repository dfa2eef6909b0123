//! The pages that a customer sees: pure functions from plain values to HTML with its headers.
//!
//! A page has no script, and loads only the brand's logo and the agent's picture. Its one
//! stylesheet is inlined, and the `Content-Security-Policy` names the stylesheet's hash. The survey
//! form has the fields `stars` (1–5), `topics` (repeated, [`Topic::name`]), `comment` and `lang`.
//! The unsubscribe forms have `scope` (`brand` or `all`), or `undo` with the same values.

mod content;
mod form;
mod sentence;
mod sheet;

use askama::Template;
use branding::Branding;
use jiff::SignedDuration;
use jiff::civil::Date;
use lambda_http::http::StatusCode;
use language::Texts;

use form::FormView;
use sentence::Sentence;
use sheet::{Finish, Sheet};

pub use content::{Frame, LONGEST_COMMENT, Mistake, OptOut, Page, SurveyForm, Topic};
pub use sheet::{HTTPS_ONLY, content_security_policy, security_headers};

/// The survey. With [`SurveyForm::mistakes`], the page says what to correct.
///
/// # Errors
/// Only if a template cannot be rendered, which is a bug.
pub fn survey(frame: &Frame<'_>, form: &SurveyForm<'_>) -> askama::Result<Page> {
    let title = frame.texts.survey_title;
    let (status, title) = if form.mistakes.is_empty() {
        (StatusCode::OK, title.to_owned())
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, frame.texts.error_title(title))
    };
    let kept =
        form.stars.filter(|stars| (1..=5).contains(stars)).map(|stars| format!("&stars={stars}"));
    let sheet = Sheet { kept: kept.unwrap_or_default(), ..Sheet::new(frame, form.agent) };
    SurveyPage {
        t: frame.texts,
        title,
        sheet,
        form: Some(FormView::new(frame, form)),
        receipt: None,
    }
    .page(status)
}

/// The receipt: what was answered. While the answer can be changed, `until` says until when, and
/// `form` is the form for it, with the answer in it.
///
/// # Errors
/// As [`survey`].
pub fn thanks(
    frame: &Frame<'_>,
    stars: u8,
    until: Option<Date>,
    form: Option<&SurveyForm<'_>>,
) -> askama::Result<Page> {
    let t = frame.texts;
    let mistaken = form.is_some_and(|form| !form.mistakes.is_empty());
    let (status, title) = if mistaken {
        (StatusCode::UNPROCESSABLE_ENTITY, t.error_title(t.thanks_title))
    } else {
        (StatusCode::OK, t.thanks_title.to_owned())
    };
    let filled = usize::from(stars.clamp(1, 5));
    let receipt = Receipt {
        drawn: "★".repeat(filled) + &"☆".repeat(5 - filled),
        words: format!("{} – {}", t.count(stars), t.word(stars)),
        until: until
            .map(|date| {
                t.date(
                    &format!("{:02}", date.day()),
                    &format!("{:02}", date.month()),
                    &date.year().to_string(),
                )
            })
            .map(|date| t.thanks_until(&branding::isolated(&date)))
            .map(Sentence),
        link: frame
            .branding
            .thank_you_url
            .and_then(branding::web_url)
            .map(|url| Link { url, text: Sentence(t.thanks_continue(&brand(frame))) }),
    };
    let sheet = Sheet {
        kept: format!("&thanks={filled}"),
        ..Sheet::new(frame, form.and_then(|form| form.agent))
    };
    SurveyPage {
        t,
        title,
        sheet,
        form: form.map(|form| FormView::new(frame, form)),
        receipt: Some(receipt),
    }
    .page(status)
}

/// The survey is closed.
///
/// # Errors
/// As [`survey`].
pub fn closed(frame: &Frame<'_>) -> askama::Result<Page> {
    let t = frame.texts;
    message(frame, t.closed_title, vec![t.closed_text.to_owned()], None, Vec::new())
        .page(StatusCode::GONE)
}

/// The answer was changed too often. The last one stays, and can be changed after `again_in`.
///
/// # Errors
/// As [`survey`].
pub fn too_often(frame: &Frame<'_>, again_in: SignedDuration) -> askama::Result<Page> {
    let t = frame.texts;
    let mut page =
        message(frame, t.too_often_title, vec![t.too_often_text.to_owned()], None, Vec::new())
            .page(StatusCode::TOO_MANY_REQUESTS)?;
    // Rounded up, so that a visitor who waits so long does not come too early.
    let seconds = again_in.as_secs() + i64::from(again_in.subsec_nanos() > 0);
    page.headers.push(("retry-after", seconds.to_string()));
    Ok(page)
}

/// The page for a token that was changed or guessed, is unknown, or has expired. It is the same for
/// all of them, so that it tells nobody which.
///
/// # Errors
/// As [`survey`].
pub fn unknown(texts: &'static Texts) -> askama::Result<Page> {
    message(
        &bare(texts),
        texts.unknown_title,
        vec![texts.unknown_text.to_owned()],
        None,
        Vec::new(),
    )
    .page(StatusCode::NOT_FOUND)
}

/// An error on our side: nothing was recorded, and the visitor may try again.
///
/// # Errors
/// As [`survey`].
pub fn trouble(texts: &'static Texts) -> askama::Result<Page> {
    let mut page = message(
        &bare(texts),
        texts.trouble_title,
        vec![texts.trouble_text.to_owned()],
        None,
        Vec::new(),
    )
    .page(StatusCode::SERVICE_UNAVAILABLE)?;
    page.headers.push(("retry-after", "60".to_owned()));
    Ok(page)
}

/// Asks before it unsubscribes. With `per_brand`, the visitor can choose the brand alone.
///
/// # Errors
/// As [`survey`].
pub fn unsubscribe(frame: &Frame<'_>, action: &str, per_brand: bool) -> askama::Result<Page> {
    let t = frame.texts;
    let scope = |scope: OptOut, label: String| Button {
        name: "scope",
        value: scope.name(),
        label: Sentence(label),
        second: scope == OptOut::Brand,
    };
    let mut buttons = vec![scope(OptOut::All, t.unsubscribe_all.to_owned())];
    if per_brand {
        buttons.push(scope(OptOut::Brand, t.unsubscribe_brand(&brand(frame))));
    }
    message(frame, t.unsubscribe_title, vec![t.unsubscribe_text.to_owned()], Some(action), buttons)
        .page(StatusCode::OK)
}

/// Confirms that the customer is unsubscribed, and offers to undo it.
///
/// # Errors
/// As [`survey`].
pub fn unsubscribed(frame: &Frame<'_>, action: &str, scope: OptOut) -> askama::Result<Page> {
    let t = frame.texts;
    let text = match scope {
        OptOut::Brand => t.unsubscribed_brand(&brand(frame)),
        OptOut::All => t.unsubscribed_all.to_owned(),
    };
    let undo = Button {
        name: "undo",
        value: scope.name(),
        label: Sentence(t.resubscribe.to_owned()),
        second: true,
    };
    let mut message = message(frame, t.unsubscribed_title, vec![text], Some(action), vec![undo]);
    message.sheet.kept = format!("&done={}", scope.name());
    message.page(StatusCode::OK)
}

/// Confirms that the customer is subscribed again.
///
/// # Errors
/// As [`survey`].
pub fn resubscribed(frame: &Frame<'_>) -> askama::Result<Page> {
    let t = frame.texts;
    let mut message = message(
        frame,
        t.resubscribed_title,
        vec![t.resubscribed_text.to_owned()],
        None,
        Vec::new(),
    );
    message.sheet.kept = "&undone=1".to_owned();
    message.page(StatusCode::OK)
}

/// The frame of a page that belongs to no request.
fn bare(texts: &'static Texts) -> Frame<'static> {
    Frame { texts, branding: Branding::default(), test: false, languages: &[] }
}

/// The brand's name, for use in a sentence.
fn brand(frame: &Frame<'_>) -> String {
    branding::isolated(&branding::one_line(frame.branding.name))
}

#[derive(Template)]
#[template(path = "survey.html")]
struct SurveyPage<'a> {
    t: &'static Texts,
    title: String,
    sheet: Sheet<'a>,
    form: Option<FormView<'a>>,
    receipt: Option<Receipt<'a>>,
}

impl Finish for SurveyPage<'_> {
    fn policy(&self) -> String {
        self.sheet.policy.clone()
    }
}

struct Receipt<'a> {
    drawn: String,
    words: String,
    until: Option<Sentence>,
    link: Option<Link<'a>>,
}

struct Link<'a> {
    url: &'a str,
    text: Sentence,
}

/// A page of a few sentences, with or without buttons.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    t: &'static Texts,
    title: &'static str,
    sheet: Sheet<'a>,
    texts: Vec<Sentence>,
    action: Option<&'a str>,
    buttons: Vec<Button>,
}

impl Finish for Message<'_> {
    fn policy(&self) -> String {
        self.sheet.policy.clone()
    }
}

struct Button {
    name: &'static str,
    value: &'static str,
    label: Sentence,
    second: bool,
}

fn message<'a>(
    frame: &Frame<'a>,
    title: &'static str,
    texts: Vec<String>,
    action: Option<&'a str>,
    buttons: Vec<Button>,
) -> Message<'a> {
    Message {
        t: frame.texts,
        title,
        sheet: Sheet::new(frame, None),
        texts: texts.into_iter().map(Sentence).collect(),
        action,
        buttons,
    }
}
