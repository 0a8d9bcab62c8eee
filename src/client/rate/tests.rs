//! The rate against services of every kind, in a time of its own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::*;

/// How a service limits the rate.
#[derive(Clone, Copy, Debug)]
enum Limiter {
    /// So many tokens at most, refilled evenly.
    Bucket(f64),
    /// So many requests in each second.
    Window,
}

struct Service {
    per_second: f64,
    limiter: Limiter,
    tokens: f64,
    latest: f64,
}

impl Service {
    fn new(per_second: f64, limiter: Limiter) -> Self {
        let tokens = match limiter {
            Limiter::Bucket(burst) => burst,
            Limiter::Window => per_second,
        };
        Self {
            per_second,
            limiter,
            tokens,
            latest: 0.0,
        }
    }

    fn lets_through(&mut self, at: f64) -> bool {
        match self.limiter {
            Limiter::Bucket(burst) => {
                let refilled = (at - self.latest) * self.per_second;
                self.tokens = (self.tokens + refilled).min(burst);
            }
            Limiter::Window if at.floor() > self.latest.floor() => self.tokens = self.per_second,
            Limiter::Window => {}
        }
        self.latest = at;
        let is_let = self.tokens >= 1.0;
        if is_let {
            self.tokens -= 1.0;
        }
        is_let
    }
}

/// What came of it.
struct Outcome {
    seconds: f64,
    refused: u32,
}

/// Brings so many requests through, `parallel` at a time, each answered after `latency` seconds. One
/// that is refused is sent again after 250 ms, or as long as it is asked to wait.
fn bring_through(
    requests: u32,
    parallel: u32,
    latency: f64,
    service: &mut Service,
    retry_after: Duration,
) -> Outcome {
    let start = Instant::now();
    let moment = |seconds: f64| start + Duration::from_secs_f64(seconds);
    let micros = |seconds: f64| (seconds * 1e6) as u64;
    let seconds_of = |at: Instant| at.duration_since(start).as_secs_f64();
    let mut rate = Rate::new(start);
    // What happens next: a worker comes back, or the request of one arrives.
    let mut events = BinaryHeap::new();
    let mut places: Vec<Option<Place>> = vec![None; parallel as usize];
    let mut waiting: VecDeque<_> = (0..places.len()).collect();
    let (mut left, mut refused) = (requests, 0);
    let mut now = 0.0;
    while left > 0 {
        while let Some(&worker) = waiting.front() {
            let opens = seconds_of(rate.opens());
            if opens > now {
                break;
            }
            waiting.pop_front();
            places[worker] = Some(rate.go(moment(now)));
            events.push(Reverse((micros(now + latency / 2.0), worker)));
        }
        let opens = micros(seconds_of(rate.opens())) + 1;
        let is_next = |&Reverse((at, _)): &Reverse<(u64, usize)>| waiting.is_empty() || at < opens;
        let Some(Reverse((at, worker))) = events.peek().copied().filter(is_next) else {
            now = opens as f64 / 1e6;
            continue;
        };
        events.pop();
        now = at as f64 / 1e6;
        match places[worker].take() {
            None => waiting.push_back(worker),
            Some(place) => {
                let mut wait = latency / 2.0;
                if service.lets_through(now) {
                    rate.got_through(moment(now));
                    left -= 1;
                } else {
                    refused += 1;
                    rate.refused(place, retry_after, moment(now));
                    wait += retry_after.as_secs_f64().max(0.25);
                }
                events.push(Reverse((micros(now + wait), worker)));
            }
        }
    }
    Outcome {
        seconds: now,
        refused,
    }
}

