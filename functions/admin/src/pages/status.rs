//! To be written.

use crate::{AdminError, Context, Reply};

pub(super) async fn show(context: &Context<'_>) -> Result<Reply, AdminError> {
    super::audit::list(context).await
}
