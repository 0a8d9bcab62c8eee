//! The man page is what the header says, and renders without a warning.

use std::fs;
use std::process::Command;

use support::c::root;
use support::header::{Declaration, declarations};
use support::man;
use support::needs;

support::tests! {
    the_committed_page_is_what_the_header_says,
    every_function_status_type_and_field_is_in_the_rendered_page,
    the_page_renders_without_a_warning,
}

const PAGE: &str = ".packaging/fpga_associate.3";

fn the_committed_page_is_what_the_header_says() {
    let path = root().join(PAGE);
    let page = man::page(&header());
    if std::env::var_os("UPDATE_MAN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "{PAGE} is stale. Renew it with: UPDATE_MAN=1 cargo test --test man"
    );
}

fn every_function_status_type_and_field_is_in_the_rendered_page() {
    needs::tools(&["man"]);
    let rendered = rendered();
    let mut functions = 0;
    for declaration in declarations(&header()) {
        match declaration {
            Declaration::Function { name, .. } => {
                functions += 1;
                let mentions = rendered.matches(&format!("{name}(")).count();
                assert!(mentions >= 2, "{name}: synopsis and description");
            }
            Declaration::Status { name, number, .. } => {
                assert!(rendered.contains(&format!("{name} ({number})")), "{name}");
            }
            Declaration::Type { name, .. } | Declaration::Field { name, .. } => {
                assert!(rendered.contains(&name), "{name}");
            }
        }
    }
    assert!(functions >= 30, "{functions} functions found");
}

fn the_page_renders_without_a_warning() {
    needs::tools(&["man", "groff"]);
    for command in [
        Command::new("man").args(["--warnings=w", "-l", PAGE]),
        Command::new("groff").args(["-man", "-ww", "-Tutf8", "-z", PAGE]),
    ] {
        let output = command
            .current_dir(root())
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let warnings = String::from_utf8(output.stderr).unwrap();
        assert!(warnings.is_empty(), "{warnings}");
    }
}

fn header() -> String {
    fs::read_to_string(root().join("include/fpga_associate.h")).unwrap()
}

/// The page as plain text in one very long line for each paragraph.
fn rendered() -> String {
    let output = Command::new("man")
        .args(["-l", PAGE])
        .current_dir(root())
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "5000")
        .env("MAN_KEEP_FORMATTING", "")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
