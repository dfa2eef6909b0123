//! Reads the config table. What was read is remembered for a short time.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::Timestamp;
use normalize::EmployeeRef;
use policy::config_table::{employee_id, misspelled_kinds};
use policy::{Employee, Item, KeyItem, Settings};
use serde_json::{Map, Value};

use crate::cache::{Cached, fresh, recall, remember};
use crate::config_log::{log, log_unknown, log_unknown_attributes};
use crate::error::StoreError;
use crate::ground::s;
use crate::store::Store;
use crate::subject_secret::{DEPLOYMENT, take_fingerprint};

/// Partition keys that `IN` takes.
const KINDS_A_STATEMENT: usize = 50;
/// Items of misspelled kinds that are read of one statement.
const MISSPELLED_ITEMS: i32 = 50;

impl Store {
    /// Forgets the configuration, so that the next call reads it from the table. What is remembered
    /// may be older than the request at hand: a request for a channel that an admin switched on a
    /// moment ago must not be refused because this function still remembers the channel as off.
    pub fn forget_configuration(&self) {
        self.cache.with(|cached| *cached = Cached { noted: cached.noted, ..Cached::default() });
    }

    /// The item of the key with this digest; `None` if it is unknown.
    pub async fn key(&self, digest: &str, now: Timestamp) -> Result<Option<KeyItem>, StoreError> {
        if let Some(key) = self.cache.with(|c| recall(&c.keys, digest, now)) {
            return Ok(Some(key));
        }
        let Some(item) = self.plain_config_item("key", digest).await? else { return Ok(None) };
        let key = KeyItem::read(&Item::new(&item));
        log_unknown_attributes(&item);
        if let KeyItem::Faulty(fault) = &key {
            log(fault);
        }
        self.cache.with(|c| remember(&mut c.keys, digest, key.clone(), now));
        Ok(Some(key))
    }

    /// Everything but people and keys.
    pub async fn settings(&self, now: Timestamp) -> Result<Arc<Settings>, StoreError> {
        if let Some(settings) =
            self.cache.with(|c| c.settings.clone()).filter(|(at, _)| fresh(*at, now))
        {
            return Ok(settings.1);
        }
        let mut items = self.settings_items().await?;
        let fingerprint = take_fingerprint(&mut items);
        let settings = Settings::read(&items, language::is_spoken);
        settings.faults.iter().for_each(log);
        settings.unknown.iter().for_each(log_unknown);
        let settings = Arc::new(settings);
        self.cache.with(|c| {
            c.settings = Some((now, settings.clone()));
            c.fingerprint = fingerprint;
        });
        Ok(settings)
    }

