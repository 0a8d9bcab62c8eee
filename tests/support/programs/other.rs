//! Another library, with a standard library of its own: it allocates, has a thread, panics, and
//! catches that.

use std::panic::catch_unwind;
use std::thread;

/// 0 + 1 + ... + `last`, by way of a panic.
#[unsafe(no_mangle)]
pub extern "C" fn other_sum(last: u32) -> u64 {
    let numbers = thread::spawn(move || (0..=u64::from(last)).collect::<Vec<_>>());
    let sum: u64 = numbers.join().unwrap_or_default().iter().sum();
    let panicked = catch_unwind(|| std::panic::panic_any(sum));
    panicked
        .err()
        .and_then(|thrown| thrown.downcast_ref().copied())
        .unwrap_or(u64::MAX)
}
