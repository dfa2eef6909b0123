//! The pages of the support team: what happened and why, and the settings that decide it.
//!
//! - Every page is written on the server, works without scripts, and is read with `GET`. A `GET`
//!   changes nothing.
//! - Every change is a `POST` of a form, is written to the audit trail in the same transaction, and
//!   is answered with 303 to the page that shows it.
//! - The pages edit the same config table that admins may edit by hand: there is no state besides.
//!
//! **Invariant:** sends no mail. "Send now" and the send box record a request on the one road in;
//! `dispatch` sends it.

mod admin;
mod config_link;
mod context;
mod edit;
mod erasing;
mod error;
mod faults;
mod form;
mod origin;
mod pages;
mod people_api;
mod reply;
mod route;
mod send_box;
mod sign_in;
mod stored_text;
mod view;
mod visitor;

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt as _, Response};

pub use admin::Admin;

use context::Context;
use error::AdminError;
use reply::Reply;
use route::Route;
use visitor::Credentials;

/// A visit ends before Lambda ends it (`template.yaml`), so that the visitor is shown a page.
const DEADLINE: Duration = Duration::from_secs(25);

impl Admin {
    /// Answers one visit. `now` is the time of the invocation.
    pub async fn handle(
        &self,
        request: Request,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        if request.raw_http_path() == people_api::PATH {
            return intake::respond(people_api::erase(self, &request, now)).await;
        }
        let visit = tokio::time::timeout(DEADLINE, self.visit(&request, now)).await;
        let reply = visit.unwrap_or(Err(AdminError::Late));
        let wants_html = view::wants_html(&request);
        Ok(reply.unwrap_or_else(|error| error.into_reply(wants_html)).into_response())
    }

    async fn visit(&self, request: &Request, now: Timestamp) -> Result<Reply, AdminError> {
        let path = request.raw_http_path();
        if path.starts_with(send_box::PATH) {
            return send_box::serve(self, request, now).await;
        }
        let route = Route::find(request.method(), path)?;
        match route {
            Route::SignIn => return sign_in::page(self, request).await,
            Route::PostSignIn => return sign_in::submit(self, request, now).await,
            _ => {}
        }
        let visitor = match visitor::find(self, request, now).await? {
            Ok(visitor) => visitor,
            Err(Credentials::Missing) if view::wants_html(request) => {
                return Ok(sign_in::to_sign_in(request));
            }
            Err(_) => return Err(AdminError::Unauthorized),
        };
        let posted = if request.method() == Method::POST {
            origin::require_own(request)?;
            let form = form::Form::read(request)?;
            visitor.require_form_token(&self.secrets, &form)?;
            if !visitor.may_change() && route != Route::SignOut {
                return Err(AdminError::ViewersOnlyLook);
            }
            self.store.note_key_use(&visitor.key, visitor.last_used, now).await;
            Some(form)
        } else {
            None
        };
        let context = Context::new(self, request, visitor, posted, now).await?;
        pages::serve(&context, route).await
    }
}
