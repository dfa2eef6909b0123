//! Looks a conversation up at Gladly.
//!
//! In: the ids of Gladly's webhook. Out: a [`Lookup`]: either the conversation is open again, or a
//! survey request as other sources send it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use normalize::{Inbound, Source, SurveyRequest};
use serde_json::{Value, json};

use crate::account::{Account, AllowedHosts};
use crate::channel::channel;
use crate::client::{Client, ClientError, Fetched};
use crate::error::LookupError;
use crate::payloads::{self, Customer};
use crate::topics::Topics;

/// How many merges of a customer are followed.
const MAX_MERGES: usize = 3;

/// The way to Gladly: the HTTP client, and the topics that this process has read.
pub struct Gladly {
    client: Client,
    topics: Topics,
}

/// The result of a lookup.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// The conversation is open again.
    Reopened,
    /// The conversation is closed.
    Closed {
        /// The request as another source would have sent it.
        request: Box<SurveyRequest>,
        /// When the conversation was closed last, by Gladly's clock.
        closed_at: Option<Timestamp>,
    },
}

impl Gladly {
    /// From `GLADLY_TOKEN` and `GLADLY_ALLOWED_HOSTS` ([`AllowedHosts::GLADLY`] if that is not
    /// set). Without a token nothing can be looked up until it is set.
    ///
    /// # Errors
    /// As [`Gladly::new`].
    pub fn from_env() -> Result<Self, ClientError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let hosts = variable("GLADLY_ALLOWED_HOSTS");
        Self::new(
            &variable("GLADLY_TOKEN").unwrap_or_default(),
            AllowedHosts::new(hosts.as_deref().unwrap_or(AllowedHosts::GLADLY)),
        )
    }

    /// With Gladly's API token, and the hosts that may be called. Makes no network call.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new(token: &str, hosts: AllowedHosts) -> Result<Self, ClientError> {
        Ok(Self { client: Client::new(token, hosts)?, topics: Topics::default() })
    }

    /// With another time limit for one call. The default is 5 s.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { client: self.client.with_timeout(timeout), ..self }
    }

    pub(crate) fn allowed_hosts(&self) -> &AllowedHosts {
        self.client.allowed_hosts()
    }

    /// Asks for the conversation, its items, the customer and the agent at once, and for the topics
    /// if the conversation has any.
    ///
    /// # Errors
    /// Gladly did not give one of them.
    pub(crate) async fn look_up(
        &self,
        account: &Account,
        conversation: &store::Conversation,
        do_not_send_topic: &str,
        now: Timestamp,
    ) -> Result<Lookup, LookupError> {
        let id = conversation.conversation_id.as_str();
        let state = async {
            const RESOURCE: &str = "conversation";
            let fetched = self.client.get(account, RESOURCE, &["conversations", id], now).await?;
            let state = payloads::conversation(&fetched.found(RESOURCE)?)
                .map_err(|error| error.of(RESOURCE))?;
            // The topics of an open conversation do not matter.
            let do_not_send = !state.is_open
                && self
                    .topics
                    .include(do_not_send_topic, &state.topic_ids, &self.client, account, now)
                    .await?;
            Ok((state, do_not_send))
        };
        let items = async {
            const RESOURCE: &str = "items";
            let path = ["conversations", id, "items"];
            let fetched = self.client.get(account, RESOURCE, &path, now).await?;
            payloads::items(&fetched.found(RESOURCE)?).map_err(|error| error.of(RESOURCE))
        };
        let customer = self.customer(account, &conversation.customer_id, now);
        let employee = self.employee(account, conversation.agent_id.as_deref(), now);
        let ((state, do_not_send), items, (customer_id, customer), employee) =
            tokio::try_join!(state, items, customer, employee)?;
        if state.is_open {
            return Ok(Lookup::Reopened);
        }
        let request = survey_request(json!({
            "ext_interaction_id": id,
            "channel": channel(&items),
            "do_not_send": do_not_send,
            "customer": {
                "name": customer.name,
                "email": customer.email,
                "custom_id": customer.external_id.unwrap_or(customer_id),
            },
            "employee": employee,
        }))?;
        Ok(Lookup::Closed { request: Box::new(request), closed_at: state.closed_at })
    }

    /// The customer, with the id that they have now. A customer that Gladly does not know (404), or
    /// that was merged more than [`MAX_MERGES`] times, has no address: the request ends as
    /// `no_email`.
    async fn customer(
        &self,
        account: &Account,
        id: &str,
        now: Timestamp,
    ) -> Result<(String, Customer), LookupError> {
        const RESOURCE: &str = "customer";
        let mut id = id.to_owned();
        for _ in 0..=MAX_MERGES {
            match self.client.get(account, RESOURCE, &["customer-profiles", &id], now).await? {
                Fetched::Found(body) => {
                    let customer = payloads::customer(&body).map_err(|error| error.of(RESOURCE))?;
                    return Ok((id, customer));
                }
                Fetched::Missing => return Ok((id, Customer::default())),
                // The new id is taken from the body. `Location` is ignored, since it could lead to
                // another host.
                Fetched::Moved(body) => {
                    id = payloads::merged_into(&body).ok_or_else(|| {
                        LookupError::temporary(RESOURCE, "301 without the id of the new customer")
                    })?
                }
            }
        }
        tracing::warn!(
            max_merges = MAX_MERGES,
            "customer was merged too many times and counts as one without an address"
        );
        Ok((id, Customer::default()))
    }

    /// The employee in the vendor's shape. Null if the conversation had no agent.
    ///
    /// An agent that Gladly does not know, or knows no address of, is named by Gladly's id. The
    /// company may map that id (`employee_id`); otherwise the request ends as `employee_not_found`.
    async fn employee(
        &self,
        account: &Account,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<Value, LookupError> {
        const RESOURCE: &str = "agent";
        let Some(id) = id else { return Ok(Value::Null) };
        let email = match self.client.get(account, RESOURCE, &["agents", id], now).await? {
            Fetched::Found(body) => payloads::agent(&body).map_err(|error| error.of(RESOURCE))?,
            Fetched::Moved(_) | Fetched::Missing => None,
        };
        Ok(email.map_or_else(|| json!({ "custom_id": id }), |email| json!({ "email": email })))
    }
}

/// Neither token nor topics are shown.
impl fmt::Debug for Gladly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gladly").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The survey request of `fields` in the vendor's shape, so that the parser of `/v1/requests` trims
/// and limits the values as for every other source.
fn survey_request(fields: Value) -> Result<SurveyRequest, LookupError> {
    match normalize::requests::parse(fields.to_string().as_bytes()) {
        Ok(Inbound::Survey(request)) => Ok(SurveyRequest { source: Source::Gladly, ..*request }),
        Ok(_) => Err(LookupError::temporary("conversation", "the responses make no request")),
        Err(malformed) => Err(LookupError::temporary("conversation", malformed.detail)),
    }
}
