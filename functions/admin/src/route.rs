//! Which page a path means.

use lambda_http::http::Method;
use uuid::Uuid;

use crate::AdminError;

/// A page, or what is posted to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    SignIn,
    PostSignIn,
    SignOut,
    Status,
    Requests,
    Request(Uuid),
    Audit,
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
        let (shown, posted) = match parts.as_slice() {
            [] => (Some(Self::Status), None),
            ["sign-in"] => (Some(Self::SignIn), Some(Self::PostSignIn)),
            ["sign-out"] => (None, Some(Self::SignOut)),
            ["requests"] => (Some(Self::Requests), None),
            ["requests", id] => {
                let id = id.parse().map_err(|_| AdminError::NotFound)?;
                (Some(Self::Request(id)), None)
            }
            ["audit"] => (Some(Self::Audit), None),
            _ => return Err(AdminError::NotFound),
        };
        let found = if get {
            shown
        } else if post {
            posted
        } else {
            None
        };
        found.ok_or(AdminError::MethodNotAllowed)
    }
}
