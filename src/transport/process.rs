//! What belongs to one process and must not be touched by a child that it forks.
//!
//! A child has copies of the parent's locks, perhaps held by threads that it does not have, and
//! shares the parent's sockets. So it gets a value of its own, and leaves the copied one alone: not
//! locked, not closed, not freed.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::system;
use crate::memory::{self, OutOfMemory};

/// A process among all that were forked from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u64);

impl Process {
    /// The one that this code runs in. Costs no system call.
    pub fn current() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = system::zero_in_children();
        let known = number.load(Ordering::Relaxed);
        if known != 0 {
            return Self(known);
        }
        let fresh = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let set = number.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed);
        Self(set.map_or_else(|others| others, |_| fresh))
    }

    /// Whether this code still runs in it.
    pub fn is_current(self) -> bool {
        self == Self::current()
    }
}

/// A value that each process makes for itself when it first needs it. Never blocks.
pub struct PerProcess<T> {
    current: AtomicPtr<Made<T>>,
    owns: PhantomData<Made<T>>,
}

struct Made<T> {
    value: T,
    process: Process,
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
    pub fn get_or_make<E: From<OutOfMemory>>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        let seen = self.current.load(Ordering::Acquire);
        if let Some(value) = self.own(seen) {
            return Ok(value);
        }
        let process = Process::current();
        let made = Box::new(Made {
            value: make()?,
            process,
        });
        // What lives on must not be in the allocator's reserve.
        memory::check()?;
        let made = Box::into_raw(made);
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
        made.process.is_current().then_some(&made.value)
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
        let is_ours = unsafe { made.as_ref() }.is_some_and(|made| made.process.is_current());
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

/// A value that threads change one after the other, and a child of fork too, whatever its parent's
/// threads were doing: a change is made to a copy, which takes the value's place all at once.
pub struct Replaced<T> {
    latest: AtomicPtr<T>,
    turn: PerProcess<Mutex<()>>,
}

impl<T: Clone + Send> Replaced<T> {
    /// This value, until it is changed.
    pub fn new(value: T) -> Self {
        Self {
            latest: AtomicPtr::new(Box::into_raw(Box::new(value))),
            turn: PerProcess::new(),
        }
    }

    /// The value as it is now.
    pub fn copy(&self) -> Result<T, OutOfMemory> {
        let _turn = self.turn()?;
        Ok(self.latest())
    }

    /// Changes the value; where that fails it is as before.
    #[allow(unsafe_code)]
    pub fn change<E: From<OutOfMemory>>(
        &self,
        change: impl FnOnce(&mut T) -> Result<(), E>,
    ) -> Result<(), E> {
        let _turn = self.turn()?;
        let mut changed = Box::new(self.latest());
        change(&mut changed)?;
        // What lives on must not be in the allocator's reserve.
        memory::check()?;
        let before = self.latest.swap(Box::into_raw(changed), Ordering::AcqRel);
        // SAFETY: it comes from `Box::into_raw`, and nobody finds it any more.
        drop(unsafe { Box::from_raw(before) });
        Ok(())
    }

    /// The turn of one thread of this process.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, OutOfMemory> {
        let turn = self
            .turn
            .get_or_make(|| Ok::<_, OutOfMemory>(Mutex::new(())))?;
        Ok(turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A copy of the value, for whom it is the turn.
    #[allow(unsafe_code)]
    fn latest(&self) -> T {
        // SAFETY: never NULL, and who replaces it waits for this turn to end.
        unsafe { (*self.latest.load(Ordering::Acquire)).clone() }
    }
}

impl<T> Drop for Replaced<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it comes from `Box::into_raw`, and nobody has a reference any more.
        drop(unsafe { Box::from_raw(*self.latest.get_mut()) });
    }
}

/// A value behind a lock, of which a child of fork knows whether it may be half changed: then a thread
/// of its parent was at it, and nobody waits for that one.
#[derive(Debug)]
pub struct Guarded<T> {
    value: Mutex<T>,
    /// The process whose threads were at it last, and how many are.
    users: AtomicU64,
}

/// A thread of the parent was at it when this process was forked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftBehind;

/// So many bits are for the number of threads.
const THREADS: u32 = 24;

impl<T> Guarded<T> {
    /// Nobody is at it.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            users: AtomicU64::new(0),
        }
    }

    /// Has one thread at a time do something with it.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Result<R, LeftBehind> {
        let process = Process::current().0 << THREADS;
        let enter = |users: u64| {
            let count = users & ((1 << THREADS) - 1);
            let is_ours = users - count == process;
            (is_ours || count == 0).then_some(process + count + 1)
        };
        self.users
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, enter)
            .map_err(|_| LeftBehind)?;
        // The work may panic, or fork.
        let _leave = Leave(self);
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(work(&mut value))
    }

    /// Whether a thread of the parent was at it when this process was forked, so that it may be half
    /// changed and is not even to be freed.
    pub fn is_left_behind(&self) -> bool {
        let users = self.users.load(Ordering::Acquire);
        let count = users & ((1 << THREADS) - 1);
        count > 0 && users - count != Process::current().0 << THREADS
    }
}

struct Leave<'a, T>(&'a Guarded<T>);

impl<T> Drop for Leave<'_, T> {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::Release);
    }
}
