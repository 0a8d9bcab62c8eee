//! Whether a plan goes on after a call: what a failure says of the pair, of the service, or of who asks.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::status::Status;

/// A service may be starting anew. Where nothing of use came for so long, of none of the threads, it is
/// taken for dead, though not for one call alone.
const DEAD: Duration = Duration::from_secs(10);
const CALLS: u32 = 2;

/// So long a service may refuse everything because there are too many requests, the pauses that it asks
/// for aside.
const BUSY: Duration = Duration::from_secs(300);

/// What comes after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next one; what this one ended with is its end.
    GoOn,
    /// The same once more: nothing was done.
    Again,
    /// None: what this one ended with, others would too.
    Stop,
}

/// What a call ended with, as far as other calls are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was done, or failed because of its images.
    Own,
    /// The service could not be reached, and nothing was sent.
    Unreached,
    /// The service was too busy, and nothing was done.
    Busy,
    /// The service failed, or what leads to it.
    Service,
    /// Nothing can be sent any more, or nothing would be done.
    End,
}

impl Kind {
    pub fn of(result: &Result<(), Error>) -> Self {
        let Err(error) = result else {
            return Self::Own;
        };
        match error.status {
            Status::RESOLVE_FAILED | Status::CONNECT_FAILED | Status::PROXY_FAILED
                if !error.outcome_unknown =>
            {
                Self::Unreached
            }
            Status::THROTTLED if !error.outcome_unknown => Self::Busy,
            Status::CANCELLED
            | Status::OUT_OF_MEMORY
            | Status::UNAUTHORIZED
            | Status::CREDENTIALS_FAILED
            | Status::INTERNAL => Self::End,
            Status::RESOLVE_FAILED
            | Status::CONNECT_FAILED
            | Status::PROXY_FAILED
            | Status::TLS_FAILED
            | Status::TIMEOUT
            | Status::CONNECTION_LOST
            | Status::BAD_RESPONSE
            | Status::FORBIDDEN
            | Status::THROTTLED
            | Status::SERVICE_FAILED
            | Status::UNEXPECTED_STATUS
            | Status::PENDING => Self::Service,
            _ => Self::Own,
        }
    }
}

/// How the latest calls of a plan ended.
#[derive(Debug)]
pub struct Health {
    /// How many threads make calls, and with how many the latest failed for the service's reasons.
    threads: u32,
    failing: u32,
    /// When something of use came last.
    alive: Instant,
    /// So many calls failed since.
    failures: u32,
    /// Since when everything is refused because there is too much.
    busy: Option<Instant>,
}

impl Health {
    /// None has begun.
    pub fn new(now: Instant) -> Self {
        Self {
            threads: 0,
            failing: 0,
            alive: now,
            failures: 0,
            busy: None,
        }
    }

    /// One more thread makes calls.
    pub fn begins(&mut self) {
        self.threads += 1;
    }

    /// A thread makes no more.
    pub fn ends(&mut self, is_failing: bool) {
        self.threads = self.threads.saturating_sub(1);
        self.failing = self.failing.saturating_sub(u32::from(is_failing));
    }

