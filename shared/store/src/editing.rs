//! Changing the config table, one transaction a change, with its entry in the audit trail.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::audit::AuditEntry;
use crate::config::plain;
use crate::error::{StoreError, Transacted};
use crate::ground::{built, s};
use crate::store::Store;

/// Items that one transaction of DynamoDB takes.
pub const MOST_CHANGES: usize = 99;

/// An item of the config table as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// As DynamoDB has it, key included: what a change is conditional on.
    raw: HashMap<String, AttributeValue>,
    /// The same as plain JSON.
    pub attributes: Map<String, Value>,
}

impl StoredItem {
    pub(crate) fn new(raw: HashMap<String, AttributeValue>) -> Self {
        Self { attributes: plain(raw.clone()), raw }
    }

    /// The sort key.
    pub fn id(&self) -> &str {
        self.attributes.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// The same for the same content: what a form carries, to find out whether the item was changed
    /// since the form was shown.
    pub fn version(&self) -> String {
        let sorted: std::collections::BTreeMap<_, _> = self.attributes.iter().collect();
        let text = serde_json::to_string(&sorted).unwrap_or_default();
        links::fingerprint(text.as_bytes())
    }
}

/// What is to become of one item of the config table.
#[derive(Clone, Debug)]
pub struct Change {
    /// Partition key.
    pub kind: String,
    /// Sort key.
    pub id: String,
    /// What it was when the change was decided; `None`: there was no such item.
    pub before: Option<StoredItem>,
    /// Every attribute that it is to have, key apart; `None`: it is deleted.
    pub after: Option<Map<String, Value>>,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it was written, with its entry in the audit trail.
    Yes,
    /// An item is no longer what it was when the change was decided: nothing was written.
    Conflict,
}

impl Store {
    /// One item of the config table as it stands now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_item(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<StoredItem>, StoreError> {
        Ok(self.raw_config_item(kind, id).await?.map(StoredItem::new))
    }

    /// Every item of a kind as it stands now, in the order of their ids.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn config_items_of(&self, kind: &str) -> Result<Vec<StoredItem>, StoreError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.config)
                .key_condition_expression("#kind = :kind")
                .expression_attribute_names("#kind", "kind")
                .expression_attribute_values(":kind", s(kind))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query config"))?;
            items.extend(page.items.unwrap_or_default().into_iter().map(StoredItem::new));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Writes the changes and their entry in the audit trail, all or nothing. At most
    /// [`MOST_CHANGES`].
    ///
    /// # Errors
    /// If the tables cannot be written.
    pub async fn change(
        &self,
        changes: &[Change],
        entry: &AuditEntry,
    ) -> Result<Changed, StoreError> {
        let mut actions = vec![self.audited(entry)?];
        for change in changes {
            actions.push(self.changed(change)?);
        }
        match self.transact(actions).await? {
            Transacted::Done => Ok(Changed::Yes),
            Transacted::Refused(_) => Ok(Changed::Conflict),
        }
    }

