//! Reading the config table, with a cache of at most half a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use normalize::{EmployeeRef, LanguageTag};
use policy::{Brand, Channel, Company, ConfigFault, Employee, Facts, Item, KeyItem, LanguageRow};
use serde_json::{Map, Value};

use crate::interaction::s;
use crate::{Store, StoreError};

/// How long an item is taken for current. The contract is 30 s at most; less costs one more read in
/// ten seconds.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// Employees and keys remembered at most; then all are forgotten.
const REMEMBERED: usize = 2_000;

/// Everything but people and keys, read in one round trip.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `company/settings`, or its defaults.
    pub company: Company,
    /// Every channel.
    pub channels: Vec<Channel>,
    /// Every brand.
    pub brands: Vec<Brand>,
    /// Active languages.
    pub languages: Vec<LanguageTag>,
    /// Languages whose item cannot be understood, with the first fault of each.
    pub language_faults: Vec<(LanguageTag, ConfigFault)>,
    /// `integration/…`, by id: read by the function that integrates it.
    pub integrations: HashMap<String, Map<String, Value>>,
}

impl Settings {
    /// Sorts items of the kinds `company`, `channel`, `brand`, `language` and `integration`; others
    /// are left out.
    pub fn read(items: &[Map<String, Value>]) -> Self {
        let of = |kind: &'static str| {
            items.iter().filter(move |item| item.get("kind").and_then(Value::as_str) == Some(kind))
        };
        let rows: Vec<LanguageRow> = of("language").map(LanguageRow::read).collect();
        let settings = Self {
            company: of("company")
                // As documented; else as somebody may have spelled it.
                .find(|item| Item::new(item).id() == "settings")
                .or_else(|| {
                    of("company").find(|item| Item::new(item).id().eq_ignore_ascii_case("settings"))
                })
                .map_or_else(|| Company::read(&Map::new()), Company::read),
            channels: of("channel").map(Channel::read).collect(),
            brands: of("brand").map(Brand::read).collect(),
            languages: rows.iter().filter_map(|row| row.tag.clone()).collect(),
            language_faults: rows
                .iter()
                .filter_map(|row| Some((row.named.clone()?, row.faults.first()?.clone())))
                .collect(),
            integrations: integrations(of("integration")),
        };
        let faults = settings.company.faults.iter();
        let faults = faults
            .chain(settings.channels.iter().flat_map(|c| &c.faults))
            .chain(settings.brands.iter().flat_map(|b| &b.faults));
        faults.chain(rows.iter().flat_map(|l| &l.faults)).for_each(log);
        items.iter().for_each(log_unknown);
        settings
    }
}

/// By id in lower case. Of two that differ by case alone, the one that is spelled as documented
/// counts.
fn integrations<'a>(
    items: impl Iterator<Item = &'a Map<String, Value>>,
) -> HashMap<String, Map<String, Value>> {
    let (exact, others): (Vec<_>, Vec<_>) =
        items.partition(|item| Item::new(item).id() == Item::new(item).id().to_lowercase());
    others
        .into_iter()
        .chain(exact)
        .map(|item| (Item::new(item).id().to_lowercase(), item.clone()))
        .collect()
}

impl Settings {
    /// What the checks at the door need to know, with the employee that the request leads to.
    pub fn facts<'a>(&'a self, employee: Option<&'a Employee>) -> Facts<'a> {
        Facts {
            company: &self.company,
            channels: &self.channels,
            brands: &self.brands,
            languages: &self.languages,
            employee,
        }
    }
}

/// An admin's typo is told once for each reading, and again on the status page.
fn log(fault: &ConfigFault) {
    tracing::error!(
        config.item = fault.item,
        config.attribute = fault.attribute,
        config.did_you_mean = fault.meant,
        "config item cannot be understood: nothing is sent on the strength of it"
    );
}

/// Attributes that mean nothing to us, told once for each reading too.
fn log_unknown(item: &Map<String, Value>) {
    let item = Item::new(item);
    let unknown = item.unknown();
    if !unknown.is_empty() {
        tracing::warn!(config.item = item.name(), config.attributes = ?unknown, "config item has attributes that are not known");
    }
}

