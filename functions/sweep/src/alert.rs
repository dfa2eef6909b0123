//! The alert about requests that went wrong.

use jiff::Timestamp;
use policy::{AlertSettings, AlertStep, Mode, Notice, alert_looks_back_to, alert_step};
use store::{Store, StoreError};

/// Judges the requests of the last hour. Returns whether there is an alert from now on, which the
/// row of a notice says: `dispatch` mails it.
pub(crate) async fn watch(
    store: &Store,
    settings: &AlertSettings,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !settings.is_on() {
        return Ok(false);
    }
    let received = store.received(Mode::Live, alert_looks_back_to(now), now);
    let (alert, received) = futures::try_join!(store.alert(), received)?;
    match alert_step(settings, alert.state, &received, now) {
        AlertStep::Stay => Ok(false),
        AlertStep::Recovered => {
            if store.end_alert(&alert, now).await? {
                tracing::info!("requests go well again");
            }
            Ok(false)
        }
        AlertStep::Raise(errors) => {
            let (requests, wrong) = (errors.requests, errors.wrong);
            let raised = store.raise_alert(&alert, Notice::Errors(errors), now).await?;
            if let Some(request_id) = raised {
                tracing::error!(%request_id, requests, wrong, "too many requests go wrong");
            }
            Ok(raised.is_some())
        }
    }
}
