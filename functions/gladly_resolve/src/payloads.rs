//! Reads Gladly's answers. Leniently: the shapes are from its OpenAPI description (docs/facts.md,
//! Gladly 2), whose own examples have keys with stray quotes, and numbers both as numbers and as
//! text. What is not there is absent; only a body that is no JSON, or of another kind, is an error.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;

use crate::channel::ConversationItem;

/// `GET /api/v1/conversations/{id}`
#[derive(Debug, PartialEq)]
pub(crate) struct Conversation {
    /// Whether it is at work again.
    pub(crate) is_open: bool,
    pub(crate) topic_ids: Vec<String>,
    /// When it was closed last.
    pub(crate) closed_at: Option<Timestamp>,
}

/// `GET /api/v1/customer-profiles/{id}`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Customer {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// The company's own id of the customer.
    pub(crate) external_id: Option<String>,
}

/// The body is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not understood: {0}")]
pub(crate) struct Unreadable(&'static str);

const NO_JSON: Unreadable = Unreadable("no JSON");
const NO_OBJECT: Unreadable = Unreadable("no object");
const NO_ARRAY: Unreadable = Unreadable("no array");
/// Gladly always gives it (docs/facts.md, Gladly 2): without one this is no conversation, and says
/// nothing about topics either.
const NO_STATUS: Unreadable = Unreadable("a conversation without a status");
/// One of them could mean do-not-send.
const NO_TOPIC_IDS: Unreadable = Unreadable("topicIds that are no list of ids");
const NO_NAME: Unreadable = Unreadable("a topic without a name");

pub(crate) fn conversation(body: &[u8]) -> Result<Conversation, Unreadable> {
    let body = object(body)?;
    // OPEN, WAITING or CLOSED. Anything else came after a closing and is not at work.
    let status = text(&body, "status").ok_or(NO_STATUS)?.to_uppercase();
    let topic_ids = match field(&body, "topicIds") {
        None => Vec::new(),
        Some(Value::Array(ids)) if ids.iter().any(|id| id.is_array() || id.is_object()) => {
            return Err(NO_TOPIC_IDS);
        }
        Some(Value::Array(ids)) => ids.iter().filter_map(spelled).collect(),
        Some(_) => return Err(NO_TOPIC_IDS),
    };
    let closed_at = text(&body, "closedAt").and_then(|at| at.parse().ok());
    Ok(Conversation {
        is_open: matches!(status.as_str(), "OPEN" | "WAITING"),
        topic_ids,
        closed_at,
    })
}

pub(crate) fn customer(body: &[u8]) -> Result<Customer, Unreadable> {
    let body = object(body)?;
    let emails =
        field(&body, "emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let address = |email: &Value| text(email, "normalized").or_else(|| text(email, "original"));
    let primary = emails
        .iter()
        .filter(|email| text(email, "primary").as_deref() == Some("true"))
        .find_map(address);
    Ok(Customer {
        name: text(&body, "name"),
        email: primary.or_else(|| emails.iter().find_map(address)),
        external_id: text(&body, "externalCustomerId"),
    })
}

/// The id that a merged customer has now: `errors[0].meta.new` of a 301.
pub(crate) fn moved(body: &[u8]) -> Option<String> {
    let body = object(body).ok()?;
    // Gladly's errors are an array, but for 404, where they are an object.
    match field(&body, "errors")? {
        Value::Array(errors) => errors.iter().find_map(|error| text(field(error, "meta")?, "new")),
        error => text(field(error, "meta")?, "new"),
    }
}

/// The e-mail of `GET /api/v1/agents/{id}`.
pub(crate) fn agent(body: &[u8]) -> Result<Option<String>, Unreadable> {
    Ok(text(&object(body)?, "emailAddress"))
}

/// Names by id, of `GET /api/v1/topics`.
pub(crate) fn topics(body: &[u8]) -> Result<HashMap<String, String>, Unreadable> {
    let Value::Array(topics) = parse(body)? else { return Err(NO_ARRAY) };
    Ok(topics.iter().filter_map(|topic| Some((text(topic, "id")?, text(topic, "name")?))).collect())
}

/// The name of `GET /api/v1/topics/{id}`.
pub(crate) fn topic(body: &[u8]) -> Result<String, Unreadable> {
    text(&object(body)?, "name").ok_or(NO_NAME)
}

/// `GET /api/v1/conversations/{id}/items`. There may be a thousand, with the whole text of each
/// mail: only one at a time is held.
pub(crate) fn items(body: &[u8]) -> Result<Vec<ConversationItem>, Unreadable> {
    serde_json::Deserializer::from_slice(body)
        .deserialize_seq(Items)
        .map_err(|error| if error.is_data() { NO_ARRAY } else { NO_JSON })
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<ConversationItem>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Value>()? {
            let kind = field(&item, "content")
                .and_then(|content| text(content, "type"))
                .unwrap_or_default()
                .to_uppercase();
            let at = text(&item, "timestamp").and_then(|at| at.parse::<Timestamp>().ok());
            items.push(ConversationItem { kind, at });
        }
        Ok(items)
    }
}

fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|_| NO_JSON)
}

