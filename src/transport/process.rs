//! What belongs to one process and must not be touched by a child that it forks.
//!
//! A child has copies of the parent's locks, perhaps held by threads that it does not have, and
//! shares the parent's sockets. So it gets a value of its own, and leaves the copied one alone: not
//! locked, not closed, not freed.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

use super::system;

/// How many forks lie between the first process and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

extern "C" fn count_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

fn generation() -> u64 {
    static IS_COUNTED: AtomicBool = AtomicBool::new(false);
    // Registered before anything is made. Two threads may both do it: a fork that counts twice is a
    // fork all the same.
    if !IS_COUNTED.load(Ordering::Acquire) && system::in_forked_child(count_fork) {
        IS_COUNTED.store(true, Ordering::Release);
    }
    GENERATION.load(Ordering::Relaxed)
}

/// A value that each process makes for itself when it first needs it. Never blocks.
pub struct PerProcess<T> {
    current: AtomicPtr<Made<T>>,
    owns: PhantomData<Made<T>>,
}

struct Made<T> {
    value: T,
    generation: u64,
}

impl<T: Send + Sync> PerProcess<T> {
    /// Nothing is made yet.
    pub const fn new() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
            owns: PhantomData,
        }
    }

    /// This process's value, where it has been made.
    pub fn get(&self) -> Option<&T> {
        self.own(self.current.load(Ordering::Acquire))
    }

    /// This process's value. Where threads are first at the same time, all but one of what they
    /// made is thrown away.
    #[allow(unsafe_code)]
    pub fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let seen = self.current.load(Ordering::Acquire);
        if let Some(value) = self.own(seen) {
            return Ok(value);
        }
        let generation = generation();
        let made = Box::into_raw(Box::new(Made {
            value: make()?,
            generation,
        }));
        // What was there before is the parent's, and is left alone.
        let stored = self
            .current
            .compare_exchange(seen, made, Ordering::AcqRel, Ordering::Acquire);
        let stored = match stored {
            Ok(_) => made,
            Err(others) => {
                // SAFETY: it comes from `Box::into_raw` above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                others
            }
        };
        // SAFETY: not NULL, and what was stored is freed by `drop` alone.
        Ok(unsafe { &(*stored).value })
    }

    #[allow(unsafe_code)]
    fn own(&self, made: *mut Made<T>) -> Option<&T> {
        // SAFETY: it is NULL or comes from `Box::into_raw`, and what was stored is freed by `drop`
        // alone.
        let made = unsafe { made.as_ref() }?;
        (made.generation == generation()).then_some(&made.value)
    }
}

impl<T: Send + Sync> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        let made = *self.current.get_mut();
        // SAFETY: as in `get`; and nobody has a reference any more.
        let is_ours = unsafe { made.as_ref() }.is_some_and(|made| made.generation == generation());
        if is_ours {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PerProcess")
    }
}
