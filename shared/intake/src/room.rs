//! The rows of one reply, within its size.

use serde_json::Value;
use store::{Found, Unreadable};

/// Bytes of rows in a reply, at most. Lambda allows 6 MB, of a form in which some characters are
/// escaped.
const LARGEST: usize = 4 * 1024 * 1024;

/// Once so many bytes of rows were read, no more are read for a reply: a row may be far larger than
/// what is shown of it, and takes time and memory.
const LARGEST_READ: usize = 8 * 1024 * 1024;

/// The rows of one reply, for as long as there is room.
#[derive(Debug, Default)]
pub struct Room {
    rows: Vec<Value>,
    bytes: usize,
    read: usize,
}

impl Room {
    /// Adds the row, if it fits; the first one always does. False: the reply is full.
    pub fn takes(&mut self, row: Value) -> bool {
        self.bytes += row.to_string().len();
        let fits = self.bytes <= LARGEST || self.rows.is_empty();
        if fits {
            self.rows.push(row);
        }
        fits
    }

    /// Counts the bytes of the rows that were read, and logs those that cannot be read.
    pub fn has_read(&mut self, found: &Found) {
        self.read += found.bytes;
        for Unreadable { request_id, error } in &found.unreadable {
            tracing::error!(?request_id, %error, "a row is left out of a list");
        }
    }

    /// Whether nothing more should be read for this reply.
    pub fn is_full(&self) -> bool {
        self.read >= LARGEST_READ || self.bytes >= LARGEST
    }

    /// The rows.
    pub fn into_rows(self) -> Vec<Value> {
        self.rows
    }
}