fn object(body: &[u8]) -> Result<Value, Unreadable> {
    parse(body).and_then(|value| if value.is_object() { Ok(value) } else { Err(NO_OBJECT) })
}

/// The property, also where its key has stray quotes or spaces, or another case.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let clean =
        |key: &str| key.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case(name);
    let properties = value.as_object()?;
    properties
        .get(name)
        .or_else(|| properties.iter().find(|(key, _)| clean(key)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

fn text(value: &Value, name: &str) -> Option<String> {
    field(value, name).and_then(spelled)
}

/// Text that says something; numbers and booleans as they are spelled.
fn spelled(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    #[test]
    fn the_primary_address_is_preferred_and_an_empty_one_is_none() {
        let email = |emails: Value| {
            customer(&bytes(&json!({ "name": "Jane", "emails": emails }))).unwrap().email
        };
        let one = json!({ "normalized": "one@example.com", "original": "One@Example.com", "primary": false });
        let two = json!({ "normalized": " ", "original": "Two@Example.com", "primary": "true" });
        assert_eq!(email(json!([one, two])).as_deref(), Some("Two@Example.com"));
        assert_eq!(email(json!([{ "primary": true }, one])).as_deref(), Some("one@example.com"));
        assert_eq!(email(json!([])), None);
        assert_eq!(email(json!(null)), None);
    }

    #[test]
    fn stray_quotes_and_numbers_are_understood() {
        let body = json!({ "id\"": 7, "\"status\"": "waiting", " topicIds": [1, "two", null] });
        let expected = Conversation {
            is_open: true,
            topic_ids: vec!["1".into(), "two".into()],
            closed_at: None,
        };
        assert_eq!(conversation(&bytes(&body)).unwrap(), expected);
        let body = json!([{ "timestamp": 5, "content\"": { "type\"": "sms" } }, null, "x", { "content": { "type": "EMAIL" } }]);
        let kinds: Vec<String> =
            items(&bytes(&body)).unwrap().into_iter().map(|item| item.kind).collect();
        assert_eq!(kinds, ["SMS", "", "", "EMAIL"]);
    }

    #[test]
    fn errors_are_an_array_or_an_object() {
        let error = json!({ "code": "moved", "meta": { "old": "a", "new": "b" } });
        assert_eq!(moved(&bytes(&json!({ "errors": [error] }))).as_deref(), Some("b"));
        assert_eq!(moved(&bytes(&json!({ "errors": error }))).as_deref(), Some("b"));
        assert_eq!(moved(&bytes(&json!({ "errors": [{ "code": "moved" }] }))), None);
        assert_eq!(moved(b"<html>"), None);
    }

    #[test]
    fn another_kind_of_body_is_an_error() {
        assert!(
            conversation(b"[]").is_err()
                && items(b"{}").is_err()
                && topics(b"{}").is_err()
                && agent(b"").is_err()
        );
        assert!(items(b"[{\"content\"").is_err() && customer(b"<html>").is_err());
    }

    #[test]
    fn what_does_not_tell_its_topics_is_no_answer() {
        let topics = |topics: Value| {
            conversation(&bytes(&json!({ "status": "CLOSED", "topicIds": topics })))
                .map(|c| c.topic_ids.len())
        };
        assert_eq!(
            (
                topics(json!(null)).unwrap(),
                topics(json!([])).unwrap(),
                topics(json!(["", 7])).unwrap()
            ),
            (0, 0, 1)
        );
        for bad in [
            json!("topic-do-not-send"),
            json!({ "0": "topic-do-not-send" }),
            json!([{ "id": "topic-do-not-send" }]),
            json!(true),
        ] {
            assert!(topics(bad.clone()).is_err(), "{bad}");
        }
        for bad in [json!({}), json!({ "errors": [] }), json!({ "status": "", "topicIds": [] })] {
            assert!(conversation(&bytes(&bad)).is_err(), "{bad}");
        }
        assert!(topic(b"{}").is_err() && topic(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\":,a-z0-9]{0,80}") {
            for body in [body.as_slice(), json.as_bytes()] {
                let _ = (conversation(body), customer(body), moved(body), agent(body).is_ok(), topics(body).is_ok(), topic(body).is_ok(), items(body).is_ok());
            }
        }
    }
}
