//! From a body to a recorded request: the same for every inbound function.

use std::convert::Infallible;

use jiff::Timestamp;
use lambda_http::{Body, Request, Response};
use normalize::{Ignored, Inbound, Source};
use policy::KeyScope;

use crate::admission::Admission;
use crate::delivery::{Delivery, Parse, Style, ignored};
use crate::entry::Entered;
use crate::intake::Intake;
use crate::problem::Problem;
use crate::reply::{in_time, respond};

impl Intake {
    /// A helpdesk's webhook, from the key to the reply, for sources whose headers do not matter.
    pub async fn webhook(
        &self,
        request: &Request,
        source: Source,
        parse: Parse,
        now: Timestamp,
    ) -> Result<Response<Body>, Infallible> {
        respond(in_time(async {
            let entered = self.enter(request, KeyScope::Send, now).await?;
            self.accept(&entered, Delivery { source, id: None, parse, style: Style::Webhook }, now)
                .await
        }))
        .await
    }

    /// Requires a key for this source, reads the body, checks, records, and replies.
    ///
    /// # Errors
    /// Every [`Problem`] but [`Problem::TooLarge`], which [`Intake::enter`] has ruled out.
    pub async fn accept(
        &self,
        entered: &Entered<'_>,
        delivery: Delivery<'_>,
        now: Timestamp,
    ) -> Result<Response<Body>, Problem> {
        entered.is_for(delivery.source)?;
        let admission = Admission { store: &self.store, entered, delivery, now };
        let inbound = (delivery.parse)(entered.body());
        // What may become a mail is noted later.
        if !matches!(inbound, Ok(Inbound::Survey(_))) {
            admission.note_key_use().await;
        }
        match inbound? {
            Inbound::Survey(request) => admission.survey(&request).await,
            Inbound::Snoozed { until: Some(until), request } if until <= now => {
                admission.survey(&request).await
            }
            Inbound::Snoozed { .. } => Ok(ignored(&Ignored::Snoozed)),
            Inbound::Conversation(closed) => admission.conversation(&closed).await,
            Inbound::Reopened { ext_interaction_id } => {
                let identity = policy::ticket(delivery.source, &ext_interaction_id);
                admission.reopened(&ext_interaction_id, &identity).await
            }
            Inbound::Ignored(why) => Ok(ignored(&why)),
        }
    }
}
