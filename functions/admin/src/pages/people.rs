//! To be written.

use crate::{AdminError, Context, Reply};

pub(super) async fn show(_: &Context<'_>) -> Result<Reply, AdminError> {
    Err(AdminError::NotFound)
}

pub(super) async fn submit(_: &Context<'_>) -> Result<Reply, AdminError> {
    Err(AdminError::NotFound)
}
