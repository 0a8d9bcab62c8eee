//! The boundary that no panic crosses, and inside which nobody ends the thread.

use std::cell::Cell;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::last_error;
use crate::memory;
use crate::transport::{Visitors, clear_registers, is_helper_thread, without_cancellation};

/// Nothing that a thread has of its own may be touched before it was let in.
pub static VISITORS: Visitors = Visitors::new(last_error::forget);

thread_local! {
    /// Whether this thread is inside the library, where a panic is caught and has nothing to print.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Why the body of an export did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It panicked: a defect of this library.
    Panicked,
    /// There was no memory to begin.
    OutOfMemory,
}

/// Runs the body of an export; the caller learns as a status why it stopped.
pub fn guard<T>(body: impl FnOnce() -> T) -> Result<T, Stopped> {
    if !VISITORS.let_in() {
        return Err(Stopped::OutOfMemory);
    }
    quieten_panics();
    let outside = INSIDE.replace(true);
    // What a panic may have left half done is behind locks that recover, and is thrown away with
    // the call.
    let body = AssertUnwindSafe(|| memory::from_now_on(body));
    let result = without_cancellation(|| panic::catch_unwind(body));
    INSIDE.set(outside);
    clear_registers();
    // A payload may panic again when it is dropped, so it is not.
    result.map_err(|payload| {
        mem::forget(payload);
        Stopped::Panicked
    })
}

/// Runs a function of the host, whose panics are its own.
pub fn outside<T>(host: impl FnOnce() -> T) -> T {
    let inside = INSIDE.replace(false);
    let result = host();
    INSIDE.set(inside);
    result
}

/// The library's own copy of the standard library would print a panic to stderr, which is the
/// host's.
///
/// Where the library is linked into a Rust program, the two share the hook; panics elsewhere go on
/// to the one that was there.
fn quieten_panics() {
    static DONE: AtomicBool = AtomicBool::new(false);
    // A thread that is panicking already may not change the hook.
    if DONE.load(Ordering::Relaxed) || thread::panicking() || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !INSIDE.get() && !is_helper_thread() {
            before(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_contained_and_the_next_call_works() {
        assert_eq!(
            guard(|| -> i32 { panic!("deliberate") }),
            Err(Stopped::Panicked)
        );
        assert_eq!(guard(|| 7), Ok(7));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        assert_eq!(
            guard(|| -> i32 { panic::panic_any(Bomb) }),
            Err(Stopped::Panicked)
        );
    }
}
