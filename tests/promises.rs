//! tests/README.md: each public promise has a row there, and each test that a row names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use support::abi::{self, BASELINE};
use support::c::root;

const PROMISES: &str = "tests/README.md";

/// Stands in a row of what can be done to the library and its host, and no test shows the contrary.
const NOT_DEFENDED: &str = "not defended";

/// Stands behind a test that runs only where somebody asks for it.
const MARKS: [&str; 4] = [" (Wine)", " (machines)", " (elsewhere)", " (sanitizers)"];

/// Begins the list of a file that does not mark its tests.
const LIST: &str = "support::tests! {";

/// The texts that must fit each other.
struct Texts {
    promises: String,
    readme: String,
    abi: String,
    /// Files of tests, by their paths.
    tests: BTreeMap<String, String>,
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn texts() -> Texts {
    let mut tests = BTreeMap::new();
    let files = fs::read_dir(root().join("tests")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    for file in files.filter(|file| file.ends_with(".rs")) {
        let path = format!("tests/{file}");
        tests.insert(path.clone(), read(path));
    }
    let promises = read(PROMISES);
    // Those of src and of the emulator, as far as they are named.
    for (test, _) in rows(&promises).iter().flat_map(|row| &row.tests) {
        if let Some((path, _)) = test.rsplit_once("::")
            && root().join(path).is_file()
        {
            tests.insert(path.to_owned(), read(path));
        }
    }
    Texts {
        promises,
        readme: read("README.md"),
        abi: read(BASELINE),
        tests,
    }
}

struct Row<'a> {
    text: &'a str,
    /// The path of each file with the name of the test, and what stands behind.
    tests: Vec<(String, &'a str)>,
}

/// All rows of tables but those that name their columns.
fn rows(promises: &str) -> Vec<Row<'_>> {
    let lines: Vec<&str> = promises.lines().collect();
    let is_row = |at: usize| lines.get(at).is_some_and(|line| line.starts_with('|'));
    let is_rule = |at: usize| lines.get(at).is_some_and(|line| line.starts_with("| --"));
    let places = (0..lines.len()).filter(|at| is_row(*at) && !is_rule(*at) && !is_rule(*at + 1));
    places
        .map(|at| Row {
            text: lines[at],
            tests: tests_of(lines[at]),
        })
        .collect()
}

/// Paths begin in the folder of tests, but for those in `src`.
fn tests_of(row: &str) -> Vec<(String, &str)> {
    let pieces: Vec<&str> = row.split('`').collect();
    let named = pieces.chunks(2).zip(1..).filter_map(|(piece, number)| {
        let test = *piece.get(1)?;
        let (path, _) = test.split_once(".rs::")?;
        let test = match path.starts_with("src/") {
            true => test.to_owned(),
            false => format!("tests/{test}"),
        };
        Some((test, *pieces.get(2 * number)?))
    });
    named.collect()
}

/// The tests of a file, and whether each runs only where somebody asks for it.
fn functions(file: &str) -> BTreeMap<&str, bool> {
    let mut functions = BTreeMap::new();
    let (mut is_list, mut is_test, mut is_ignored) = (false, false, false);
    for line in file.lines().map(str::trim_start) {
        is_list = line == LIST || (is_list && line != "}");
        is_test |= line == "#[test]";
        is_ignored |= line.starts_with("#[ignore");
        let written = line
            .strip_prefix("fn ")
            .and_then(|rest| rest.split('(').next());
        if let Some(name) = line.strip_suffix(',').filter(|_| is_list).or(written) {
            if is_test || is_list {
                functions.insert(name, is_ignored);
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    functions
}

/// What is in bold in the section of that name, each in one line.
fn promises_of(readme: &str) -> Vec<String> {
    let (_, section) = readme.split_once("\n## Promises\n").unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let bold = section.split("**").skip(1).step_by(2);
    bold.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// The functions, constants and callbacks of the header.
fn names_of(abi: &str) -> Vec<String> {
    let abi = abi::read(abi);
    let names = abi.keys().filter_map(|name| name.split_once(' '));
    names
        .filter(|(kind, _)| ["function", "constant", "callback"].contains(kind))
        .map(|(_, name)| name.rsplit('.').next().unwrap_or(name).to_owned())
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// All that does not fit: an empty list where nothing.
fn differences(texts: &Texts) -> Vec<String> {
    let rows = rows(&texts.promises);
    let mut told = Vec::new();
    let mut named = BTreeSet::new();
    for row in &rows {
        if row.tests.is_empty() && !row.text.contains(NOT_DEFENDED) {
            told.push(format!("no test in the row: {}", row.text));
        }
        for (test, behind) in &row.tests {
            let (path, name) = test.rsplit_once("::").unwrap_or_default();
            named.insert(path.to_owned());
            let functions = texts.tests.get(path).map(|file| functions(file));
            let is_marked = MARKS.iter().any(|mark| behind.starts_with(mark));
            match functions.as_ref().map(|functions| functions.get(name)) {
                None => told.push(format!("there is no file {path}, with {name}")),
                Some(None) => told.push(format!("there is no test {name} in {path}")),
                Some(Some(is_ignored)) if *is_ignored != is_marked => {
                    let word = if is_marked { "not ignored" } else { "ignored" };
                    told.push(format!("{test} is {word}"));
                }
                Some(Some(_)) => {}
            }
        }
    }
    for promise in promises_of(&texts.readme) {
        if !rows.iter().any(|row| row.text.contains(&promise)) {
            told.push(format!("no row has README's promise \"{promise}\""));
        }
    }
    let in_rows: BTreeSet<&str> = rows.iter().flat_map(|row| words(row.text)).collect();
    for name in names_of(&texts.abi) {
        if !in_rows.contains(name.as_str()) {
            told.push(format!("no row has {name}"));
        }
    }
    let of_readme = texts.readme.split('`').filter(|piece| {
        let name = piece.strip_prefix("tests/");
        name.is_some_and(|name| name.ends_with(".rs") && !name.contains('/'))
    });
    let files = texts.tests.keys().map(String::as_str).chain(of_readme);
    for file in files.collect::<BTreeSet<_>>() {
        if !named.contains(file) {
            told.push(format!("no row has a test of {file}"));
        }
    }
    told
}

#[test]
fn every_promise_has_a_row_and_every_test_that_is_named_exists() {
    let texts = texts();
    let told = differences(&texts);
    assert!(told.is_empty(), "{PROMISES}:\n{}", told.join("\n"));
    // It was read at all.
    assert!(promises_of(&texts.readme).len() > 20);
    assert!(names_of(&texts.abi).len() > 100);
    assert!(rows(&texts.promises).len() > 100);
}

const SAMPLE: &str = "\
# Tests

| promise | tests | figure |
| --- | --- | --- |
| **It is quick**: `fpga_go` | `quick.rs::a_call_is_quick` | ≤ 4 calls |
| `FPGA_ASSOC_OK` | `src/go.rs::it_goes`, `far.rs::it_goes_there` (Wine) | |
| It needs a tool | `list.rs::it_goes_with`, `list.rs::it_goes_far_with` (machines) | |
| Who pulls the plug | not defended | |
";

const SAMPLE_README: &str = "\
## Use

**Not** a promise.

## Promises

- **It is
  quick** (`tests/quick.rs`).

## Costs

**Nothing.**
";

const SAMPLE_ABI: &str = "\
# Written down.
constant fpga_assoc_status.FPGA_ASSOC_OK: 0
function fpga_go: int32_t (void)
library soname: libfpga_associate.so.0
";

fn sample() -> Texts {
    let files = [
        ("tests/quick.rs", "#[test]\nfn a_call_is_quick() {}\n"),
        (
            "tests/far.rs",
            "#[test]\n#[ignore = \"far\"]\nfn it_goes_there() {}\n\nfn help() {}\n",
        ),
        ("src/go.rs", "    #[test]\n    fn it_goes() {\n"),
        (
            "tests/list.rs",
            "support::tests! {\n    it_goes_with,\n    #[ignore = \"far\"]\n    it_goes_far_with,\n}\n\nfn helps() {}\n",
        ),
    ];
    Texts {
        promises: SAMPLE.to_owned(),
        readme: SAMPLE_README.to_owned(),
        abi: SAMPLE_ABI.to_owned(),
        tests: files
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into(),
    }
}

#[test]
#[rustfmt::skip]
fn what_does_not_fit_is_told() {
    assert_eq!(differences(&sample()), Vec::<String>::new());
    let changed = |text: &str, from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    };
    for (from, to, expected) in [
        ("is_quick`", "was_quick`", "there is no test a_call_was_quick in tests/quick.rs"),
        ("far.rs::it_goes_there", "far.rs::help", "there is no test help in tests/far.rs"),
        ("src/go.rs", "src/gone.rs", "there is no file src/gone.rs, with it_goes"),
        ("far.rs::it_goes_there", "far/far.rs::it_goes_there", "no row has a test of tests/far.rs"),
        (" (Wine)", "", "tests/far.rs::it_goes_there is ignored"),
        (" (machines)", "", "tests/list.rs::it_goes_far_with is ignored"),
        ("it_goes_with", "helps", "there is no test helps in tests/list.rs"),
        ("is_quick`", "is_quick` (Wine)", "tests/quick.rs::a_call_is_quick is not ignored"),
        ("`quick.rs::a_call_is_quick`", "all", "no test in the row: | **It is quick**"),
        ("not defended", "", "no test in the row: | Who pulls"),
        ("is quick**", "is slow**", "no row has README's promise \"It is quick\""),
        ("`fpga_go`", "`fpga_go_on`", "no row has fpga_go"),
        ("FPGA_ASSOC_OK", "FPGA_ASSOC_OKAY", "no row has FPGA_ASSOC_OK"),
        ("| `FPGA_ASSOC_OK`", "`FPGA_ASSOC_OK`", "no row has FPGA_ASSOC_OK"),
    ] {
        let told = differences(&Texts {
            promises: changed(SAMPLE, from, to),
            ..sample()
        });
        let is_told = told
            .iter()
            .any(|difference| difference.starts_with(expected));
        assert!(is_told, "{from}: {told:?}");
    }
    // A promise, a function and a file that are new.
    let mut more = sample();
    more.readme = changed(
        &more.readme,
        "\n## Costs",
        "- **It is mute** (`tests/mute.rs`).\n\n## Costs",
    );
    more.abi
        .push_str("function fpga_stop: void (void)\ncallback fpga_fn: void (void)\n");
    more.tests.insert("tests/new.rs".to_owned(), String::new());
    assert_eq!(
        differences(&more),
        [
            "no row has README's promise \"It is mute\"",
            "no row has fpga_fn",
            "no row has fpga_stop",
            "no row has a test of tests/mute.rs",
            "no row has a test of tests/new.rs",
        ]
    );
}
