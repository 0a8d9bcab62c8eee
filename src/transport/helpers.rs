//! Threads that do for a while what one thread has to do.

use std::ffi::CStr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::process::Process;
use super::system;

/// The name of the threads.
const HELPER_THREAD: &CStr = c"fpga-associate";

/// A call needs a tenth of it; the rest is for the host's callbacks.
const STACK: usize = 1024 * 1024;

/// How many are at it, and who wants to know when nobody is.
struct AtWork {
    count: Mutex<usize>,
    has_ended: Condvar,
}

impl AtWork {
    fn one_has_ended(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.has_ended.notify_all();
        }
    }

    /// Whether all have ended; waits so long for it.
    fn wait(&self, time: Option<Duration>) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let is_on = |count: &mut usize| *count > 0;
        match time {
            None => {
                let ended = self.has_ended.wait_while(count, is_on);
                drop(ended.unwrap_or_else(PoisonError::into_inner));
                true
            }
            Some(time) => {
                let ended = self.has_ended.wait_timeout_while(count, time, is_on);
                *ended.unwrap_or_else(PoisonError::into_inner).0 == 0
            }
        }
    }
}

struct Ended<'a>(&'a AtWork, Process);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        // A child of fork leaves the lock of its parent alone.
        if self.1.is_current() {
            self.0.one_has_ended();
        }
    }
}

/// Has so many threads do the work at once, and this one look in from time to time, where it is told
/// how often. There are fewer where the system gives no more, none perhaps. All have ended when it
/// returns; except in a child of fork, which has none of them.
pub fn with_helpers(
    count: usize,
    work: &(dyn Fn() + Sync),
    every: Option<Duration>,
    look_in: &mut dyn FnMut(),
) {
    let process = Process::current();
    let at_work = AtWork {
        count: Mutex::new(count),
        has_ended: Condvar::new(),
    };
    let counted = |has_memory: bool| {
        let _ended = Ended(&at_work, process);
        if has_memory {
            work();
        }
    };
    system::with_threads(HELPER_THREAD, STACK, count, &counted, |begun| {
        for _ in begun..count {
            at_work.one_has_ended();
        }
        while process.is_current() && !at_work.wait(every) {
            look_in();
        }
    });
}
