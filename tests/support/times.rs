//! How long a call may take beyond what it waits for.

use std::time::Duration;

/// What a busy machine may take where nothing is waited for, or on top of what is.
pub const AT_ONCE: Duration = Duration::from_secs(1);

/// What is promised. A busy machine may take more now and then, but not each time.
pub const PROMISE: Duration = Duration::from_millis(100);

/// How many rounds there are at most for one of them to keep the promise.
pub const MOST_ROUNDS: usize = 10;
