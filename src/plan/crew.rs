//! The crew of a plan: threads that take images from one queue, and the one that waits for them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

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
pub type Work<'a> = &'a (dyn Fn(u32, &mut Worker<'_>) -> Left + Sync);

/// A thread that works for a plan.
pub struct Worker<'a> {
    run: &'a Run<'a>,
    pub tick: Tick<'a>,
    /// So many of its latest calls, one after the other, failed for reasons of the service.
    pub failures: u32,
    /// From then on others got through and it did not.
    pub alone_since: Option<Instant>,
}

type Queue = Mutex<VecDeque<u32>>;

/// Has the work done at each image, at one of them by one thread at a time.
pub fn share(run: &Run<'_>, images: Vec<u32>, work: Work<'_>, tick: Tick<'_>) {
    let queue = Queue::new(images.into());
    // Whether who asks is believed is learned with one request, not with one of each thread: too many
    // refusals in a row lock an access key.
    let mut worker = Worker::new(run, tick);
    while !run.has_got_through() && take_one(&queue, run, work, &mut worker) {}
    drop(worker);
    let count = run.parallel().min(locked(&queue).len());
    if count > 1 && !run.is_stopped() {
        let help = || {
            let mut tick = || {};
            let mut worker = Worker::new(run, &mut tick);
            while take_one(&queue, run, work, &mut worker) {}
        };
        with_helpers(count, &help, run.tick(), tick);
    }
    // Where no thread could be had.
    let mut worker = Worker::new(run, tick);
    while take_one(&queue, run, work, &mut worker) {}
}

/// Whether there was one.
fn take_one(queue: &Queue, run: &Run<'_>, work: Work<'_>, worker: &mut Worker<'_>) -> bool {
    if run.is_stopped() {
        return false;
    }
    // Where the first ones fail, others may not: the plan is not to end with them each time.
    let next = match worker.failures {
        0 => locked(queue).pop_front(),
        _ => locked(queue).pop_back(),
    };
    let Some(image) = next else {
        return false;
    };
    if work(image, worker) == Left::Rest && !run.is_stopped() {
        locked(queue).push_front(image);
        run.let_others_go_first();
    }
    (worker.tick)();
    true
}

fn locked(queue: &Queue) -> MutexGuard<'_, VecDeque<u32>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Worker<'a> {
    fn new(run: &'a Run<'a>, tick: Tick<'a>) -> Self {
        run.begins();
        Self {
            run,
            tick,
            failures: 0,
            alone_since: None,
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.run.stop_for_defect();
        }
        self.run.ends(self.failures > 0);
    }
}