    /// What comes after a call that ended so, and asked for a pause. `failures` is how many calls of its
    /// thread failed one after the other.
    pub fn after(&mut self, kind: Kind, asked: Duration, failures: &mut u32, now: Instant) -> Next {
        let has_failed = matches!(kind, Kind::Unreached | Kind::Service);
        if !has_failed {
            self.failing = self.failing.saturating_sub(u32::from(*failures > 0));
            *failures = 0;
            self.failures = 0;
            // Only then do all wait for so long.
            let pause = match kind {
                Kind::Busy => asked,
                _ => Duration::ZERO,
            };
            self.alive = self.alive.max(now + pause);
        }
        match kind {
            Kind::Own => {
                self.busy = None;
                Next::GoOn
            }
            Kind::End => Next::Stop,
            Kind::Busy => {
                let since = self.busy.unwrap_or(now) + asked;
                self.busy = Some(since);
                match now.saturating_duration_since(since) < BUSY {
                    true => Next::Again,
                    false => Next::Stop,
                }
            }
            Kind::Unreached | Kind::Service => {
                self.failing += u32::from(*failures == 0);
                *failures = failures.saturating_add(1);
                self.failures = self.failures.saturating_add(1);
                let is_dead = self.failing >= self.threads
                    && self.failures >= CALLS
                    && now.saturating_duration_since(self.alive) >= DEAD;
                match kind {
                    _ if is_dead => Next::Stop,
                    Kind::Unreached => Next::Again,
                    _ => Next::GoOn,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: Status, outcome_unknown: bool) -> Result<(), Error> {
        Err(Error {
            outcome_unknown,
            ..Error::new(status, "")
        })
    }

    fn of_one_thread() -> (Health, Instant) {
        let now = Instant::now();
        let mut health = Health::new(now);
        health.begins();
        (health, now)
    }

    #[test]
    fn a_failure_of_one_pair_stops_nothing_and_one_of_who_asks_stops_all() {
        for (status, next) in [
            (Status::REJECTED, Next::GoOn),
            (Status::NOT_FOUND, Next::GoOn),
            (Status::CONFLICT, Next::GoOn),
            (Status::LIMIT_REACHED, Next::GoOn),
            (Status::ALREADY_ASSOCIATED, Next::GoOn),
            (Status::THROTTLED, Next::Again),
            (Status::CONNECT_FAILED, Next::Again),
            (Status::SERVICE_FAILED, Next::GoOn),
            (Status::FORBIDDEN, Next::GoOn),
            (Status::UNAUTHORIZED, Next::Stop),
            (Status::CREDENTIALS_FAILED, Next::Stop),
            (Status::CANCELLED, Next::Stop),
            (Status::OUT_OF_MEMORY, Next::Stop),
        ] {
            let (mut health, now) = of_one_thread();
            let kind = Kind::of(&failed(status, false));
            let after = health.after(kind, Duration::ZERO, &mut 0, now);
            assert_eq!(after, next, "{status:?}");
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        for status in [Status::THROTTLED, Status::CONNECT_FAILED] {
            assert_eq!(Kind::of(&failed(status, true)), Kind::Service, "{status:?}");
        }
    }

    #[test]
    fn a_service_is_dead_when_nothing_of_use_came_for_ten_seconds() {
        for kind in [Kind::Unreached, Kind::Service] {
            let (mut health, now) = of_one_thread();
            let failures = &mut 0;
            for second in 1..10 {
                let moment = now + Duration::from_secs(second);
                assert_ne!(
                    health.after(kind, Duration::ZERO, failures, moment),
                    Next::Stop
                );
            }
            // One that is of use is enough, and one that asks for a pause is so until that is over.
            for (of_use, pause) in [(Kind::Own, Duration::ZERO), (Kind::Busy, DEAD)] {
                let (mut health, now) = of_one_thread();
                let later = now + DEAD;
                assert_ne!(health.after(of_use, DEAD, failures, later), Next::Stop);
                let second = Duration::from_secs(1);
                for moment in [later, later + pause + DEAD - second] {
                    let after = health.after(kind, Duration::ZERO, failures, moment);
                    assert_ne!(after, Next::Stop);
                }
                let after = health.after(kind, Duration::ZERO, failures, later + pause + DEAD);
                assert_eq!(after, Next::Stop);
            }
        }
    }

    #[test]
    fn a_service_that_one_thread_reaches_is_not_dead() {
        let (mut health, now) = of_one_thread();
        health.begins();
        let failures = &mut 0;
        let late = now + 10 * DEAD;
        for _ in 0..100 {
            let after = health.after(Kind::Unreached, Duration::ZERO, failures, late);
            assert_eq!(after, Next::Again);
        }
        health.ends(false);
        let after = health.after(Kind::Unreached, Duration::ZERO, failures, late);
        assert_eq!(after, Next::Stop);
    }

    #[test]
    fn a_service_may_be_too_busy_for_minutes_and_for_as_long_as_it_asks() {
        let (mut health, now) = of_one_thread();
        let hour = Duration::from_secs(3600);
        assert_eq!(health.after(Kind::Busy, hour, &mut 0, now), Next::Again);
        let after_it = now + hour;
        for seconds in 0..300 {
            let moment = after_it + Duration::from_secs(seconds);
            let after = health.after(Kind::Busy, Duration::ZERO, &mut 0, moment);
            assert_eq!(after, Next::Again, "{seconds}");
        }
        let after = health.after(Kind::Busy, Duration::ZERO, &mut 0, after_it + BUSY);
        assert_eq!(after, Next::Stop);
    }
}
