use super::*;

/// How many of so many requests are let in at each of these times, in milliseconds.
fn let_in(rate: Rate, requests: usize, times: &[u64]) -> Vec<usize> {
    let start = Instant::now();
    let mut limiter = Limiter::new(rate, start);
    let mut at = |&time| {
        let now = start + Duration::from_millis(time);
        let admitted = (0..requests).filter(|_| limiter.admit(now).is_ok());
        admitted.count()
    };
    times.iter().map(&mut at).collect()
}

fn bucket(per_second: f64, burst: u32) -> Rate {
    Rate {
        burst,
        ..Rate::of(per_second)
    }
}

fn window(per_second: f64) -> Rate {
    Rate {
        kind: RateKind::Window,
        ..Rate::of(per_second)
    }
}

#[test]
fn a_bucket_without_a_burst_lets_requests_in_one_by_one() {
    let times = [0, 124, 125, 249, 250, 10_000, 10_124];
    assert_eq!(let_in(Rate::of(8.0), 3, &times), [1, 0, 1, 0, 1, 1, 0]);
}

#[test]
fn a_bucket_is_full_at_the_start_and_never_fuller() {
    let times = [0, 500, 10_000, 10_250];
    assert_eq!(let_in(bucket(8.0, 5), 9, &times), [5, 4, 5, 2]);
}

#[test]
fn what_is_refused_takes_nothing_from_the_bucket() {
    let times: Vec<u64> = (0..=1_000).step_by(125).collect();
    assert_eq!(
        let_in(bucket(4.0, 1), 100, &times),
        [1, 0, 1, 0, 1, 0, 1, 0, 1]
    );
}

#[test]
fn a_window_is_refilled_when_its_second_begins() {
    let times = [999, 1_000, 1_999, 2_000, 9_500, 9_999, 10_000];
    assert_eq!(let_in(window(3.0), 5, &times), [3, 3, 0, 3, 3, 0, 3]);
    assert_eq!(let_in(window(2.5), 5, &[0, 1_000]), [2, 2]);
}

#[test]
fn a_rate_of_nothing_lets_nothing_in_but_the_burst() {
    for nothing in [0.0, -1.0, f64::NAN] {
        let later = 86_400_000;
        assert_eq!(let_in(bucket(nothing, 3), 5, &[0, 0, later]), [3, 0, 0]);
        assert_eq!(let_in(window(nothing), 5, &[0, later]), [0, 0]);
    }
    assert_eq!(let_in(bucket(8.0, 0), 5, &[0, 1_000]), [0, 0]);
}
