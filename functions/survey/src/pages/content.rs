//! What a page is made from, and the finished [`Page`].

use branding::{Agent, Branding};
use lambda_http::http::StatusCode;
use language::Texts;

/// The longest comment, in Unicode scalar values.
pub const LONGEST_COMMENT: usize = 2000;

/// A finished page: status, HTML, and every header that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 200, 404, 410, 422, 429 or 503.
    pub status: StatusCode,
    /// The document.
    pub html: String,
    /// All headers of the response: content type, policy, caching, …
    pub headers: Vec<(&'static str, String)>,
}

/// What surrounds every page of one request.
#[derive(Clone)]
pub struct Frame<'a> {
    /// The page's language.
    pub texts: &'static Texts,
    /// The brand's logo, colour and texts.
    pub branding: Branding<'a>,
    /// Whether a test key caused the mail: then the page says so.
    pub test: bool,
    /// The languages that the page offers as `?lang=`. If there is only one, it offers none.
    pub languages: &'static [Texts],
}

/// The question, and what the customer has entered so far.
#[derive(Clone, Default)]
pub struct SurveyForm<'a> {
    /// The path that the form is posted to: `/s/TOKEN`.
    pub action: &'a str,
    /// Who helped.
    pub agent: Option<Agent<'a>>,
    /// The preselected stars, from the mail's link, the last answer, or what was just posted.
    /// Numbers other than 1 to 5 preselect nothing.
    pub stars: Option<u8>,
    /// As typed.
    pub comment: &'a str,
    /// The topics that are ticked.
    pub topics: &'a [Topic],
    /// What is wrong with what was posted. If there is anything, the page says so at the top and at
    /// the field, and its status is 422.
    pub mistakes: &'a [Mistake],
    /// Whether this customer has unsubscribed: then the page says that answering is still
    /// possible.
    pub unsubscribed: bool,
}

/// What can be wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// No stars, or a number other than 1 to 5.
    NoStars,
    /// The comment is longer than [`LONGEST_COMMENT`].
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
    /// Every topic, in the order of the page.
    pub const ALL: [Self; 5] =
        [Self::Solution, Self::Speed, Self::Knowledge, Self::Friendliness, Self::Clarity];

    /// The name in forms and stored answers.
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

    pub(super) fn label(self, t: &'static Texts) -> &'static str {
        match self {
            Self::Solution => t.topic_solution,
            Self::Speed => t.topic_speed,
            Self::Knowledge => t.topic_knowledge,
            Self::Friendliness => t.topic_friendliness,
            Self::Clarity => t.topic_clarity,
        }
    }
}

/// What a customer unsubscribes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    /// The surveys of the mail's brand.
    Brand,
    /// All surveys that this stack sends.
    All,
}

impl OptOut {
    /// The name in forms.
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
