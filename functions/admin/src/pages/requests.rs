//! To be written.

use crate::{AdminError, Context, Reply};

pub(super) async fn list(context: &Context<'_>) -> Result<Reply, AdminError> {
    super::audit::list(context).await
}
