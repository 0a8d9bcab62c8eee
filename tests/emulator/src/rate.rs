//! How many requests are let in: a rate, and what who is over it is told.

use std::time::{Duration, Instant};

use crate::Emulator;
use crate::lock;
use crate::refusal::Refusal;

/// How many requests are let in, whoever asks; a metadata service has no rate. Those over it are
/// refused before anything else is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// So many in a second; 0 lets none in once the burst is used up.
    pub per_second: f64,
    /// So many at once after a pause; only a [`RateKind::Bucket`] looks at it.
    pub burst: u32,
    /// How the requests are counted.
    pub kind: RateKind,
    /// What is answered over the rate.
    pub refusal: Flow,
    /// The refusal's `Retry-After`; one that HTTP can't carry ends the connection.
    pub retry_after: Option<String>,
}

impl Rate {
    /// A bucket without a burst, refused with 429 and without `Retry-After`.
    pub fn of(per_second: f64) -> Self {
        Self {
            per_second,
            burst: 1,
            kind: RateKind::Bucket,
            refusal: Flow::TooManyRequests,
            retry_after: None,
        }
    }
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKind {
    /// A token bucket: full at the start, `burst` tokens at most, refilled evenly.
    Bucket,
    /// `per_second` in each second, counted from when the rate was set; a part of one is none.
    Window,
}

/// The three ways in which the service says that it is asked too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// 429 with `APIGW.0308`, the gateway's.
    TooManyRequests,
    /// 503 with `Common.1503`.
    Unavailable,
    /// 202 with `Common.0024`: nothing is done in spite of the status.
    Accepted,
}

impl Emulator {
    /// The rate from now on; None, as at the start, lets everything in.
    pub fn set_rate(&self, rate: Option<Rate>) {
        let limiter = rate.map(|rate| Limiter::new(rate, Instant::now()));
        lock(&self.shared.traffic).set_limiter(limiter);
    }

    /// How many requests were over the rate, since the start or [`Self::clear_requests`].
    pub fn refused_by_rate(&self) -> u64 {
        lock(&self.shared.traffic).refused()
    }
}

/// A rate at work. It is given the time, which it takes to go forwards only.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    /// Each request that is let in takes one.
    left: f64,
    refilled_at: Instant,
}

impl Limiter {
    pub(crate) fn new(mut rate: Rate, now: Instant) -> Self {
        // What is no number is nothing too.
        rate.per_second = rate.per_second.max(0.0);
        let left = match rate.kind {
            RateKind::Bucket => rate.burst.into(),
            RateKind::Window => rate.per_second,
        };
        Self {
            rate,
            left,
            refilled_at: now,
        }
    }

    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Refusal> {
        self.refill(now);
        if self.left < 1.0 {
            return Err(Refusal::Flow {
                flow: self.rate.refusal,
                retry_after: self.rate.retry_after.clone(),
            });
        }
        self.left -= 1.0;
        Ok(())
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled_at);
        match self.rate.kind {
            RateKind::Bucket => {
                let more = passed.as_secs_f64() * self.rate.per_second;
                self.left = (self.left + more).min(self.rate.burst.into());
                self.refilled_at += passed;
            }
            RateKind::Window if passed.as_secs() > 0 => {
                self.left = self.rate.per_second;
                self.refilled_at += Duration::from_secs(passed.as_secs());
            }
            RateKind::Window => {}
        }
    }
}

#[cfg(test)]
mod tests;
