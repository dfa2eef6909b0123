//! Reports what cannot be understood in the config table.

use metrics::Measure;
use policy::{ConfigFault, Item, Severity, Unknown};
use serde_json::{Map, Value};

/// Reports a fault, each time that the item is read.
pub(crate) fn log(fault: &ConfigFault) {
    match fault.severity {
        Severity::StopsMail => tracing::error!(
            config.item = fault.item,
            config.attribute = fault.attribute,
            config.did_you_mean = fault.meant,
            metrics = %metrics::of(&[Measure::ConfigurationFaults]),
            "config item cannot be understood: no mail that depends on it is sent"
        ),
        Severity::Warning => tracing::warn!(
            config.item = fault.item,
            config.attribute = fault.attribute,
            config.did_you_mean = fault.meant,
            "config item cannot be understood: it is ignored, and mails are sent"
        ),
    }
}

/// Reports what has no meaning in an item, each time that the item is read.
pub(crate) fn log_unknown(unknown: &Unknown) {
    let Unknown { item, attributes } = unknown;
    if attributes.is_empty() {
        tracing::warn!(config.item = item, "config item is of no known kind");
    } else {
        tracing::warn!(
            config.item = item,
            config.attributes = ?attributes,
            "config item has unknown attributes"
        );
    }
}

/// The same for an item that is read on its own.
pub(crate) fn log_unknown_attributes(item: &Map<String, Value>) {
    let item = Item::new(item);
    let attributes = item.unknown();
    if !attributes.is_empty() {
        log_unknown(&Unknown { item: item.name(), attributes });
    }
}
