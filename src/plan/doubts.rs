//! Pairs whose change is in doubt because the list could not be asked about it: the service was starting
//! anew, perhaps. When all others have come to their end they are looked at once more.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::standing::Outcome;
use crate::error::{Error, Observed};
use crate::memory::{self, OutOfMemory};

/// The pairs, and what they failed with.
#[derive(Debug, Default)]
pub struct Doubts {
    pairs: Mutex<Vec<(u32, Error)>>,
    /// Where each pair of the plan is among them, counted from 1; 0 for those that are not. It is there from
    /// when on they are looked at, and then no more are taken.
    places: OnceLock<Vec<u32>>,
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
        if !is_open || self.places.get().is_some() {
            return Ok(false);
        }
        memory::push(&mut self.pairs(), (pair, error.clone()))?;
        Ok(true)
    }

    /// The pairs, of a plan with so many, now that they are looked at. They are not where there is no memory
    /// for that.
    pub fn close(&self, count: usize) -> Result<Vec<u32>, OutOfMemory> {
        let mut doubtful = Vec::new();
        let pairs = self.pairs();
        if pairs.is_empty() {
            return Ok(doubtful);
        }
        memory::reserve_exact(&mut doubtful, pairs.len())?;
        let mut places = Vec::new();
        memory::reserve_exact(&mut places, count)?;
        places.resize(count, 0);
        for (number, (pair, _)) in (1..).zip(pairs.iter()) {
            doubtful.push(*pair);
            if let Some(place) = places.get_mut(*pair as usize) {
                *place = number;
            }
        }
        self.places.set(places).ok();
        Ok(doubtful)
    }

    /// What becomes of a pair of which this is to be told. A doubt stays, unless the list or a success takes
    /// it away.
    pub fn resolve(&self, pair: u32, outcome: Outcome<'_>) -> Resolved {
        match (self.of(pair), outcome) {
            (None, _) => Resolved::AsTold,
            (Some(_), Outcome::AsWanted) => Resolved::Changed,
            (Some(doubt), Outcome::Failed(error)) if !error.outcome_unknown => {
                Resolved::Failed(doubt.explained(&error.message))
            }
            (Some(_), _) => Resolved::AsTold,
        }
    }

    /// What a pair that is looked at failed with.
    fn of(&self, pair: u32) -> Option<Error> {
        let place = self.places.get()?.get(pair as usize)?.checked_sub(1)?;
        let pairs = self.pairs();
        pairs.get(place as usize).map(|(_, error)| error.clone())
    }

    /// Those that are left, for which `tell` says what they failed with.
    pub fn for_each(&self, tell: &mut dyn FnMut(u32, &Error)) {
        for (pair, error) in self.pairs().iter() {
            tell(*pair, error);
        }
    }

    fn pairs(&self) -> MutexGuard<'_, Vec<(u32, Error)>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
