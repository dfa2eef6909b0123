//! Renders a notice to the company's own people from plain values.

use askama::Template;
use branding::Accent;

use crate::header::{bare_address, header, tag};
use crate::render_error::RenderError;
use crate::survey_mail::{FONT, RenderedMail, Sender, clipped, link, sender};

/// How much is shown of a text: characters.
const LONGEST_SUBJECT: usize = 150;
const LONGEST_TEXT: usize = 2_000;

/// What [`render_notice`] needs. Texts may contain anything: it makes them safe.
#[derive(Clone)]
pub struct NoticeMail<'a> {
    /// Recipient: a bare address as SES takes it, ASCII with a punycode domain.
    pub to: &'a str,
    /// Sender.
    pub from: Sender<'a>,
    /// What it is about, in one line.
    pub subject: &'a str,
    /// What it says, from top to bottom.
    pub blocks: &'a [Block],
    /// Why the recipient gets it.
    pub why: &'a str,
    /// Colour of links.
    pub accent: Accent,
    /// The tag `request_id`, by which SES's events name its row.
    pub request_id: &'a str,
    /// The tag `notice`: its kind.
    pub kind: &'a str,
}

/// A part of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Sentences.
    Paragraph(String),
    /// A list.
    Points(Vec<Point>),
    /// A link on a line of its own.
    Link(NoticeLink),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub links: Vec<NoticeLink>,
}

/// A link of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLink {
    /// Its text.
    pub text: String,
    /// Its target.
    pub url: String,
}

#[derive(Template)]
#[template(path = "notice/body.html")]
struct Html<'a> {
    subject: &'a str,
    font: &'static str,
    light: String,
    dark: String,
    blocks: &'a [Block],
    why: &'a str,
}

#[derive(Template)]
#[template(path = "notice/body.txt")]
struct Text<'a> {
    blocks: &'a [Block],
    why: &'a str,
}

/// Renders the mail.
///
/// # Errors
/// The [`RenderError`] names the value that has to be corrected in the set-up.
pub fn render_notice(notice: &NoticeMail<'_>) -> Result<RenderedMail, RenderError> {
    let subject = clipped(&branding::one_line(notice.subject), LONGEST_SUBJECT);
    let blocks = notice.blocks.iter().map(safe).collect::<Result<Vec<_>, _>>()?;
    let why = text(notice.why);
    let html = Html {
        subject: &subject,
        font: FONT,
        light: notice.accent.light(),
        dark: notice.accent.dark(),
        blocks: &blocks,
        why: &why,
    };
    Ok(RenderedMail {
        to: bare_address(notice.to).ok_or(RenderError::Address("to"))?.to_owned(),
        from: sender(notice.from),
        reply_to: None,
        html: html.render()?,
        text: Text { blocks: &blocks, why: &why }.render()?,
        headers: vec![
            // RFC 3834, and the same for Exchange: automatic responders do not answer.
            header("Auto-Submitted", "auto-generated".to_owned())?,
            header("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned())?,
        ],
        // The mode says that the mail concerns no customer.
        tags: [("request_id", notice.request_id), ("mode", "notice"), ("notice", notice.kind)]
            .map(|(name, value)| (name.to_owned(), tag(value)))
            .into(),
        subject,
    })
}

fn text(text: &str) -> String {
    clipped(&branding::one_line(text), LONGEST_TEXT)
}

fn safe(block: &Block) -> Result<Block, RenderError> {
    let links = |links: &[NoticeLink]| links.iter().map(safe_link).collect::<Result<Vec<_>, _>>();
    Ok(match block {
        Block::Paragraph(words) => Block::Paragraph(text(words)),
        Block::Link(link) => Block::Link(safe_link(link)?),
        Block::Points(points) => {
            let points = points
                .iter()
                .map(|point| Ok(Point { text: text(&point.text), links: links(&point.links)? }));
            Block::Points(points.collect::<Result<_, RenderError>>()?)
        }
    })
}

fn safe_link(shown: &NoticeLink) -> Result<NoticeLink, RenderError> {
    let url = link("link of a notice", &shown.url)?.to_owned();
    Ok(NoticeLink { text: text(&shown.text), url })
}
