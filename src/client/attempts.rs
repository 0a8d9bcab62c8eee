//! When a request may be sent again, and when.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::Error;
use crate::status::Status;
use crate::transport::Deadline;

/// The first wait; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How a failed attempt bears on the next.
pub struct Attempt {
    /// What the caller is told if it was the last.
    pub error: Error,
    /// Whether the service provably did nothing, and might do it later.
    pub may_repeat: bool,
}

/// The moment of the next attempt, or `None` where there must be none, or no time is left for one.
pub fn next(attempt: &Attempt, number: u32, most: u32, deadline: Deadline) -> Option<Duration> {
    if !attempt.may_repeat || number >= most || attempt.error.status == Status::CANCELLED {
        return None;
    }
    let asked = Duration::from_millis(attempt.error.retry_after_ms);
    let wait = pause(number, random_fraction()).max(asked);
    (wait < deadline.left()).then_some(wait)
}

/// 200 ms, 400 ms, 800 ms …, each longer by up to a half of itself, so that many clients do not come back at once.
fn pause(number: u32, fraction: f64) -> Duration {
    let doubled = 1_u32
        .checked_shl(number.saturating_sub(1))
        .unwrap_or(u32::MAX);
    FIRST_WAIT
        .saturating_mul(doubled)
        .mul_f64(1.0 + fraction / 2.0)
}

/// From 0 to 1. `RandomState` is seeded anew each time.
fn random_fraction() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_200_ms_and_are_jittered_by_half() {
        for (number, least, most) in [
            (1, 200, 300),
            (2, 400, 600),
            (3, 800, 1200),
            (9, 51_200, 76_800),
        ] {
            assert_eq!(pause(number, 0.0), Duration::from_millis(least));
            assert_eq!(pause(number, 1.0), Duration::from_millis(most));
        }
        assert!(pause(1_000, 1.0) > Duration::from_secs(3600));
    }

    #[test]
    fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
        let attempt = |retry_after_ms| Attempt {
            error: Error {
                retry_after_ms,
                ..Error::new(Status::THROTTLED, "")
            },
            may_repeat: true,
        };
        let deadline = Deadline::after(Duration::from_secs(5));
        assert!(next(&attempt(0), 1, 3, deadline).is_some());
        assert!(next(&attempt(4_000), 1, 3, deadline) >= Some(Duration::from_secs(4)));
        assert!(next(&attempt(6_000), 1, 3, deadline).is_none());
        assert!(next(&attempt(0), 3, 3, deadline).is_none());
    }
}
