//! How long to wait before a request is sent again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first wait; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The wait after an attempt, counted from 1: 200 ms, 400 ms, 800 ms …, each longer by up to a half
/// of itself, so that many clients do not come back at once; or as long as the service asks.
pub fn pause(number: u32, asked_ms: u64) -> Duration {
    doubled(number, random_fraction()).max(Duration::from_millis(asked_ms))
}

fn doubled(number: u32, fraction: f64) -> Duration {
    let doubled = 1_u32
        .checked_shl(number.saturating_sub(1))
        .unwrap_or(u32::MAX);
    FIRST_WAIT
        .saturating_mul(doubled)
        .mul_f64(1.0 + fraction / 2.0)
}

/// From 0 to 1. `RandomState` is seeded anew each time.
fn random_fraction() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_200_ms_and_are_jittered_by_half() {
        for (number, least, most) in [
            (1, 200, 300),
            (2, 400, 600),
            (3, 800, 1200),
            (9, 51_200, 76_800),
        ] {
            assert_eq!(doubled(number, 0.0), Duration::from_millis(least));
            assert_eq!(doubled(number, 1.0), Duration::from_millis(most));
        }
        assert!(doubled(1_000, 1.0) > Duration::from_secs(3600));
    }

    #[test]
    fn a_wait_is_as_long_as_the_service_asks_and_no_shorter_than_its_own() {
        assert_eq!(pause(1, 4_000), Duration::from_secs(4));
        assert!(pause(1, 10) >= Duration::from_millis(200));
    }
}
