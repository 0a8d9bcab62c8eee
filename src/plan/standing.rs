//! What is known of the pairs of a plan, and what becomes of each.

use std::sync::atomic::Ordering;

use super::doubts::Resolved;
use super::run::{Job, Run};
use crate::error::Error;
use crate::memory::OutOfMemory;

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
    /// Its change is in doubt.
    Doubtful,
    Settled,
}

impl Run<'_> {
    /// What is known of a pair.
    pub fn state(&self, pair: u32) -> State {
        let state = self.states.get(pair as usize);
        match state.map(|state| state.load(Ordering::Relaxed)) {
            Some(state) if state == State::Associated as u8 => State::Associated,
            Some(state) if state == State::Apart as u8 => State::Apart,
            Some(state) if state == State::Doubtful as u8 => State::Doubtful,
            Some(state) if state == State::Settled as u8 => State::Settled,
            _ => State::Unknown,
        }
    }

    /// Whether a pair is known not to be as wanted.
    pub fn differs(&self, pair: u32) -> bool {
        match self.state(pair) {
            State::Associated => !self.plan.wants_associated(pair),
            State::Apart => self.plan.wants_associated(pair),
            State::Unknown | State::Doubtful | State::Settled => false,
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

    /// A pair has come to its end; not if it is in doubt, and will be looked at once more.
    pub fn settle(&self, pair: u32, outcome: Outcome<'_>) {
        if let Outcome::Failed(error) = outcome {
            match self.doubts.take(pair, error) {
                Ok(false) => {}
                Ok(true) => return self.set(pair, State::Doubtful),
                Err(refused) => self.stop(refused.into()),
            }
        }
        match self.doubts.resolve(pair, outcome) {
            Resolved::AsTold => self.tell(pair, outcome),
            Resolved::Changed => self.tell(pair, Outcome::Changed),
            Resolved::Failed(error) => self.tell(pair, Outcome::Failed(&error)),
        }
    }

    /// Nothing is known of the pairs that are in doubt, so that they are looked at; whether there are any.
    pub fn look_again(&self) -> Result<bool, OutOfMemory> {
        let pairs = self.doubts.close(self.plan.len())?;
        for &pair in &pairs {
            self.set(pair, State::Unknown);
        }
        Ok(!pairs.is_empty())
    }

    /// Those that were in doubt, and could not be looked at, stay so.
    pub fn leave_in_doubt(&self) {
        self.doubts.for_each(&mut |pair, error| {
            if self.state(pair) != State::Settled {
                self.tell(pair, Outcome::Failed(error));
            }
        });
    }

    fn tell(&self, pair: u32, outcome: Outcome<'_>) {
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
        // Whoever sees the number sees the result.
        self.settled.fetch_add(1, Ordering::Release);
    }

    /// How many pairs have come to their end.
    pub fn settled(&self) -> usize {
        self.settled.load(Ordering::Acquire)
    }

    fn set(&self, pair: u32, state: State) {
        if let Some(place) = self.states.get(pair as usize) {
            place.store(state as u8, Ordering::Relaxed);
        }
    }
}
