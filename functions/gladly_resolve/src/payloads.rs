//! Reads the bodies of Gladly's responses.
//!
//! In: the bytes of a body. Out: the few values that a survey needs. The shapes come from Gladly's
//! OpenAPI description (docs/facts.md, Gladly 2). Its own examples have keys with stray quotation
//! marks, and numbers both as numbers and as text, so the reader accepts both. A missing value is
//! absent. A body that is not JSON, or not of the expected kind, is an error.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;

use crate::channel::ConversationItem;
use crate::error::LookupError;

/// `GET /api/v1/conversations/{id}`
#[derive(Debug, PartialEq)]
pub(crate) struct Conversation {
    /// Whether it is open or waiting.
    pub(crate) is_open: bool,
    pub(crate) topic_ids: Vec<String>,
    /// When it was closed last, by Gladly's clock.
    pub(crate) closed_at: Option<Timestamp>,
}

/// `GET /api/v1/customer-profiles/{id}`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Customer {
    pub(crate) name: Option<String>,
    /// The primary address, or else the first one.
    pub(crate) email: Option<String>,
    /// The company's own id of the customer.
    pub(crate) external_id: Option<String>,
}

/// The body cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the response cannot be read: {0}")]
pub(crate) struct Unreadable(&'static str);

impl Unreadable {
    /// The error of a lookup, which may succeed another time. `resource` names it in the log.
    pub(crate) fn of(self, resource: &'static str) -> LookupError {
        LookupError::temporary(resource, self.to_string())
    }
}

const NOT_JSON: Unreadable = Unreadable("it is not JSON");
const NOT_AN_OBJECT: Unreadable = Unreadable("it is not an object");
const NOT_AN_ARRAY: Unreadable = Unreadable("it is not an array");
/// Every conversation has a status (docs/facts.md, Gladly 2). A body without one is something else,
/// and its missing topics prove nothing.
const NO_STATUS: Unreadable = Unreadable("a conversation without a status");
/// One of the topics could mean do-not-send.
const NO_TOPIC_IDS: Unreadable = Unreadable("topicIds is not a list of ids");
const NO_NAME: Unreadable = Unreadable("a topic without a name");

/// Reads `GET /api/v1/conversations/{id}`.
pub(crate) fn conversation(body: &[u8]) -> Result<Conversation, Unreadable> {
    let body = object(body)?;
    // OPEN, WAITING or CLOSED. Any other status counts as closed, since an event said so.
    let status = text(&body, "status").ok_or(NO_STATUS)?.to_uppercase();
    let topic_ids = match field(&body, "topicIds") {
        None => Vec::new(),
        Some(Value::Array(ids)) if ids.iter().any(|id| id.is_array() || id.is_object()) => {
            return Err(NO_TOPIC_IDS);
        }
        Some(Value::Array(ids)) => ids.iter().filter_map(scalar).collect(),
        Some(_) => return Err(NO_TOPIC_IDS),
    };
    let closed_at = text(&body, "closedAt").and_then(|at| at.parse().ok());
    Ok(Conversation {
        is_open: matches!(status.as_str(), "OPEN" | "WAITING"),
        topic_ids,
        closed_at,
    })
}

/// Reads `GET /api/v1/customer-profiles/{id}`.
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

/// Reads the id of the customer that another one was merged into: `errors[0].meta.new` of a 301.
pub(crate) fn merged_into(body: &[u8]) -> Option<String> {
    let body = object(body).ok()?;
    // `errors` is an array, but an object in a 404.
    match field(&body, "errors")? {
        Value::Array(errors) => errors.iter().find_map(|error| text(field(error, "meta")?, "new")),
        error => text(field(error, "meta")?, "new"),
    }
}

/// Reads the e-mail address of `GET /api/v1/agents/{id}`.
pub(crate) fn agent(body: &[u8]) -> Result<Option<String>, Unreadable> {
    Ok(text(&object(body)?, "emailAddress"))
}

/// Reads `GET /api/v1/topics`: names by id.
pub(crate) fn topics(body: &[u8]) -> Result<HashMap<String, String>, Unreadable> {
    let Value::Array(topics) = parse(body)? else { return Err(NOT_AN_ARRAY) };
    Ok(topics.iter().filter_map(|topic| Some((text(topic, "id")?, text(topic, "name")?))).collect())
}

/// Reads the name of `GET /api/v1/topics/{id}`.
pub(crate) fn topic(body: &[u8]) -> Result<String, Unreadable> {
    text(&object(body)?, "name").ok_or(NO_NAME)
}

/// Reads `GET /api/v1/conversations/{id}/items`. There can be a thousand items with the whole text
/// of a mail each, so only one is held at a time.
pub(crate) fn items(body: &[u8]) -> Result<Vec<ConversationItem>, Unreadable> {
    serde_json::Deserializer::from_slice(body)
        .deserialize_seq(Items)
        .map_err(|error| if error.is_data() { NOT_AN_ARRAY } else { NOT_JSON })
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
    serde_json::from_slice(body).map_err(|_| NOT_JSON)
}

fn object(body: &[u8]) -> Result<Value, Unreadable> {
    parse(body).and_then(|value| if value.is_object() { Ok(value) } else { Err(NOT_AN_OBJECT) })
}

/// The property `name`, even if its key has stray quotation marks, spaces or another case. `None`
/// if it is null.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let clean =
        |key: &str| key.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case(name);
    let properties = value.as_object()?;
    properties
        .get(name)
        .or_else(|| properties.iter().find(|(key, _)| clean(key)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

/// The property `name` as text.
fn text(value: &Value, name: &str) -> Option<String> {
    field(value, name).and_then(scalar)
}

/// The value as text: a text that is not blank, a number or a boolean.
fn scalar(value: &Value) -> Option<String> {
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
    fn the_primary_address_is_preferred_and_a_blank_one_is_absent() {
        let email = |emails: Value| {
            customer(&bytes(&json!({ "name": "Jane", "emails": emails }))).unwrap().email
        };
        let one = json!({
            "normalized": "one@example.com", "original": "One@Example.com", "primary": false,
        });
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
        let body = json!([
            { "timestamp": 5, "content\"": { "type\"": "sms" } },
            null,
            "x",
            { "content": { "type": "EMAIL" } },
        ]);
        let kinds: Vec<String> =
            items(&bytes(&body)).unwrap().into_iter().map(|item| item.kind).collect();
        assert_eq!(kinds, ["SMS", "", "", "EMAIL"]);
    }

    #[test]
    fn errors_are_an_array_or_an_object() {
        let error = json!({ "code": "moved", "meta": { "old": "a", "new": "b" } });
        assert_eq!(merged_into(&bytes(&json!({ "errors": [error] }))).as_deref(), Some("b"));
        assert_eq!(merged_into(&bytes(&json!({ "errors": error }))).as_deref(), Some("b"));
        assert_eq!(merged_into(&bytes(&json!({ "errors": [{ "code": "moved" }] }))), None);
        assert_eq!(merged_into(b"<html>"), None);
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
    fn a_conversation_without_status_or_with_bad_topics_is_an_error() {
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
        fn no_body_panics(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            json in "[\\[\\]{}\":,a-z0-9]{0,80}",
        ) {
            for body in [body.as_slice(), json.as_bytes()] {
                let _ = (conversation(body), customer(body), merged_into(body));
                let _ = (agent(body), topics(body), topic(body), items(body));
            }
        }
    }
}
