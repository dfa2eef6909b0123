//! One look at a conversation.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use normalize::{Inbound, Source, SurveyRequest};
use serde_json::{Value, json};

use crate::account::Account;
use crate::channel::channel;
use crate::client::{Fetched, Gladly};
use crate::payloads::{self, Customer, Unreadable};
use crate::trouble::Trouble;

/// How often a merged customer is followed.
const MERGES: usize = 3;
/// How long the list of topics is taken for current: a topic's new name is known after this at the
/// latest.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// What Gladly told.
#[derive(Debug)]
pub(crate) enum Told {
    /// The conversation is at work again.
    Reopened,
    /// Who and how.
    Closed {
        /// What was asked for, as other sources send it.
        request: Box<SurveyRequest>,
        /// When it was closed last, by Gladly's clock.
        at: Option<Timestamp>,
    },
}

/// The company's topics, as last read.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    /// Whose they are.
    account: Option<Account>,
    /// When they were last asked for, with success or without.
    asked_at: Option<Timestamp>,
    /// When they were last read.
    read_at: Option<Timestamp>,
    /// Names by id.
    names: HashMap<String, String>,
}

/// Asks for everything at once, and for the topics only if the conversation has one that may mean
/// do-not-send.
pub(crate) async fn look_up(
    gladly: &Gladly,
    account: &Account,
    conversation: &store::Conversation,
    do_not_send_topic: &str,
    now: Timestamp,
) -> Result<Told, Trouble> {
    let id = conversation.conversation_id.as_str();
    let state = async {
        let body = known(
            "conversation",
            gladly.get(account, "conversation", &["conversations", id], now).await?,
        )?;
        let state = payloads::conversation(&body).map_err(unreadable("conversation"))?;
        // What is at work again needs no topics.
        let do_not_send = !state.is_open
            && gladly.has_topic(account, &state.topic_ids, do_not_send_topic, now).await?;
        Ok((state, do_not_send))
    };
    let items = async {
        let body = known(
            "items",
            gladly.get(account, "items", &["conversations", id, "items"], now).await?,
        )?;
        payloads::items(&body).map_err(unreadable("items"))
    };
    let customer = gladly.customer(account, &conversation.customer_id, now);
    let employee = gladly.employee(account, conversation.agent_id.as_deref(), now);
    let ((state, do_not_send), items, (customer_id, customer), employee) =
        tokio::try_join!(state, items, customer, employee)?;
    if state.is_open {
        return Ok(Told::Reopened);
    }
    let request = request(json!({
        "ext_interaction_id": id,
        "channel": channel(&items),
        "do_not_send": do_not_send,
        "customer": { "name": customer.name, "email": customer.email, "custom_id": customer.external_id.unwrap_or(customer_id) },
        "employee": employee,
    }))?;
    Ok(Told::Closed { request: Box::new(request), at: state.closed_at })
}

/// In the vendor's shape, so that one reader trims, limits and validates the values of every
/// source.
fn request(told: Value) -> Result<SurveyRequest, Trouble> {
    match normalize::requests::parse(told.to_string().as_bytes()) {
        Ok(Inbound::Survey(request)) => Ok(SurveyRequest { source: Source::Gladly, ..*request }),
        Ok(_) => Err(Trouble::retry_later("conversation", "the answers make no request")),
        Err(malformed) => Err(Trouble::retry_later("conversation", malformed.detail)),
    }
}

impl Gladly {
    /// The customer, under the id that is theirs now. One that is gone (404), or whose merges lead
    /// nowhere, has no address: `no_email`.
    async fn customer(
        &self,
        account: &Account,
        id: &str,
        now: Timestamp,
    ) -> Result<(String, Customer), Trouble> {
        const RESOURCE: &str = "customer";
        let mut id = id.to_owned();
        for _ in 0..=MERGES {
            match self.get(account, RESOURCE, &["customer-profiles", &id], now).await? {
                Fetched::Found(body) => {
                    return Ok((id, payloads::customer(&body).map_err(unreadable(RESOURCE))?));
                }
                Fetched::Missing => return Ok((id, Customer::default())),
                // The body names the customer, not the place: the host stays ours to choose.
                Fetched::Moved(body) => {
                    id = payloads::moved(&body).ok_or_else(|| {
                        Trouble::retry_later(RESOURCE, "merged, with no word into whom")
                    })?
                }
            }
        }
        tracing::warn!(
            merges = MERGES,
            "a merged customer leads on and on: taken for one without an address"
        );
        Ok((id, Customer::default()))
    }

