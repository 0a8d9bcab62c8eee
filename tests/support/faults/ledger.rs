//! What the service knows of one pair, over time.

use std::time::Instant;

/// Whether a pair is associated: at first, and by each change when its time comes.
#[derive(Clone, Debug)]
pub struct Ledger {
    was_associated: bool,
    /// In the order of their times.
    changes: Vec<(Instant, bool)>,
}

impl Ledger {
    pub fn new(was_associated: bool) -> Self {
        Self {
            was_associated,
            changes: Vec::new(),
        }
    }

    /// Has the pair be associated, or not, from a moment on, which may be yet to come.
    pub fn set(&mut self, from: Instant, is_associated: bool) {
        let place = self.changes.partition_point(|(at, _)| *at <= from);
        self.changes.insert(place, (from, is_associated));
    }

    pub fn is_associated_at(&self, moment: Instant) -> bool {
        let past = self.changes.iter().rev().find(|(at, _)| *at <= moment);
        past.map_or(self.was_associated, |(_, is_associated)| *is_associated)
    }

    /// Whether it was ever, or will be, other than at first.
    pub fn is_touched(&self) -> bool {
        let differs = |(_, is_associated): &(Instant, bool)| *is_associated != self.was_associated;
        self.changes.iter().any(differs)
    }
}
