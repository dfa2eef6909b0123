//! Keys of people: `key/<SHA-256 hex>` with `mode` `admin`. They open the admin pages, and nothing
//! else.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::item::Item;

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
    /// What it may do.
    pub role: Role,
    /// Whether it may erase a person by `DELETE /v1/people` (scope `erase`).
    pub may_erase: bool,
    /// The last day on which its use was noted (UTC).
    pub last_used: Option<Date>,
}

impl AdminKey {
    /// Reads an item of kind `key`. `None` if it is revoked, of another mode, or not understood: it
    /// opens nothing then.
    pub fn read(attributes: &Map<String, Value>) -> Option<Self> {
        let item = Item::new(attributes);
        if item.bool("revoked").ok()?.unwrap_or(false) {
            return None;
        }
        if !item.text("mode").ok()??.eq_ignore_ascii_case("admin") {
            return None;
        }
        let scopes = item.list("scopes").ok()?.unwrap_or_default();
        let has = |name: &str| scopes.iter().any(|scope| scope.eq_ignore_ascii_case(name));
        let role = match (has("admin"), has("viewer")) {
            (true, _) => Role::Admin,
            (false, true) => Role::Viewer,
            (false, false) if has("erase") => Role::Viewer,
            (false, false) => return None,
        };
        let last_used = item.text("last_used").ok().flatten().and_then(|day| day.parse().ok());
        Some(Self { role, may_erase: has("erase"), last_used })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mode: &str, scopes: Value, revoked: Value) -> Option<AdminKey> {
        let item =
            json!({ "kind": "key", "id": "d", "mode": mode, "scopes": scopes, "revoked": revoked });
        AdminKey::read(item.as_object().unwrap())
    }

    #[test]
    fn only_a_good_admin_key_opens_the_pages() {
        let key = |role, may_erase| Some(AdminKey { role, may_erase, last_used: None });
        assert_eq!(read("admin", json!(["admin"]), json!(false)), key(Role::Admin, false));
        assert_eq!(read("Admin", json!("ADMIN, erase"), json!(null)), key(Role::Admin, true));
        assert_eq!(read("admin", json!(["viewer"]), json!("no")), key(Role::Viewer, false));
        for (mode, scopes, revoked) in [
            ("admin", json!(["admin"]), json!(true)),
            ("admin", json!(["admin"]), json!("perhaps")),
            ("admin", json!(["send"]), json!(false)),
            ("admin", json!([]), json!(false)),
            ("live", json!(["admin"]), json!(false)),
            ("test", json!(["admin"]), json!(false)),
        ] {
            assert_eq!(
                read(mode, scopes.clone(), revoked.clone()),
                None,
                "{mode} {scopes} {revoked}"
            );
        }
    }
}
