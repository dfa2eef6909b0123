//! Whether a customer may answer a survey, and whether the answer is stored.

use jiff::{SignedDuration, Timestamp};

use crate::{Mode, saturating_add};

/// What the row of a request says about its survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurveyTimes {
    /// When the last claim was made.
    pub claimed_at: Option<Timestamp>,
    /// When SES took the mail.
    pub sent_at: Option<Timestamp>,
    /// Until when the survey is open, as the claim wrote it. Rows from before that was stored have
    /// none.
    pub open_until: Option<Timestamp>,
}

/// Whether a survey can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurveyState {
    /// No mail can have left, so nobody has a link to it.
    NeverSent,
    /// Its time is over.
    Closed,
    /// It can be answered, and the answer can be changed.
    Open {
        /// Until then.
        until: Timestamp,
    },
}

/// Whether the survey can be answered at `now`. `survey_days` is how long the company's surveys are
/// open.
///
/// A request that was ever claimed may have been mailed, whatever its status says: a visitor who
/// has the link has got the mail.
pub fn survey_state(
    times: SurveyTimes,
    survey_days: SignedDuration,
    now: Timestamp,
) -> SurveyState {
    let Some(claimed_at) = times.claimed_at else { return SurveyState::NeverSent };
    let sent_at = times.sent_at.unwrap_or(claimed_at);
    let until = times.open_until.unwrap_or_else(|| saturating_add(sent_at, survey_days));
    if now < until { SurveyState::Open { until } } else { SurveyState::Closed }
}

/// Whether what a customer enters on our pages (an answer, an unsubscribe) is stored. The pages of
/// a test mail can be clicked through, and store nothing.
pub fn stores_input(mode: Mode) -> bool {
    mode == Mode::Live
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_is_open_from_the_claim_until_its_time_is_over() {
        let day = |day: i64| Timestamp::from_second(1_800_000_000 + day * 86_400).expect("a time");
        let open = |until| SurveyState::Open { until: day(until) };
        for (what, claimed_at, sent_at, open_until, now, expected) in [
            ("never claimed", None, None, None, 1, SurveyState::NeverSent),
            ("as the claim says", Some(0), Some(0), Some(20), 19, open(20)),
            ("at its end", Some(0), Some(0), Some(20), 20, SurveyState::Closed),
            ("claimed, and unknown whether sent", Some(0), None, Some(20), 1, open(20)),
            ("an old row", Some(0), Some(1), None, 2, open(15)),
            ("an old row, at its end", Some(0), Some(1), None, 15, SurveyState::Closed),
            ("an old row, unknown whether sent", Some(0), None, None, 2, open(14)),
            ("before the claim, by another clock", Some(1), None, Some(20), 0, open(20)),
        ] {
            let times = SurveyTimes {
                claimed_at: claimed_at.map(day),
                sent_at: sent_at.map(day),
                open_until: open_until.map(day),
            };
            let survey_days = SignedDuration::from_hours(14 * 24);
            assert_eq!(survey_state(times, survey_days, day(now)), expected, "{what}");
        }
    }

    #[test]
    fn only_what_live_customers_enter_is_stored() {
        assert!(stores_input(Mode::Live) && !stores_input(Mode::Test));
    }
}