#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    settings: Option<(Timestamp, Arc<Settings>)>,
    people: HashMap<String, (Timestamp, Employee)>,
    ids: HashMap<String, (Timestamp, String)>,
    keys: HashMap<String, (Timestamp, KeyItem)>,
    /// The minute that was last noted by [`Store::note_send_event`].
    noted: Option<i64>,
}

fn fresh(read_at: Timestamp, now: Timestamp) -> bool {
    // Either way: a clock that was set back must not keep an item for ever, and batches that
    // overlap are not in the order of their clocks.
    now.duration_since(read_at).abs() < FRESH
}

fn recall<T: Clone>(
    memory: &HashMap<String, (Timestamp, T)>,
    id: &str,
    now: Timestamp,
) -> Option<T> {
    memory.get(id).filter(|(at, _)| fresh(*at, now)).map(|(_, value)| value.clone())
}

fn remember<T>(memory: &mut HashMap<String, (Timestamp, T)>, id: &str, value: T, now: Timestamp) {
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(id.to_owned(), (now, value));
}

impl Cache {
    /// The key was used on this day: what is remembered of it need not be noted again.
    pub(crate) fn key_was_used(&self, digest: &str, day: Date) {
        self.with(|c| {
            if let Some((_, KeyItem::Good(key))) = c.keys.get_mut(digest) {
                key.last_used = key.last_used.max(Some(day));
            }
        });
    }

    pub(crate) fn has_noted(&self, minute: i64) -> bool {
        self.with(|c| c.noted == Some(minute))
    }

    pub(crate) fn note(&self, minute: i64) {
        self.with(|c| c.noted = Some(minute));
    }

    fn with<T>(&self, f: impl FnOnce(&mut Cached) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Has the next readers of the configuration read it anew. What was remembered may be older
    /// than the request at hand: a channel that an admin switched on a moment ago must not be
    /// refused because another function still remembers it as switched off.
    pub fn forget_configuration(&self) {
        self.cache.with(|cached| *cached = Cached { noted: cached.noted, ..Cached::default() });
    }

    /// The item of the key with this digest; `None` if it is unknown.
    pub async fn key(&self, digest: &str, now: Timestamp) -> Result<Option<KeyItem>, StoreError> {
        if let Some(key) = self.cache.with(|c| recall(&c.keys, digest, now)) {
            return Ok(Some(key));
        }
        let Some(item) = self.raw_config_item("key", digest).await?.map(plain) else {
            return Ok(None);
        };
        let key = KeyItem::read(&Item::new(&item));
        log_unknown(&item);
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
        let settings = Arc::new(Settings::read(&self.settings_items().await?));
        self.cache.with(|c| c.settings = Some((now, settings.clone())));
        Ok(settings)
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
        // Who is not found is not remembered: an employee who has just been added is found at once.
        let Some(item) = self.raw_config_item("employee", email).await?.map(plain) else {
            return Ok(None);
        };
        let employee = Employee::read(&item);
        employee.faults.iter().for_each(log);
        log_unknown(&item);
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
        let Some(item) = self.raw_config_item("employee_id", custom_id).await?.map(plain) else {
            return Ok(None);
        };
        log_unknown(&item);
        // Who cannot be found is `employee_not_found`: nothing is sent.
        let email = Item::new(&item).words("email").unwrap_or_else(|fault| {
            log(&fault);
            None
        });
        let Some(email) = email.map(|email| email.to_lowercase()) else { return Ok(None) };
        self.cache.with(|c| remember(&mut c.ids, custom_id, email.clone(), now));
        Ok(Some(email))
    }

    pub(crate) async fn raw_config_item(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        if id.is_empty() || id.len() > 1_024 {
            return Ok(None); // no key of DynamoDB's
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

    /// One statement instead of a query for each kind: with nothing cached, an accepted request
    /// costs four calls (an employee by custom id: five). `IN` on the partition key reads those
    /// partitions and scans nothing (DynamoDB, "PartiQL select statements").
    async fn settings_items(&self) -> Result<Vec<Map<String, Value>>, StoreError> {
        let statement = format!(
            "SELECT * FROM \"{}\" WHERE \"kind\" IN ['company', 'channel', 'brand', 'language', 'integration']",
            self.tables.config
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
/// empty object, which every reader takes for a fault of that attribute: one odd item must not make
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
