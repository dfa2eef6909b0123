//! Keys of people: `key/<SHA-256 hex>` with `mode` `admin`. They open the admin pages, and nothing
//! else.

use jiff::civil::Date;

use crate::choices::KeyScope;

/// What an admin key may do on the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Change everything.
    Admin,
    /// Look at everything, and change nothing.
    Viewer,
}

/// A good admin key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminKey {
    /// What it may do on the pages; `None`: it does not open them, and erases people alone.
    pub role: Option<Role>,
    /// Whether it may erase a person by `DELETE /v1/people` (scope `erase`).
    pub may_erase: bool,
    /// The last day on which its use was noted, in UTC.
    pub last_used: Option<Date>,
}

impl AdminKey {
    /// What a key with these scopes may do; `None` if none of them is a person's.
    pub(crate) fn of(scopes: &[KeyScope], last_used: Option<Date>) -> Option<Self> {
        let may_erase = scopes.contains(&KeyScope::Erase);
        let role = if scopes.contains(&KeyScope::Admin) {
            Some(Role::Admin)
        } else if scopes.contains(&KeyScope::Viewer) {
            Some(Role::Viewer)
        } else if may_erase {
            None
        } else {
            return None;
        };
        Some(Self { role, may_erase, last_used })
    }
}
