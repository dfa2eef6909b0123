//! The configuration that the local stack starts with: the sample company as its admin would have
//! entered it, with its channels, keys, employees and brand.

use links::SubjectSecret;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::bundle::SUBJECT_SECRET;
use crate::database::{Database, put_if_absent, request};
use crate::{Error, Result};

/// The local test key: every mail goes to the company's test address.
pub const TEST_KEY: &str = "aw_test_local";

/// The local live key.
pub const LIVE_KEY: &str = "aw_live_local";

/// The local admin key, which opens the admin pages.
pub const ADMIN_KEY: &str = "aw_admin_local";

/// Puts each item that is absent into the table `config`, so that items which were edited in a
/// `--data-dir` stay. Returns how many items it put.
///
/// `gladly_url` is the URL of the fake of Gladly, which moves with `--mail-port`. If the table has
/// the URL of an earlier fake (any URL without TLS), it is replaced.
///
/// # Errors
/// [`crate::Error::Database`] when the engine refuses.
pub fn seed(database: &Database, gladly_url: &str) -> Result<usize> {
    let mut count = 0;
    for item in company(gladly_url).into_iter().chain(people()) {
        if put_if_absent(database, "config", "kind", &item)? {
            count += 1;
        }
    }
    let kept = get(database, "integration", "gladly")?;
    let url = kept["base_url"]["S"].as_str().unwrap_or_default();
    if url.starts_with("http:") && url != gladly_url {
        let mut moved = kept.clone();
        moved["base_url"] = json!({"S": gladly_url});
        put(database, &moved)?;
    }
    Ok(count)
}

/// An item of the table `config` in DynamoDB JSON; `null` if there is no such item.
///
/// # Errors
/// [`crate::Error::Database`] when the engine refuses.
pub fn get(database: &Database, kind: &str, id: &str) -> Result<Value> {
    let key = json!({"TableName": "config", "Key": {"kind": {"S": kind}, "id": {"S": id}}});
    let got =
        database.get_item(request(key)?).map_err(|problem| Error::database("seed", problem))?;
    let mut got = serde_json::to_value(got).map_err(|problem| Error::database("seed", problem))?;
    Ok(got["Item"].take())
}

/// Puts an item in DynamoDB JSON into the table `config`. It replaces an item with the same key.
///
/// # Errors
/// [`crate::Error::Database`] when the engine refuses.
pub fn put(database: &Database, item: &Value) -> Result<()> {
    let put = request(json!({"TableName": "config", "Item": item}))?;
    database.put_item(put).map(drop).map_err(|problem| Error::database("seed", problem))
}

/// The company with its channels, integrations, languages and keys, in DynamoDB JSON.
fn company(gladly_url: &str) -> Vec<Value> {
    let mut items = vec![
        item(
            "company",
            "settings",
            &json!({
                "name": "Blanca Peak", "test_email": "test@blancapeak.example",
                "from": "Blanca Peak <survey@blancapeak.example>",
                "reply_to": "support@blancapeak.example",
                "internal_domains": ["blancapeak.example"], "color": "#1F6F54",
                "footer": "Blanca Peak, 1 Main Street",
            }),
        ),
        phone("integrated"),
        item(
            "channel",
            "email",
            &json!({"mode": "integrated", "aliases": ["contact_form", "help-center", "helpdesk",
                "offline_capture", "zendesk"]}),
        ),
        item(
            "channel",
            "chat",
            &json!({"mode": "integrated", "aliases": [
                "gorgias_chat", "facebook", "facebook-mention", "facebook-messenger",
                "facebook-recommendations", "instagram", "instagram-ad-comment",
                "instagram-comment", "instagram-direct-message", "instagram-mention",
                "self_service", "sms",
                "twitter", "twitter-direct-message", "whatsapp",
            ]}),
        ),
        item(
            "integration",
            "gladly",
            &json!({"base_url": gladly_url, "agent_email": "api@blancapeak.example"}),
        ),
        item("integration", "zendesk", &json!({"signature_required": false})),
        item(
            "deployment",
            "subject_secret",
            &json!({"fingerprint": SubjectSecret::new(SUBJECT_SECRET).fingerprint()}),
        ),
    ];
    for language in [
        "en", "de", "fr", "es", "es-419", "pt-BR", "it", "nl", "pl", "sv", "ja", "zh-Hans", "ar",
        "he",
    ] {
        items.push(item("language", language, &json!({"active": true})));
    }
    for (key, mode) in [(TEST_KEY, "test"), (LIVE_KEY, "live")] {
        let attributes = json!({"mode": mode, "scopes": ["send", "read"],
            "label": format!("local {mode}"), "prefix": key});
        items.push(item("key", &digest(key), &attributes));
    }
    // Scope `erase` too, so that `DELETE /v1/people` can be tried.
    let attributes = json!({"mode": "admin", "scopes": ["admin", "erase"], "label": "local admin", "prefix": ADMIN_KEY});
    items.push(item("key", &digest(ADMIN_KEY), &attributes));
    items
}

