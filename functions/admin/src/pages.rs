//! The pages, one module a question.

mod audit;
mod request;
mod requests;
mod status;

use crate::route::Route;
use crate::{AdminError, Context, Reply, sign_in};

/// The page of a route, or what follows from what was posted to it.
pub(crate) async fn serve(context: &Context<'_>, route: Route) -> Result<Reply, AdminError> {
    match route {
        Route::SignIn | Route::PostSignIn => Ok(Reply::see_other("/admin")),
        Route::SignOut => Ok(sign_in::out(context.request)),
        Route::Status => status::show(context).await,
        Route::Requests => requests::list(context).await,
        Route::Request(id) => request::show(context, id).await,
        Route::Audit => audit::list(context).await,
    }
}
