//! What every page knows of its visit.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_http::{Request, RequestExt as _};
use store::{AuditEntry, Change, Changed, Settings, Store};

use crate::admin::Admin;
use crate::error::AdminError;
use crate::faults::Faults;
use crate::form::Form;
use crate::view::Frame;
use crate::visitor::Visitor;

/// One visit, by somebody who is signed in.
pub(crate) struct Context<'a> {
    pub(crate) admin: &'a Admin,
    pub(crate) request: &'a Request,
    pub(crate) visitor: Visitor,
    /// What was posted; only of a `POST` whose origin, token and role were checked.
    pub(crate) form: Form,
    /// Company, channels, brands and languages as they stand now, and not as remembered.
    pub(crate) settings: Arc<Settings>,
    /// What cannot be understood in them.
    pub(crate) faults: Faults,
    pub(crate) now: Timestamp,
}

impl<'a> Context<'a> {
    pub(crate) async fn new(
        admin: &'a Admin,
        request: &'a Request,
        visitor: Visitor,
        form: Option<Form>,
        now: Timestamp,
    ) -> Result<Self, AdminError> {
        // An admin looks at what was just changed, by this page or by hand.
        admin.store.forget_configuration();
        let settings = admin.store.settings(now).await?;
        let faults = Faults::read(&admin.store, &settings, now).await?;
        let form = form.unwrap_or_default();
        Ok(Self { admin, request, visitor, form, settings, faults, now })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.admin.store
    }

    /// A parameter of the query, trimmed; `None` if it is absent or empty.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.request.query_string_parameters();
        let value = query.first(name)?.trim().to_owned();
        Some(value).filter(|value| !value.is_empty())
    }

    /// Whether the query has this parameter, also without a value.
    pub(crate) fn request_has(&self, name: &str) -> bool {
        self.request.query_string_parameters().first(name).is_some()
    }

    /// A parameter of the query as it is: the id of an item may begin or end with a blank.
    pub(crate) fn query_id(&self, name: &str) -> Option<String> {
        let query = self.request.query_string_parameters();
        query.first(name).map(str::to_owned).filter(|id| !id.is_empty())
    }

    /// What surrounds a page. `here` is the path of the menu's entry.
    pub(crate) fn frame(&self, title: &str, here: &'static str) -> Frame {
        Frame {
            title: title.to_owned(),
            company: self.settings.company.name.clone(),
            here,
            name: self.visitor.name.clone(),
            may_change: self.visitor.may_change(),
            form_token: self.visitor.form_token(&self.admin.secrets),
            faults: self.faults.clone(),
            done: self.query("done").and_then(|done| crate::view::done_sentence(&done)),
        }
    }

    /// Changes items of the config table and writes the audit trail, in one transaction. Nothing is
    /// changed if an item no longer is what the change began from.
    pub(crate) async fn change(
        &self,
        what: &str,
        changes: &[Change],
    ) -> Result<Changed, AdminError> {
        let entry = AuditEntry::of_changes(&self.visitor.name, what, changes, self.now);
        let changed = self.store().change(changes, &entry).await?;
        self.store().forget_configuration();
        Ok(changed)
    }
}
