//! What `form.html` shows of a [`SurveyForm`].

use super::content::{Frame, LONGEST_COMMENT, Mistake, SurveyForm, Topic};
use super::sentence::Sentence;
use super::sheet::origin;

pub(super) struct FormView<'a> {
    pub(super) action: &'a str,
    pub(super) question: Sentence,
    pub(super) agent: Option<String>,
    pub(super) picture: Option<&'a str>,
    pub(super) stars: [StarView; 5],
    pub(super) topics: [TopicView; 5],
    pub(super) comment: &'a str,
    pub(super) comment_hint: String,
    pub(super) comment_error: String,
    pub(super) no_stars: bool,
    pub(super) comment_too_long: bool,
    pub(super) unsubscribed: bool,
}

pub(super) struct StarView {
    pub(super) number: u8,
    pub(super) count: &'static str,
    pub(super) word: &'static str,
    pub(super) chosen: bool,
}

pub(super) struct TopicView {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) chosen: bool,
}

impl<'a> FormView<'a> {
    pub(super) fn new(frame: &Frame<'a>, form: &SurveyForm<'a>) -> Self {
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
