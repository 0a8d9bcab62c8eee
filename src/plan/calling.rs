//! The calls of a plan, and what is done about those that fail.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::crew::Worker;
use super::health::{Health, Kind, Next};
use super::run::Run;
use crate::client::Turn;
use crate::error::Error;
use crate::memory;
use crate::status::Status;

/// Before a thread whose call failed for the service's reasons makes the next one; twice as long each
/// time.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After so long a thread that can't reach the service, though others do, leaves its image to them.
const ALONE: Duration = Duration::from_secs(2);

/// So often a pair at which another change is under way is tried once more.
const MOST_CONFLICTS: u32 = 5;

/// Why a call brought nothing about.
#[derive(Debug)]
pub enum Broken {
    /// It failed, and that is its end.
    Failed(Error),
    /// The plan was stopped before it could have had an effect.
    Stopped,
    /// This thread can't reach the service, though others do.
    NoWay,
}

impl Broken {
    /// What a call with which the plan was stopped is to its pair: it is open where nothing was sent that
    /// could have had an effect.
    fn of_the_end(error: Error) -> Self {
        let is_open = matches!(
            error.status,
            Status::RESOLVE_FAILED
                | Status::CONNECT_FAILED
                | Status::PROXY_FAILED
                | Status::TLS_FAILED
                | Status::TIMEOUT
                | Status::CANCELLED
                | Status::CREDENTIALS_FAILED
                | Status::OUT_OF_MEMORY
                | Status::THROTTLED
        );
        match is_open && !error.outcome_unknown {
            true => Self::Stopped,
            false => Self::Failed(error),
        }
    }
}

impl Run<'_> {
    /// Makes a call, again where the service is too busy or can't be reached for a while, or where another
    /// change is under way.
    pub fn call(
        &self,
        worker: &mut Worker<'_>,
        make: &mut dyn FnMut(Turn) -> Result<(), Error>,
    ) -> Result<(), Broken> {
        let name = self.job.name();
        let mut conflicts = 0;
        let mut is_repeated = false;
        loop {
            if worker.failures > 0 {
                self.pause(worker.failures)?;
            }
            let before = self.got_through.load(Ordering::Relaxed);
            let turn = match self.batch.turn(name, is_repeated) {
                Ok(turn) if !self.is_stopped() => turn,
                Ok(_) => return Err(Broken::Stopped),
                Err(error) => return Err(self.stopped(error)),
            };
            let (left, begun) = (self.batch.left_for_a_call(), Instant::now());
            let result = memory::from_now_on(|| make(turn).map_err(Error::with_true_cause));
            if !self.process.is_current() {
                return Err(Broken::Stopped);
            }
            let kind = Kind::of(&result);
            let next = self.after(kind, &result, worker);
            let error = match result {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // It was sent and refused. What was refused before a connection could not be made is not known here.
            is_repeated |= matches!(error.status, Status::THROTTLED | Status::CONFLICT);
            match next {
                // The time of the plan was too short for it, and is for others too.
                Next::GoOn if error.status == Status::TIMEOUT && has_used(left, begun) => {
                    self.stop(error.clone());
                    return Err(Broken::of_the_end(error));
                }
                // Not where an earlier request of the call is in doubt: another call knows nothing of it.
                Next::GoOn
                    if error.status == Status::CONFLICT
                        && !error.outcome_unknown
                        && conflicts < MOST_CONFLICTS =>
                {
                    conflicts += 1;
                    self.pause(conflicts)?;
                }
                Next::GoOn => return Err(Broken::Failed(error)),
                Next::Stop => {
                    self.stop(error.clone());
                    return Err(Broken::of_the_end(error));
                }
                Next::Again if kind == Kind::Unreached && self.is_alone(worker, before) => {
                    return Err(Broken::NoWay);
                }
                Next::Again => {}
            }
        }
    }

    /// Stops the plan where its time is over, or the client was shut down.
    pub fn check(&self) {
        if let Err(error) = self.batch.check(self.job.name()) {
            self.stop(error);
        }
    }

    /// The longer, the more often something failed.
    fn pause(&self, failures: u32) -> Result<(), Broken> {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1));
        let time = PAUSE.saturating_mul(doubled.unwrap_or(u32::MAX));
        let slept = self.batch.pause(time.min(LONGEST_PAUSE), self.job.name());
        slept.map_err(|error| self.stopped(error))
    }

    /// Whether others get through, and have for a while, though this thread does not.
    fn is_alone(&self, worker: &mut Worker<'_>, before: u64) -> bool {
        if self.got_through.load(Ordering::Relaxed) == before {
            worker.alone_since = None;
            return false;
        }
        let since = *worker.alone_since.get_or_insert_with(Instant::now);
        since.elapsed() >= ALONE
    }

    /// A thread that is alone waits before it tries another image.
    pub fn let_others_go_first(&self) {
        self.pause(u32::MAX).ok();
    }

    fn after(&self, kind: Kind, result: &Result<(), Error>, worker: &mut Worker<'_>) -> Next {
        if kind == Kind::Own {
            self.got_through.fetch_add(1, Ordering::Relaxed);
            worker.alone_since = None;
        }
        let asked = result
            .as_ref()
            .err()
            .map_or(0, |error| error.retry_after_ms);
        let asked = Duration::from_millis(asked);
        let now = Instant::now();
        self.health().after(kind, asked, &mut worker.failures, now)
    }

    /// A thread begins to make calls. A child of fork leaves the lock of its parent alone.
    pub fn begins(&self) {
        if self.process.is_current() {
            self.health().begins();
        }
    }

    /// A thread makes no more calls.
    pub fn ends(&self, is_failing: bool) {
        if self.process.is_current() {
            self.health().ends(is_failing);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is stopped before a call.
    fn stopped(&self, why: Error) -> Broken {
        self.stop(why);
        Broken::Stopped
    }
}

/// Whether a call took what was left of the time of the plan, of which the last fifth is for a question to the list. A
/// connection has a limit of its own, which says nothing of that.
fn has_used(left: Option<Duration>, begun: Instant) -> bool {
    left.is_some_and(|left| begun.elapsed() >= left / 4 * 3)
}
