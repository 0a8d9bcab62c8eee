//! The committed inputs of the fuzz targets keep the targets' promises, also where nobody fuzzes.
//!
//! Those of three targets need insides of the library; .ci/fuzz begins with them.

#![cfg(target_os = "linux")]

#[path = "fuzz/src/answers.rs"]
mod answers;
#[path = "fuzz/src/arguments.rs"]
mod arguments;
#[path = "fuzz/src/calendar.rs"]
mod calendar;
#[path = "fuzz/src/environment.rs"]
mod environment;
#[path = "fuzz/src/grants.rs"]
mod grants;
#[path = "fuzz/src/input.rs"]
mod input;
#[path = "fuzz/src/keys.rs"]
mod keys;
#[path = "fuzz/src/lists.rs"]
mod lists;
#[path = "fuzz/src/refusals.rs"]
mod refusals;
#[path = "fuzz/src/retry_after.rs"]
mod retry_after;
#[path = "fuzz/src/routes.rs"]
mod routes;
#[path = "fuzz/src/told.rs"]
mod told;

use std::fs;
use std::path::Path;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 7] = [
    ("answers", answers::run),
    ("arguments", arguments::run),
    ("grants", grants::run),
    ("keys", keys::run),
    ("lists", lists::run),
    ("refusals", refusals::run),
    ("routes", routes::run),
];

/// One after the other: they change the environment.
#[test]
fn every_committed_input_keeps_the_promises() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, run) in TARGETS {
        let mut count = 0;
        for input in fs::read_dir(corpus.join(name)).unwrap() {
            let path = input.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{name} has {count} inputs");
    }
}

/// What people have to look through.
#[test]
fn corpora_are_small() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for target in fs::read_dir(corpus).unwrap() {
        let inputs = fs::read_dir(target.unwrap().path()).unwrap();
        let lengths: Vec<_> = inputs
            .map(|input| input.unwrap().metadata().unwrap().len())
            .collect();
        assert!(lengths.len() <= 40 && lengths.iter().sum::<u64>() <= 20_000);
    }
}
