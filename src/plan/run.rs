//! A plan that is being carried out: what is known of its pairs, and why it ends.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::crew::Worker;
use super::health::{Health, Kind, Next};
use super::meter::{Meter, Progress, TICK};
use super::order::{Order, check};
use super::wanted::Plan;
use super::{changing, reading};
use crate::association::{self, Token};
use crate::client::{Batch, Client, Turn};
use crate::error::Error;
use crate::memory;
use crate::status::Status;
use crate::transport::{Endpoint, Process};

/// Before a thread whose call failed for the service's reasons makes the next one; twice as long each
/// time.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After so long a thread that can't reach the service, though others do, leaves its image to them.
const ALONE: Duration = Duration::from_secs(2);

/// So often a pair at which another change is under way is tried once more.
const MOST_CONFLICTS: u32 = 5;

/// How far a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// It is read what there is.
    Compare,
    /// The differences are sent as well.
    Apply,
}

/// What becomes of a pair.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It was as wanted.
    AsWanted,
    /// It is not, and nothing was sent: the plan is compared only.
    ToChange,
    /// It was not, and is now.
    Changed,
    /// What there is could not be read, or not be changed.
    Failed(&'a Error),
}

/// Who is told what becomes of the pairs: of each once at most, on many threads.
pub trait Outcomes: Sync {
    /// The pair, counted from 0 in the order in which it was added, has come to its end.
    fn settle(&self, pair: usize, outcome: Outcome<'_>);
}

/// What is known of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Unknown,
    Associated,
    Apart,
    Settled,
}

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

/// Where a plan is carried out, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Makes the calls.
    pub client: &'a Client,
    /// Where the service is.
    pub endpoint: &'a Endpoint,
    /// Who asks; the client's own credentials where there is none.
    pub token: Option<Token<'a>>,
    /// The project.
    pub project_id: &'a str,
}

/// A plan under way.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub project_id: &'a str,
    pub batch: Batch<'a>,
    pub(super) job: Job,
    process: Process,
    outcomes: &'a dyn Outcomes,
    tick: Option<Duration>,
    states: Vec<AtomicU8>,
    settled: AtomicUsize,
    pub(super) failed: AtomicUsize,
    pub(super) outcome_unknown: AtomicBool,
    /// So many calls got an answer.
    got_through: AtomicU64,
    health: Mutex<Health>,
    /// The first pair that failed, and why.
    pub(super) failure: OnceLock<(u32, Error)>,
    /// Why it was stopped.
    pub(super) stop: OnceLock<Error>,
}

/// Carries a plan out in a project, and tells what becomes of each pair. The error is that of a plan
/// that was refused, or of one whose pairs are not all as wanted ([`Status::INCOMPLETE`]).
pub fn carry_out(
    plan: &Plan,
    job: Job,
    target: Target<'_>,
    outcomes: &dyn Outcomes,
    progress: Option<Progress<'_>>,
) -> Result<(), Error> {
    association::check_project(target.project_id)?;
    let by_ecs_image = Order::by_ecs_image(plan)?;
    check(plan, &by_ecs_image)?;
    let mut states = Vec::new();
    memory::reserve_exact(&mut states, plan.len())?;
    states.resize_with(plan.len(), || AtomicU8::new(State::Unknown as u8));
    let run = Run {
        plan,
        project_id: target.project_id,
        batch: Batch::new(
            target.client,
            target.endpoint,
            target.token,
            plan.time(),
            job.name(),
        )?,
        job,
        process: Process::current(),
        outcomes,
        tick: progress.is_some().then_some(TICK),
        states,
        settled: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        outcome_unknown: AtomicBool::new(false),
        got_through: AtomicU64::new(0),
        health: Mutex::new(Health::new(Instant::now())),
        failure: OnceLock::new(),
        stop: OnceLock::new(),
    };
    if plan.is_empty() {
        return Ok(());
    }
    let mut meter = Meter::new(&run, progress);
    reading::read(&run, &by_ecs_image, &mut || meter.tick())?;
    if job == Job::Apply && !run.is_stopped() {
        changing::change(&run, &by_ecs_image, &mut || meter.tick())?;
    }
    if !run.process.is_current() {
        return Err(copied_into_a_child(job));
    }
    meter.end();
    run.ending()
}

