//! The limit of mails that a key may cause in an hour.

use jiff::{SignedDuration, Timestamp};

use crate::choices::Mode;
use crate::saturating_add::saturating_add;

/// The most mails of a key in one hour of the clock (UTC). Every attempt counts, also one that SES
/// refuses.
///
/// Up to 199,999 mails there is one counter. It is exact, and a lowered ceiling applies at once. A
/// larger ceiling is split over several counters, because one counter allows only some tens of
/// transactions a second. A request always counts on the same counter, so that one counter may be
/// full a little before the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// SHA-256 of the key, in hex.
    pub key: String,
    /// Mails in an hour, at least 1.
    pub mails: u32,
}

impl Ceiling {
    /// About how many mails one counter counts.
    const PART: u32 = 100_000;
    /// The most counters of an hour.
    const MOST_PARTS: u32 = 50;

    /// Mails that an agent may send by hand in an hour.
    pub const BY_HAND: u32 = 100;

    /// The default of `mails_per_hour`.
    pub fn default_of(mode: Mode) -> u32 {
        match mode {
            Mode::Live => 10_000,
            Mode::Test => 500,
        }
    }

    /// The ceiling of a key; `None` if `mails` is 0, which means no limit.
    pub fn new(key: &str, mails: u32) -> Option<Self> {
        (mails > 0).then(|| Self { key: key.to_owned(), mails })
    }

    /// How many counters an hour has.
    pub fn parts(&self) -> u32 {
        (self.mails / Self::PART).clamp(1, Self::MOST_PARTS)
    }

    /// How many mails each of them counts at most.
    pub fn of_a_part(&self) -> u32 {
        self.mails.div_ceil(self.parts())
    }

    /// The beginning of the hour that `now` is in, and of the next.
    pub fn hour(now: Timestamp) -> (Timestamp, Timestamp) {
        let second = now.as_second().div_euclid(3_600) * 3_600;
        let start = Timestamp::from_second(second).unwrap_or(now);
        (start, saturating_add(start, SignedDuration::from_hours(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ceilings_are_exact_and_large_ones_are_counted_in_parts() {
        let parts = |mails| Ceiling::new("k", mails).map(|c| (c.parts(), c.of_a_part()));
        assert_eq!(parts(0), None, "none");
        assert_eq!(parts(1), Some((1, 1)));
        assert_eq!(parts(500), Some((1, 500)));
        assert_eq!(parts(10_000), Some((1, 10_000)));
        assert_eq!(parts(199_999), Some((1, 199_999)));
        assert_eq!(parts(500_000), Some((5, 100_000)));
        assert_eq!(parts(u32::MAX), Some((50, u32::MAX.div_ceil(50))));
    }

    #[test]
    fn an_hour_is_one_of_the_clock() {
        let (start, next) = Ceiling::hour("2026-11-21T09:59:59.9Z".parse().expect("a time"));
        assert_eq!(
            (start.to_string(), next.to_string()),
            ("2026-11-21T09:00:00Z".to_owned(), "2026-11-21T10:00:00Z".to_owned())
        );
    }
}
