//! Notices to the company's own people, by the road of every mail: check, compose, claim, send,
//! note.

use jiff::{SignedDuration, Timestamp};
use policy::{Notice, lease};
use store::{Claim, Interaction};
use survey_mail::compose_notice;
use uuid::Uuid;

use crate::stopped::Stopped;
use crate::{Dispatch, still_wanted};

impl Dispatch {
    /// Mails a notice. No customer is concerned: there is no suppression window, no ceiling of a
    /// key, and faults of the configuration do not hold it back, since it may be about them.
    pub(crate) async fn mail_notice(
        &self,
        row: &Interaction,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), Stopped> {
        still_wanted(row, now)?;
        let mut settings = self.store.settings(now).await?;
        let sender = self.sender.as_ref();
        let compose = |settings: &_| {
            compose_notice(&self.links, sender, row.request_id, notice, settings, now)
        };
        let mail = match compose(&settings) {
            Ok(mail) => mail,
            // An admin may just have set the recipient.
            Err(_) => {
                self.store.forget_configuration();
                settings = self.store.settings(now).await?;
                compose(&settings)?
            }
        };
        let claim = Claim {
            id: Uuid::now_v7(),
            lease: lease(self.time_out),
            window: SignedDuration::ZERO,
            open: SignedDuration::ZERO,
            ceiling: None,
        };
        let lease = self.claim(row, &claim, now).await?;
        let sent = self.ses.send(&mail).await;
        Ok(self.note(lease, sent, settings.company.send_attempts, now).await?)
    }
}
