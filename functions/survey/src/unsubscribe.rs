//! `/u/{token}`: unsubscribes, and undoes it.

use branding::resolve;
use jiff::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Request, RequestExt};
use links::UnsubscribeToken;
use policy::{Brand, Mode, stores_input};

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
        let Some(opened) = self.secrets.open_unsubscribe(token) else { return Ok(Visit::Unknown) };
        let settings = self.store.settings(now).await?;
        let brand = Some(opened.brand.as_str()).filter(|brand| !brand.is_empty());
        let form = Submission::read(request);
        let mail = language::best(&[&opened.language]);
        let frame = Frame {
            texts: chosen_language(request, form.first("lang"), mail),
            branding: resolve(
                &settings.company,
                brand.and_then(|brand| Brand::find(&settings.brands, brand)),
            ),
            test: opened.mode == Mode::Test,
            languages: &language::ALL,
        };
        let action = format!("/u/{token}");
        if request.method() == Method::POST {
            return self.posted(&form, &opened, brand, &frame, &action, now).await;
        }
        let query = request.query_string_parameters();
        let current = match opened.mode {
            Mode::Live => self.store.unsubscribed(&opened.subject, brand).await?,
            // Nothing is stored for a test mail: the redirect's query says what was done.
            Mode::Test => store::Unsubscribed {
                from_all: query.first("done") == Some("all"),
                from_brand: query.first("done") == Some("brand"),
            },
        };
        Ok(match (current.from_all, current.from_brand) {
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
        opened: &UnsubscribeToken,
        brand: Option<&str>,
        frame: &Frame<'_>,
        action: &str,
        now: Timestamp,
    ) -> Result<Visit, PageError> {
        let stores = stores_input(opened.mode);
        let brand_of = |scope: OptOut| brand.filter(|_| scope == OptOut::Brand);
        let language = kept_language(frame.texts, language::best(&[&opened.language]));
        if let Some(scope) = form.first("undo").and_then(OptOut::parse) {
            if stores {
                self.store.resubscribe(&opened.subject, brand_of(scope)).await?;
            }
            tracing::info!(subject = ?opened.subject, scope = scope.name(), "subscribed again");
            return Ok(Visit::SeeOther(format!("?undone=1{language}")));
        }
        // Anything else that is posted here is a one-click unsubscribe. Mail providers post
        // `List-Unsubscribe=One-Click`, some of them as multipart (RFC 8058, 3.2), and follow no
        // redirect.
        let scope = form.first("scope").and_then(OptOut::parse);
        let by = if scope.is_some() { "page" } else { "one_click" };
        let from = scope.unwrap_or(OptOut::All);
        if stores {
            self.store.unsubscribe(&opened.subject, brand_of(from), by, now).await?;
        }
        tracing::info!(subject = ?opened.subject, scope = from.name(), by, "unsubscribed");
        match scope {
            Some(scope) => Ok(Visit::SeeOther(format!("?done={}{language}", scope.name()))),
            None => Ok(pages::unsubscribed(frame, action, OptOut::All)?.into()),
        }
    }
}
