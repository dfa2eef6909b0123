//! In which minutes `Send` events of SES arrived: the evidence that `sweep` weighs.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use policy::{NEIGHBOURHOOD, SendEvents, saturating_add};

use crate::error::StoreError;
use crate::ground::{Item, applied, hour, n, s, seconds};
use crate::store::Store;

/// How long these minutes are kept: longer than `sweep` looks for evidence of an unknown mail.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(72);

impl Store {
    /// Notes that the `Send` event of a mail claimed at `claimed_at` has arrived: adds the minute to
    /// the item of its hour.
    pub async fn note_send_event(&self, claimed_at: Timestamp) -> Result<(), StoreError> {
        let minute = SendEvents::minute(claimed_at);
        if self.cache.has_noted(minute) {
            return Ok(());
        }
        // Clauses: the hour has no minutes yet, or not this one. This update may create its item.
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.config)
            .set_key(Some(hour_key(claimed_at)))
            .update_expression("ADD minutes :minutes SET expires_at = :expires")
            .condition_expression("attribute_not_exists(minutes) OR NOT contains(minutes, :minute)")
            .expression_attribute_values(
                ":minutes",
                AttributeValue::Ns(vec![minute.rem_euclid(60).to_string()]),
            )
            .expression_attribute_values(":minute", n(minute.rem_euclid(60)))
            .expression_attribute_values(
                ":expires",
                seconds(saturating_add(claimed_at, REMEMBERED)),
            );
        applied(update.send().await)?;
        self.cache.note(minute);
        Ok(())
    }

    /// The minutes around these claims in which other mails were claimed whose `Send` events have
    /// arrived.
    pub async fn send_events_around(
        &self,
        claims: impl IntoIterator<Item = Timestamp>,
    ) -> Result<SendEvents, StoreError> {
        let aside = SignedDuration::from_mins(NEIGHBOURHOOD);
        let ends = claims.into_iter().flat_map(|claimed_at| {
            [saturating_add(claimed_at, -aside), saturating_add(claimed_at, aside)]
        });
        let hours: BTreeSet<i64> = ends.map(|end| end.as_second().div_euclid(3_600)).collect();
        let minutes = try_join_all(hours.into_iter().map(|hour| self.send_events_of(hour))).await?;
        Ok(minutes.into_iter().flatten().collect())
    }

    /// The minutes of one hour, which is counted from 1970.
    async fn send_events_of(&self, hour: i64) -> Result<Vec<i64>, StoreError> {
        let Ok(start) = Timestamp::from_second(hour * 3_600) else { return Ok(Vec::new()) };
        let got =
            self.client.get_item().table_name(&self.tables.config).set_key(Some(hour_key(start)));
        let item = got.send().await.map_err(StoreError::of("GetItem"))?.item;
        let minutes = item.and_then(|mut item| item.remove("minutes"));
        Ok(match minutes {
            Some(AttributeValue::Ns(minutes)) => minutes
                .iter()
                .filter_map(|minute| minute.parse::<i64>().ok())
                .map(|m| hour * 60 + m)
                .collect(),
            _ => Vec::new(),
        })
    }
}

/// `watermark/send_events#2026-11-21T09`, UTC.
fn hour_key(at: Timestamp) -> Item {
    [("kind".to_owned(), s("watermark")), ("id".to_owned(), s(format!("send_events#{}", hour(at))))]
        .into()
}