    /// Items whose kind is a misspelled one: their keys, some of each statement. For the admin
    /// pages; nothing else looks for them.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn misspelled_items(&self) -> Result<Vec<Map<String, Value>>, StoreError> {
        let slips = misspelled_kinds();
        let statements = slips.chunks(KINDS_A_STATEMENT).map(|kinds| {
            let statement = format!(
                "SELECT \"kind\", \"id\" FROM \"{}\" WHERE \"kind\" IN ['{}']",
                self.tables.config,
                kinds.join("', '")
            );
            self.client.execute_statement().statement(statement).limit(MISSPELLED_ITEMS).send()
        });
        let pages = try_join_all(statements).await.map_err(StoreError::of("ExecuteStatement"))?;
        Ok(pages.into_iter().flat_map(|page| page.items.unwrap_or_default()).map(plain).collect())
    }

    /// The employee that the reference leads to: by e-mail, else by custom id.
    pub async fn employee(
        &self,
        who: &EmployeeRef,
        now: Timestamp,
    ) -> Result<Option<Employee>, StoreError> {
        if let Some(email) = who.email()
            && let Some(employee) = self.employee_by_email(email, now).await?
        {
            return Ok(Some(employee));
        }
        let Some(custom_id) = who.custom_id() else { return Ok(None) };
        match self.email_of(custom_id, now).await? {
            Some(email) => self.employee_by_email(&email, now).await,
            None => Ok(None),
        }
    }

    /// The employee with this e-mail (in lower case).
    pub async fn employee_by_email(
        &self,
        email: &str,
        now: Timestamp,
    ) -> Result<Option<Employee>, StoreError> {
        if let Some(employee) = self.cache.with(|c| recall(&c.people, email, now)) {
            return Ok(Some(employee));
        }
        // That there is no such employee is not remembered: one who has just been added is found at
        // once.
        let Some(item) = self.plain_config_item("employee", email).await? else { return Ok(None) };
        let employee = Employee::read(&item);
        employee.faults.iter().chain(&employee.warnings).for_each(log);
        log_unknown_attributes(&item);
        self.cache.with(|c| remember(&mut c.people, email, employee.clone(), now));
        Ok(Some(employee))
    }

    async fn email_of(
        &self,
        custom_id: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        if let Some(email) = self.cache.with(|c| recall(&c.ids, custom_id, now)) {
            return Ok(Some(email));
        }
        let Some(item) = self.plain_config_item("employee_id", custom_id).await? else {
            return Ok(None);
        };
        log_unknown_attributes(&item);
        // An employee who cannot be found is `employee_not_found`: nothing is sent.
        let email = Item::new(&item).read(&employee_id::EMAIL).unwrap_or_else(|fault| {
            log(&fault);
            None
        });
        let Some(email) = email.map(|email| email.to_lowercase()) else { return Ok(None) };
        self.cache.with(|c| remember(&mut c.ids, custom_id, email.clone(), now));
        Ok(Some(email))
    }

    async fn plain_config_item(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<Map<String, Value>>, StoreError> {
        Ok(self.raw_config_item(kind, id).await?.map(plain))
    }

    pub(crate) async fn raw_config_item(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        if id.is_empty() || id.len() > 1_024 {
            return Ok(None); // DynamoDB allows no such key
        }
        let got = self
            .client
            .get_item()
            .table_name(&self.tables.config)
            .key("kind", s(kind))
            .key("id", s(id));
        // Consistent: a key or an employee that was added seconds ago must be found.
        let got = got.consistent_read(true).send().await.map_err(StoreError::of("GetItem"))?;
        Ok(got.item)
    }

    /// Reads all kinds of settings, and the fingerprint of the subject secret, with one statement in place of a query for each kind: with
    /// nothing cached, an accepted request costs four calls (five if it names the employee by
    /// custom id). `IN` on the partition key reads those partitions and is no scan (DynamoDB,
    /// "PartiQL select statements").
    async fn settings_items(&self) -> Result<Vec<Map<String, Value>>, StoreError> {
        let statement = format!(
            "SELECT * FROM \"{}\" WHERE \"kind\" IN ['{}', '{DEPLOYMENT}']",
            self.tables.config,
            Settings::KINDS.join("', '")
        );
        let (mut items, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .execute_statement()
                .statement(&statement)
                .consistent_read(true)
                .set_next_token(token)
                .send();
            let page = page.await.map_err(StoreError::of("ExecuteStatement"))?;
            items.extend(page.items.unwrap_or_default().into_iter().map(plain));
            token = page.next_token;
            if token.is_none() {
                return Ok(items);
            }
        }
    }
}

/// An item as plain JSON. An attribute of a type that no setting has (binary, null) becomes an
/// empty object, which is a fault for every reader of that attribute. So one odd item does not make
/// the others unreadable.
pub(crate) fn plain(item: HashMap<String, AttributeValue>) -> Map<String, Value> {
    item.into_iter()
        .map(|(name, value)| {
            (
                name,
                serde_dynamo::from_attribute_value(value)
                    .unwrap_or_else(|_| Value::Object(Map::new())),
            )
        })
        .collect()
}

/// Config items as DynamoDB takes them, from plain JSON: for seeding a table.
pub fn config_items(items: &[Value]) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
    items
        .iter()
        .map(|item| serde_dynamo::to_item(item).map_err(StoreError::corrupt("config")))
        .collect()
}