    /// One change as part of a transaction. Clause: the item still is what the change began from.
    pub(crate) fn changed(&self, change: &Change) -> Result<TransactWriteItem, StoreError> {
        let condition = Condition::of(change);
        let key = [("kind", &change.kind), ("id", &change.id)];
        let Some(after) = &change.after else {
            let delete = aws_sdk_dynamodb::types::Delete::builder()
                .table_name(&self.tables.config)
                .set_key(Some(key.map(|(name, value)| (name.to_owned(), s(value))).into()))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names))
                .set_expression_attribute_values(condition.values);
            return Ok(TransactWriteItem::builder().delete(built(delete.build())?).build());
        };
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(after).map_err(StoreError::corrupt("config"))?;
        if let Some(before) = &change.before {
            return self.edited(key, before, after, item, condition);
        }
        item.extend(key.map(|(name, value)| (name.to_owned(), s(value))));
        let put = Put::builder()
            .table_name(&self.tables.config)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values);
        Ok(TransactWriteItem::builder().put(built(put.build())?).build())
    }

    /// Writes of an item that is there what differs, and nothing else: what was not touched keeps
    /// its type (plain JSON has neither sets nor bytes), and what nobody here knows of stays.
    fn edited(
        &self,
        key: [(&str, &String); 2],
        before: &StoredItem,
        after: &Map<String, Value>,
        mut item: HashMap<String, AttributeValue>,
        condition: Condition,
    ) -> Result<TransactWriteItem, StoreError> {
        let Condition { expression, mut names, mut values } = condition;
        item.retain(|name, _| after.get(name) != before.attributes.get(name));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (n, (name, value)) in item.into_iter().enumerate() {
            set.push(format!("#s{n} = :s{n}"));
            names.insert(format!("#s{n}"), name);
            values.get_or_insert_default().insert(format!(":s{n}"), value);
        }
        let of_key = |name: &str| key.iter().any(|(of_key, _)| *of_key == name);
        let gone = before.raw.keys().filter(|name| !after.contains_key(*name) && !of_key(name));
        for (n, name) in gone.enumerate() {
            remove.push(format!("#r{n}"));
            names.insert(format!("#r{n}"), name.clone());
        }
        let clause = |verb: &str, terms: Vec<String>| match terms.is_empty() {
            true => None,
            false => Some(format!("{verb} {}", terms.join(", "))),
        };
        let clauses = [clause("SET", set), clause("REMOVE", remove)];
        let expressions: Vec<String> = clauses.into_iter().flatten().collect();
        let key = key.map(|(name, value)| (name.to_owned(), s(value)));
        if expressions.is_empty() {
            // Only that it stays as it is.
            let check = aws_sdk_dynamodb::types::ConditionCheck::builder()
                .table_name(&self.tables.config)
                .set_key(Some(key.into()))
                .condition_expression(expression)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(values);
            return Ok(TransactWriteItem::builder().condition_check(built(check.build())?).build());
        }
        let update = aws_sdk_dynamodb::types::Update::builder()
            .table_name(&self.tables.config)
            .set_key(Some(key.into()))
            .update_expression(expressions.join(" "))
            .condition_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(values);
        Ok(TransactWriteItem::builder().update(built(update.build())?).build())
    }
}

impl AuditEntry {
    /// Changes of the config table: of each item those attributes that differ.
    pub fn of_changes(who: &str, what: &str, changes: &[Change], now: Timestamp) -> Self {
        let (mut before, mut after) = (Map::new(), Map::new());
        for change in changes {
            let empty = Map::new();
            let was = change.before.as_ref().map_or(&empty, |item| &item.attributes);
            let is = change.after.as_ref().unwrap_or(&empty);
            let name = format!("{}/{}", change.kind, change.id);
            before.insert(name.clone(), differing(was, is));
            after.insert(name, differing(is, was));
        }
        let items = before.keys().cloned().collect();
        let (before, after) = (Value::Object(before), Value::Object(after));
        Self { items, before, after, ..Self::new(who, what, "", now) }
    }
}

fn differing(these: &Map<String, Value>, those: &Map<String, Value>) -> Value {
    let differ = these.iter().filter(|(name, value)| {
        !["kind", "id"].contains(&name.as_str()) && those.get(*name) != Some(value)
    });
    json!(differ.collect::<std::collections::BTreeMap<_, _>>())
}

/// The item still is what the change began from.
struct Condition {
    expression: String,
    names: HashMap<String, String>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Condition {
    fn of(change: &Change) -> Self {
        let mut names = HashMap::new();
        let Some(before) = &change.before else {
            // There was no item, and there still is none.
            names.insert("#id".to_owned(), "id".to_owned());
            return Self {
                expression: "attribute_not_exists(#id)".to_owned(),
                names,
                values: None,
            };
        };
        let (mut clauses, mut values) = (Vec::new(), HashMap::new());
        // Every attribute that it had has its value still.
        for (n, (name, value)) in before.raw.iter().enumerate() {
            clauses.push(format!("#b{n} = :b{n}"));
            names.insert(format!("#b{n}"), name.clone());
            values.insert(format!(":b{n}"), value.clone());
        }
        // And nobody has added an attribute meanwhile: neither one that the change adds, nor another
        // one with a meaning. (The note of a key's use is no edit.)
        let added = change.after.iter().flat_map(|after| after.keys().cloned());
        let meaning = policy::config_table::kind(&change.kind).into_iter();
        let meaning = meaning.flat_map(|kind| kind.attributes().map(|of| of.name.to_owned()));
        let absent: BTreeSet<String> = added.chain(meaning).collect();
        let absent =
            absent.into_iter().filter(|name| !before.raw.contains_key(name) && name != "last_used");
        for (n, name) in absent.enumerate() {
            clauses.push(format!("attribute_not_exists(#a{n})"));
            names.insert(format!("#a{n}"), name);
        }
        Self { expression: clauses.join(" AND "), names, values: Some(values) }
    }
}
