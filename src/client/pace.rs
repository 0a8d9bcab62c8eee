//! The pace of many calls together: each call waits for leave, and what the service answers to its
//! requests sets the pace for all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rate::{Place, Rate};
use crate::status::Status;
use crate::transport::{Deadline, Failure, Gate, Step, Transport};

const TOO_BUSY: &str = "the service is busy for longer than is left";

/// The pace. In a child of fork nobody gets leave.
#[derive(Debug)]
pub struct Pace {
    rate: Mutex<Rate>,
    gate: Gate,
}

/// The leave to make a call, which sends one request, hardly ever more.
#[derive(Debug)]
pub struct Leave(Place);

impl Pace {
    pub fn new() -> Self {
        Self {
            rate: Mutex::new(Rate::new(Instant::now())),
            gate: Gate::default(),
        }
    }

    /// Waits for the leave to make a call. In a child of fork no lock is touched.
    pub fn leave(&self, transport: &Transport, until: Deadline) -> Result<Leave, Failure> {
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
                return Err(Failure::new(Status::TIMEOUT, Step::Pause, TOO_BUSY));
            }
            transport.sleep_until(until.within(opens))?;
            transport.check(until)?;
        }
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
