//! From plain values to a mail.

use std::fmt;

use askama::Template;
use branding::{Agent, Branding};
use language::Texts;
use normalize::Address;

use crate::header::{bare_address, header, mailbox, mailto, tag};

/// Set in no font that would have to be loaded.
const FONT: &str = "-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";

/// The longest name of a brand or sender and the longest own question that are shown, in
/// characters.
const LONGEST_BRAND: usize = 60;
const LONGEST_QUESTION: usize = 200;

/// Who a mail is from, or whom a reply goes to.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// Display name, as somebody wrote it; may be empty.
    pub name: &'a str,
    /// The address.
    pub address: &'a Address,
}

/// What [`render`] needs. Names and texts may be anything; they are made safe here.
#[derive(Clone)]
pub struct SurveyMail<'a> {
    /// Recipient: a bare address as SES takes it, ASCII with a punycode domain.
    pub to: &'a str,
    /// Sender.
    pub from: Sender<'a>,
    /// Where somebody reads replies; without it, they go to the sender.
    pub reply_to: Option<Sender<'a>>,
    /// The language.
    pub texts: &'static Texts,
    /// As the helpdesk sent it. One that holds a URL, an address or more than 60 characters stays
    /// out of the greeting.
    pub customer_name: Option<&'a str>,
    /// Who helped; left out if the name is none.
    pub agent: Option<Agent<'a>>,
    /// The brand's look.
    pub branding: Branding<'a>,
    /// `https://…/s/TOKEN`.
    pub survey_url: &'a str,
    /// `https://…/u/TOKEN`, for people and for one-click.
    pub unsubscribe_url: &'a str,
    /// For the tag that SES's events carry back.
    pub request_id: &'a str,
    /// Whether a test key caused it: the mail then says so.
    pub test: bool,
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One bare address.
    pub to: String,
    /// With display name, RFC 2047 encoded where needed.
    pub from: String,
    /// As `from`.
    pub reply_to: Option<String>,
    /// One line of Unicode text, not encoded.
    pub subject: String,
    /// The HTML part, under 15 KB.
    pub html: String,
    /// The text part.
    pub text: String,
    /// Name and value, printable ASCII, within SES's limits.
    pub headers: Vec<(String, String)>,
    /// SES message tags: `request_id`, `brand`, `language`, `mode` (`test` or `live`).
    pub tags: Vec<(String, String)>,
}

impl RenderedMail {
    /// With one more message tag; `name` is within SES's alphabet, and a value outside it is
    /// escaped.
    #[must_use]
    pub fn tagged(mut self, name: &'static str, value: &str) -> Self {
        self.tags.push((name.to_owned(), tag(value)));
        self
    }
}

/// Only what may stand in a log.
impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail").field("tags", &self.tags).finish_non_exhaustive()
    }
}

/// Why there is no mail: a set-up fault, since everything that a customer or an agent wrote is made
/// safe instead.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The recipient's is no address that SES takes.
    #[error("`{0}` is not an address that a mail can have")]
    Address(&'static str),
    /// The survey or unsubscribe URL is no http(s) URL of printable ASCII.
    #[error("`{0}` is not a web address")]
    Url(&'static str),
    /// A header is too long, or not ASCII.
    #[error("the value of header {0} is too long or not ASCII")]
    Header(&'static str),
    /// Writing the template failed.
    #[error("template: {0}")]
    Template(#[from] askama::Error),
}

/// One of the five links.
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

/// Writes the mail.
///
/// # Errors
/// A [`RenderError`] names the value of the set-up that makes it impossible.
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

/// The headers that `Simple` content does not have of itself.
fn headers(
    survey_mail: &SurveyMail<'_>,
    unsubscribe_url: &str,
) -> Result<Vec<(String, String)>, RenderError> {
    let domain = survey_mail.from.address.domain();
    let list = tag(survey_mail.branding.id).to_lowercase();
    Ok(vec![
        unsubscribe(survey_mail.reply_to.map(|reply_to| reply_to.address), unsubscribe_url)?,
        // RFC 8058 wants this one and the one above signed by DKIM, which SES does.
        header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?,
        header("List-ID", format!("<{list}.surveys.{domain}>"))?,
        // RFC 3834: nobody's responder answers.
        header("Auto-Submitted", "auto-generated".to_owned())?,
        // Exchange's responders too. Not `All`: that would suppress the non-delivery reports by
        // which we learn of bounces.
        header("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned())?,
    ])
}

/// `https` first: RFC 2369 has clients prefer what comes first, and this one takes effect at once
/// (RFC 8058). `mailto` is for clients that know nothing else. A person works through it, so it is
/// there only if the company has named a mailbox for replies, and the message that the client
/// writes holds the link by which that person can unsubscribe the customer.
fn unsubscribe(
    read_by_people: Option<&Address>,
    url: &str,
) -> Result<(String, String), RenderError> {
    let by_mail = read_by_people.and_then(|to| {
        header("List-Unsubscribe", format!("<{url}>, <{}>", mailto(to, "unsubscribe", url))).ok()
    });
    by_mail.map_or_else(|| header("List-Unsubscribe", format!("<{url}>")), Ok)
}

fn sender(sender: Sender<'_>) -> String {
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

/// A URL of ours. A comma would end it inside `List-Unsubscribe`.
fn link<'a>(what: &'static str, text: &'a str) -> Result<&'a str, RenderError> {
    branding::web_url(text).filter(|url| !url.contains(',')).ok_or(RenderError::Url(what))
}

fn clipped(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        text.to_owned()
    } else {
        text.chars().take(longest - 1).chain(['…']).collect()
    }
}
