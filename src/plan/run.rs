//! A plan that is being carried out: what is known of its pairs, and why it ends.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::crew::Tick;
use super::doubts::Doubts;
use super::health::Health;
use super::meter::{Meter, Progress, TICK};
use super::order::{Order, check};
use super::standing::{Outcomes, State};
use super::wanted::Plan;
use super::{changing, reading};
use crate::association::{self, Token};
use crate::client::{Batch, Client};
use crate::error::Error;
use crate::log::Level;
use crate::memory;
use crate::status::Status;
use crate::transport::{Endpoint, Process};

/// How far a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// It is read what there is.
    Compare,
    /// The differences are sent as well.
    Apply,
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
    pub(super) process: Process,
    pub(super) outcomes: &'a dyn Outcomes,
    tick: Option<Duration>,
    pub(super) states: Vec<AtomicU8>,
    pub(super) settled: AtomicUsize,
    pub(super) failed: AtomicUsize,
    pub(super) outcome_unknown: AtomicBool,
    /// So many calls got an answer.
    pub(super) got_through: AtomicU64,
    pub(super) health: Mutex<Health>,
    pub(super) doubts: Doubts,
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
    let batch = Batch::new(target.client, target.endpoint, target.token, plan.time());
    let stop = match batch.check(job.name()) {
        // What does not lie with the caller stops it as it would later.
        Err(error) if matches!(error.status, Status::TIMEOUT | Status::CONNECT_FAILED) => {
            OnceLock::from(error)
        }
        checked => {
            checked?;
            OnceLock::new()
        }
    };
    let by_ecs_image = Order::by_ecs_image(plan)?;
    check(plan, &by_ecs_image)?;
    let mut states = Vec::new();
    memory::reserve_exact(&mut states, plan.len())?;
    states.resize_with(plan.len(), || AtomicU8::new(State::Unknown as u8));
    let run = Run {
        plan,
        project_id: target.project_id,
        batch,
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
        doubts: Doubts::default(),
        failure: OnceLock::new(),
        stop,
    };
    if plan.is_empty() {
        return Ok(());
    }
    let mut meter = Meter::new(&run, progress);
    let halves = run.carry_out(&by_ecs_image, &mut || meter.tick());
    if run.process.is_current() {
        if let Err(error) = halves {
            run.stop(error);
        }
        run.leave_in_doubt();
        meter.end();
    }
    // The host may have forked in any of its functions, the last of them too.
    if !run.process.is_current() {
        return Err(copied_into_a_child(job));
    }
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
    /// Both halves; and once more for what is in doubt, when all the rest has come to its end.
    fn carry_out(&self, by_ecs_image: &Order, tick: Tick<'_>) -> Result<(), Error> {
        reading::read(self, by_ecs_image, tick)?;
        if self.job == Job::Apply && !self.is_stopped() {
            changing::change(self, by_ecs_image, tick)?;
        }
        if !self.is_stopped() && self.look_again()? {
            reading::read_ecs_images(self, by_ecs_image, tick)?;
            changing::change(self, by_ecs_image, tick)?;
        }
        Ok(())
    }

    /// Stops the plan.
    pub fn stop(&self, why: Error) {
        self.stop.set(why).ok();
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

    /// Tells the log how far it is.
    pub fn log(&self, line: impl FnOnce() -> String) {
        let name = self.job.name();
        self.batch
            .log(Level::LOG_INFO, || format!("{name}: {}", line()));
    }
}

fn copied_into_a_child(job: Job) -> Error {
    let message = format!(
        "{}: this process was forked in the middle of it",
        job.name()
    );
    Error {
        outcome_unknown: job == Job::Apply,
        ..Error::new(Status::INCOMPLETE, &message)
    }
}
