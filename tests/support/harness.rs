//! Runs the tests of a file as cargo's own harness does, and one that lacks what it needs is ignored while it runs, which
//! that one can't do. A file whose tests may lack something is listed in Cargo.toml, and lists its tests:
//!
//!     support::tests! {
//!         a_test,
//!         #[ignore = "why it is left out unless it is asked for"]
//!         another_test,
//!     }

use std::panic;
use std::process::ExitCode;
use std::thread;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::needs::{self, Missing};

#[derive(Clone, Copy)]
pub struct Test {
    pub name: &'static str,
    pub function: fn(),
    /// Why it is left out unless it is asked for.
    pub ignored: Option<&'static str>,
}

/// The program that runs these tests. One that is forgotten here is code that nobody uses: a warning.
#[macro_export]
macro_rules! tests {
    ($($(#[ignore = $reason:literal])? $name:ident),* $(,)?) => {
        fn main() -> std::process::ExitCode {
            $crate::harness::run(&[$(
                $crate::harness::Test {
                    name: stringify!($name),
                    function: $name,
                    ignored: [$($reason)?].first().copied(),
                },
            )*])
        }
    };
}

pub fn run(tests: &[Test]) -> ExitCode {
    needs::may_be_missing();
    let mut arguments = Arguments::from_args();
    let is_asked_for = arguments.ignored || arguments.include_ignored;
    let trials: Vec<_> = tests
        .iter()
        .map(|test| trial(*test, is_asked_for))
        .collect();
    let chosen = trials
        .iter()
        .filter(|trial| !arguments.is_filtered_out(trial));
    // Beside a test that is alone is no thread that has nothing to do.
    if chosen.count() <= 1 {
        arguments.test_threads = Some(1);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(test: Test, is_asked_for: bool) -> Trial {
    let run = move || match test.ignored {
        // Here, because a trial with the flag is ignored without a reason.
        Some(reason) if !is_asked_for => Ok(Completion::ignored_with(reason)),
        _ => in_its_own_thread(test),
    };
    let is_ignored = test.ignored.is_some() && is_asked_for;
    Trial::ignorable_test(test.name, run).with_ignored_flag(is_ignored)
}

/// A thread by the test's name, under which a panic is told.
fn in_its_own_thread(test: Test) -> Result<Completion, Failed> {
    let thread = thread::Builder::new().name(test.name.to_owned());
    let Err(payload) = thread.spawn(test.function)?.join() else {
        return Ok(Completion::Completed);
    };
    match payload.downcast::<Missing>() {
        Ok(missing) => Ok(Completion::ignored_with(missing)),
        Err(payload) => panic::resume_unwind(payload),
    }
}
