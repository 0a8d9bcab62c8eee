//! What the threads of this library have in common on all systems.

use std::cell::Cell;
use std::ffi::CStr;
use std::mem;
use std::panic::{self, AssertUnwindSafe};

use super::{Thread, clear_registers};
use crate::memory;
use crate::transport::process::Process;

/// What a thread does, told whether there is memory for what it has of its own; where not, it touches
/// none of that.
pub type Work = Box<dyn FnOnce(bool) + Send>;

thread_local! {
    static IS_HELPER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of this library's own.
pub fn is_helper_thread() -> bool {
    IS_HELPER.get()
}

/// All that a thread does. No panic leaves it.
pub fn carry_out(work: Work, has_memory: bool) {
    if has_memory {
        IS_HELPER.set(true);
    }
    // A payload may panic again when it is dropped, so it is not.
    panic::catch_unwind(AssertUnwindSafe(|| work(has_memory)))
        .map_err(mem::forget)
        .ok();
    clear_registers();
}

/// Threads that were begun by one that waits for their end.
struct Begun {
    threads: Vec<Thread>,
    process: Process,
}

impl Drop for Begun {
    fn drop(&mut self) {
        // A child of fork has none of them.
        if self.process.is_current() {
            self.threads.drain(..).for_each(Thread::join);
        }
    }
}

/// Has the work done by so many threads at once, fewer where the system gives no more, and does
/// meanwhile what it is told that number. All have ended when it returns.
#[allow(unsafe_code)]
pub fn with_threads(
    name: &CStr,
    stack: usize,
    count: usize,
    work: &(dyn Fn(bool) + Sync),
    meanwhile: impl FnOnce(usize),
) {
    // SAFETY: a thread that has the work ends before this function does, whichever way that does. (A
    // child of fork, which does not wait for them, has none.)
    let work =
        unsafe { mem::transmute::<&(dyn Fn(bool) + Sync), &'static (dyn Fn(bool) + Sync)>(work) };
    let mut begun = Begun {
        threads: Vec::new(),
        process: Process::current(),
    };
    if memory::reserve_exact(&mut begun.threads, count).is_ok() {
        for _ in 0..count {
            let Ok(thread) = Thread::begin(name, stack, Box::new(work)) else {
                break;
            };
            begun.threads.push(thread);
        }
    }
    meanwhile(begun.threads.len());
}
