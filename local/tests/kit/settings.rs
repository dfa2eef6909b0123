//! Changes of the configuration that a request may meet on its way, and how each is taken back.

use local::seed;
use policy::config_table::company;
use serde_json::{Value, json};

use super::World;
use super::hostile::live_digest;

/// One thing that an admin does to one config item.
#[derive(Clone, Debug)]
pub(crate) struct Flip {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    /// Attributes that become this, in plain JSON; `null`: the item is deleted.
    pub(crate) becomes: Value,
    /// Whether mails have to be sent nevertheless.
    pub(crate) harmless: bool,
}

impl Flip {
    /// Changes the item. Returns the item as it was, in DynamoDB JSON, or `null` if there was none.
    pub(crate) fn apply(&self, world: &World) -> Value {
        let before = seed::get(&world.stack.database, self.kind, &self.id).unwrap();
        if self.becomes.is_null() {
            self.delete(world);
        } else {
            let mut item = seed::item(self.kind, &self.id, &self.becomes);
            for (name, value) in before.as_object().into_iter().flatten() {
                item.as_object_mut().unwrap().entry(name.clone()).or_insert_with(|| value.clone());
            }
            seed::put(&world.stack.database, &item).unwrap();
        }
        before
    }

    /// Restores the item as it was before.
    pub(crate) fn mend(&self, world: &World, before: &Value) {
        if before.is_null() {
            self.delete(world);
        } else {
            seed::put(&world.stack.database, before).unwrap();
        }
    }

    fn delete(&self, world: &World) {
        let key = json!({ "kind": { "S": self.kind }, "id": { "S": self.id } });
        let delete = json!({ "TableName": "config", "Key": key });
        world.stack.database.delete_item(serde_json::from_value(delete).unwrap()).unwrap();
    }
}

/// Spellings of a mailbox that admins use: all are right.
const MAILBOXES: [&str; 8] = [
    "support@blancapeak.example",
    " Support@BlancaPeak.example ",
    "<support@blancapeak.example>",
    "Blanca Support <support@blancapeak.example>",
    "\"Support, Blanca\" <support@blancapeak.example>",
    "\"Blanca\" Support <support@blancapeak.example>",
    "Zoë Núñez 🦊 <support@blancapeak.example>",
    "Blanca Support<support@blancapeak.example>",
];

/// Every item that [`request`] depends on, in every way that it may go wrong.
pub(crate) fn flips() -> Vec<Flip> {
    let flip = |kind, id: &str, becomes| Flip { kind, id: id.to_owned(), becomes, harmless: false };
    let harmless = |kind, id: &str, becomes| Flip { harmless: true, ..flip(kind, id, becomes) };
    let mut flips = Vec::new();
    for becomes in [
        json!({ "mode": "manual" }),
        json!({ "mode": "integratd" }),
        json!({ "enabled": false }),
        json!({ "enabled": "fales" }),
        json!({ "enabld": false }),
        json!({ "delay_minutes": 30 }),
        json!({ "delay_minutes": "soon" }),
        json!({ "aliases": [] }),
        json!({ "aliases": 7 }),
        Value::Null,
    ] {
        flips.push(flip("channel", "email", becomes));
    }
    for becomes in [
        json!({ "status": "deactivated" }),
        json!({ "status": "pending" }),
        json!({ "status": "aproved" }),
        json!({ "name": [] }),
        Value::Null,
    ] {
        flips.push(flip("employee", "paul@blancapeak.example", becomes));
    }
    flips.push(flip("employee_id", "522743", Value::Null));
    for becomes in [
        json!({ "revoked": true }),
        json!({ "revoked": "perhaps" }),
        json!({ "mode": "test" }),
        json!({ "mode": "life" }),
        json!({ "scopes": ["read"] }),
        json!({ "scopes": 7 }),
        Value::Null,
    ] {
        flips.push(flip("key", &live_digest(), becomes));
    }
    for becomes in [
        json!({ "active": false }),
        json!({ "active": "maybe" }),
        json!({ "name": "Renamed" }),
        json!({ "from": [] }),
        Value::Null,
    ] {
        flips.push(flip("brand", "blancakids", becomes));
    }
    for becomes in [json!({ "active": false }), json!({ "active": "x" }), Value::Null] {
        flips.push(flip("language", "fr", becomes));
    }
    for attribute in company::KIND.attributes().map(|attribute| attribute.name) {
        flips.push(flip("company", "settings", json!({ attribute: { "what": "is this?" } })));
    }
    for becomes in [
        json!({ "reply_to": "support at blancapeak" }),
        json!({ "from": "nobody" }),
        json!({ "test_email": "none" }),
        json!({ "suppression_days": -1 }),
        json!({ "suppression_days": 0 }),
        json!({ "retention_days": 1 }),
        json!({ "survey_days": 1 }),
        json!({ "retention_days": "ninety" }),
        json!({ "send_rate": 0 }),
        json!({ "send_rate": 1 }),
        json!({ "send_attempts": 1 }),
        json!({ "default_language": "klingon!" }),
        json!({ "default_language": "" }),
        json!({ "internal_domains": ["customers.example"] }),
        json!({ "retention_dayz": 1 }),
        Value::Null,
    ] {
        flips.push(flip("company", "settings", becomes));
    }
    for (attribute, unusable) in
        [(company::COLOR.name, "reddish"), (company::LOGO_URL.name, "logo.png")]
    {
        flips.push(harmless("company", "settings", json!({ attribute: unusable })));
        flips.push(harmless("brand", "blancakids", json!({ attribute: unusable })));
    }
    for spelling in MAILBOXES {
        for attribute in ["reply_to", "from"] {
            flips.push(harmless("company", "settings", json!({ attribute: spelling })));
            flips.push(harmless("brand", "blancakids", json!({ attribute: spelling })));
        }
    }
    flips
}

/// A request that depends on as much of the configuration as one can.
pub(crate) fn request(ext: &str, email: &str) -> Value {
    json!({
        "channel": "contact_form", "ext_interaction_id": ext,
        "customer": { "name": "Jane", "email": email },
        "employee": { "custom_id": "522743" }, "brand": "blancakids", "language": "fr",
    })
}