/// The channel `phone` in this mode.
pub(crate) fn phone(mode: &str) -> Value {
    item("channel", "phone", &json!({"mode": mode, "aliases": ["aircall", "twilio"]}))
}

/// How a key is found: by its SHA-256 in hex.
pub(crate) fn digest(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The employees and the brand that the samples name, in DynamoDB JSON.
fn people() -> Vec<Value> {
    vec![
        item(
            "employee",
            "paul@blancapeak.example",
            &json!({"name": "Paul Peak", "status": "approved", "custom_id": "522743"}),
        ),
        item(
            "employee",
            "nora@blancapeak.example",
            &json!({"name": "Nora Newcomer", "status": "pending", "custom_id": "522744"}),
        ),
        item(
            "employee",
            "gus@blancapeak.example",
            &json!({"name": "Gus Gone", "status": "deactivated", "custom_id": "522745"}),
        ),
        item("employee_id", "522743", &json!({"email": "paul@blancapeak.example"})),
        item("employee_id", "522744", &json!({"email": "nora@blancapeak.example"})),
        item("employee_id", "522745", &json!({"email": "gus@blancapeak.example"})),
        item(
            "brand",
            "blancakids",
            &json!({"name": "Blanca Kids", "color": "#B45309",
                "footer": "Blanca Kids, 1 Main Street"}),
        ),
    ]
}

/// An item of the table `config` in DynamoDB JSON, from its attributes in plain JSON.
#[must_use]
pub fn item(kind: &str, id: &str, attributes: &Value) -> Value {
    let mut item = Map::from_iter([
        ("kind".to_owned(), json!({"S": kind})),
        ("id".to_owned(), json!({"S": id})),
    ]);
    for (name, value) in attributes.as_object().into_iter().flatten() {
        item.insert(name.clone(), attribute(value));
    }
    Value::Object(item)
}

/// Plain JSON as a DynamoDB attribute.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(value) => json!({"N": value.to_string()}),
        Value::String(value) => json!({"S": value}),
        Value::Array(values) => json!({"L": values.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(fields) => {
            json!({"M": fields.iter().map(|(name, value)| (name.clone(),
                attribute(value))).collect::<Map<_, _>>()})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::open;
    use crate::template::{TEMPLATE, Template};

    #[test]
    fn an_item_that_an_admin_changed_stays() {
        let database = open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        let manual = item("channel", "phone", &json!({"mode": "manual"}));
        put_if_absent(&database, "config", "kind", &manual).unwrap();
        let all = company("http://127.0.0.1:1").len() + people().len();
        assert_eq!(seed(&database, "http://127.0.0.1:1").unwrap(), all - 1);
        assert_eq!(seed(&database, "http://127.0.0.1:1").unwrap(), 0);
        assert_eq!(get(&database, "channel", "phone").unwrap()["mode"], json!({"S": "manual"}));
    }

    #[test]
    fn a_kept_table_follows_the_fake_of_gladly_but_no_real_one() {
        let database = open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        let base_url = || get(&database, "integration", "gladly").unwrap()["base_url"]["S"].clone();
        seed(&database, "http://127.0.0.1:1").unwrap();
        seed(&database, "http://127.0.0.1:2").unwrap();
        assert_eq!(base_url(), "http://127.0.0.1:2");
        let real = item(
            "integration",
            "gladly",
            &json!({"base_url": "https://example.gladly.com", "agent_email": "a@b.example"}),
        );
        database.put_item(request(json!({"TableName": "config", "Item": real})).unwrap()).unwrap();
        seed(&database, "http://127.0.0.1:2").unwrap();
        assert_eq!(base_url(), "https://example.gladly.com");
    }

    #[test]
    fn keys_are_found_by_their_digest() {
        let database = open(None, &Template::parse(TEMPLATE).unwrap().tables).unwrap();
        seed(&database, "http://127.0.0.1:1").unwrap();
        // printf aw_live_local | sha256sum
        let live = get(&database, "key", LIVE_DIGEST).unwrap();
        assert_eq!(live["mode"], json!({"S": "live"}));
        assert_eq!(live["scopes"], json!({"L": [{"S": "send"}, {"S": "read"}]}));
    }

    const LIVE_DIGEST: &str = "61e6884002f1d1fec56f0e2426ffaca6e0728f77c1b6f13880227b8aca043ad7";

    #[test]
    fn a_channel_alias_belongs_to_one_channel() {
        let mut seen = std::collections::BTreeSet::new();
        for item in company("http://127.0.0.1:1") {
            for alias in item["aliases"]["L"].as_array().into_iter().flatten() {
                assert!(seen.insert(alias["S"].as_str().unwrap().to_owned()), "{alias}");
            }
        }
    }
}
