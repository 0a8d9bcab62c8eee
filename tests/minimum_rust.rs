//! The library builds with the Rust that it is said to need.

use std::fs;
use std::path::Path;

use serde_json::Value;

use support::c::{outside, root, run};

/// Those packages of a folder's lock file, for whatever system, that state a newer Rust than the
/// one that is stated there.
fn newer_than_stated(folder: &Path) -> Vec<String> {
    let told = run(outside("cargo").current_dir(folder).args([
        "metadata",
        "--locked",
        "--format-version",
        "1",
    ]))
    .unwrap();
    let metadata: Value = serde_json::from_str(&told).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let itself = folder.join("Cargo.toml").display().to_string();
    let stated = packages
        .iter()
        .find(|package| package["manifest_path"] == itself.as_str());
    let stated = number(stated.unwrap()["rust_version"].as_str().unwrap());
    packages
        .iter()
        .filter(|package| {
            let needed = package["rust_version"].as_str();
            needed.is_some_and(|needed| number(needed) > stated)
        })
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .collect()
}

/// 1.88 and 1.88.0 are the same.
fn number(version: &str) -> [u32; 3] {
    let mut number = [0; 3];
    for (place, part) in number.iter_mut().zip(version.split('.')) {
        *place = part.parse().unwrap();
    }
    number
}

#[test]
fn no_locked_package_needs_a_newer_rust_than_is_stated() {
    assert_eq!(newer_than_stated(root()), [""; 0]);
}

#[test]
fn a_locked_package_that_needs_a_newer_rust_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let mut dependencies = String::new();
    let mut locked = String::new();
    for (name, rust_version) in [("newer", "1.88.1"), ("same", "1.88.0"), ("older", "1.9")] {
        write(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nrust-version = \"{rust_version}\"\n"
            ),
        );
        write(&format!("{name}/src/lib.rs"), "");
        dependencies += &format!("{name} = {{ path = \"{name}\" }}\n");
        locked += &format!("[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n\n");
    }
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"user\"\nversion = \"0.1.0\"\nrust-version = \"1.88\"\n[dependencies]\n{dependencies}"
        ),
    );
    write("src/lib.rs", "");
    write(
        "Cargo.lock",
        &format!(
            "version = 4\n\n{locked}[[package]]\nname = \"user\"\nversion = \"0.1.0\"\ndependencies = [\n \"newer\",\n \"older\",\n \"same\",\n]\n"
        ),
    );
    assert_eq!(newer_than_stated(&folder), ["newer"]);
}
