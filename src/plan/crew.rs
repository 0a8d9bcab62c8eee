//! The crew of a plan: threads that take images from one queue, and the one that waits for them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::run::Run;
use crate::transport::with_helpers;

/// Whether there is more to do at an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// No more.
    Nothing,
    /// Yes, and this thread finds no way to the service, though others do.
    Rest,
}

/// What the thread that waits for the plan does between calls.
pub type Tick<'a> = &'a mut dyn FnMut();

/// Does what there is to do at an image.
pub type Work<'a> = &'a (dyn Fn(u32, Tick<'_>) -> Left + Sync);

struct Queue {
    /// The last comes first.
    images: Mutex<Vec<u32>>,
    threads: AtomicUsize,
}

/// Has the work done at each image, at one of them by one thread at a time.
pub fn share(run: &Run<'_>, mut images: Vec<u32>, work: Work<'_>, tick: Tick<'_>) {
    images.reverse();
    let queue = Queue {
        images: Mutex::new(images),
        threads: AtomicUsize::new(1),
    };
    // Whether who asks is believed is learned with one request, not with one of each thread: too many
    // refusals in a row lock an access key.
    if !run.has_got_through() {
        queue.take_some(run, work, 1, tick);
    }
    let count = run.parallel().min(queue.len());
    if count > 1 && !run.is_stopped() {
        queue.threads.store(count, Ordering::Relaxed);
        let help = || {
            let _noted = Noted(run);
            queue.take_some(run, work, usize::MAX, &mut || {});
        };
        with_helpers(count, &help, run.tick(), tick);
        queue.threads.store(1, Ordering::Relaxed);
    }
    // Where no thread could be had.
    queue.take_some(run, work, usize::MAX, tick);
}

impl Queue {
    fn take_some(&self, run: &Run<'_>, work: Work<'_>, most: usize, tick: Tick<'_>) {
        for _ in 0..most {
            if run.is_stopped() {
                return;
            }
            let Some(image) = self.images().pop() else {
                return;
            };
            if work(image, tick) == Left::Rest {
                self.images().push(image);
                if self.may_leave() {
                    return;
                }
            }
            tick();
        }
    }

    /// Whether this thread may end: others are left.
    fn may_leave(&self) -> bool {
        let leave = |threads: usize| (threads > 1).then(|| threads - 1);
        self.threads
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, leave)
            .is_ok()
    }

    fn len(&self) -> usize {
        self.images().len()
    }

    fn images(&self) -> MutexGuard<'_, Vec<u32>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the plan where a thread panics.
struct Noted<'a, 'b>(&'a Run<'b>);

impl Drop for Noted<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop_for_defect();
        }
    }
}
