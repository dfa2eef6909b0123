//! Renders the survey mail from plain values.

use std::fmt;

use askama::Template;
use branding::{Agent, Branding};
use language::Texts;
use normalize::Address;

use crate::header::{bare_address, header, mailbox, mailto, tag};
use crate::render_error::RenderError;

/// Fonts that every system has, so that none is loaded.
pub(crate) const FONT: &str = "-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";

/// How much is shown of the name of a brand or sender, and of a brand's own question: characters.
const LONGEST_BRAND: usize = 60;
const LONGEST_QUESTION: usize = 200;

/// The sender of a mail, or the receiver of its replies.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// Display name, as it was entered. It may be empty.
    pub name: &'a str,
    /// The address.
    pub address: &'a Address,
}

/// What [`render`] needs. Names and texts may contain anything: [`render`] makes them safe.
#[derive(Clone)]
pub struct SurveyMail<'a> {
    /// Recipient: a bare address as SES takes it, ASCII with a punycode domain.
    pub to: &'a str,
    /// Sender.
    pub from: Sender<'a>,
    /// Where people read replies. If absent, replies go to the sender.
    pub reply_to: Option<Sender<'a>>,
    /// The language.
    pub texts: &'static Texts,
    /// The name as the helpdesk sent it. The greeting leaves out a name that contains a URL or an
    /// address, or has more than 60 characters.
    pub customer_name: Option<&'a str>,
    /// Who helped. Left out of the mail if the name cannot be shown.
    pub agent: Option<Agent<'a>>,
    /// The brand's logo, colour and texts.
    pub branding: Branding<'a>,
    /// `https://…/s/TOKEN`.
    pub survey_url: &'a str,
    /// `https://…/u/TOKEN`, the link for people and the target of one-click.
    pub unsubscribe_url: &'a str,
    /// The tag `request_id`, by which SES's events name the request.
    pub request_id: &'a str,
    /// Whether a test key caused the mail: then the mail says so.
    pub test: bool,
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// The recipient: one bare address.
    pub to: String,
    /// The sender with its display name, encoded as in RFC 2047 where needed.
    pub from: String,
    /// Where replies go, in the form of `from`.
    pub reply_to: Option<String>,
    /// One line of Unicode text; SES encodes it.
    pub subject: String,
    /// The HTML part, under 15 KB.
    pub html: String,
    /// The text part.
    pub text: String,
    /// Name and value, printable ASCII, within SES's limits.
    pub headers: Vec<(String, String)>,
    /// SES message tags: `request_id`, `brand`, `language`, `mode` (`test` or `live`). Of a notice:
    /// `request_id`, `mode` (`notice`), `notice` (its kind).
    pub tags: Vec<(String, String)>,
}

impl RenderedMail {
    /// Adds a message tag. `name` must be in SES's alphabet; `value` is escaped.
    #[must_use]
    pub fn tagged(mut self, name: &'static str, value: &str) -> Self {
        self.tags.push((name.to_owned(), tag(value)));
        self
    }
}

/// Shows the tags only: the rest must not stand in a log.
impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail").field("tags", &self.tags).finish_non_exhaustive()
    }
}

/// One of the five links, with a number of stars.
struct Star {
    number: u8,
    word: &'static str,
    url: String,
}

#[derive(Template)]
#[template(path = "survey/body.html")]
struct Html<'a> {
    t: &'static Texts,
    subject: &'a str,
    test: bool,
    font: &'static str,
    light: String,
    dark: String,
    start: &'static str,
    logo: Option<&'a str>,
    brand: &'a str,
    greeting: &'a str,
    intro: &'a str,
    agent: Option<String>,
    picture: Option<&'a str>,
    question: &'a str,
    stars: &'a [Star],
    survey_url: &'a str,
    why: &'a str,
    footer: &'a [String],
    unsubscribe_url: &'a str,
}

#[derive(Template)]
#[template(path = "survey/body.txt")]
struct Text<'a> {
    t: &'static Texts,
    test: bool,
    greeting: &'a str,
    intro: &'a str,
    question: &'a str,
    stars: &'a [Star],
    survey_url: &'a str,
    why: &'a str,
    footer: &'a [String],
    unsubscribe_url: &'a str,
}

