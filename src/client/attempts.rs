//! When a request is sent again, and after which wait.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::exchange::{Attempt, Session};
use crate::error::Error;
use crate::log::Level;
use crate::transport::Deadline;

/// The first wait; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What is to be done after an attempt that brought nothing.
pub enum Verdict {
    /// The caller learns the error.
    GiveUp(Error),
    /// Again after a wait, if an attempt and the time are left; the error is for the caller if they
    /// are not.
    Again(Error),
}

impl Session<'_> {
    /// Makes attempts until one brings something, the judge gives up, or none are left.
    pub fn repeat<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, Attempt>,
        mut judge: impl FnMut(Attempt) -> Result<T, Verdict>,
    ) -> Result<T, Error> {
        let most = self.settings.max_attempts;
        let log = &self.settings.log;
        let mut number = 1;
        loop {
            log.line(Level::Debug, || {
                let (call, endpoint) = (self.report.call, self.report.endpoint);
                format!("{call} at {endpoint}: attempt {number} of {most}")
            });
            let error = match attempt().or_else(&mut judge) {
                Ok(brought) => return Ok(brought),
                Err(Verdict::GiveUp(error)) => return Err(numbered(error, number)),
                Err(Verdict::Again(error)) => numbered(error, number),
            };
            let Some(wait) = wait_after(&error, number, most, self.deadline) else {
                return Err(error);
            };
            log.line(Level::Warning, || {
                format!("{}; again in {} ms", error.message, wait.as_millis())
            });
            self.transport
                .sleep_until(Deadline::after(wait))
                .map_err(|failure| numbered(self.report.failure(&failure), number))?;
            number += 1;
        }
    }
}

fn numbered(error: Error, attempts: u32) -> Error {
    Error { attempts, ..error }
}

/// The wait before the next attempt; `None` where there must be none, or the time is not enough for
/// it.
fn wait_after(error: &Error, number: u32, most: u32, deadline: Deadline) -> Option<Duration> {
    if number >= most {
        return None;
    }
    let asked = Duration::from_millis(error.retry_after_ms);
    let wait = pause(number, random_fraction()).max(asked);
    (wait < deadline.left()).then_some(wait)
}

/// 200 ms, 400 ms, 800 ms …, each longer by up to a half of itself, so that many clients do not
/// come back at once.
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
    use crate::status::Status;

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
        let wait = |retry_after_ms, number| {
            let error = Error {
                retry_after_ms,
                ..Error::new(Status::THROTTLED, "")
            };
            wait_after(&error, number, 3, Deadline::after(Duration::from_secs(5)))
        };
        assert!(wait(0, 1).is_some());
        assert!(wait(4_000, 1) >= Some(Duration::from_secs(4)));
        assert!(wait(6_000, 1).is_none());
        assert!(wait(0, 3).is_none());
    }
}
