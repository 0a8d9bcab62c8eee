//! The pace of many calls together: each call waits for leave, and what the service answers to its
//! requests sets the pace for all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rate::{Place, Rate};
use crate::transport::{Deadline, Failure, Gate, Process, Transport};

/// The pace. In a child of fork nobody gets leave.
#[derive(Debug)]
pub struct Pace {
    process: Process,
    rate: Mutex<Rate>,
    gate: Gate,
}

/// The leave to make a call, which sends one request, hardly ever more.
#[derive(Debug)]
pub struct Leave(Place);

/// Why there is no leave.
#[derive(Debug)]
pub enum NoLeave {
    /// The wait for it ended.
    Failed(Failure),
    /// It would come after so long only, and that is too late.
    Busy(Duration),
}

impl From<Failure> for NoLeave {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Pace {
    pub fn new() -> Self {
        Self {
            process: Process::current(),
            rate: Mutex::new(Rate::new(Instant::now())),
            gate: Gate::default(),
        }
    }

    /// Waits for the leave to make a call. In a child of fork no lock is touched.
    pub fn leave(&self, transport: &Transport, until: Deadline) -> Result<Leave, NoLeave> {
        transport.check(until)?;
        if let Some(leave) = self.leave_at(Instant::now()) {
            return Ok(leave);
        }
        // The others wait behind the first of them.
        let nothing = &mut || None::<()>;
        let _first = transport.pass(&self.gate, until, nothing)?;
        loop {
            let now = Instant::now();
            if let Some(leave) = self.leave_at(now) {
                return Ok(leave);
            }
            let opens = self.rate().opens().saturating_duration_since(now);
            if opens > until.left() {
                return Err(NoLeave::Busy(opens));
            }
            transport.sleep_until(until.within(opens))?;
            transport.check(until)?;
        }
    }

    /// How long it holds back what is sent without leave.
    pub fn held_back(&self) -> Duration {
        if !self.process.is_current() {
            return Duration::ZERO;
        }
        let opens = self.rate().opens();
        opens.saturating_duration_since(Instant::now())
    }

    /// The request was answered.
    pub fn got_through(&self) {
        self.rate().got_through(Instant::now());
    }

    /// The request was refused because there are too many. The new rate, in requests a second, where
    /// that lowered it.
    pub fn refused(&self, leave: &Leave, pause: Duration) -> Option<f64> {
        let now = Instant::now();
        let mut rate = self.rate();
        let is_lower = rate.refused(leave.0, pause, now);
        is_lower.then(|| rate.per_second(now)).flatten()
    }

    fn leave_at(&self, now: Instant) -> Option<Leave> {
        let mut rate = self.rate();
        (rate.opens() <= now).then(|| Leave(rate.go(now)))
    }

    fn rate(&self) -> MutexGuard<'_, Rate> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
