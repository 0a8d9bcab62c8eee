//! Whether a plan goes on after a call: what a failure says of the pair, of the service, or of who asks.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::status::Status;

/// A service that can't be reached may be starting anew. Where nothing got through for so long it is
/// taken for dead, though not for one call alone.
const STARTING: Duration = Duration::from_secs(10);
const UNREACHED: u32 = 2;

/// So many calls in a row fail at least before a service that can be reached is taken for dead.
const FAILURES: u32 = 4;

/// So many calls in a row may be refused because there are too many. With the pace that is set then,
/// they take minutes.
const BUSY: u32 = 60;

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
enum Kind {
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

fn kind(error: &Error) -> Kind {
    match error.status {
        Status::RESOLVE_FAILED | Status::CONNECT_FAILED | Status::PROXY_FAILED
            if !error.outcome_unknown =>
        {
            Kind::Unreached
        }
        Status::THROTTLED if !error.outcome_unknown => Kind::Busy,
        Status::CANCELLED
        | Status::OUT_OF_MEMORY
        | Status::UNAUTHORIZED
        | Status::CREDENTIALS_FAILED
        | Status::INTERNAL => Kind::End,
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
        | Status::PENDING => Kind::Service,
        _ => Kind::Own,
    }
}

/// How the latest calls of a plan ended.
#[derive(Debug)]
pub struct Health {
    /// When one got through last.
    alive: Instant,
    /// So many in a row got no answer that is of use.
    failures: u32,
    /// So many in a row were refused because there are too many.
    busy: u32,
}

impl Health {
    /// None has ended.
    pub fn new(now: Instant) -> Self {
        Self {
            alive: now,
            failures: 0,
            busy: 0,
        }
    }

    /// What comes after a call that ended so, where so many are made at once.
    pub fn after(&mut self, result: Result<(), &Error>, parallel: u32, now: Instant) -> Next {
        let kind = result.map_or_else(kind, |()| Kind::Own);
        match kind {
            Kind::Own => {
                *self = Self::new(now);
                Next::GoOn
            }
            Kind::End => Next::Stop,
            Kind::Busy => {
                self.busy = self.busy.saturating_add(1);
                if self.busy > BUSY.saturating_add(parallel) {
                    Next::Stop
                } else {
                    Next::Again
                }
            }
            Kind::Unreached | Kind::Service => {
                self.failures = self.failures.saturating_add(1);
                let is_long = now.saturating_duration_since(self.alive) >= STARTING;
                match kind {
                    Kind::Unreached if is_long && self.failures >= UNREACHED => Next::Stop,
                    Kind::Unreached => Next::Again,
                    _ if self.failures >= FAILURES.max(parallel) => Next::Stop,
                    _ => Next::GoOn,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: Status, outcome_unknown: bool) -> Error {
        Error {
            outcome_unknown,
            ..Error::new(status, "")
        }
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
            (Status::UNAUTHORIZED, Next::Stop),
            (Status::CREDENTIALS_FAILED, Next::Stop),
            (Status::CANCELLED, Next::Stop),
            (Status::OUT_OF_MEMORY, Next::Stop),
        ] {
            let error = failed(status, false);
            let after = Health::new(Instant::now()).after(Err(&error), 8, Instant::now());
            assert_eq!(after, next, "{status:?}");
        }
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        for status in [Status::THROTTLED, Status::CONNECT_FAILED] {
            let error = failed(status, true);
            let after = Health::new(Instant::now()).after(Err(&error), 8, Instant::now());
            assert_eq!(after, Next::GoOn, "{status:?}");
        }
    }

    #[test]
    fn a_service_that_only_fails_stops_the_plan_and_one_success_is_enough_to_go_on() {
        let now = Instant::now();
        let lost = failed(Status::CONNECTION_LOST, true);
        let mut health = Health::new(now);
        for _ in 0..2 {
            assert_eq!(health.after(Ok(()), 8, now), Next::GoOn);
            for _ in 0..7 {
                assert_eq!(health.after(Err(&lost), 8, now), Next::GoOn);
            }
        }
        assert_eq!(health.after(Err(&lost), 8, now), Next::Stop);
    }

    #[test]
    fn a_service_that_can_not_be_reached_may_be_starting_anew_for_ten_seconds() {
        let now = Instant::now();
        let unreached = failed(Status::CONNECT_FAILED, false);
        let mut health = Health::new(now - STARTING);
        health.after(Ok(()), 8, now);
        for _ in 0..100 {
            let moment = now + STARTING / 2;
            assert_eq!(health.after(Err(&unreached), 8, moment), Next::Again);
        }
        let later = now + STARTING;
        assert_eq!(health.after(Err(&unreached), 8, later), Next::Stop);
    }
}
