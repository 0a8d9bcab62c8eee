//! The licences of all that is linked into the library go with it, as texts.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use support::archives::{Archives, JNA, PLATFORMS, packing};
use support::c::{outside, root, run};
use support::needs;
use support::package::{folders_of_the_builder_in, unpacked};

support::tests! {
    each_component_of_the_bill_of_materials_is_named_with_its_licence_and_has_a_text,
    licences_that_ask_for_their_notice_have_it,
    the_licences_are_the_same_every_time_and_have_no_text_twice,
    where_rust_has_not_told_its_licences_none_are_printed,
    the_release_archive_has_the_licences,
    each_package_has_the_licences_of_its_libraries,
}

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu"];

/// What a script of `.packaging` prints for a target.
fn printed(script: &str, target: &str) -> String {
    run(outside(root().join(".packaging").join(script)).arg(target)).unwrap()
}

/// A text of the licences, by its number.
fn text(licences: &str, number: u32) -> &str {
    let rule = "=".repeat(80);
    let begin = format!("\n{rule}\nText {number}\n{rule}\n\n");
    let (_, text) = licences.split_once(&begin).unwrap();
    let end = format!("\n{rule}\nText {}\n{rule}\n", number + 1);
    text.split_once(&end).map_or(text, |(text, _)| text)
}

/// The texts of what has this name and version.
fn texts<'a>(licences: &'a str, named: &str, expression: &str) -> Vec<&'a str> {
    let begin = format!("\n\n{named}\n    licence: {expression}\n    texts: ");
    let found = licences.split_once(&begin);
    let (_, rest) = found.unwrap_or_else(|| panic!("{named} is missing"));
    let numbers = rest.lines().next().unwrap().split(", ");
    numbers
        .map(|number| text(licences, number.parse().unwrap()))
        .collect()
}

fn each_component_of_the_bill_of_materials_is_named_with_its_licence_and_has_a_text() {
    needs::tools(&["python3"]);
    for target in TARGETS {
        let licences = printed("licences", target);
        let bill: Value = serde_json::from_str(&printed("sbom", target)).unwrap();
        let components = bill["components"].as_array().unwrap();
        assert!(components.len() > 20, "{bill}");
        for component in components {
            let [name, version] = ["name", "version"].map(|key| component[key].as_str().unwrap());
            let expression = component["licenses"][0]["expression"].as_str().unwrap();
            let texts = if name == "rust-std" {
                let named = format!("Rust's standard library {version}");
                texts(&licences, &named, "(MIT OR Apache-2.0) AND Unicode-3.0")
            } else {
                texts(&licences, &format!("{name} {version}"), expression)
            };
            let longest = texts.iter().map(|text| text.len()).max();
            // The shortest of these licences is that of ISC.
            assert!(longest > Some(600), "{name}: {longest:?}");
        }
    }
}

fn licences_that_ask_for_their_notice_have_it() {
    needs::tools(&["python3"]);
    let licences = printed("licences", TARGETS[0]);
    for notice in [
        "Copyright (c) 2016-2017 Isis Agora Lovecruft, Henry de Valence.",
        // ring, and what it has of others.
        "Copyright 2015-2025 Brian Smith.",
        "Copyright 2014-2020 The OpenSSL Project Authors.",
        "Copyright (c) 2014, 2015, Google Inc.",
        "2015-2020 the fiat-crypto authors",
        "Community Data License Agreement",
        "UNICODE LICENSE V3",
        "Copyright (c) 2016 Amanieu d'Antras",
    ] {
        assert!(licences.contains(notice), "{notice}");
    }
    // Of the standard library, what is for other systems is left out.
    for other in ["hermit-abi ", "wasi ", "windows-sys "] {
        assert!(!licences.contains(&format!("\n\n{other}")), "{other}");
    }
    assert!(printed("licences", TARGETS[1]).contains("\n\nwindows-sys "));
}

fn the_licences_are_the_same_every_time_and_have_no_text_twice() {
    needs::tools(&["python3"]);
    let licences = printed("licences", TARGETS[0]);
    assert_eq!(licences, printed("licences", TARGETS[0]));
    // Debian's packages of two processors may be installed beside each other.
    assert_eq!(licences, printed("licences", "aarch64-unknown-linux-gnu"));
    let numbers = (1..).take_while(|number| licences.contains(&format!("\nText {number}\n")));
    let texts: Vec<_> = numbers
        .map(|number| {
            text(&licences, number)
                .split_whitespace()
                .collect::<String>()
        })
        .collect();
    assert!(texts.len() > 20);
    let different: BTreeSet<_> = texts.iter().collect();
    assert_eq!(different.len(), texts.len());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("licences");
    fs::write(&path, &licences).unwrap();
    assert!(folders_of_the_builder_in(&path).unwrap().is_empty());
}

fn where_rust_has_not_told_its_licences_none_are_printed() {
    needs::tools(&["python3"]);
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("rustc");
    let script = format!(
        "#!/bin/sh\n[ \"$2\" = sysroot ] && echo /nowhere || exec '{}/bin/rustc' \"$@\"\n",
        sysroot.trim()
    );
    fs::write(&other, script).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let paths = env::var("PATH").unwrap();
    let output = outside(root().join(".packaging/licences"))
        .arg(TARGETS[0])
        .env("PATH", format!("{}:{paths}", folder.path().display()))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "{told}"
    );
    assert!(
        told.starts_with("licences: /nowhere/") && told.contains("rustup"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

fn the_release_archive_has_the_licences() {
    let unpacked = unpacked();
    let shipped = fs::read_to_string(unpacked.join("THIRD-PARTY-LICENSES.txt")).unwrap();
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    assert_eq!(shipped, printed("licences", &triple));
}

fn each_package_has_the_licences_of_its_libraries() {
    // What an archive has is what a package of it has, however many libraries that holds.
    const COMPARE: &str = r#"
import sys, tarfile, zipfile
NAME = "/THIRD-PARTY-LICENSES.txt"
def texts(path):
    if path.endswith((".whl", ".jar")):
        file = zipfile.ZipFile(path)
        return sorted(file.read(name) for name in file.namelist() if name.endswith(NAME))
    file = tarfile.open(path)
    return sorted(file.extractfile(one).read() for one in file if one.name.endswith(NAME))
package, *archives = sys.argv[1:]
wanted = sorted(text for path in archives for text in texts(path))
assert len(wanted) == len(archives) and texts(package) == wanted, package
"#;
    needs::tools(&["python3", "npm", "javac"]);
    needs::file(JNA);
    let archives = Archives::new().unwrap();
    let all = PLATFORMS.map(|platform| archives.archive(platform));
    let compare = |package: &Path, archives: &[PathBuf]| {
        run(Command::new("python3")
            .args(["-c", COMPARE])
            .arg(package)
            .args(archives))
        .unwrap();
    };
    for archive in &all {
        let wheel = run(packing("wheel").arg(archive)).unwrap();
        compare(wheel.trim_end().as_ref(), std::slice::from_ref(archive));
    }
    for script in ["npm", "jar"] {
        compare(&archives.pack(script).unwrap()[0], &all);
    }
}
