//! Settings that are one of a few words.

use normalize::Source;
use serde::{Deserialize, Serialize};

/// A type whose values have names that admins write. Names are compared without case.
pub trait Choice: Copy + 'static {
    /// Every name, in the order of the documentation. Two names may mean the same value.
    fn names() -> Vec<&'static str>;

    /// The value with this name, in lower case.
    fn from_name(name: &str) -> Option<Self>;
}

/// Whether a key, and every request that it sent, is for trials or for production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Mail goes to the company's test address; nothing about the customer is kept beyond the row.
    Test,
    /// Production.
    Live,
}

impl Mode {
    /// The name in rows and keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }
}

impl Choice for Mode {
    fn names() -> Vec<&'static str> {
        vec!["test", "live"]
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "test" => Some(Mode::Test),
            "live" => Some(Mode::Live),
            _ => None,
        }
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// A helpdesk or a program, for trials or for production.
    Machine(Mode),
    /// A person: it opens the admin pages, and nothing else.
    Admin,
}

impl Choice for KeyMode {
    fn names() -> Vec<&'static str> {
        vec!["test", "live", "admin"]
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "admin" => Some(KeyMode::Admin),
            name => Mode::from_name(name).map(KeyMode::Machine),
        }
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Send interactions: what a helpdesk needs.
    Send,
    /// Read requests and answers.
    Read,
    /// Change everything on the admin pages.
    Admin,
    /// Look at everything on the admin pages.
    Viewer,
    /// Erase a person by `DELETE /v1/people`.
    Erase,
}

impl Choice for KeyScope {
    fn names() -> Vec<&'static str> {
        vec!["send", "read", "admin", "viewer", "erase"]
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "send" => Some(KeyScope::Send),
            "read" => Some(KeyScope::Read),
            "admin" => Some(KeyScope::Admin),
            "viewer" => Some(KeyScope::Viewer),
            "erase" => Some(KeyScope::Erase),
            _ => None,
        }
    }
}

/// Who sends the mails of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelMode {
    /// Agents, by hand.
    Manual,
    /// Afterword.
    Integrated,
}

impl Choice for ChannelMode {
    fn names() -> Vec<&'static str> {
        vec!["manual", "integrated"]
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "manual" => Some(ChannelMode::Manual),
            "integrated" => Some(ChannelMode::Integrated),
            _ => None,
        }
    }
}

/// The state of an employee's profile (docs/facts.md, Vendor 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmployeeStatus {
    /// Complete and approved: customers may be asked about this employee.
    Approved,
    /// The employee has left.
    Deactivated,
    /// Pending, unapproved or just created; also a status that cannot be understood.
    Incomplete,
}

impl Choice for EmployeeStatus {
    fn names() -> Vec<&'static str> {
        vec!["approved", "pending", "deactivated", "unapproved", "created"]
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "approved" => Some(EmployeeStatus::Approved),
            "deactivated" => Some(EmployeeStatus::Deactivated),
            "pending" | "unapproved" | "created" => Some(EmployeeStatus::Incomplete),
            _ => None,
        }
    }
}

impl Choice for Source {
    fn names() -> Vec<&'static str> {
        Source::ALL.iter().map(|source| source.as_str()).collect()
    }

    fn from_name(name: &str) -> Option<Self> {
        Source::from_name(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_a_value_and_no_other_text_does() {
        fn check<T: Choice>() {
            for name in T::names() {
                assert!(T::from_name(name).is_some(), "{name}");
                assert!(T::from_name(&format!("{name}x")).is_none(), "{name}x");
            }
            assert!(T::from_name("").is_none());
        }
        check::<Mode>();
        check::<KeyScope>();
        check::<ChannelMode>();
        check::<EmployeeStatus>();
        check::<Source>();
    }
}
