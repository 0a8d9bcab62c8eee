//! When credentials are replaced by others: a rule, and nothing else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The soft point: so many seconds before they expire others are asked for, or a quarter of their life
/// before, whichever is later.
const SOFT: i64 = 600;

/// The hard point: so many seconds before they expire they are no longer used.
const HARD: i64 = 60;

/// Between two tries past the soft point.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);

/// What is to be done about credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    None,
    /// Others are asked for; where there are none, these do.
    Soft,
    /// Others are needed.
    Hard,
}

/// The life of credentials, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// When they came.
    pub began: i64,
    /// When they expire; nothing where they are good until they are refused.
    pub ends: Option<i64>,
}

impl Life {
    /// What is to be done now, when others were last asked for then.
    pub fn need(self, now: i64, tried: Option<Instant>) -> Need {
        let Some(ends) = self.ends else {
            return Need::None;
        };
        let left = ends.saturating_sub(now);
        let soft = SOFT.min(ends.saturating_sub(self.began) / 4);
        let was_tried_just_now = tried.is_some_and(|tried| tried.elapsed() < BETWEEN_TRIES);
        match left {
            ..HARD => Need::Hard,
            _ if left < soft && !was_tried_just_now => Need::Soft,
            _ => Need::None,
        }
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_asked_for_at_the_soft_point_and_needed_at_the_hard_one() {
        let hours = 3600;
        for (life, left, need) in [
            (24 * hours, 24 * hours, Need::None),
            (24 * hours, 601, Need::None),
            (24 * hours, 600, Need::None),
            (24 * hours, 599, Need::Soft),
            (24 * hours, 60, Need::Soft),
            (24 * hours, 59, Need::Hard),
            (24 * hours, 0, Need::Hard),
            (24 * hours, -5, Need::Hard),
            // A quarter of 15 minutes.
            (900, 226, Need::None),
            (900, 224, Need::Soft),
            (900, 59, Need::Hard),
            // The soft point is past the hard one.
            (200, 61, Need::None),
            (200, 59, Need::Hard),
            (30, 30, Need::Hard),
            (-10, -10, Need::Hard),
        ] {
            let life_of = Life {
                began: 1_000_000,
                ends: Some(1_000_000 + life),
            };
            let now = 1_000_000 + life - left;
            assert_eq!(life_of.need(now, None), need, "{left} s of {life} s left");
        }
    }

    #[test]
    fn a_try_past_the_soft_point_is_not_repeated_at_once_and_a_hard_need_is_not_put_off() {
        let life = Life {
            began: 0,
            ends: Some(3600),
        };
        let just_now = Some(Instant::now());
        assert_eq!(life.need(3100, just_now), Need::None);
        assert_eq!(life.need(3550, just_now), Need::Hard);
        if let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(31)) {
            assert_eq!(life.need(3100, Some(long_ago)), Need::Soft);
        }
    }

    #[test]
    fn what_has_no_known_end_is_kept() {
        let life = Life {
            began: 0,
            ends: None,
        };
        assert_eq!(life.need(i64::MAX, None), Need::None);
    }

    #[test]
    fn times_at_the_ends_of_their_range_do_no_harm() {
        for ends in [i64::MIN, i64::MAX] {
            for now in [i64::MIN, 0, i64::MAX] {
                let life = Life {
                    began: now,
                    ends: Some(ends),
                };
                life.need(now, None);
            }
        }
    }
}
