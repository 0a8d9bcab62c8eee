//! The examples in other languages, against the emulator of the service, over verified HTTPS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use support::languages::{Place, example};
use support::tool;

#[test]
fn python() {
    if !tool("python3") {
        return;
    }
    let place = Place::new();
    let script = |name: &str| {
        let mut command = place.command("python3");
        // No __pycache__ among the sources.
        command.arg("-B").arg(example("python").join(name));
        command
    };
    place.example(|| script("main.py"));
    place.checks(script("checks.py"), true);
}
