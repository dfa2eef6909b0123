//! The part of the configuration that decides about one request.

use std::sync::Arc;

use jiff::Timestamp;
use policy::{
    Brand, Ceiling, DueFacts, Employee, Key, KeyItem, Mode, RequestedVia, WaitingFor, declined,
    recheck, recheck_by_hand,
};
use store::{Interaction, Settings, Store, StoreError};

use crate::stopped::Stopped;

/// The configuration items that one request depends on.
pub(crate) struct ConfigurationFor {
    pub(crate) settings: Arc<Settings>,
    key: Option<KeyItem>,
    /// `None` for a test request, too: it is sent whatever the employee's profile says.
    employee: Option<Employee>,
}

impl ConfigurationFor {
    /// Reads the items, from the store's cache if it has them.
    pub(crate) async fn read(
        store: &Store,
        row: &Interaction,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let employee = async {
            match row.employee.as_ref().filter(|_| row.mode == Mode::Live) {
                Some(profile) => store.employee_by_email(&profile.email, now).await,
                None => Ok(None),
            }
        };
        let key = async {
            match row.requested_via {
                RequestedVia::Api => store.key(&row.key, now).await,
                // The private link of the send box stood for the key.
                RequestedVia::Manual => Ok(None),
            }
        };
        let (settings, key, employee) = tokio::try_join!(store.settings(now), key, employee)?;
        Ok(Self { settings, key, employee })
    }

    /// The request's key, if it is good.
    pub(crate) fn key(&self) -> Option<&Key> {
        match &self.key {
            Some(KeyItem::Good(key)) => Some(key),
            _ => None,
        }
    }

    /// The request's brand, if it names one that still exists.
    pub(crate) fn brand(&self, row: &Interaction) -> Option<&Brand> {
        row.brand.as_deref().and_then(|brand| Brand::find(&self.settings.brands, brand))
    }

    /// Whether the request may be claimed. If not: it is refused, or it is held until an admin has
    /// corrected the item that the error names.
    pub(crate) fn check(&self, row: &Interaction) -> Result<(), Stopped> {
        let facts = DueFacts {
            company: &self.settings.company,
            channels: &self.settings.channels,
            brand: self.brand(row),
            key: self.key.as_ref(),
            employee: self.employee.as_ref(),
        };
        let channel = row.channel.as_deref().unwrap_or_default();
        let fault = match row.requested_via {
            RequestedVia::Api => recheck(row.mode, channel, &facts),
            RequestedVia::Manual => recheck_by_hand(channel, &facts),
        };
        let fault = fault.map_err(Stopped::Refused)?;
        let mut language_faults = self.settings.language_faults.iter();
        let language_fault = language_faults
            .find(|(tag, _)| Some(tag.as_str()) == row.language.as_deref())
            .map(|(_, fault)| fault);
        if let Some(fault) = fault.or(language_fault) {
            return Err(Stopped::Held(WaitingFor::Configuration, fault.to_string()));
        }
        match declined(&self.settings.company, &row.tags(), row.customer_address()) {
            Some(reason) => Err(Stopped::Refused(reason)),
            None => Ok(()),
        }
    }

    /// How many mails the request's key may send in an hour; `None` if there is no limit. A test
    /// request whose key was removed, or cannot be understood, has the default limit.
    pub(crate) fn ceiling(&self, row: &Interaction) -> Option<Ceiling> {
        match self.key() {
            Some(key) => key.ceiling(),
            None if row.requested_via == RequestedVia::Manual => {
                Ceiling::new(&row.key, Ceiling::BY_HAND)
            }
            None => Ceiling::new(&row.key, Ceiling::default_of(row.mode)),
        }
    }
}
