//! The moment at which a call must have ended.

use std::time::{Duration, Instant};

/// A point in time that everything a call waits for has in common.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// This long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The earlier of this one and `time` from now.
    pub fn within(self, time: Duration) -> Self {
        Self(self.0.min(Instant::now() + time))
    }

    /// This long before this one.
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.checked_sub(time).unwrap_or(self.0))
    }

    /// The time left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.left_at(Instant::now())
    }

    /// The time that is left then.
    pub fn left_at(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }
}
