//! What the library returns is what the service did, wherever and however it breaks.
//!
//! A part of the product of all faults, and random schedules of them, in about a minute. All of the
//! product and many more schedules, in a quarter of an hour:
//!
//! ```sh
//! OUTCOMES=all cargo test --test outcomes -- --nocapture
//! ```
//!
//! Some hundreds of each, with little at once, for machines that are slow because they are emulated:
//! `OUTCOMES=few`.
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

const AT_ONCE_AGAIN: usize = 8;

/// How often a case is run that a busy machine may have made look wrong, unless these are more than
/// one in so many.
const RUNS: usize = 3;
const MANY: usize = 50;

/// How much is tried.
struct Extent {
    /// One in so many cases of the product, and all of those that tell most where it says so.
    part: u64,
    has_all_telling: bool,
    random: u64,
    /// Most of the time a case waits.
    at_once: usize,
    /// How long after its deadline a call may return.
    grace: Duration,
}

const USUAL: Extent = Extent {
    part: 16,
    has_all_telling: true,
    random: 4_000,
    at_once: 96,
    grace: Duration::from_secs(1),
};
const ALL: Extent = Extent {
    part: 1,
    random: 100_000,
    grace: Duration::from_millis(100),
    ..USUAL
};
const FEW: Extent = Extent {
    part: 256,
    has_all_telling: false,
    random: 400,
    at_once: 24,
    ..USUAL
};

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
        None => cases.retain(|case| is_tried(&extent(), case)),
    }
    report(&format!("{} of {all} cases", cases.len()), &cases);
}

#[test]
fn what_is_returned_is_true_in_random_schedules() {
    let many = number_of("OUTCOMES_RANDOM").unwrap_or(extent().random);
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

fn extent() -> Extent {
    match env::var("OUTCOMES").as_deref() {
        Err(_) => USUAL,
        Ok("all") => ALL,
        Ok("few") => FEW,
        Ok(other) => panic!("OUTCOMES is all or few, not {other}"),
    }
}

fn number_of(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

fn is_tried(extent: &Extent, case: &Case) -> bool {
    extent.has_all_telling && cases::is_telling(case)
        || Random::new(case.number).below(extent.part) == 0
}

/// Runs the cases and prints what came of them.
fn report(what: &str, cases: &[Case]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = Instant::now();
    let mut runs = run_all(&cases.iter().collect::<Vec<_>>(), extent().at_once);
    for _ in 1..RUNS {
        let is_doubtful = |(_, run): &(_, Run)| may_be_busy(run);
        if runs.iter().filter(|run| is_doubtful(run)).count() > cases.len() / MANY {
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
    let grace = extent().grace;
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
