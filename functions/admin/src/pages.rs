//! The pages, one module a question. Each has `show` for `GET`, and `submit` for what is posted to
//! it, whose origin, form token and role have been checked before.

mod answers;
mod audit;
mod brands;
mod channels;
mod keys;
mod languages;
mod people;
mod people_import;
mod request;
mod requests;
mod send_links;
mod set_up;
mod settings;
mod status;
mod suppression;

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;
use crate::route::{Page, Route};
use crate::sign_in;

/// The page of a route, or what follows from what was posted to it.
pub(crate) async fn serve(context: &Context<'_>, route: Route) -> Result<Reply, AdminError> {
    match route {
        Route::SignIn | Route::PostSignIn => Ok(Reply::see_other("/admin")),
        Route::SignOut => sign_in::out(context).await,
        Route::Show(page) => show(context, page).await,
        Route::Change(page) => submit(context, page).await,
    }
}

async fn show(context: &Context<'_>, page: Page) -> Result<Reply, AdminError> {
    match page {
        Page::Status => status::show(context).await,
        Page::Requests => requests::show(context).await,
        Page::Request(id) => request::show(context, id).await,
        Page::Channels => channels::show(context).await,
        Page::Settings => settings::show(context).await,
        Page::Brands => brands::show(context).await,
        Page::Languages => languages::show(context).await,
        Page::People => people::show(context).await,
        Page::PeopleImport => people_import::show(context).await,
        Page::PeopleExport => people_import::export(context).await,
        Page::Keys => keys::show(context).await,
        Page::Suppression => suppression::show(context).await,
        Page::Answers => answers::show(context).await,
        Page::SendLinks => send_links::show(context).await,
        Page::SetUp(helpdesk) => set_up::show(context, &helpdesk).await,
        Page::Audit => audit::show(context).await,
    }
}

async fn submit(context: &Context<'_>, page: Page) -> Result<Reply, AdminError> {
    match page {
        Page::Request(id) => request::submit(context, id).await,
        Page::Channels => channels::submit(context).await,
        Page::Settings => settings::submit(context).await,
        Page::Brands => brands::submit(context).await,
        Page::Languages => languages::submit(context).await,
        Page::People => people::submit(context).await,
        Page::PeopleImport => people_import::submit(context).await,
        Page::Keys => keys::submit(context).await,
        Page::Suppression => suppression::submit(context).await,
        Page::SendLinks => send_links::submit(context).await,
        Page::SetUp(helpdesk) => set_up::submit(context, &helpdesk).await,
        Page::Status | Page::Requests | Page::PeopleExport | Page::Answers | Page::Audit => {
            Err(AdminError::MethodNotAllowed)
        }
    }
}
