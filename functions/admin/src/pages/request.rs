//! To be written.

use crate::{AdminError, Context, Reply};

pub(super) async fn show(_: &Context<'_>, _: uuid::Uuid) -> Result<Reply, AdminError> {
    Err(AdminError::NotFound)
}

pub(super) async fn submit(_: &Context<'_>, _: uuid::Uuid) -> Result<Reply, AdminError> {
    Err(AdminError::NotFound)
}
