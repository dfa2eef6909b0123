//! Erasing a person, from the page and from `DELETE /v1/people`.

use std::time::Duration;

use jiff::Timestamp;
use links::Subject;
use normalize::Address;
use store::{ErasedAnswers, Erasure, StoreError};

use crate::admin::Admin;

/// Requests of a person that are erased before the reply, about; `sweep` erases the rest.
const BEFORE_THE_REPLY: usize = 200;
/// How long the reply waits for them. The visit as a whole ends later.
const PATIENCE: Duration = Duration::from_secs(15);

/// The pseudonym of an address as somebody types it; `None` if it is none.
///
/// # Errors
/// As [`store::Store::secret`].
pub(crate) async fn subject_of(
    admin: &Admin,
    text: &str,
    now: Timestamp,
) -> Result<Option<Subject>, StoreError> {
    let Some(address) = Address::parse(text) else { return Ok(None) };
    Ok(Some(admin.store.secret(now).await?.of_address(&address.canonical())))
}

/// Erases the person as far as that is done soon, and leaves the rest to `sweep`. What fails once
/// the erasure has begun is logged, and left to `sweep` too.
///
/// # Errors
/// If the erasure cannot begin, or what it did cannot be read.
pub(crate) async fn erase(
    admin: &Admin,
    subject: &Subject,
    answers: ErasedAnswers,
    who: &str,
    now: Timestamp,
) -> Result<Option<Erasure>, StoreError> {
    let store = &admin.store;
    let kept = store.settings(now).await?.company.kept();
    store.begin_erasure(subject, answers, who, now).await?;
    let work = store.go_on_erasing(subject, BEFORE_THE_REPLY, true, kept, now);
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(?subject, %error, "an erasure is left to sweep"),
        Err(_) => tracing::warn!(?subject, "an erasure takes long, and is left to sweep"),
    }
    store.erasure(subject).await
}
