//! How far a plan is, for who waits for it.

use std::time::{Duration, Instant};

use super::run::Run;

/// The progress is told not more often than this.
pub const TICK: Duration = Duration::from_millis(200);

/// Who wants to know how far it is: so many pairs of so many. Called on the thread that waits for the
/// plan.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Tells how far a plan is.
pub struct Meter<'a, 'p> {
    run: &'a Run<'a>,
    progress: Option<Progress<'p>>,
    told: Option<usize>,
    latest: Instant,
}

impl<'a, 'p> Meter<'a, 'p> {
    pub fn new(run: &'a Run<'a>, progress: Option<Progress<'p>>) -> Self {
        Self {
            run,
            progress,
            told: None,
            latest: Instant::now(),
        }
    }

    /// Where it is time, and there is something new.
    pub fn tick(&mut self) {
        if self.progress.is_some() && self.latest.elapsed() >= TICK {
            self.tell();
        }
    }

    /// At the end.
    pub fn end(&mut self) {
        self.tell();
    }

    fn tell(&mut self) {
        let settled = self.run.settled();
        if self.told == Some(settled) {
            return;
        }
        if let Some(progress) = &mut self.progress {
            progress(settled, self.run.plan.len());
            self.told = Some(settled);
            self.latest = Instant::now();
        }
    }
}
