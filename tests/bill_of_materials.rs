//! What is linked into the library is written down, wholly and in a form that others read.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use support::c::{Toolchain, outside, root, run};
use support::needs;
use support::package::target;

support::tests! {
    the_bill_of_materials_names_every_crate_that_is_linked_and_no_other,
    the_bill_of_materials_is_that_of_the_target,
    each_crate_in_the_bill_of_materials_has_licence_checksum_and_dependencies,
    the_bill_of_materials_is_the_same_every_time,
    the_section_for_scanners_names_the_crates_of_the_bill_of_materials,
    the_bill_of_materials_is_valid_by_the_schema_of_cyclonedx,
}

const BILL: &str = ".packaging/sbom";
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// The bill of materials for a target, as it is printed.
fn printed_bill(target: &str) -> String {
    run(outside(root().join(BILL))
        .arg(target)
        .env("SOURCE_DATE_EPOCH", "1700000000"))
    .unwrap()
}

fn bill(target: &str) -> Value {
    serde_json::from_str(&printed_bill(target)).unwrap()
}

/// `name@version` of all components that are crates.
fn crates(bill: &Value) -> BTreeSet<String> {
    let components = bill["components"].as_array().unwrap();
    let urls = components.iter().map(|component| text(&component["purl"]));
    let crates: Vec<_> = urls
        .filter_map(|url| url.strip_prefix("pkg:cargo/"))
        .map(|named| named.replace("%2B", "+"))
        .collect();
    let set: BTreeSet<_> = crates.iter().cloned().collect();
    assert_eq!(set.len(), crates.len(), "one is named twice: {crates:?}");
    set
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

/// The target that this program runs on.
fn host() -> String {
    let told = run(Command::new("rustc").arg("-vV")).unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix("host: "));
    line.unwrap().to_owned()
}

/// `name@version` of all that cargo compiles for the target, this package aside, as it tells while
/// it does so. What runs while building is compiled for the builder, into another folder.
fn compiled(triple: &str) -> BTreeSet<String> {
    let folder = target().join("supply-chain");
    let told = run(outside("cargo")
        .current_dir(root())
        .args(["check", "--lib", "--locked", "--quiet", "--target", triple])
        .args(["--message-format", "json", "--target-dir"])
        .arg(&folder))
    .unwrap();
    let folder = folder.join(triple).display().to_string();
    let messages = told.lines().map(|line| serde_json::from_str(line).unwrap());
    messages
        .filter(|message: &Value| message["reason"] == "compiler-artifact")
        .filter(|message| text(&message["filenames"][0]).starts_with(&folder))
        .map(|message| {
            let (_, named) = text(&message["package_id"]).rsplit_once('#').unwrap();
            named.to_owned()
        })
        .filter(|named| !named.starts_with("fpga-associate@"))
        .collect()
}

fn the_bill_of_materials_names_every_crate_that_is_linked_and_no_other() {
    needs::tools(&["python3"]);
    let compiled = compiled(&host());
    assert!(compiled.len() > 20, "{compiled:?}");
    assert_eq!(crates(&bill(&host())), compiled);
}

fn the_bill_of_materials_is_that_of_the_target() {
    needs::tools(&["python3"]);
    let here = crates(&bill("x86_64-unknown-linux-gnu"));
    let there = crates(&bill(WINDOWS));
    let has = |crates: &BTreeSet<String>, name: &str| {
        let name = format!("{name}@");
        crates.iter().any(|named| named.starts_with(&name))
    };
    for crates in [&here, &there] {
        assert!(has(crates, "rustls"), "{crates:?}");
        assert!(!has(crates, "cbindgen"), "{crates:?}");
        assert!(!has(crates, "tempfile"), "{crates:?}");
    }
    assert!(!has(&here, "windows-sys"), "{here:?}");
    assert!(has(&there, "windows-sys"), "{there:?}");
    let bill = bill(WINDOWS);
    let property = &bill["metadata"]["properties"][0];
    assert_eq!(property["value"], WINDOWS);

    let unknown = outside(root().join(BILL)).arg("nowhere").output().unwrap();
    assert!(!unknown.status.success());
    assert!(unknown.stdout.is_empty(), "{unknown:?}");
}

fn each_crate_in_the_bill_of_materials_has_licence_checksum_and_dependencies() {
    needs::tools(&["python3"]);
    let bill = bill(&host());
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let components = bill["components"].as_array().unwrap();
    let mut references = BTreeSet::from([text(&bill["metadata"]["component"]["bom-ref"])]);
    for component in components {
        references.insert(text(&component["bom-ref"]));
        let licence = text(&component["licenses"][0]["expression"]);
        assert!(!licence.is_empty() && !licence.contains('/'), "{component}");
        if text(&component["purl"]).starts_with("pkg:cargo/") {
            let locked = format!(
                "name = \"{}\"\nversion = \"{}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
                text(&component["name"]),
                text(&component["version"]),
                text(&component["hashes"][0]["content"])
            );
            assert!(lock.contains(&locked), "{locked}");
        }
    }
    let standard = components
        .iter()
        .find(|component| component["name"] == "rust-std");
    let told = run(Command::new("rustc").arg("-vV")).unwrap();
    let release = format!("release: {}\n", text(&standard.unwrap()["version"]));
    assert!(told.contains(&release), "{told}");

    // From the library every component is reached, and nothing that is none.
    let itself = text(&bill["metadata"]["component"]["bom-ref"]);
    let mut reached = BTreeSet::new();
    let mut open = vec![itself];
    while let Some(reference) = open.pop() {
        if reached.insert(reference) {
            let graph = bill["dependencies"].as_array().unwrap();
            let entry = graph.iter().find(|entry| entry["ref"] == reference);
            let needed = entry.unwrap()["dependsOn"].as_array().unwrap();
            open.extend(needed.iter().map(text));
        }
    }
    assert_eq!(reached, references);
}