/// Renders the mail.
///
/// # Errors
/// The [`RenderError`] names the value that has to be corrected in the set-up.
pub fn render(survey_mail: &SurveyMail<'_>) -> Result<RenderedMail, RenderError> {
    let t = survey_mail.texts;
    let branding = &survey_mail.branding;
    let survey_url = link("survey_url", survey_mail.survey_url)?;
    let unsubscribe_url = link("unsubscribe_url", survey_mail.unsubscribe_url)?;

    let shown = |name: &str| branding::isolated_where_needed(name, t.rtl);
    let brand = clipped(&branding::one_line(branding.name), LONGEST_BRAND);
    let agent = survey_mail.agent.and_then(|agent| branding::name(agent.name));
    let picture = survey_mail.agent.and_then(|agent| branding::web_url(agent.picture_url?));
    let greeting = match survey_mail.customer_name.and_then(branding::name) {
        Some(name) => t.mail_greeting(&shown(&name)),
        None => t.mail_greeting_unnamed.to_owned(),
    };
    let question =
        match (branding.question.map(branding::one_line).filter(|q| !q.is_empty()), &agent) {
            (Some(own), _) => shown(&clipped(&own, LONGEST_QUESTION)),
            (None, Some(agent)) => t.question_agent(&shown(agent)),
            (None, None) => t.question.to_owned(),
        };
    let subject = match &agent {
        Some(agent) => t.mail_subject_agent(&shown(agent)),
        None => t.mail_subject(&shown(&brand)),
    };
    let subject = if survey_mail.test { t.mail_subject_test(&subject) } else { subject };
    let (intro, why) = (t.mail_intro(&shown(&brand)), t.mail_why(&shown(&brand)));
    let footer: Vec<String> = branding
        .footer
        .map(branding::paragraphs)
        .unwrap_or_default()
        .lines()
        .map(shown)
        .take(8)
        .collect();
    let separator = if survey_url.contains('?') { '&' } else { '?' };
    let stars: Vec<Star> = (1..=5)
        .map(|number| Star {
            number,
            word: t.word(number),
            url: format!("{survey_url}{separator}stars={number}"),
        })
        .collect();

    let html = Html {
        t,
        subject: &subject,
        test: survey_mail.test,
        font: FONT,
        light: branding.accent.light(),
        dark: branding.accent.dark(),
        start: if t.rtl { "right" } else { "left" },
        logo: branding.logo_url.and_then(branding::web_url),
        brand: &shown(&brand),
        greeting: &greeting,
        intro: &intro,
        agent: agent.as_deref().map(shown),
        picture,
        question: &question,
        stars: &stars,
        survey_url,
        why: &why,
        footer: &footer,
        unsubscribe_url,
    }
    .render()?;
    let text = Text {
        t,
        test: survey_mail.test,
        greeting: &greeting,
        intro: &intro,
        question: &question,
        stars: &stars,
        survey_url,
        why: &why,
        footer: &footer,
        unsubscribe_url,
    }
    .render()?;

    Ok(RenderedMail {
        to: bare_address(survey_mail.to).ok_or(RenderError::Address("to"))?.to_owned(),
        from: sender(survey_mail.from),
        reply_to: survey_mail.reply_to.map(sender),
        headers: headers(survey_mail, unsubscribe_url)?,
        tags: tags(survey_mail),
        subject,
        html,
        text,
    })
}

/// The headers that SES does not add by itself to `Simple` content.
fn headers(
    survey_mail: &SurveyMail<'_>,
    unsubscribe_url: &str,
) -> Result<Vec<(String, String)>, RenderError> {
    let domain = survey_mail.from.address.domain();
    let list = tag(survey_mail.branding.id).to_lowercase();
    Ok(vec![
        unsubscribe(survey_mail.reply_to.map(|reply_to| reply_to.address), unsubscribe_url)?,
        // RFC 8058 requires a DKIM signature of this header and the one above. SES signs both.
        header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?,
        header("List-ID", format!("<{list}.surveys.{domain}>"))?,
        // RFC 3834: automatic responders do not answer.
        header("Auto-Submitted", "auto-generated".to_owned())?,
        // The same for Exchange. Not `All`, which would also suppress the non-delivery reports that
        // tell us about bounces.
        header("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned())?,
    ])
}

/// `List-Unsubscribe`. The `https` link comes first, since clients prefer what comes first (RFC
/// 2369), and this one takes effect at once (RFC 8058).
///
/// `mailto` is for clients that support nothing else. A person has to read what it sends. So it is
/// there only if the company has named a mailbox for replies. The message contains the `https`
/// link, with which that person can unsubscribe the customer.
fn unsubscribe(
    read_by_people: Option<&Address>,
    url: &str,
) -> Result<(String, String), RenderError> {
    let by_mail = read_by_people.and_then(|to| {
        header("List-Unsubscribe", format!("<{url}>, <{}>", mailto(to, "unsubscribe", url))).ok()
    });
    by_mail.map_or_else(|| header("List-Unsubscribe", format!("<{url}>")), Ok)
}

/// The sender as a header has it.
pub(crate) fn sender(sender: Sender<'_>) -> String {
    mailbox(&clipped(&branding::one_line(sender.name), LONGEST_BRAND), sender.address)
}

fn tags(survey_mail: &SurveyMail<'_>) -> Vec<(String, String)> {
    let mode = if survey_mail.test { "test" } else { "live" };
    [
        ("request_id", survey_mail.request_id),
        ("brand", survey_mail.branding.id),
        ("language", survey_mail.texts.tag),
        ("mode", mode),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), tag(value)))
    .collect()
}

/// Checks one of our URLs. It must not contain a comma, which would end it in `List-Unsubscribe`.
pub(crate) fn link<'a>(what: &'static str, text: &'a str) -> Result<&'a str, RenderError> {
    branding::web_url(text).filter(|url| !url.contains(',')).ok_or(RenderError::Url(what))
}

/// At most so many characters of the text.
pub(crate) fn clipped(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        text.to_owned()
    } else {
        text.chars().take(longest - 1).chain(['…']).collect()
    }
}