    /// The employee in the vendor's shape; null if no agent was in it. An agent whom Gladly does
    /// not know, or knows no address of, is named by Gladly's id, so that a company may map it
    /// (`employee_id`) and is otherwise told `employee_not_found`.
    async fn employee(
        &self,
        account: &Account,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<Value, Trouble> {
        const RESOURCE: &str = "agent";
        let Some(id) = id else { return Ok(Value::Null) };
        let email = match self.get(account, RESOURCE, &["agents", id], now).await? {
            Fetched::Found(body) => payloads::agent(&body).map_err(unreadable(RESOURCE))?,
            Fetched::Moved(_) | Fetched::Missing => None,
        };
        Ok(email.map_or_else(|| json!({ "custom_id": id }), |email| json!({ "email": email })))
    }

    /// Whether one of the topics is called `name`, compared without case. What cannot be told is
    /// trouble, never "no".
    ///
    /// The list is asked for when it is old, or lacks one of the topics, but only once at any
    /// `now`: the rows of a batch share it, and its failure. A "yes" may come from an old list. A
    /// "no" needs one that is not, and a topic that even a new list lacks (made meanwhile, deleted,
    /// or left out of a long list) is asked for by its id.
    async fn has_topic(
        &self,
        account: &Account,
        ids: &[String],
        name: &str,
        now: Timestamp,
    ) -> Result<bool, Trouble> {
        if ids.is_empty() || name.is_empty() {
            return Ok(false);
        }
        let wanted = name.to_lowercase();
        let unknown: Vec<&String> = {
            let mut topics = self.topics.lock().await;
            let refreshed = self.refresh(&mut topics, account, ids, now).await;
            if ids
                .iter()
                .filter_map(|id| topics.names.get(id))
                .any(|name| name.to_lowercase() == wanted)
            {
                return Ok(true);
            }
            refreshed?;
            ids.iter().filter(|id| !topics.names.contains_key(*id)).collect()
        };
        for id in unknown {
            const RESOURCE: &str = "topic";
            let name = match self.get(account, RESOURCE, &["topics", id], now).await? {
                Fetched::Missing => continue, // deleted
                answer => {
                    payloads::topic(&known(RESOURCE, answer)?).map_err(unreadable(RESOURCE))?
                }
            };
            if name.to_lowercase() == wanted {
                return Ok(true);
            }
            self.topics.lock().await.names.insert(id.clone(), name);
        }
        Ok(false)
    }

    /// Sees to it that the list is this account's and fresh, and was read just now if it lacks one
    /// of `ids`; trouble if that cannot be had.
    async fn refresh(
        &self,
        topics: &mut Topics,
        account: &Account,
        ids: &[String],
        now: Timestamp,
    ) -> Result<(), Trouble> {
        const RESOURCE: &str = "topics";
        if topics.account.as_ref() != Some(account) {
            *topics = Topics { account: Some(account.clone()), ..Topics::default() };
        }
        let fresh = topics
            .read_at
            .is_some_and(|at| (SignedDuration::ZERO..FRESH).contains(&now.duration_since(at)));
        let all_known = ids.iter().all(|id| topics.names.contains_key(id));
        if fresh && (all_known || topics.read_at == Some(now)) {
            return Ok(());
        }
        if topics.asked_at == Some(now) {
            return Err(Trouble::retry_later(RESOURCE, "they could not be read just now"));
        }
        topics.asked_at = Some(now);
        let body = known(RESOURCE, self.get(account, RESOURCE, &["topics"], now).await?)?;
        topics.names = payloads::topics(&body).map_err(unreadable(RESOURCE))?;
        topics.read_at = Some(now);
        Ok(())
    }
}

/// What is there, of resources that have to be. A conversation that Gladly does not know may be
/// another organisation's: it is asked for again, until an admin has mended `base_url` or patience
/// ends.
fn known(resource: &'static str, answer: Fetched) -> Result<Vec<u8>, Trouble> {
    match answer {
        Fetched::Found(body) => Ok(body),
        Fetched::Moved(_) => {
            Err(Trouble::retry_later(resource, "301, which is for customers alone"))
        }
        Fetched::Missing => Err(Trouble::retry_later(resource, "404: is it this organisation's?")),
    }
}

fn unreadable(resource: &'static str) -> impl Fn(Unreadable) -> Trouble {
    move |unreadable| Trouble::retry_later(resource, unreadable.to_string())
}