#[test]
fn ten_thousand_requests_end_near_the_ideal_time_and_under_two_in_a_hundred_are_refused() {
    const REQUESTS: u32 = 10_000;
    for (per_second, most) in [(50.0, 1.2), (200.0, 1.5)] {
        for limiter in [
            Limiter::Bucket(1.0),
            Limiter::Bucket(10.0),
            Limiter::Bucket(per_second),
            Limiter::Window,
        ] {
            for parallel in [1, 8, 32] {
                for latency in [0.002, 0.05] {
                    for retry_after in [0, 1] {
                        if f64::from(parallel) / latency < per_second * 1.5 {
                            continue;
                        }
                        let outcome = bring_through(
                            REQUESTS,
                            parallel,
                            latency,
                            &mut Service::new(per_second, limiter),
                            Duration::from_secs(retry_after),
                        );
                        let ideal = f64::from(REQUESTS) / per_second;
                        let what = format!(
                            "{per_second}/s {limiter:?}, {parallel} at once, {latency} s each, Retry-After {retry_after}: {:.2} of the ideal time, {} refused",
                            outcome.seconds / ideal,
                            outcome.refused
                        );
                        assert!(outcome.seconds <= ideal * most, "{what}");
                        assert!(outcome.refused * 50 < REQUESTS, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_rate_grows_again_when_the_service_allows_more() {
    let start = Instant::now();
    let mut rate = Rate::new(start);
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    for second in [1, 3, 5, 7] {
        for _ in 0..20 {
            rate.got_through(at(second));
        }
        let place = rate.go(at(second));
        assert!(rate.refused(place, Duration::ZERO, at(second)));
    }
    let low = rate.per_second(at(8)).unwrap();
    assert!(low < 100.0, "{low}");
    let later = rate.per_second(at(70)).unwrap();
    assert!(later > 20.0 * low, "{low}, then {later}");
}

#[test]
fn a_service_that_lets_nothing_through_for_a_while_is_met_as_fast_as_before() {
    let mut now = Instant::now();
    let mut rate = Rate::new(now);
    for _ in 0..300 {
        now += Duration::from_millis(10);
        rate.got_through(now);
    }
    let mut refused = 0;
    let opens_again = now + Duration::from_secs(60);
    while now < opens_again {
        let place = rate.go(now);
        rate.refused(place, Duration::ZERO, now);
        refused += 1;
        now = now.max(rate.opens());
    }
    assert!(refused < 30, "{refused}");
    let fast = rate.per_second(now).unwrap();
    assert!((70.0..=100.0).contains(&fast), "{fast}");
}

#[test]
fn a_rate_that_has_grown_for_a_day_comes_down_at_once() {
    let start = Instant::now();
    let day = Duration::from_secs(86_400);
    for cuts in [1, 2] {
        let mut rate = Rate::new(start);
        let mut now = start;
        for _ in 0..cuts {
            now += Duration::from_secs(5);
            let place = rate.go(now);
            assert!(rate.refused(place, Duration::ZERO, now));
        }
        now += day;
        assert!(rate.per_second(now).unwrap() < 1e15);
        for _ in 0..2 {
            // So many get through in each second.
            for _ in 0..100 {
                now += Duration::from_millis(10);
                rate.got_through(now);
            }
        }
        let place = rate.go(now);
        assert!(rate.refused(place, Duration::ZERO, now));
        let low = rate.per_second(now).unwrap();
        assert!((50.0..200.0).contains(&low), "{low}");
    }
}

#[test]
fn refusals_of_what_was_under_way_lower_the_rate_once() {
    let start = Instant::now();
    let mut rate = Rate::new(start);
    let places = [(); 8].map(|()| rate.go(start));
    let lowered = places.map(|place| rate.refused(place, Duration::ZERO, start));
    assert_eq!(lowered.iter().filter(|lowered| **lowered).count(), 1);
    assert!(rate.opens() > start);

    // The longest pause that was asked for holds all of them back.
    let pauses = [1, 7, 3].map(Duration::from_secs);
    for pause in pauses {
        rate.refused(places[0], pause, start);
    }
    assert_eq!(rate.opens(), start + Duration::from_secs(7));
}
