//! A test that lacks a tool is shown as ignored, with what is missing; with `CI=true` it fails. It never counts as passed.

use std::fs;

use support::c::root;
use support::{itself, needs};

support::tests! {
    a_test_that_lacks_a_tool_is_ignored_and_says_so_and_in_ci_it_fails,
    a_test_that_is_left_out_says_why_and_runs_where_it_is_asked_for,
    each_file_lists_its_tests_or_marks_them,
    #[ignore = "only in a process that another test starts"]
    child_lacks_a_tool,
    #[ignore = "only in a process that another test starts"]
    child_has_its_tools,
    #[ignore = "only in a process that another test starts"]
    child_breaks,
}

fn child_lacks_a_tool() {
    needs::tools(&["cargo", "no-such-tool"]);
}

fn child_has_its_tools() {
    needs::tools(&["cargo"]);
}

fn child_breaks() {
    needs::tools(&["cargo"]);
    panic!("it broke");
}

/// Runs one of these, which is expected to succeed or not, and to print these words.
fn assert_prints(arguments: &[&str], ci: Option<&str>, succeeds: bool, words: &[&str]) {
    let mut command = itself::command();
    command.args(arguments).arg("--exact").env_remove("CI");
    let output = command
        .envs(ci.map(|value| ("CI", value)))
        .output()
        .unwrap();
    assert_eq!(output.status.success(), succeeds, "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    for word in words {
        assert!(told.contains(word), "{arguments:?}, {ci:?}: {word}: {told}");
    }
}

#[rustfmt::skip]
fn a_test_that_lacks_a_tool_is_ignored_and_says_so_and_in_ci_it_fails() {
    const MISSING: &str = "no-such-tool is missing: apt install no-such-tool";
    let ignored = format!("... ignored ({MISSING})\n");
    for (test, ci, succeeds, told, counted) in [
        ("child_lacks_a_tool", None, true, &*ignored, "0 passed; 0 failed; 1 ignored"),
        ("child_lacks_a_tool", Some("true"), false, MISSING, "0 passed; 1 failed; 0 ignored"),
        ("child_has_its_tools", None, true, "ok\n", "1 passed; 0 failed; 0 ignored"),
        ("child_has_its_tools", Some("true"), true, "ok\n", "1 passed; 0 failed; 0 ignored"),
        ("child_breaks", None, false, "it broke\n", "0 passed; 1 failed; 0 ignored"),
    ] {
        assert_prints(&[test, "--ignored"], ci, succeeds, &[told, counted]);
    }
}

fn a_test_that_is_left_out_says_why_and_runs_where_it_is_asked_for() {
    const TEST: &str = "child_has_its_tools";
    let why = "... ignored (only in a process that another test starts)\n";
    assert_prints(&[TEST], None, true, &[why, "0 passed; 0 failed; 1 ignored"]);
    for asked in ["--ignored", "--include-ignored"] {
        assert_prints(
            &[TEST, asked],
            None,
            true,
            &["1 passed; 0 failed; 0 ignored"],
        );
    }
    let left_out = "0 passed; 0 failed; 0 ignored; 0 measured; 6 filtered out";
    let listed = "each_file_lists_its_tests_or_marks_them";
    assert_prints(&[listed, "--ignored"], None, true, &[left_out]);
}

/// In a file that Cargo.toml names, a marked test would be left out without a word; in another, a list.
fn each_file_lists_its_tests_or_marks_them() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut lists = 0;
    for file in fs::read_dir(root().join("tests")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let has = |wanted: &str| text.lines().any(|line| line == wanted);
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_named = manifest.contains(&format!("{{ name = \"{name}\", harness = false }}"));
        assert_eq!(has("support::tests! {"), is_named, "{name}: a list");
        assert_ne!(has("#[test]"), is_named, "{name}: #[test]");
        lists += usize::from(is_named);
    }
    assert!(lists > 20, "{lists}");
}
