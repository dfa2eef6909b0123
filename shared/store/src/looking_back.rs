//! What the admin pages look up beside a request, each with a bounded number of reads.

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use links::Subject;
use normalize::Source;
use policy::{Mode, Reason, Status};
use uuid::Uuid;

use crate::error::StoreError;
use crate::ground::{Item, hour, index, kind, number, request_id, s, text};
use crate::interaction::Interaction;
use crate::shards::{DAY_SHARDS, day_shard};
use crate::store::{IndexQuery, Store};
use crate::suppression::unsubscribed;

/// One number of `tally/<hour>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tallied {
    /// The start of the hour in which the requests were received.
    pub hour: Timestamp,
    /// Test or live.
    pub mode: Mode,
    /// Who sent them.
    pub source: Source,
    /// Where they stand.
    pub status: Status,
    /// Why there is no mail.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

/// An entry of the index of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Which request.
    pub request_id: Uuid,
    /// Who sent it.
    pub source: Source,
    /// Where it stands.
    pub status: Status,
}

/// What is held against mailing a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The request that holds the suppression window, and when the window is over.
    pub window: Option<(Uuid, Timestamp)>,
    /// Until when the address gets no mail because one bounced.
    pub bounced_until: Option<Timestamp>,
    /// Unsubscribed from everything, or from the brand that was asked about.
    pub unsubscribed: bool,
}

/// Entries of each shard of a day that are read for [`Store::recent`].
const RECENT: usize = 50;
/// Requests of one customer that are looked at for [`Store::asked_before`].
const OF_A_CUSTOMER: usize = 24;

impl Store {
    /// The tallies of the hours from that of `from` to that of `to`. One query for each megabyte,
    /// which is more than a month.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Tallied>, StoreError> {
        let (mut tallied, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.config)
                .key_condition_expression("#kind = :tally AND #id BETWEEN :from AND :to")
                .expression_attribute_names("#kind", "kind")
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":tally", s("tally"))
                .expression_attribute_values(":from", s(hour(from)))
                .expression_attribute_values(":to", s(hour(to)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of("Query config"))?;
            tallied.extend(page.items.unwrap_or_default().iter().flat_map(tallies_of));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(tallied);
            }
        }
    }

    /// The newest requests of this mode of today and yesterday, a bounded number of each shard.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn recent(&self, mode: Mode, now: Timestamp) -> Result<Vec<Recent>, StoreError> {
        let yesterday = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        let shards = [now, yesterday]
            .into_iter()
            .flat_map(|at| (0..DAY_SHARDS).map(move |shard| day_shard(mode, at, shard)));
        let pages = shards.map(|shard| async move {
            let query = IndexQuery {
                index: index::DAY,
                condition: "day_shard = :shard",
                values: vec![(":shard", s(shard))],
                only: Vec::new(),
                newest_first: true,
                limit: Some(RECENT),
            };
            self.page(&query, None).await
        });
        let pages = try_join_all(pages).await?;
        let entry = |item: &Item| {
            Some(Recent {
                request_id: request_id(item)?,
                source: Source::from_name(text(item, "source")?)?,
                status: Status::from_name(text(item, "status")?)?,
            })
        };
        Ok(pages.iter().flat_map(|page| page.items.iter().filter_map(entry)).collect())
    }

    /// The last request of the same customer whose mail had left, or was being sent, at `before`:
    /// the newest of the customer's 24 newest requests.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn asked_before(
        &self,
        row: &Interaction,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Interaction>, StoreError> {
        let Some(subject) = &row.subject else { return Ok(None) };
        let query = IndexQuery {
            index: index::SUBJECT,
            condition: "subject = :subject",
            values: vec![(":subject", s(subject.as_text()))],
            only: Vec::new(),
            newest_first: true,
            limit: Some(OF_A_CUSTOMER),
        };
        let page = self.page(&query, None).await?;
        let ids: Vec<Uuid> = page.items.iter().filter_map(request_id).collect();
        let mut others: Vec<Interaction> =
            self.interactions(&ids, now).await?.rows.into_values().collect();
        others.retain(|other| {
            other.request_id != row.request_id
                && other.mode == row.mode
                && other.sent_at.or(other.claimed_at).is_some_and(|at| at <= before)
                && (other.status.mail_left() || other.status == Status::Sending)
        });
        Ok(others.into_iter().max_by_key(|other| other.sent_at.or(other.claimed_at)))
    }

    /// What is held against mailing the customer at `now`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn standing(
        &self,
        subject: &Subject,
        brand: Option<&str>,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.suppression)
            .key_condition_expression("subject = :subject")
            .expression_attribute_values(":subject", s(subject.as_text()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        let items = page.items.unwrap_or_default();
        let of = |name: &str| items.iter().find(|item| text(item, "kind") == Some(name));
        let until = |item: &Item| {
            let at = Timestamp::from_second(number(item, "expires_at")?).ok()?;
            Some(at).filter(|at| *at > now)
        };
        let window = of(kind::WINDOW).and_then(|item| Some((request_id(item)?, until(item)?)));
        Ok(Standing {
            window,
            bounced_until: of(kind::BOUNCED).and_then(until),
            unsubscribed: of(&unsubscribed(None)).is_some()
                || brand.is_some_and(|brand| of(&unsubscribed(Some(brand))).is_some()),
        })
    }
}

fn tallies_of(item: &Item) -> Vec<Tallied> {
    let at = text(item, "id").and_then(|id| format!("{id}:00:00Z").parse().ok());
    let counts = item.get("counts").and_then(|counts| counts.as_m().ok());
    let (Some(at), Some(counts)) = (at, counts) else { return Vec::new() };
    counts.keys().filter_map(|name| tallied(at, name, number(counts, name)?)).collect()
}

/// `live/zendesk/invalid/channel_manual` → how many.
fn tallied(hour: Timestamp, name: &str, count: u64) -> Option<Tallied> {
    let mut parts = name.split('/');
    Some(Tallied {
        hour,
        mode: [Mode::Live, Mode::Test]
            .into_iter()
            .find(|m| Some(m.as_str()) == parts.clone().next())?,
        source: Source::from_name(parts.nth(1)?)?,
        status: Status::from_name(parts.next()?)?,
        reason: parts.next().and_then(Reason::from_code),
        count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_read_as_it_was_written_and_what_is_none_is_left_out() {
        let hour: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
        let read = |name| tallied(hour, name, 3);
        let tally = read("test/gladly/not_sent/no_email").unwrap();
        assert_eq!((tally.mode, tally.source), (Mode::Test, Source::Gladly));
        assert_eq!((tally.status, tally.reason), (Status::NotSent, Some(Reason::NoEmail)));
        assert_eq!(read("live/requests/delivered/").unwrap().reason, None);
        for odd in
            ["", "live", "live/requests", "live/fax/sent/", "x/gladly/sent/", "live/gladly//"]
        {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
