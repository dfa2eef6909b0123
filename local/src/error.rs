//! What can go wrong when the local stack starts or runs.

use std::net::SocketAddr;

/// Everything that this crate reports. Each message names the place and is meant for a developer's
/// terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `template.yaml` has something that the local stack does not know.
    #[error("template.yaml: {place}: {problem}")]
    Template {
        /// Path of keys to the value, as in `Resources.Api.Type`.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A flag is unknown, has no value or has an invalid one.
    #[error("{0} (--help lists the flags)")]
    Flag(String),
    /// Another process listens on the port.
    #[error("{address} is taken: stop what listens there, or choose another port with {flag}")]
    PortTaken {
        /// Address that could not be bound.
        address: SocketAddr,
        /// Flag that changes it.
        flag: &'static str,
    },
    /// The port cannot be opened, for another reason.
    #[error("cannot listen on {address} ({flag}): {source}")]
    Listen {
        /// Address that could not be bound.
        address: SocketAddr,
        /// Flag that changes it.
        flag: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The embedded DynamoDB reported an error.
    #[error("database: {action}: {problem}")]
    Database {
        /// The call to it.
        action: String,
        /// Its message.
        problem: String,
    },
    /// A file of `--data-dir` cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn template(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Template { place: place.into(), problem: problem.into() }
    }

    pub(crate) fn database(action: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Database { action: action.into(), problem: problem.to_string() }
    }
}