impl Job {
    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compare => "compare",
            Self::Apply => "apply",
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
        loop {
            if worker.failures > 0 {
                self.pause(worker.failures)?;
            }
            let before = self.got_through.load(Ordering::Relaxed);
            let turn = match self.batch.turn(name) {
                Ok(turn) if !self.is_stopped() => turn,
                Ok(_) => return Err(Broken::Stopped),
                Err(error) => return Err(self.stopped(error)),
            };
            let is_last = self.batch.bounds_a_call();
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
            match next {
                // The time of the plan was too short for it, and is for others too.
                Next::GoOn if is_last && error.status == Status::TIMEOUT => {
                    self.stop(error.clone());
                    return Err(Broken::of_the_end(error));
                }
                Next::GoOn if error.status == Status::CONFLICT && conflicts < MOST_CONFLICTS => {
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

    /// A thread begins to make calls.
    pub fn begins(&self) {
        self.health().begins();
    }

    /// A thread makes no more calls. A child of fork leaves the lock of its parent alone.
    pub fn ends(&self, is_failing: bool) {
        if self.process.is_current() {
            self.health().ends(is_failing);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the plan.
    pub fn stop(&self, why: Error) {
        self.stop.set(why).ok();
    }

    /// It is stopped before a call.
    fn stopped(&self, why: Error) -> Broken {
        self.stop(why);
        Broken::Stopped
    }

    /// A thread ended in the middle of its work.
    pub fn stop_for_defect(&self) {
        let message = format!(
            "{}: a defect in this library was contained",
            self.job.name()
        );
        self.stop(Error::new(Status::INTERNAL, &message));
    }

    /// Whether no more calls are made. Where the host has forked, nothing here is the child's own, and no
    /// lock is touched.
    pub fn is_stopped(&self) -> bool {
        !self.process.is_current() || self.stop.get().is_some()
    }

    /// Whether the service has answered once.
    pub fn has_got_through(&self) -> bool {
        self.got_through.load(Ordering::Relaxed) > 0
    }

    /// How many calls are made at once at most.
    pub fn parallel(&self) -> usize {
        self.plan.parallel()
    }

    /// How often the thread that waits looks at the progress.
    pub fn tick(&self) -> Option<Duration> {
        self.tick
    }

    /// What is known of a pair.
    pub fn state(&self, pair: u32) -> State {
        let state = self.states.get(pair as usize);
        match state.map(|state| state.load(Ordering::Relaxed)) {
            Some(state) if state == State::Associated as u8 => State::Associated,
            Some(state) if state == State::Apart as u8 => State::Apart,
            Some(state) if state == State::Settled as u8 => State::Settled,
            _ => State::Unknown,
        }
    }

    /// Whether a pair is known not to be as wanted.
    pub fn differs(&self, pair: u32) -> bool {
        match self.state(pair) {
            State::Associated => !self.plan.wants_associated(pair),
            State::Apart => self.plan.wants_associated(pair),
            State::Unknown | State::Settled => false,
        }
    }

    /// A list has shown this of a pair of which nothing was known.
    pub fn learn(&self, pair: u32, state: State) {
        if self.state(pair) != State::Unknown || state == State::Unknown {
            return;
        }
        self.set(pair, state);
        match (self.differs(pair), self.job) {
            (false, _) => self.settle(pair, Outcome::AsWanted),
            (true, Job::Compare) => self.settle(pair, Outcome::ToChange),
            (true, Job::Apply) => {}
        }
    }

    /// A pair has come to its end.
    pub fn settle(&self, pair: u32, outcome: Outcome<'_>) {
        self.set(pair, State::Settled);
        if let Outcome::Failed(error) = outcome {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.outcome_unknown
                .fetch_or(error.outcome_unknown, Ordering::Relaxed);
            if self.failure.get().is_none() {
                self.failure.set((pair, error.clone())).ok();
            }
        }
        self.outcomes.settle(pair as usize, outcome);
        self.settled.fetch_add(1, Ordering::Relaxed);
    }

    /// How many pairs have come to their end.
    pub fn settled(&self) -> usize {
        self.settled.load(Ordering::Relaxed)
    }

    fn set(&self, pair: u32, state: State) {
        if let Some(place) = self.states.get(pair as usize) {
            place.store(state as u8, Ordering::Relaxed);
        }
    }

    /// Tells the log.
    pub fn log(&self, line: impl FnOnce() -> String) {
        self.batch
            .log(|| format!("{}: {}", self.job.name(), line()));
    }
}

fn copied_into_a_child(job: Job) -> Error {
    let message = format!(
        "{}: this process was forked in the middle of it",
        job.name()
    );
    Error::new(Status::INCOMPLETE, &message)
}
