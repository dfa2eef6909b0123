//! To be written.

use crate::context::Context;
use crate::error::AdminError;
use crate::reply::Reply;

pub(super) async fn show(_: &Context<'_>) -> Result<Reply, AdminError> {
    Err(AdminError::NotFound)
}
