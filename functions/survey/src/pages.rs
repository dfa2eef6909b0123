//! The pages that a customer sees: pure functions from plain values to HTML with its headers.
//!
//! No script, nothing loaded but the brand's logo and the agent's picture, and one inlined
//! stylesheet whose hash the `Content-Security-Policy` names. Field names of the forms: `stars`
//! (1–5), `topics` (repeated, [`Topic::name`]), `comment`, `lang`; when unsubscribing `scope`
//! (`brand` or `all`), and `undo` with the same values.

mod sentence;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use branding::{Agent, Branding};
use jiff::SignedDuration;
use jiff::civil::Date;
use language::Texts;
use sha2::{Digest, Sha256};

use sentence::Sentence;

/// The longest comment, in Unicode scalar values.
pub const LONGEST_COMMENT: usize = 2000;

/// A finished page: status, HTML, and every header that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 200, 404, 410, 422, 429 or 503.
    pub status: u16,
    /// The document.
    pub html: String,
    /// Content type, policy, caching: all of them, none from elsewhere needed.
    pub headers: Vec<(&'static str, String)>,
}

/// What surrounds every page of one request.
#[derive(Clone)]
pub struct Frame<'a> {
    /// The page's language.
    pub texts: &'static Texts,
    /// The brand's look.
    pub branding: Branding<'a>,
    /// Whether a test key caused it: the page then says so.
    pub test: bool,
    /// Offered as `?lang=`; nothing is offered if there is but one.
    pub languages: &'static [Texts],
}

/// The question, and what the customer has put in so far.
#[derive(Clone, Default)]
pub struct SurveyForm<'a> {
    /// Where it is posted to, on this host: `/s/TOKEN`.
    pub action: &'a str,
    /// Who helped.
    pub agent: Option<Agent<'a>>,
    /// Preselected: from the mail's link, the last answer, or what was just posted. Only 1 to 5
    /// are.
    pub stars: Option<u8>,
    /// As typed.
    pub comment: &'a str,
    /// Ticked.
    pub topics: &'a [Topic],
    /// What was wrong with what was posted. If anything, the page says so on top and in place, and
    /// its status is 422.
    pub mistakes: &'a [Mistake],
    /// Whether this customer has unsubscribed: the page says that answering is possible all the
    /// same.
    pub unsubscribed: bool,
}

/// What can be wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// None, or not 1 to 5.
    NoStars,
    /// Over [`LONGEST_COMMENT`].
    CommentTooLong,
}

/// What the customer can tick beside the stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Whether it was solved.
    Solution,
    /// How fast.
    Speed,
    /// Whether the agent knew.
    Knowledge,
    /// Whether the agent was kind.
    Friendliness,
    /// Whether the answers could be understood.
    Clarity,
}

impl Topic {
    /// In the order of the page.
    pub const ALL: [Self; 5] =
        [Self::Solution, Self::Speed, Self::Knowledge, Self::Friendliness, Self::Clarity];

    /// In forms and stored answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Solution => "solution",
            Self::Speed => "speed",
            Self::Knowledge => "knowledge",
            Self::Friendliness => "friendliness",
            Self::Clarity => "clarity",
        }
    }

    /// The reverse of [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    fn label(self, t: &'static Texts) -> &'static str {
        match self {
            Self::Solution => t.topic_solution,
            Self::Speed => t.topic_speed,
            Self::Knowledge => t.topic_knowledge,
            Self::Friendliness => t.topic_friendliness,
            Self::Clarity => t.topic_clarity,
        }
    }
}

/// From what a customer unsubscribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    /// The mail's brand only.
    Brand,
    /// Everything that this stack sends.
    All,
}

impl OptOut {
    /// In forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brand => "brand",
            Self::All => "all",
        }
    }

    /// The reverse of [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Brand, Self::All].into_iter().find(|scope| scope.name() == name)
    }
}

/// The survey; with [`SurveyForm::mistakes`] it says what to mend.
///
/// # Errors
/// Only if a template cannot be written, which is a fault of this program.
pub fn survey(frame: &Frame<'_>, form: &SurveyForm<'_>) -> askama::Result<Page> {
    let title = frame.texts.survey_title;
    let (status, title) = if form.mistakes.is_empty() {
        (200, title.to_owned())
    } else {
        (422, frame.texts.error_title(title))
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

/// What was answered, and, while it can be changed (`form` with the answer in it), until when and
/// the form for it.
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
        (422, t.error_title(t.thanks_title))
    } else {
        (200, t.thanks_title.to_owned())
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

/// The survey's time is over.
///
/// # Errors
/// As [`survey`].
pub fn closed(frame: &Frame<'_>) -> askama::Result<Page> {
    let t = frame.texts;
    message(frame, t.closed_title, vec![t.closed_text.to_owned()], None, Vec::new()).page(410)
}

/// The answer has been changed too often, and may be again after a while; what was recorded stays.
///
/// # Errors
/// As [`survey`].
pub fn too_often(frame: &Frame<'_>, again_in: SignedDuration) -> askama::Result<Page> {
    let t = frame.texts;
    let mut page =
        message(frame, t.too_often_title, vec![t.too_often_text.to_owned()], None, Vec::new())
            .page(429)?;
    // Whole seconds, and the last of them to its end.
    let seconds = again_in.as_secs() + i64::from(again_in.subsec_nanos() > 0);
    page.headers.push(("retry-after", seconds.to_string()));
    Ok(page)
}

/// A token that is changed, guessed, unknown or expired: one page for all of them, so that it tells
/// nobody which.
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
    .page(404)
}

/// Our own trouble: nothing was recorded, and trying again is right.
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
    .page(503)?;
    page.headers.push(("retry-after", "60".to_owned()));
    Ok(page)
}

