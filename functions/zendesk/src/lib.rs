//! `POST /v1/webhooks/zendesk`, and `POST /v1/auth`, the URL that existing Zendesk and Freshdesk
//! set-ups carry.
//!
//! Zendesk's webhooks name themselves in their headers (docs/facts.md, Zendesk 1); its older
//! targets, and Freshdesk, do not. So `/v1/auth` without those headers is taken for Freshdesk: the
//! body is the same, and the longer de-duplication is right for both.

mod signature;

use std::convert::Infallible;

use intake::{Delivery, Entered, Intake, Parse, Problem, Style, in_time, respond_to};
use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt, Response};
use metrics::Measure;
use normalize::Source;
use policy::config_table::integration;
use policy::{Item, KeyScope};

pub use signature::Signature;

/// The function: the way in, and the secret that signs Zendesk's webhooks, if there is one.
#[derive(Debug)]
pub struct Zendesk {
    /// The way in.
    pub intake: Intake,
    /// What the company's webhooks are signed with.
    pub signature: Signature,
}

impl Zendesk {
    /// Answers one delivery.
    pub async fn handle(
        &self,
        request: Request,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        let by_zendesk =
            request.headers().keys().any(|name| name.as_str().starts_with("x-zendesk-"));
        let is_webhook = by_zendesk || request.raw_http_path().ends_with("/zendesk");
        let (source, parse): (_, Parse) = if is_webhook {
            (Source::Zendesk, normalize::zendesk::parse)
        } else {
            (Source::Freshdesk, normalize::freshdesk::parse)
        };
        respond_to(
            source,
            in_time(async {
                let entered = self.intake.enter(&request, KeyScope::Send, now).await?;
                self.verify(&entered, is_webhook, now).await?;
                let id = entered.header("x-zendesk-webhook-invocation-id");
                let delivery = Delivery { source, id, parse, style: Style::Webhook };
                self.intake.accept(&entered, delivery, now).await
            }),
        )
        .await
    }

    /// A webhook is verified once a secret is configured. `integration/zendesk`
    /// `signature_required` closes the rest too: unsigned targets on `/v1/auth`, and everything
    /// while no secret is configured.
    async fn verify(
        &self,
        entered: &Entered<'_>,
        is_webhook: bool,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if self.signature.is_configured()
            && (is_webhook || entered.header(signature::SIGNATURE).is_some())
        {
            return self.signature.verify(entered, now);
        }
        let settings = self.intake.store.settings(now).await?;
        let required = settings
            .integrations
            .get("zendesk")
            .map(|item| Item::new(item).read(&integration::SIGNATURE_REQUIRED));
        match required {
            None | Some(Ok(false)) => Ok(()),
            Some(Ok(true)) => Err(Problem::Forbidden("a signed Zendesk webhook is required")),
            Some(Err(fault)) => {
                tracing::error!(
                    config.item = fault.item,
                    config.attribute = fault.attribute,
                    metrics = %metrics::of(&[Measure::ConfigurationFaults]),
                    "config item cannot be understood: taken as required"
                );
                Err(Problem::Forbidden("a signed Zendesk webhook is required"))
            }
        }
    }
}
