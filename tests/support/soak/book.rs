//! What came to the gateway for each pair, and what became of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::faults::journal::Said;
use super::rules::HTTP_UNAUTHORIZED;

/// A request that the gateway has read, or begun to.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// By the monotonic clock, which the host has too.
    pub at: u64,
    pub request: Request,
    /// Whether it met no fault, and was answered to its end.
    pub is_clean: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Request {
    Change {
        associates: bool,
        /// Whether the service did it.
        acted: bool,
        said: Said,
        /// Of the answer; 0 where it breaks.
        http_status: u16,
        /// Whether an earlier request was answered on its connection, and not a byte of an answer to this one was
        /// sent.
        is_unanswered_on_kept: bool,
        /// Whether the connection was closed on it.
        is_closed: bool,
    },
    List {
        /// Whether the pair was in the answer; nothing where that can't be read.
        shown: Option<bool>,
    },
}

impl Event {
    /// Whether the service itself refused who asked.
    pub fn is_unauthorized(&self) -> bool {
        let status = match self.request {
            Request::Change { http_status, .. } => http_status,
            Request::List { .. } => 0,
        };
        self.is_clean && status == HTTP_UNAUTHORIZED
    }

    /// What a list showed of the pair.
    pub fn shown(&self) -> Option<bool> {
        match self.request {
            Request::List { shown } => shown,
            Request::Change { .. } => None,
        }
    }

    /// What a change made of the pair.
    pub fn acted(&self) -> Option<bool> {
        match self.request {
            Request::Change {
                associates,
                acted: true,
                ..
            } => Some(associates),
            _ => None,
        }
    }
}

/// A pair of which one call is made at a time.
pub struct Pair {
    pub fpga_id: String,
    pub ecs_id: String,
    events: Mutex<Vec<Event>>,
}

/// All pairs.
pub struct Book {
    pub pairs: Vec<Pair>,
    by_fpga_id: HashMap<String, usize>,
}

impl Pair {
    /// Held while a request is carried out: those for one pair come one after the other. Who holds several took them
    /// in the order of the book.
    pub fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what came until then out of the book.
    pub fn take_until(&self, end: u64) -> Vec<Event> {
        let mut events = self.events();
        let count = events.partition_point(|event| event.at <= end);
        events.drain(..count).collect()
    }
}

impl Book {
    /// Each FPGA image is in one pair.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let ids = pairs.iter().map(|(fpga_id, _)| fpga_id.clone());
        let by_fpga_id = ids.zip(0..).collect();
        let pair = |(fpga_id, ecs_id)| Pair {
            fpga_id,
            ecs_id,
            events: Mutex::default(),
        };
        Self {
            pairs: pairs.into_iter().map(pair).collect(),
            by_fpga_id,
        }
    }

    pub fn pair(&self, fpga_id: &str) -> Option<&Pair> {
        self.pairs.get(*self.by_fpga_id.get(fpga_id)?)
    }

    /// Those that a list is asked for: of one FPGA image, or of an ECS image.
    pub fn asked<'a>(
        &'a self,
        fpga_id: Option<&'a str>,
        ecs_id: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Pair> {
        self.pairs.iter().filter(move |pair| match fpga_id {
            Some(fpga_id) => pair.fpga_id == fpga_id,
            None => Some(pair.ecs_id.as_str()) == ecs_id,
        })
    }
}

/// The monotonic clock in nanoseconds.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to the place that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
