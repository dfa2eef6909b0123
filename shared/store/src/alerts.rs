//! The alert: what came in the last hour, and `alert/errors#state`, which says whether there is an
//! alert.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use normalize::Source;
use policy::{AlertSettings, AlertState, Mode, Notice, Reason, Received, Status};
use serde_json::{Map, Value};

use crate::editing::{Change, StoredItem};
use crate::error::{StoreError, Transacted};
use crate::ground::{Item, index, request_id, s, text};
use crate::interaction::Interaction;
use crate::outcome_month::received_at;
use crate::shards::{DAY_SHARDS, day_shard, first_id, last_id};
use crate::store::{IndexQuery, Store};

/// Seconds.
const MINUTE: i64 = 60;
/// Attributes of the item: times in UTC, so that people can read them.
const RAISED_AT: &str = "raised_at";
const RECOVERED_AT: &str = "recovered_at";

/// The alert as it stands in the table.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Whether there is one.
    pub state: AlertState,
    /// What a change is conditional on; `None`: there was no alert yet.
    item: Option<StoredItem>,
}

impl Alert {
    /// Times that cannot be read count as absent.
    fn of(item: Option<StoredItem>) -> Self {
        let at = |name: &str| -> Option<Timestamp> {
            item.as_ref()?.attributes.get(name)?.as_str()?.parse().ok()
        };
        let state = match (at(RAISED_AT), at(RECOVERED_AT)) {
            (Some(at), None) => AlertState::Raised { at },
            (_, recovered_at) => AlertState::Quiet { recovered_at },
        };
        Self { state, item }
    }

    /// The change to these attributes.
    fn change(&self, attributes: &[(&str, Timestamp)]) -> Change {
        let text = |at: &Timestamp| Value::String(at.to_string());
        let after: Map<String, Value> =
            attributes.iter().map(|(name, at)| ((*name).to_owned(), text(at))).collect();
        Change {
            kind: AlertSettings::KIND.to_owned(),
            id: AlertSettings::STATE_ID.to_owned(),
            before: self.item.clone(),
            after: Some(after),
        }
    }
}

impl Store {
    /// The alert as it stands now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn alert(&self) -> Result<Alert, StoreError> {
        let item = self.config_item(AlertSettings::KIND, AlertSettings::STATE_ID).await?;
        Ok(Alert::of(item))
    }

    /// There is an alert from now on, and it is told: both in one transaction, so it is told once.
    /// The id of the notice; `None` if another sweep was faster.
    ///
    /// # Errors
    /// If the tables cannot be written.
    pub async fn raise_alert(
        &self,
        alert: &Alert,
        notice: Notice,
        now: Timestamp,
    ) -> Result<Option<uuid::Uuid>, StoreError> {
        let row = Interaction::of_notice(notice, now);
        let change = self.changed(&alert.change(&[(RAISED_AT, now)]))?;
        let written = self.transact(vec![change, self.told(&row)?]).await?;
        Ok(matches!(written, Transacted::Done).then_some(row.request_id))
    }

    /// The alert is over. False if another sweep was faster.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn end_alert(&self, alert: &Alert, now: Timestamp) -> Result<bool, StoreError> {
        let AlertState::Raised { at } = alert.state else { return Ok(false) };
        let change = self.changed(&alert.change(&[(RAISED_AT, at), (RECOVERED_AT, now)]))?;
        Ok(matches!(self.transact(vec![change]).await?, Transacted::Done))
    }

    /// The requests of this mode that were received from the minute of `from` to that of `to`,
    /// counted from the index of days: a query for each shard of a day, and for each megabyte.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn received(
        &self,
        mode: Mode,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Received>, StoreError> {
        let days = std::iter::successors(Some(from), |at| {
            at.checked_add(SignedDuration::from_hours(24)).ok()
        });
        let last_day = to.strftime("%Y-%m-%d").to_string();
        let mut partitions = Vec::new();
        for at in days {
            partitions.extend((0..DAY_SHARDS).map(|shard| day_shard(mode, at, shard)));
            if at.strftime("%Y-%m-%d").to_string() >= last_day {
                break;
            }
        }
        let read = partitions.into_iter().map(|shard| self.received_in(shard, from, to));
        let mut counted: BTreeMap<Group, u64> = BTreeMap::new();
        for (group, count) in try_join_all(read).await?.into_iter().flatten() {
            *counted.entry(group).or_default() += count;
        }
        Ok(counted.into_iter().filter_map(|(group, count)| group.received(count)).collect())
    }

    async fn received_in(
        &self,
        shard: String,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<Group, u64>, StoreError> {
        let query = IndexQuery {
            index: index::DAY,
            condition: "day_shard = :shard AND request_id BETWEEN :first AND :last",
            values: vec![
                (":shard", s(shard)),
                (":first", s(first_id(from, MINUTE).to_string())),
                (":last", s(last_id(to, MINUTE).to_string())),
            ],
            only: Vec::new(),
            newest_first: false,
            limit: None,
        };
        let (mut counted, mut start) = (BTreeMap::new(), None);
        loop {
            let page = self.page(&query, start).await?;
            for group in page.items.iter().filter_map(Group::of) {
                *counted.entry(group).or_default() += 1;
            }
            start = page.next;
            if start.is_none() {
                return Ok(counted);
            }
        }
    }
}

/// What the requests have in common that are counted together: their minute, and the names of
/// their source, status and reason.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    minute: i64,
    source: String,
    status: String,
    reason: Option<String>,
}

impl Group {
    fn of(entry: &Item) -> Option<Self> {
        Some(Self {
            minute: received_at(request_id(entry)?)?.as_second().div_euclid(MINUTE),
            source: text(entry, "source")?.to_owned(),
            status: text(entry, "status")?.to_owned(),
            reason: text(entry, "reason").map(str::to_owned),
        })
    }

    fn received(&self, count: u64) -> Option<Received> {
        Some(Received {
            minute: self.minute,
            source: Source::from_name(&self.source)?,
            status: Status::from_name(&self.status)?,
            reason: self.reason.as_deref().and_then(Reason::from_code),
            count,
        })
    }
}