fn the_bill_of_materials_is_the_same_every_time() {
    needs::tools(&["python3"]);
    let once = printed_bill(&host());
    assert_eq!(once, printed_bill(&host()));
    let named = |json: &str| -> String {
        let bill: Value = serde_json::from_str(json).unwrap();
        text(&bill["serialNumber"]).to_owned()
    };
    assert_ne!(named(&once), named(&printed_bill(WINDOWS)));
    assert!(once.contains("\"timestamp\": \"2023-11-14T22:13:20Z\""));
    assert!(!once.contains(&root().display().to_string()));
}

fn the_section_for_scanners_names_the_crates_of_the_bill_of_materials() {
    const UNPACK: &str = "import sys, zlib; \
        sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1], 'rb').read()))";
    needs::tools(&["python3", "objcopy"]);
    let host = host();
    let written = outside(root().join(BILL))
        .args(["--dep-v0", &host])
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    assert!(written.stdout.len() < 10_000, "{}", written.stdout.len());
    let folder = tempfile::tempdir().unwrap();
    let section = folder.path().join("dep-v0");
    fs::write(&section, written.stdout).unwrap();

    // The library works with it, and what is read back out of it is what was put in.
    let toolchain = Toolchain::new().unwrap();
    let library = folder.path().join("libfpga_associate.so");
    run(Command::new("objcopy")
        .arg("--add-section")
        .arg(format!(".dep-v0={}", section.display()))
        .arg(toolchain.library())
        .arg(&library))
    .unwrap();
    run(Command::new("python3")
        .arg("-c")
        .arg("import ctypes, sys; ctypes.CDLL(sys.argv[1]).fpga_assoc_version()")
        .arg(&library))
    .unwrap();
    let read = folder.path().join("read");
    run(Command::new("objcopy")
        .arg("--dump-section")
        .arg(format!(".dep-v0={}", read.display()))
        .arg(&library)
        .arg("/dev/null"))
    .unwrap();
    let unpacked = run(Command::new("python3").args(["-c", UNPACK]).arg(&read)).unwrap();
    let unpacked: Value = serde_json::from_str(&unpacked).unwrap();
    let packages = unpacked["packages"].as_array().unwrap();
    let named = |package: &Value| {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        format!("{name}@{version}")
    };

    let (itself, others): (Vec<_>, Vec<_>) =
        packages.iter().partition(|package| package["root"] == true);
    assert_eq!(itself.len(), 1, "{itself:?}");
    assert_eq!(itself[0]["name"], "fpga-associate");
    let others: BTreeSet<_> = others.into_iter().map(named).collect();
    let bill = bill(&host);
    assert_eq!(others, crates(&bill));
    // Dependencies are numbers of packages here, and names there.
    for package in packages {
        let numbers = package["dependencies"].as_array();
        let needed: BTreeSet<_> = numbers
            .into_iter()
            .flatten()
            .map(|number| named(&packages[usize::try_from(number.as_u64().unwrap()).unwrap()]))
            .collect();
        let graph = bill["dependencies"].as_array().unwrap();
        let suffix = format!("/{}", named(package).replace('+', "%2B"));
        let entry = graph
            .iter()
            .find(|entry| text(&entry["ref"]).ends_with(&suffix));
        let expected: BTreeSet<_> = entry.unwrap()["dependsOn"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|reference| text(reference).strip_prefix("pkg:cargo/"))
            .map(|named| named.replace("%2B", "+"))
            .collect();
        assert_eq!(needed, expected, "{package}");
    }
}

/// A Python that has the schema of CycloneDX. It comes from PyPI: in CI always, elsewhere where
/// somebody ran that before.
fn schema() -> PathBuf {
    const PIN: &str = "cyclonedx-python-lib[json-validation]==11.12.0";
    let folder = target().join("schema-of-bills");
    let python = folder.join("bin/python");
    let pinned = folder.join("pin");
    if fs::read_to_string(&pinned).is_ok_and(|pin| pin == PIN) {
        return python;
    }
    let is_ci = env::var_os("CI").is_some();
    needs::that(
        is_ci,
        "the schema of CycloneDX is fetched with CI=true only",
    );
    needs::python_environments();
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))
    .unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", PIN]))
    .unwrap();
    fs::write(&pinned, PIN).unwrap();
    python
}

fn the_bill_of_materials_is_valid_by_the_schema_of_cyclonedx() {
    const VALIDATE: &str = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))
";
    let python = schema();
    let folder = tempfile::tempdir().unwrap();
    let validate = |json: &str| {
        let file = folder.path().join("bill.json");
        fs::write(&file, json).unwrap();
        run(Command::new(&python).args(["-c", VALIDATE]).arg(&file))
    };
    for target in [&host(), WINDOWS] {
        validate(&printed_bill(target)).unwrap();
    }
    let doctored = printed_bill(WINDOWS).replacen("\"SHA-256\"", "\"SHA-0\"", 1);
    let refused = validate(&doctored).unwrap_err().to_string();
    assert!(refused.contains("SHA-0"), "{refused}");
}
