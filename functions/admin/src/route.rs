//! Which page a path means.

use lambda_http::http::Method;
use uuid::Uuid;

use crate::error::AdminError;

/// A page of somebody who is signed in. What is posted to a page has the same route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Status,
    Requests,
    Request(Uuid),
    Channels,
    Settings,
    Brands,
    Languages,
    People,
    PeopleImport,
    PeopleExport,
    Keys,
    Suppression,
    Answers,
    SendLinks,
    SetUp(String),
    Audit,
}

/// What a visit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `GET /admin/sign-in`.
    SignIn,
    /// `POST /admin/sign-in`.
    PostSignIn,
    /// `POST /admin/sign-out`.
    SignOut,
    /// `GET` of a page.
    Show(Page),
    /// `POST` to a page.
    Change(Page),
}

impl Route {
    /// # Errors
    /// [`AdminError::NotFound`] or [`AdminError::MethodNotAllowed`].
    pub(crate) fn find(method: &Method, path: &str) -> Result<Self, AdminError> {
        let get = *method == Method::GET || *method == Method::HEAD;
        let post = *method == Method::POST;
        let path = path.strip_prefix("/admin").ok_or(AdminError::NotFound)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let page = match parts.as_slice() {
            ["sign-in"] if get => return Ok(Self::SignIn),
            ["sign-in"] if post => return Ok(Self::PostSignIn),
            ["sign-out"] if post => return Ok(Self::SignOut),
            ["sign-in" | "sign-out"] => return Err(AdminError::MethodNotAllowed),
            [] => Page::Status,
            ["requests"] => Page::Requests,
            ["requests", id] => Page::Request(id.parse().map_err(|_| AdminError::NotFound)?),
            ["channels"] => Page::Channels,
            ["settings"] => Page::Settings,
            ["brands"] => Page::Brands,
            ["languages"] => Page::Languages,
            ["people"] => Page::People,
            ["people", "import"] => Page::PeopleImport,
            ["people", "export"] => Page::PeopleExport,
            ["keys"] => Page::Keys,
            ["suppression"] => Page::Suppression,
            ["answers"] => Page::Answers,
            ["send-links"] => Page::SendLinks,
            ["set-up"] => Page::SetUp("zendesk".to_owned()),
            ["set-up", helpdesk] => Page::SetUp((*helpdesk).to_owned()),
            ["audit"] => Page::Audit,
            _ => return Err(AdminError::NotFound),
        };
        if get {
            Ok(Self::Show(page))
        } else if post {
            Ok(Self::Change(page))
        } else {
            Err(AdminError::MethodNotAllowed)
        }
    }
}
