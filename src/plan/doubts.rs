//! Pairs whose change is in doubt because the list could not be asked about it: the service was starting
//! anew, perhaps. When all others have come to their end they are looked at once more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::standing::Outcome;
use crate::error::{Error, Observed};
use crate::memory::{self, OutOfMemory};

/// The pairs, and what they failed with.
#[derive(Debug, Default)]
pub struct Doubts {
    pairs: Mutex<Vec<(u32, Error)>>,
    are_any: AtomicBool,
    /// Whether they are being looked at: what is in doubt now stays so.
    are_closed: AtomicBool,
}

/// What becomes of a pair that was in doubt.
#[derive(Debug)]
pub enum Resolved {
    /// It is as wanted, and was not before.
    Changed,
    /// The same as was to be told.
    AsTold,
    /// It failed with this.
    Failed(Error),
}

impl Doubts {
    /// Whether a pair that failed with this is to be looked at once more; then it is noted.
    pub fn take(&self, pair: u32, error: &Error) -> Result<bool, OutOfMemory> {
        let is_open = error.outcome_unknown && error.observed == Observed::OBSERVED_NOTHING;
        if !is_open || self.are_closed.load(Ordering::Relaxed) {
            return Ok(false);
        }
        memory::push(&mut self.pairs(), (pair, error.clone()))?;
        self.are_any.store(true, Ordering::Relaxed);
        Ok(true)
    }

    /// The pairs, now that they are looked at.
    pub fn close(&self) -> Vec<u32> {
        self.are_closed.store(true, Ordering::Relaxed);
        self.pairs().iter().map(|(pair, _)| *pair).collect()
    }

    /// What becomes of a pair of which this is to be told. A doubt stays, unless the list or a success takes
    /// it away.
    pub fn resolve(&self, pair: u32, outcome: Outcome<'_>) -> Resolved {
        if !self.are_any.load(Ordering::Relaxed) {
            return Resolved::AsTold;
        }
        let pairs = self.pairs();
        let doubt = pairs.iter().find(|(doubtful, _)| *doubtful == pair);
        match (doubt, outcome) {
            (None, _) => Resolved::AsTold,
            (Some(_), Outcome::AsWanted) => Resolved::Changed,
            (Some((_, doubt)), Outcome::Failed(error)) if !error.outcome_unknown => {
                Resolved::Failed(doubt.clone().explained(&error.message))
            }
            (Some(_), _) => Resolved::AsTold,
        }
    }

    /// What a pair failed with.
    pub fn of(&self, pair: u32) -> Option<Error> {
        let pairs = self.pairs();
        let doubt = pairs.iter().find(|(doubtful, _)| *doubtful == pair);
        doubt.map(|(_, error)| error.clone())
    }

    fn pairs(&self) -> MutexGuard<'_, Vec<(u32, Error)>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
