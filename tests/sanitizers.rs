//! The sanitizers of `.ci/sanitizers` see what a host does to the library and to itself, so that where
//! they find nothing there is nothing of that kind.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use support::c::{Toolchain, root};
use support::package::target;

/// What each of them says of a mode of the program.
#[rustfmt::skip]
const FINDINGS: [(&str, &str, &str); 7] = [
    ("sanitizer-address", "freed", "heap-use-after-free"),
    ("sanitizer-address", "leaked", "detected memory leaks"),
    ("sanitizer-address", "undefined", "signed integer overflow"),
    ("sanitizer-thread", "raced", "data race"),
    ("sanitizer-thread", "freed", "heap-use-after-free"),
    ("sanitizer-memcheck", "freed", "Invalid read"),
    ("sanitizer-memcheck", "leaked", "definitely lost"),
];

#[test]
#[ignore = "needs FPGA_ASSOC_MACHINE with the name of a sanitizer"]
fn what_the_header_forbids_is_found_in_the_library_and_in_the_host() {
    let sanitizer = env::var("FPGA_ASSOC_MACHINE").unwrap();
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/misuse.c");
    let program = toolchain.compile(&source, &[]).unwrap();
    let own = FINDINGS.iter().filter(|(name, ..)| *name == sanitizer);
    let mut findings = 0;
    for (_, mode, expected) in own {
        let mut child = Command::new(&program)
            .arg(mode)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = child.wait().unwrap();
        // Where it was meant to be found it is no finding.
        let report = target().join(format!("sanitizers/reports/report.{}", child.id()));
        let told = fs::read_to_string(&report).unwrap_or_default();
        fs::remove_file(&report).ok();
        assert!(!status.success(), "{mode}: {status}");
        assert!(told.contains(expected), "{mode}: {told}");
        findings += 1;
    }
    assert!(findings > 0, "{sanitizer}: no such sanitizer");
}
