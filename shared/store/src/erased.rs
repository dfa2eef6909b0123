//! What an erasure takes.

use serde::Serialize;

use crate::ground::{Item, number};

/// What becomes of the person's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErasedAnswers {
    /// Stars and topics stay, without comment and person.
    #[default]
    Kept,
    /// They go.
    Deleted,
}

impl ErasedAnswers {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "keep",
            Self::Deleted => "delete",
        }
    }
}

/// How many records of which kind an erasure took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErasedRecords {
    /// Requests of live keys, with name, address and what the helpdesk sent.
    pub live_requests: u64,
    /// Those of test keys.
    pub test_requests: u64,
    /// Answers that went.
    pub answers_deleted: u64,
    /// Answers that stayed without comment and person.
    pub answers_without_person: u64,
    /// De-duplication markers.
    pub markers: u64,
    /// Suppression windows.
    pub windows: u64,
}

impl ErasedRecords {
    /// Each number with its name in the table.
    pub(crate) fn each(self) -> [(&'static str, u64); 6] {
        [
            ("live_requests", self.live_requests),
            ("test_requests", self.test_requests),
            ("answers_deleted", self.answers_deleted),
            ("answers_without_person", self.answers_without_person),
            ("markers", self.markers),
            ("windows", self.windows),
        ]
    }

    pub(crate) fn read(item: &Item) -> Self {
        let count = |name| number(item, name).unwrap_or_default();
        Self {
            live_requests: count("live_requests"),
            test_requests: count("test_requests"),
            answers_deleted: count("answers_deleted"),
            answers_without_person: count("answers_without_person"),
            markers: count("markers"),
            windows: count("windows"),
        }
    }
}
