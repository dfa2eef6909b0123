//! By which way in a request came.

use serde::{Deserialize, Serialize};

/// Who asked for the survey: a machine with a key, or an agent by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestedVia {
    /// A helpdesk or any other system, with a key.
    #[default]
    #[serde(rename = "API")]
    Api,
    /// An agent, by the private link of a send box. Such a request has no key.
    #[serde(rename = "manual")]
    Manual,
}

impl RequestedVia {
    /// The name in rows, replies and the export (docs/facts.md, Vendor 6).
    pub fn as_str(self) -> &'static str {
        match self {
            RequestedVia::Api => "API",
            RequestedVia::Manual => "manual",
        }
    }

    /// Whether it came by a key.
    pub fn is_api(&self) -> bool {
        *self == RequestedVia::Api
    }
}
