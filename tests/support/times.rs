//! How long a call may take beyond what it waits for.

use std::time::Duration;

/// What a busy machine may take where nothing is waited for, or on top of what is.
pub const AT_ONCE: Duration = Duration::from_secs(4);

/// What is promised. A busy machine may take more now and then, but not each time.
pub const PROMISE: Duration = Duration::from_millis(100);

/// How many rounds there are at most for one of them to keep the promise.
pub const MOST_ROUNDS: usize = 10;

/// What this thread has had of the processor: others on the machine take nothing of it.
pub fn time_of_this_thread() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the time may be written to.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(read, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