/// Asks before it unsubscribes; with `per_brand` the brand alone can be chosen too.
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
        .page(200)
}

/// It is done, and can be undone.
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
    message.page(200)
}

/// It is undone.
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
    message.page(200)
}

/// The policy of a page with this stylesheet and these images: itself, and nothing else.
///
/// `form-action` is not covered by `default-src`; Chrome applies it to the redirect after a POST as
/// well, so a thank-you redirect to another host would be blocked: the brand's page is a link.
pub fn content_security_policy(style: &str, images: &[&str]) -> String {
    let hash = STANDARD.encode(Sha256::digest(style));
    let mut images: Vec<String> = images.iter().filter_map(|url| origin(url)).collect();
    images.dedup();
    let images = if images.is_empty() { "'none'".to_owned() } else { images.join(" ") };
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src {images}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// `Strict-Transport-Security` for a year. Not for subdomains, which may be another team's.
/// Browsers heed it over https alone, so that it does no harm on loopback.
pub const HTTPS_ALONE: &str = "max-age=31536000";

/// The headers of every page. Not `no-referrer`: browsers would send `Origin: null` with our own
/// forms.
pub fn security_headers(policy: String) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", policy),
        ("referrer-policy", "same-origin".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-robots-tag", "noindex, nofollow".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("strict-transport-security", HTTPS_ALONE.to_owned()),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()".to_owned()),
    ]
}

/// `https://host:port` of a URL, if its host is one that can stand in a policy.
fn origin(url: &str) -> Option<String> {
    let url = branding::web_url(url)?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    plain.then(|| format!("{scheme}://{host}"))
}

/// The frame of pages that know nothing of the request.
fn bare(texts: &'static Texts) -> Frame<'static> {
    Frame { texts, branding: Branding::default(), test: false, languages: &[] }
}

/// The brand's name for the inside of a sentence.
fn brand(frame: &Frame<'_>) -> String {
    branding::isolated(&branding::one_line(frame.branding.name))
}

/// What `base.html` shows of a [`Frame`].
struct Sheet<'a> {
    style: String,
    policy: String,
    test: bool,
    logo: Option<&'a str>,
    brand: String,
    footer: Vec<String>,
    languages: &'static [Texts],
    /// What the query has besides the language, so that a link to another language leads to the
    /// same page.
    kept: String,
}

impl<'a> Sheet<'a> {
    fn new(frame: &Frame<'a>, agent: Option<Agent<'a>>) -> Self {
        let branding = &frame.branding;
        let style = format!(
            "{}:root{{--light:{};--dark:{}}}",
            include_str!("../templates/page.css"),
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

/// A page that can be finished.
trait Finish: Template + Sized {
    fn policy(&self) -> String;

    fn page(&self, status: u16) -> askama::Result<Page> {
        Ok(Page { status, html: self.render()?, headers: security_headers(self.policy()) })
    }
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

struct FormView<'a> {
    action: &'a str,
    question: Sentence,
    agent: Option<String>,
    picture: Option<&'a str>,
    stars: [StarView; 5],
    topics: [TopicView; 5],
    comment: &'a str,
    comment_hint: String,
    comment_error: String,
    no_stars: bool,
    comment_too_long: bool,
    unsubscribed: bool,
}

struct StarView {
    number: u8,
    count: &'static str,
    word: &'static str,
    chosen: bool,
}

struct TopicView {
    name: &'static str,
    label: &'static str,
    chosen: bool,
}

impl<'a> FormView<'a> {
    fn new(frame: &Frame<'a>, form: &SurveyForm<'a>) -> Self {
        let t = frame.texts;
        let agent = form.agent.and_then(|agent| branding::name(agent.name));
        let own =
            frame.branding.question.map(branding::one_line).filter(|question| !question.is_empty());
        let question = match (own, &agent) {
            (Some(own), _) => branding::isolated(&own),
            (None, Some(agent)) => t.question_agent(&branding::isolated(agent)),
            (None, None) => t.question.to_owned(),
        };
        let longest = LONGEST_COMMENT.to_string();
        Self {
            action: form.action,
            question: Sentence(question),
            picture: form
                .agent
                .and_then(|agent| agent.picture_url)
                .filter(|url| agent.is_some() && origin(url).is_some()),
            agent,
            stars: [1, 2, 3, 4, 5].map(|number| StarView {
                number,
                count: t.count(number),
                word: t.word(number),
                chosen: form.stars == Some(number),
            }),
            topics: Topic::ALL.map(|topic| TopicView {
                name: topic.name(),
                label: topic.label(t),
                chosen: form.topics.contains(&topic),
            }),
            comment: form.comment,
            comment_hint: t.comment_hint(&longest),
            comment_error: t.error_comment(&longest),
            no_stars: form.mistakes.contains(&Mistake::NoStars),
            comment_too_long: form.mistakes.contains(&Mistake::CommentTooLong),
            unsubscribed: form.unsubscribed,
        }
    }
}

/// A few sentences, and perhaps buttons.
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
