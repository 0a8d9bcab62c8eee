//! A gate that one thread at a time goes through, while others wait with their patience.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::patience::{Interruption, Patience};
use super::process::Process;

/// The gate. A child of fork leaves that of its parent alone.
#[derive(Debug)]
pub struct Gate {
    process: Process,
    is_taken: Mutex<bool>,
    is_free: Condvar,
}

/// The leave to be beyond it, for as long as it is held.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

impl Default for Gate {
    /// Nobody is beyond it.
    fn default() -> Self {
        Self {
            process: Process::current(),
            is_taken: Mutex::new(false),
            is_free: Condvar::new(),
        }
    }
}

impl Gate {
    /// The pass, where nobody has it.
    pub fn try_pass(&self) -> Option<Pass<'_>> {
        let mut is_taken = self.locked();
        if *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Pass(self))
    }

    /// Wakes all who wait, to look again why they do.
    pub fn wake_all(&self) {
        // Nobody is between the look and the wait then.
        drop(self.locked());
        self.is_free.notify_all();
    }

    /// Waits for the pass.
    pub(super) fn pass<T>(
        &self,
        patience: Patience<'_>,
        done: &mut dyn FnMut() -> Option<T>,
    ) -> Result<Result<Pass<'_>, T>, Interruption> {
        let mut is_taken = self.locked();
        loop {
            if let Err(interruption) = patience.check() {
                // Who was woken and can't go hands that on.
                if !*is_taken {
                    self.is_free.notify_one();
                }
                return Err(interruption);
            }
            if let Some(done) = done() {
                return Ok(Err(done));
            }
            if !*is_taken {
                *is_taken = true;
                return Ok(Ok(Pass(self)));
            }
            let waited = self
                .is_free
                .wait_timeout(is_taken, patience.deadline.left());
            is_taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn locked(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        // Who has it may have forked, and the lock of a child's parent is not for the child.
        if self.0.process.is_current() {
            *self.0.locked() = false;
            self.0.is_free.notify_all();
        }
    }
}
