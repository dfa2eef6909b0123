//! `/u/{token}`: the way out, and back.

use branding::resolve;
use jiff::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Request, RequestExt};
use links::UnsubscribeToken;
use policy::{Brand, Mode};

use crate::pages::{self, Frame, OptOut};
use crate::submission::Submission;
use crate::{PageError, Survey, Visit, chosen_language, kept_language};

impl Survey {
    pub(crate) async fn unsubscribe(
        &self,
        request: &Request,
        token: &str,
        now: Timestamp,
    ) -> Result<Visit, PageError> {
        let Some(whom) = self.secrets.open_unsubscribe(token) else { return Ok(Visit::Unknown) };
        let settings = self.store.settings(now).await?;
        let brand = Some(whom.brand.as_str()).filter(|brand| !brand.is_empty());
        let form = Submission::read(request);
        let mail = language::best(&[&whom.language]);
        let frame = Frame {
            texts: chosen_language(request, form.first("lang"), mail),
            branding: resolve(
                &settings.company,
                brand.and_then(|brand| Brand::find(&settings.brands, brand)),
            ),
            test: whom.mode == Mode::Test,
            languages: &language::ALL,
        };
        let action = format!("/u/{token}");
        if request.method() == Method::POST {
            return self.posted(&form, &whom, brand, &frame, &action, now).await;
        }
        let query = request.query_string_parameters();
        let now_so = match whom.mode {
            Mode::Live => self.store.unsubscribed(&whom.subject, brand).await?,
            // Nothing of a test is kept: what was done is told by the redirect.
            Mode::Test => store::Unsubscribed {
                from_all: query.first("done") == Some("all"),
                from_brand: query.first("done") == Some("brand"),
            },
        };
        Ok(match (now_so.from_all, now_so.from_brand) {
            (true, _) => pages::unsubscribed(&frame, &action, OptOut::All)?,
            (false, true) => pages::unsubscribed(&frame, &action, OptOut::Brand)?,
            (false, false) if query.first("undone").is_some() => pages::resubscribed(&frame)?,
            (false, false) => pages::unsubscribe(&frame, &action, brand.is_some())?,
        }
        .into())
    }

    async fn posted(
        &self,
        form: &Submission,
        whom: &UnsubscribeToken,
        brand: Option<&str>,
        frame: &Frame<'_>,
        action: &str,
        now: Timestamp,
    ) -> Result<Visit, PageError> {
        let live = whom.mode == Mode::Live;
        let of = |scope: OptOut| brand.filter(|_| scope == OptOut::Brand);
        let language = kept_language(frame.texts, language::best(&[&whom.language]));
        if let Some(scope) = form.first("undo").and_then(OptOut::parse) {
            if live {
                self.store.resubscribe(&whom.subject, of(scope)).await?;
            }
            tracing::info!(subject = ?whom.subject, scope = scope.name(), "subscribed again");
            return Ok(Visit::SeeOther(format!("?undone=1{language}")));
        }
        // Whatever else is posted here means one thing. Mail providers post
        // `List-Unsubscribe=One-Click`, some of them as multipart (RFC 8058, 3.2), and follow no
        // redirect.
        let scope = form.first("scope").and_then(OptOut::parse);
        let by = if scope.is_some() { "page" } else { "one_click" };
        let from = scope.unwrap_or(OptOut::All);
        if live {
            self.store.unsubscribe(&whom.subject, of(from), by, now).await?;
        }
        tracing::info!(subject = ?whom.subject, scope = from.name(), by, "unsubscribed");
        match scope {
            Some(scope) => Ok(Visit::SeeOther(format!("?done={}{language}", scope.name()))),
            None => Ok(pages::unsubscribed(frame, action, OptOut::All)?.into()),
        }
    }
}
