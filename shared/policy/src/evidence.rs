//! Decides whether a mail has left about which SES sent no event.
//!
//! A call to SES may end without a reply: a time-out, a reset, a crash. The mail may still have
//! left. If it did, SES publishes a `Send` event about it. If it did not, no event ever comes. But
//! that no event has come proves nothing by itself: events may be late or lost.
//!
//! So the missing event counts only if events of *other* mails arrived: of mails that were claimed
//! shortly before this one, and of mails that were claimed shortly after it. Then events arrived
//! throughout the time in question. Even then we wait for an hour, because an event that
//! `mail_events` failed to process comes again minutes later. Without such other mails we cannot
//! know. Then the mail is not sent again, and after a day the request is `failed: unconfirmed`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::saturating_add::saturating_add;

/// Minutes before and after the claim's own minute in which another mail's `Send` event has to have
/// arrived.
pub const NEIGHBOURHOOD: i64 = 5;
/// How long after the claim the events of other mails are looked at first.
const SETTLING: SignedDuration = SignedDuration::from_mins(5);
/// How long this mail's own `Send` event may still come after those of other mails have been seen.
const STRAGGLERS: SignedDuration = SignedDuration::from_mins(60);
/// How long after the claim the request ends as unconfirmed.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How long until the evidence is weighed again, while there is none.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// The minutes in which mails were claimed whose `Send` events have arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendEvents(BTreeSet<i64>);

impl SendEvents {
    /// The minute that a time is in, counted from 1970.
    pub fn minute(at: Timestamp) -> i64 {
        at.as_second().div_euclid(60)
    }

    /// Whether events arrived of mails claimed before and after the minute of this claim.
    fn surround(&self, claimed_at: Timestamp) -> bool {
        let own = Self::minute(claimed_at);
        let any = |mut minutes: std::ops::RangeInclusive<i64>| {
            minutes.any(|minute| self.0.contains(&minute))
        };
        any(own - NEIGHBOURHOOD..=own - 1) && any(own + 1..=own + NEIGHBOURHOOD)
    }
}

impl FromIterator<i64> for SendEvents {
    /// From minutes as [`SendEvents::minute`] counts them.
    fn from_iter<I: IntoIterator<Item = i64>>(minutes: I) -> Self {
        Self(minutes.into_iter().collect())
    }
}

/// What follows for a claim whose lease has ended without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// There is no evidence yet: weigh it again at this time.
    Wait(Timestamp),
    /// The events of other mails have arrived, and its own has not. Note that, and weigh the
    /// evidence again at this time.
    Doubt(Timestamp),
    /// Its own event has not come within another hour: the mail never left, and may be sent again.
    NeverLeft,
    /// It cannot be known: do not send the mail again, and tell the operator.
    Unconfirmed,
}

/// Weighs the evidence about a mail that was claimed at `claimed_at` and about which SES has sent
/// no event.
///
/// `doubted_at` is when [`Weighed::Doubt`] was noted, if it was. `heard` are the minutes from which
/// `Send` events of other mails have arrived.
pub fn weigh(
    claimed_at: Timestamp,
    doubted_at: Option<Timestamp>,
    heard: &SendEvents,
    now: Timestamp,
) -> Weighed {
    let age = now.duration_since(claimed_at);
    let in_doubt = age >= SETTLING && heard.surround(claimed_at);
    match doubted_at.filter(|_| in_doubt) {
        Some(doubted_at) if now.duration_since(doubted_at) >= STRAGGLERS => Weighed::NeverLeft,
        Some(doubted_at) => Weighed::Wait(saturating_add(doubted_at, STRAGGLERS)),
        None if in_doubt => Weighed::Doubt(saturating_add(now, STRAGGLERS)),
        None if age >= PATIENCE => Weighed::Unconfirmed,
        None => Weighed::Wait(saturating_add(now, LOOK_AGAIN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes after the claim, which is made at the half of a minute.
    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_030 + minutes * 60).expect("a time of this century")
    }

    fn heard(minutes: &[i64]) -> SendEvents {
        minutes.iter().map(|minute| SendEvents::minute(at(*minute))).collect()
    }

    #[test]
    fn a_mail_never_left_only_if_events_flowed_on_both_sides_of_it_and_an_hour_passed() {
        use Weighed::{Doubt, NeverLeft, Unconfirmed, Wait};
        let both = &[-2, 3][..];
        for (what, events, doubted, now, expected) in [
            ("nothing is heard at all", &[][..], None, 10, Wait(at(15))),
            ("it is too early to look", both, None, 4, Wait(at(9))),
            ("neighbours on both sides", both, None, 5, Doubt(at(65))),
            ("the nearest and the farthest that count", &[-5, 5], None, 6, Doubt(at(66))),
            ("the next ones farther away", &[-6, 6], None, 7, Wait(at(12))),
            ("only before: an outage may have begun", &[-1, -2, -3], None, 20, Wait(at(25))),
            ("only after: an outage may have ended", &[1, 2, 30, 60], None, 20, Wait(at(25))),
            ("events of its own minute say nothing", &[0], None, 20, Wait(at(25))),
            ("doubted, and too early", both, Some(6), 40, Wait(at(66))),
            ("doubted for an hour", both, Some(6), 66, NeverLeft),
            ("doubted, then the neighbours were forgotten", &[], Some(6), 90, Wait(at(95))),
            ("a day without neighbours", &[-1], None, 1_440, Unconfirmed),
            ("a day, and only now neighbours", both, None, 1_440, Doubt(at(1_500))),
        ] {
            assert_eq!(weigh(at(0), doubted.map(at), &heard(events), at(now)), expected, "{what}");
        }
    }
}
