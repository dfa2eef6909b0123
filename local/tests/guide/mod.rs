//! The helpdesk guides in `docs/`: their payloads, commands, replies and tables.

pub(crate) mod command;
pub(crate) mod ticket;

use std::ops::Range;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A file of the repository.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The four helpdesks that have a guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Desk {
    Zendesk,
    Freshdesk,
    Gladly,
    Gorgias,
}

impl Desk {
    pub(crate) const ALL: [Self; 4] = [Self::Zendesk, Self::Freshdesk, Self::Gladly, Self::Gorgias];

    /// As in the names of its guide, its route and its payloads.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zendesk => "zendesk",
            Self::Freshdesk => "freshdesk",
            Self::Gladly => "gladly",
            Self::Gorgias => "gorgias",
        }
    }

    /// The webhook's path.
    pub(crate) fn route(self) -> String {
        format!("/v1/webhooks/{}", self.name())
    }
}

/// One guide.
pub(crate) struct Guide {
    pub(crate) desk: Desk,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// What stands after the fence: `json zendesk-email`.
    pub(crate) info: String,
    /// The content, without the indentation of the fence.
    pub(crate) text: String,
    /// Where the content stands in the guide, as whole lines.
    pub(crate) place: Range<usize>,
}

impl Guide {
    pub(crate) fn read(desk: Desk) -> Self {
        let text = std::fs::read_to_string(path(&format!("docs/{}.md", desk.name()))).unwrap();
        Self { desk, text }
    }

    /// Every fenced block, in order.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open, mut at) = (Vec::new(), None::<(usize, Block)>, 0);
        for line in self.text.split_inclusive('\n') {
            let fence = line.trim_start().strip_prefix("```");
            open = match (open.take(), fence) {
                (None, Some(info)) => {
                    let indent = line.len() - line.trim_start().len();
                    let start = at + line.len();
                    let info = info.trim().to_owned();
                    Some((indent, Block { info, text: String::new(), place: start..start }))
                }
                (Some((_, mut block)), Some(_)) => {
                    block.place.end = at;
                    blocks.push(block);
                    None
                }
                (Some((indent, mut block)), None) => {
                    block.text.push_str(line.get(indent..).unwrap_or("\n"));
                    Some((indent, block))
                }
                (None, None) => None,
            };
            at += line.len();
        }
        assert!(open.is_none(), "{:?}: a fence is not closed", self.desk);
        blocks
    }

    /// The payloads to copy: name and text.
    pub(crate) fn payloads(&self) -> Vec<(String, String)> {
        let prefix = format!("json {}-", self.desk.name());
        let blocks = self.blocks().into_iter().filter(|block| block.info.starts_with(&prefix));
        let payloads: Vec<_> =
            blocks.map(|block| (block.info["json ".len()..].to_owned(), block.text)).collect();
        assert!(!payloads.is_empty(), "{:?} has no payloads", self.desk);
        payloads
    }

    /// The payload with this name.
    pub(crate) fn payload(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.desk.name());
        let found = self.payloads().into_iter().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("no payload {name}")).1
    }

    /// The rows of the table whose head has these cells; empty if there is none.
    pub(crate) fn table(&self, head: &[&str]) -> Vec<Vec<String>> {
        let cells = |line: &str| -> Vec<String> {
            let line = line.trim().trim_start_matches('|').trim_end_matches('|');
            line.split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let mut lines = self.text.lines().skip_while(|line| cells(line) != head);
        lines.by_ref().take(2).for_each(drop);
        lines.take_while(|line| line.trim_start().starts_with('|')).map(cells).collect()
    }
}

/// A cell without its backticks.
pub(crate) fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// Whether `value` has all that `part` has.
pub(crate) fn includes(value: &Value, part: &Map<String, Value>) -> bool {
    part.iter().all(|(key, wanted)| value.get(key) == Some(wanted))
}

/// An id such as the guides show.
const ID: &str = "019aa5b2-4d80-7c3e-9f1a-2b3c4d5e6f70";
/// A time such as the guides show.
const TIME: &str = "2026-11-21T09:00:00Z";

/// A reply with the ids and times that the guides show, where the real ones differ each time.
pub(crate) fn shown(reply: &Value) -> Value {
    match reply {
        Value::Object(fields) => {
            let shown = fields.iter().map(|(key, value)| {
                let text = value.as_str().unwrap_or_default();
                let value = match key.as_str() {
                    "request_id" if text.len() == ID.len() => json!(ID),
                    "message_id" if text.starts_with("local-") => json!(format!("local-{ID}")),
                    key if key.ends_with("_at") && text.parse::<Timestamp>().is_ok() => json!(TIME),
                    _ => shown(value),
                };
                (key.clone(), value)
            });
            Value::Object(shown.collect())
        }
        Value::Array(items) => items.iter().map(shown).collect(),
        other => other.clone(),
    }
}
