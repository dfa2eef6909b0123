//! `/s/{token}`: shows the survey, and takes the answer.

use branding::{Agent, resolve};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lambda_http::http::Method;
use lambda_http::{Request, RequestExt};
use policy::{Brand, Mode, SurveyState, SurveyTimes, stores_input, survey_state};
use store::{Answer, Answered, Interaction};

use crate::pages::{self, Frame, LONGEST_COMMENT, Mistake, Topic};
use crate::submission::Submission;
use crate::{PageError, Survey, Visit, chosen_language, kept_language};

/// What the customer has entered.
#[derive(Default)]
struct Input {
    stars: Option<u8>,
    comment: String,
    topics: Vec<Topic>,
    mistakes: Vec<Mistake>,
}

impl Survey {
    pub(crate) async fn survey(
        &self,
        request: &Request,
        token: &str,
        now: Timestamp,
    ) -> Result<Visit, PageError> {
        let Some(opened) = self.secrets.open_survey(token) else { return Ok(Visit::Unknown) };
        let row = self.store.interaction(opened.request_id, now).await?;
        let Some(row) = row else { return Ok(Visit::Unknown) };
        let settings = self.store.settings(now).await?;
        let brand = row.brand.as_deref().and_then(|brand| Brand::find(&settings.brands, brand));
        let posted = (request.method() == Method::POST).then(|| Submission::read(request));
        let chosen = posted.as_ref().and_then(|form| form.first("lang"));
        let mail = language::best(&[
            row.language.as_deref().unwrap_or_default(),
            settings.company.default_language_tag(),
        ]);
        let frame = Frame {
            texts: chosen_language(request, chosen, mail),
            branding: resolve(&settings.company, brand),
            test: row.mode == Mode::Test,
            languages: &language::ALL,
        };
        let times = SurveyTimes {
            claimed_at: row.claimed_at,
            sent_at: row.sent_at,
            open_until: row.open_until,
        };
        let until = match survey_state(times, settings.company.open, now) {
            SurveyState::NeverSent => return Ok(Visit::Unknown),
            SurveyState::Closed => return Ok(pages::closed(&frame)?.into()),
            SurveyState::Open { until } => until,
        };
        let action = format!("/s/{token}");
        match posted {
            None => self.show(request, &row, &frame, &action, until).await,
            Some(form) => {
                let kept_language = kept_language(frame.texts, mail);
                self.take(&row, &frame, &action, posted_input(&form), &kept_language, now).await
            }
        }
    }

    /// Shows the form. If there is an answer and the link chooses no stars: the receipt, with the
    /// form to change the answer.
    async fn show(
        &self,
        request: &Request,
        row: &Interaction,
        frame: &Frame<'_>,
        action: &str,
        until: Timestamp,
    ) -> Result<Visit, PageError> {
        let query = request.query_string_parameters();
        let stars = |name: &str| query.first(name).and_then(stars);
        let thanks = query.first("thanks").is_some();
        let answer = match &row.answer {
            Some(key) => self.store.response(key).await?.map(|response| response.answer),
            None => None,
        };
        // A test mail's answer is not stored: the redirect's query says what was answered.
        let received = answer
            .as_ref()
            .map(|answer| answer.stars)
            .or_else(|| stars("thanks").filter(|_| !stores_input(row.mode)));
        let input = Input {
            stars: stars("stars").or(received),
            comment: answer.as_ref().and_then(|a| a.comment.clone()).unwrap_or_default(),
            topics: answer
                .iter()
                .flat_map(|a| &a.topics)
                .filter_map(|name| Topic::parse(name))
                .collect(),
            mistakes: Vec::new(),
        };
        let form = self.form(row, action, &input).await?;
        let date = until.to_zoned(TimeZone::UTC).date();
        Ok(match received.filter(|_| thanks || stars("stars").is_none()) {
            Some(stars) => pages::thanks(frame, stars, Some(date), Some(&form))?.into(),
            None => pages::survey(frame, &form)?.into(),
        })
    }

    /// Records what was posted, or shows the form again with what is wrong.
    async fn take(
        &self,
        row: &Interaction,
        frame: &Frame<'_>,
        action: &str,
        input: Input,
        kept_language: &str,
        now: Timestamp,
    ) -> Result<Visit, PageError> {
        let Some(given) = input.stars.filter(|_| input.mistakes.is_empty()) else {
            let form = self.form(row, action, &input).await?;
            return Ok(pages::survey(frame, &form)?.into());
        };
        let comment = Some(input.comment).filter(|comment| !comment.is_empty());
        let topics = input.topics.iter().map(|topic| topic.name().to_owned()).collect();
        let answer = Answer { stars: given, comment, topics, at: now };
        if stores_input(row.mode) {
            match self.store.answer(row, &answer).await? {
                Answered::Kept => {}
                Answered::Gone => return Ok(Visit::Unknown),
                Answered::TooOften { again_in } => {
                    tracing::warn!(request_id = %row.request_id, "answer changed too often");
                    return Ok(pages::too_often(frame, again_in)?.into());
                }
            }
        }
        let (request_id, mode) = (row.request_id, row.mode.as_str());
        tracing::info!(%request_id, mode, stars = given, "answered");
        Ok(Visit::SeeOther(format!("?thanks={given}{kept_language}")))
    }

    async fn form<'a>(
        &self,
        row: &'a Interaction,
        action: &'a str,
        input: &'a Input,
    ) -> Result<pages::SurveyForm<'a>, PageError> {
        let subject = row.subject.as_ref().filter(|_| stores_input(row.mode));
        let unsubscribed = match subject {
            Some(subject) => {
                let unsubscribed = self.store.unsubscribed(subject, row.brand.as_deref()).await?;
                unsubscribed.from_all || unsubscribed.from_brand
            }
            None => false,
        };
        let agent = row.employee.as_ref();
        Ok(pages::SurveyForm {
            action,
            agent: agent.and_then(|a| {
                Some(Agent { name: a.name.as_deref()?, picture_url: a.picture_url.as_deref() })
            }),
            stars: input.stars,
            comment: &input.comment,
            topics: &input.topics,
            mistakes: &input.mistakes,
            unsubscribed,
        })
    }
}

/// A number of stars: one digit. `+5` and `05`, which a number parser would take, are not.
fn stars(text: &str) -> Option<u8> {
    match text.trim().as_bytes() {
        [digit @ b'1'..=b'5'] => Some(digit - b'0'),
        _ => None,
    }
}

fn posted_input(form: &Submission) -> Input {
    let comment = clean(form.first("comment").unwrap_or_default());
    let stars = form.first("stars").and_then(stars);
    let mut mistakes = Vec::new();
    if stars.is_none() {
        mistakes.push(Mistake::NoStars);
    }
    // Only a comment can make a form so large that its end is not read.
    if form.cut || comment.chars().count() > LONGEST_COMMENT {
        mistakes.push(Mistake::CommentTooLong);
    }
    let topics = Topic::ALL
        .into_iter()
        .filter(|topic| form.all("topics").any(|name| name == topic.name()))
        .collect();
    Input { stars, comment, topics, mistakes }
}

/// The comment with `\n` as the only line end, and without control characters. Markup and
/// bidirectional marks stay: they are shown as text.
fn clean(comment: &str) -> String {
    let lines = comment.replace("\r\n", "\n").replace('\r', "\n");
    lines
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}
