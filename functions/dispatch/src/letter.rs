//! From a request to its mail.

use dress::{Agent, worn};
use links::{Subject, SurveyToken, UnsubscribeToken};
use mail::{Letter, Mail, RenderError, render};
use policy::{Brand, Company, Mode};
use store::Interaction;

use crate::Dispatch;

/// Writes the mail of a request to `to`, in the request's language and its brand's dress.
pub(crate) fn write(
    dispatch: &Dispatch,
    row: &Interaction,
    to: &str,
    from: &str,
    company: &Company,
    brand: Option<&Brand>,
) -> Result<Mail, RenderError> {
    let texts = language::best(&[row.language.as_deref().unwrap_or_default(), company.default_language_tag()]);
    let survey = SurveyToken { request_id: row.request_id };
    let subject = row.subject.as_deref().and_then(Subject::from_text).ok_or(RenderError::Address("customer"))?;
    let unsubscribe = UnsubscribeToken {
        subject,
        mode: row.mode,
        language: texts.tag.to_owned(),
        brand: brand.map(|b| b.signifier.clone()).unwrap_or_default(),
    };
    let agent = row.employee.as_ref();
    render(&Letter {
        to,
        from,
        reply_to: brand.and_then(|b| b.reply_to.as_deref()).or(company.reply_to.as_deref()),
        texts,
        customer_name: row.customer_name(),
        agent: agent.and_then(|a| Some(Agent { name: a.name.as_deref()?, picture_url: a.picture_url.as_deref() })),
        dress: worn(company, brand),
        survey_url: &dispatch.survey_url.survey(&dispatch.secrets, &survey),
        unsubscribe_url: &dispatch.survey_url.unsubscribe(&dispatch.secrets, &unsubscribe),
        request_id: &row.request_id.to_string(),
        test: row.mode == Mode::Test,
    })
}
