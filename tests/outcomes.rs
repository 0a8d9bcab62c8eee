//! What the library returns is what the service did, wherever and however it breaks.
//!
//! A part of the product of all faults, and random schedules of them, in about a minute. All of the
//! product and many more schedules, in a quarter of an hour:
//!
//! ```sh
//! OUTCOMES=all cargo test --test outcomes -- --nocapture
//! ```
//!
//! One case of the product, and one random schedule, by the numbers that are printed with them:
//!
//! ```sh
//! OUTCOMES_CASE=4711 cargo test --test outcomes whatever_breaks -- --nocapture
//! OUTCOMES_SEED=4711 OUTCOMES_RANDOM=1 cargo test --test outcomes random -- --nocapture
//! ```
//!
//! With the seed of a whole run, and without `OUTCOMES_RANDOM`, that run is repeated.
//!
//! A call may return 100 ms after its deadline; a second where only a part is run, since other tests
//! may keep the machine busy then. What a busy machine can make look wrong is run again at the end,
//! with little beside it.

mod support;

use std::collections::BTreeMap;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use support::faults::cases::{self, Case};
use support::faults::random::{self, Random};
use support::faults::run::{Run, run};

/// Most of the time a case waits.
const AT_ONCE: usize = 96;
const AT_ONCE_AGAIN: usize = 8;

/// How often a case is run that a busy machine may have made look wrong, unless these are more than
/// one in so many.
const RUNS: usize = 3;
const FEW: usize = 50;

/// One in so many cases of the product is in the part.
const PART: u64 = 16;

const RANDOM: u64 = 4_000;
const RANDOM_OF_ALL: u64 = 100_000;

const GRACE: Duration = Duration::from_secs(1);
const GRACE_OF_ALL: Duration = Duration::from_millis(100);

/// Held by the test that runs.
static ALONE: Mutex<()> = Mutex::new(());

/// How many exceptions of a kind are printed.
const PRINTED: usize = 10;

#[test]
fn what_is_returned_is_true_whatever_breaks() {
    let mut cases = cases::all();
    let all = cases.len();
    match number_of("OUTCOMES_CASE") {
        Some(number) => cases.retain(|case| case.number == number),
        None if is_all() => {}
        None => cases.retain(|case| cases::is_telling(case) || is_in_part(case)),
    }
    report(&format!("{} of {all} cases", cases.len()), &cases);
}

#[test]
fn what_is_returned_is_true_in_random_schedules() {
    let usual = if is_all() { RANDOM_OF_ALL } else { RANDOM };
    let many = number_of("OUTCOMES_RANDOM").unwrap_or(usual);
    let seed = number_of("OUTCOMES_SEED");
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 16);
    let cases: Vec<_> = (seed..seed.saturating_add(many))
        .map(random::case)
        .collect();
    report(
        &format!("{many} random schedules from seed {seed} on"),
        &cases,
    );
}

fn is_all() -> bool {
    env::var("OUTCOMES").is_ok_and(|value| value == "all")
}

fn number_of(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

fn is_in_part(case: &Case) -> bool {
    Random::new(case.number).below(PART) == 0
}

/// Runs the cases and prints what came of them.
fn report(what: &str, cases: &[Case]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = Instant::now();
    let mut runs = run_all(&cases.iter().collect::<Vec<_>>(), AT_ONCE);
    for _ in 1..RUNS {
        let is_doubtful = |(_, run): &(_, Run)| may_be_busy(run);
        if runs.iter().filter(|run| is_doubtful(run)).count() > cases.len() / FEW {
            break;
        }
        let again: Vec<_> = runs
            .extract_if(.., |run| is_doubtful(run))
            .map(|(case, _)| case)
            .collect();
        runs.extend(run_all(&again, AT_ONCE_AGAIN));
    }
    let overrun = runs
        .iter()
        .map(|(_, run)| run.overrun)
        .max()
        .unwrap_or_default();
    let mut exceptions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (case, run) in &runs {
        for exception in &run.exceptions {
            exceptions
                .entry(exception.promise)
                .or_default()
                .push((case, exception));
        }
    }
    let many: usize = exceptions.values().map(Vec::len).sum();
    println!(
        "{what}: {many} exceptions; at most {} ms after a deadline; {} s",
        overrun.as_millis(),
        begin.elapsed().as_secs()
    );
    for (promise, exceptions) in &exceptions {
        println!("{promise:?}: {}", exceptions.len());
        for (case, exception) in exceptions.iter().take(PRINTED) {
            println!("  {case:?}\n    {exception}");
        }
    }
    assert_eq!(many, 0, "{what}");
}

/// Whether there are exceptions, and all of a kind that a busy machine can make.
fn may_be_busy(run: &Run) -> bool {
    let is_of_time = run
        .exceptions
        .iter()
        .all(|exception| exception.promise.is_of_time());
    is_of_time && !run.exceptions.is_empty()
}

/// So many beside each other.
fn run_all<'a>(cases: &[&'a Case], at_once: usize) -> Vec<(&'a Case, Run)> {
    let grace = if is_all() { GRACE_OF_ALL } else { GRACE };
    let next = AtomicUsize::new(0);
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = run(case, grace);
                    runs.lock().unwrap().push((*case, run));
                }
            });
        }
    });
    runs.into_inner().unwrap()
}
