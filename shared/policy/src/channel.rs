//! Channels.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::attribute::Reader;
use crate::choices::ChannelMode;
use crate::config_table::channel;
use crate::fault::ConfigFault;
use crate::item::Item;
use crate::slips::same;

/// `channel/<name>`.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The id, as the admin spelled it.
    pub name: String,
    /// Default `manual`.
    pub mode: ChannelMode,
    /// Default true.
    pub enabled: bool,
    /// `delay_minutes`: time from receipt until the survey is due. Default 0.
    pub delay: SignedDuration,
    /// Other names, such as a helpdesk's slugs.
    pub aliases: Vec<String>,
    /// Values that cannot be understood; such a channel is in manual mode.
    pub faults: Vec<ConfigFault>,
}

impl Channel {
    /// Reads an item. With a fault in it the channel is in manual mode. If the fault is in
    /// `enabled`, the channel is off too.
    pub fn read(attributes: &Map<String, Value>) -> Self {
        let mut reader = Reader::new(Item::new(attributes));
        let mode = reader.read(&channel::MODE);
        let channel = Self {
            name: reader.item.id().to_owned(),
            mode,
            enabled: reader.read(&channel::ENABLED),
            delay: reader.read(&channel::DELAY_MINUTES),
            aliases: reader.read(&channel::ALIASES),
            faults: reader.faults.stopping,
        };
        let mode = if channel.faults.is_empty() { mode } else { ChannelMode::Manual };
        Self { mode, ..channel }
    }

    fn is_called(&self, name: &str) -> bool {
        same(&self.name, name) || self.aliases.iter().any(|alias| same(alias, name))
    }

    /// The channel with this name, or else with this alias; without case.
    pub fn find<'a>(channels: &'a [Channel], name: &str) -> Option<&'a Channel> {
        channels
            .iter()
            .find(|c| same(&c.name, name))
            .or_else(|| channels.iter().find(|c| c.is_called(name)))
    }
}
