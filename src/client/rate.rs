//! How fast requests go out, as a pure function of what became of earlier ones and of the time.
//!
//! Nothing holds them back until the service refuses one because there are too many. Then the rate is
//! what got through, and less by a part (multiplicative decrease); from there it grows with the time:
//! fast at first where nothing is known yet, later as TCP's CUBIC does, which stays long near the rate
//! that was refused, and then looks for more ever faster (additive increase in growing steps).

use std::time::{Duration, Instant};

/// What is kept of the rate that was refused.
const KEPT: f64 = 0.85;

/// After so long the rate is again what got through before; or after so many pauses, so that they take
/// a small part of the time only.
const RETURN: Duration = Duration::from_secs(8);
const PAUSES: u32 = 12;

/// Before the second refusal it doubles in so many milliseconds, and so often at most: a host may take
/// infinity for an error.
const DOUBLING: u128 = 500;
const DOUBLINGS: i32 = 30;

/// After so long the rate says nothing any more, but what gets through does.
const LONG: Duration = Duration::from_secs(30);

/// The pause after a refusal, where the service asks for none; twice as long each time while nothing gets
/// through.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Refusals in so short a time are one.
const SAME: Duration = Duration::from_secs(1);

/// The least, in requests a second.
const LEAST: f64 = 0.5;

/// So long is counted what gets through. In a shorter time a service may let many through at first.
const MEASURE: Duration = Duration::from_secs(1);

/// How fast requests go out.
#[derive(Debug)]
pub struct Rate {
    limit: Option<Limit>,
    /// How many were refused so far as to lower it.
    cuts: u64,
    /// When it was lowered last, and what got through since.
    since: Instant,
    through: u32,
    /// From when on it grows.
    grows: Instant,
    /// How often it was to be lowered although nothing had got through since.
    closed: u32,
    /// What got through lately.
    lately: Count,
    before: Option<Count>,
    /// When the next may go out.
    next: Instant,
}

/// What is known of the rate that the service allows.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// What got through, in requests a second.
    measured: f64,
    /// When the rate is that again; nothing where it was seen once only.
    back: Option<Duration>,
}

/// What got through, from a moment on.
#[derive(Clone, Copy, Debug)]
struct Count {
    requests: u32,
    since: Instant,
}

/// Which requests went out before one was: as many as there were refusals that counted.
#[derive(Clone, Copy, Debug)]
pub struct Place(u64);

impl Rate {
    /// Nothing holds requests back.
    pub fn new(now: Instant) -> Self {
        Self {
            limit: None,
            cuts: 0,
            since: now,
            through: 0,
            grows: now,
            closed: 0,
            lately: Count::from(now),
            before: None,
            next: now,
        }
    }

    /// When the next request may go out. That may change while somebody waits for it.
    pub fn opens(&self) -> Instant {
        self.next
    }

    /// A request goes out now.
    pub fn go(&mut self, now: Instant) -> Place {
        if let Some(rate) = self.per_second(now) {
            // Who came late by less than a step does not make all others late.
            let step = Duration::from_secs_f64(1.0 / rate);
            let late = now.saturating_duration_since(self.next).min(step);
            self.next = now + step - late;
        }
        Place(self.cuts)
    }

    /// A request was answered, whatever with.
    pub fn got_through(&mut self, now: Instant) {
        self.through = self.through.saturating_add(1);
        self.closed = 0;
        if now.saturating_duration_since(self.lately.since) >= MEASURE {
            self.before = Some(self.lately);
            self.lately = Count::from(now);
        }
        self.lately.requests = self.lately.requests.saturating_add(1);
    }

    /// What got through lately, in requests a second.
    fn lately(&self, now: Instant) -> f64 {
        let (requests, since) = match self.before {
            None => (self.lately.requests, self.lately.since),
            Some(before) => (before.requests + self.lately.requests, before.since),
        };
        let time = now.saturating_duration_since(since).max(MEASURE);
        f64::from(requests) / time.as_secs_f64()
    }

    /// A request was refused because there are too many, and none goes out for so long. Whether the
    /// rate is lower now: what was under way already does not lower it once more.
    pub fn refused(&mut self, place: Place, asked: Duration, now: Instant) -> bool {
        let is_same = place.0 != self.cuts
            || (self.limit.is_some() && now.saturating_duration_since(self.since) < SAME);
        let pause = match asked.is_zero() {
            true => self.closed_for(),
            false => asked,
        };
        if !is_same {
            self.cut(pause, now);
        }
        self.next = self.next.max(now + pause);
        self.grows = self.grows.max(self.next);
        !is_same
    }

    /// The pause where the service asks for none: the longer, the longer nothing gets through.
    fn closed_for(&self) -> Duration {
        let doubled = 1_u32.checked_shl(self.closed).unwrap_or(u32::MAX);
        PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
    }

    fn cut(&mut self, pause: Duration, now: Instant) {
        let through = self.lately(now);
        self.limit = Some(match (self.limit, self.per_second(now)) {
            // That nothing gets through says nothing about how much will.
            (Some(limit), _) if self.through == 0 => {
                self.closed = self.closed.saturating_add(1);
                limit
            }
            (_, None) => Limit {
                measured: through.max(LEAST),
                back: None,
            },
            (_, Some(rate)) => {
                // It may have grown where nobody asked for so much.
                let has_grown = now.saturating_duration_since(self.since) > LONG;
                let most = if has_grown { 2.0 * through } else { rate };
                let rate = rate.min(most).max(LEAST);
                Limit {
                    measured: through.clamp(rate * 0.8, rate).max(LEAST),
                    back: Some(RETURN.max(pause * PAUSES)),
                }
            }
        });
        self.cuts += 1;
        self.through = 0;
        // While nobody asks, nothing is learned.
        let open = now + pause;
        self.since = open;
        self.lately = Count::from(open);
        self.before = None;
    }

    /// The rate at a moment, in requests a second; nothing where nothing holds them back.
    pub fn per_second(&self, now: Instant) -> Option<f64> {
        let limit = self.limit?;
        let time = now.saturating_duration_since(self.grows);
        let factor = match limit.back {
            None => KEPT * growth(time),
            Some(back) => {
                let from_back = time.as_secs_f64() / back.as_secs_f64() - 1.0;
                1.0 + (1.0 - KEPT) * from_back.powi(3)
            }
        };
        Some((limit.measured * factor).max(LEAST))
    }
}

/// How much has grown in a time what doubles, straight between two doublings: the mathematical library
/// is not needed for that.
fn growth(time: Duration) -> f64 {
    let doublings = i32::try_from(time.as_millis() / DOUBLING).unwrap_or(DOUBLINGS);
    let begun = (time.as_millis() % DOUBLING) as f64 / DOUBLING as f64;
    2_f64.powi(doublings.min(DOUBLINGS)) * (1.0 + begun)
}

impl From<Instant> for Count {
    /// Nothing yet.
    fn from(since: Instant) -> Self {
        Self { requests: 0, since }
    }
}

#[cfg(test)]
mod tests;
