//! What goes on at the same time: how long requests take, and how many are being served.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::Emulator;
use crate::lock;
use crate::rate::Limiter;
use crate::refusal::Refusal;

impl Emulator {
    /// How long each request takes from now on before it is answered, one over the rate too; no
    /// time at the start. Others are served meanwhile. A metadata service takes none.
    pub fn set_service_time(&self, time: Duration) {
        lock(&self.shared.traffic).service_time = time;
    }

    /// The most requests that were being served at the same time, since the start or
    /// [`Self::clear_requests`]: from when one was read to when its answer was decided.
    pub fn most_at_once(&self) -> usize {
        lock(&self.shared.traffic).requests.most
    }

    /// The same of the changes (associate and disassociate) of one ECS image, whose id may be
    /// written in any letter case.
    pub fn most_changes_at_once_at_one_ecs_image(&self) -> usize {
        let traffic = lock(&self.shared.traffic);
        let most = traffic.changes.values().map(|changes| changes.most);
        most.max().unwrap_or_default()
    }
}

/// The requests that are being served, and those that were not let in.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    limiter: Option<Limiter>,
    refused: u64,
    service_time: Duration,
    requests: Level,
    /// By the ECS image's id in small letters.
    changes: HashMap<String, Level>,
}

/// How many there are, and were at most.
#[derive(Debug, Default)]
struct Level {
    now: usize,
    most: usize,
}

impl Traffic {
    pub(crate) fn set_limiter(&mut self, limiter: Option<Limiter>) {
        self.limiter = limiter;
    }

    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Refusal> {
        let admitted = match &mut self.limiter {
            Some(limiter) => limiter.admit(now),
            None => Ok(()),
        };
        self.refused += u64::from(admitted.is_err());
        admitted
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn service_time(&self) -> Duration {
        self.service_time
    }

    /// Those that are being served stay counted.
    pub(crate) fn clear(&mut self) {
        self.refused = 0;
        self.requests.forget();
        self.changes.retain(|_, changes| changes.now > 0);
        self.changes.values_mut().for_each(Level::forget);
    }
}

impl Level {
    fn rise(&mut self) {
        self.now += 1;
        self.most = self.most.max(self.now);
    }

    fn fall(&mut self) {
        self.now -= 1;
    }

    fn forget(&mut self) {
        self.most = self.now;
    }
}

/// A request that is being served until this is dropped.
#[derive(Debug)]
pub(crate) struct Serving<'a> {
    traffic: &'a Mutex<Traffic>,
    changed: Option<String>,
}

impl<'a> Serving<'a> {
    /// `changed` is the ECS image's id, if the request is to change one.
    pub(crate) fn begin(traffic: &'a Mutex<Traffic>, changed: Option<String>) -> Self {
        let changed = changed.map(|ecs_id| ecs_id.to_lowercase());
        let mut counted = lock(traffic);
        counted.requests.rise();
        if let Some(ecs_id) = &changed {
            counted.changes.entry(ecs_id.clone()).or_default().rise();
        }
        drop(counted);
        Self { traffic, changed }
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let mut counted = lock(self.traffic);
        counted.requests.fall();
        let changed = self.changed.as_ref();
        if let Some(changes) = changed.and_then(|ecs_id| counted.changes.get_mut(ecs_id)) {
            changes.fall();
        }
    }
}
