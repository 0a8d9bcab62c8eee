//! What the library is made of is written down, is allowed, and builds with the stated Rust.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use serde_json::Value;

use support::c::{Toolchain, outside, root, run};
use support::package::target;
use support::tool;

const BILL: &str = ".packaging/sbom";
const POLICY: &str = ".ci/deny.toml";
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

#[test]
fn the_bill_of_materials_names_every_crate_that_is_linked_and_no_other() {
    if !tool("python3") {
        return;
    }
    let compiled = compiled(&host());
    assert!(compiled.len() > 20, "{compiled:?}");
    assert_eq!(crates(&bill(&host())), compiled);
}

#[test]
fn the_bill_of_materials_is_that_of_the_target() {
    if !tool("python3") {
        return;
    }
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

#[test]
fn each_crate_in_the_bill_of_materials_has_licence_checksum_and_dependencies() {
    if !tool("python3") {
        return;
    }
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

#[test]
fn the_bill_of_materials_is_the_same_every_time() {
    if !tool("python3") {
        return;
    }
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

#[test]
fn the_section_for_scanners_names_the_crates_of_the_bill_of_materials() {
    const UNPACK: &str = "import sys, zlib; \
        sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1], 'rb').read()))";
    if !tool("python3") || !tool("objcopy") {
        return;
    }
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
fn schema() -> Option<PathBuf> {
    const PIN: &str = "cyclonedx-python-lib[json-validation]==11.12.0";
    let folder = target().join("schema-of-bills");
    let python = folder.join("bin/python");
    let pinned = folder.join("pin");
    if fs::read_to_string(&pinned).is_ok_and(|pin| pin == PIN) {
        return Some(python);
    }
    if env::var_os("CI").is_none() {
        println!("skipped: the schema is fetched with CI=true only");
        return None;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))
    .unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", PIN]))
    .unwrap();
    fs::write(&pinned, PIN).unwrap();
    Some(python)
}

#[test]
fn the_bill_of_materials_is_valid_by_the_schema_of_cyclonedx() {
    const VALIDATE: &str = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))
";
    let Some(python) = schema() else { return };
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
    let stated = number(text(&stated.unwrap()["rust_version"]));
    packages
        .iter()
        .filter(|package| {
            let needed = package["rust_version"].as_str();
            needed.is_some_and(|needed| number(needed) > stated)
        })
        .map(|package| text(&package["name"]).to_owned())
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

/// What cargo-deny says of a project by a policy: nothing where it has no objections.
fn objections(folder: &Path, policy: &str, checks: &[&str]) -> Option<String> {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(file.path(), policy).unwrap();
    let mut command = outside("cargo-deny");
    command
        .current_dir(folder)
        .args(["--workspace", "--locked", "--color", "never", "--config"])
        .arg(file.path())
        .arg("check")
        .args(checks)
        .envs(ADVISORIES.environment.iter().cloned());
    let output = command.output().unwrap();
    let printed = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&printed).into_owned();
    // It ends with a verdict on each, unless it could not check at all.
    let summed_up = checks.iter().all(|check| {
        ["ok", "FAILED"]
            .iter()
            .any(|verdict| said.contains(&format!("{check} {verdict}")))
    });
    assert!(summed_up, "{said}");
    (!output.status.success()).then_some(said)
}

fn policy() -> String {
    fs::read_to_string(root().join(POLICY)).unwrap()
}

const WITHOUT_ADVISORIES: [&str; 3] = ["bans", "licenses", "sources"];

#[test]
fn every_locked_package_is_allowed_by_the_policy() {
    if !tool("cargo-deny") {
        return;
    }
    assert_eq!(objections(root(), &policy(), &WITHOUT_ADVISORIES), None);
}

#[test]
fn the_policy_objects_to_licences_sources_and_crates_that_it_does_not_allow() {
    if !tool("cargo-deny") {
        return;
    }
    for (from, to, objection) in [
        (
            "{ crate = \"openssl-sys\" }",
            "{ crate = \"httparse\" }",
            "error[banned]",
        ),
        (
            "{ crate = \"syn@2\", reason = \"cbindgen, at build time\" },",
            "",
            "error[duplicate]",
        ),
        (
            "allow = [\"MPL-2.0\"]",
            "allow = [\"0BSD\"]",
            "error[rejected]",
        ),
        (
            "unknown-registry = \"deny\"",
            "unknown-registry = \"deny\"\nallow-registry = [\"https://registry.invalid/index\"]",
            "error[source-not-allowed]",
        ),
    ] {
        assert!(policy().contains(from), "{from}");
        let doctored = policy().replace(from, to);
        let said = objections(root(), &doctored, &WITHOUT_ADVISORIES);
        let said = said.unwrap_or_else(|| panic!("no objections: {to}"));
        assert!(said.contains(objection), "{said}");
    }
}

/// Two databases of advisories, each with one that is made up, and how git finds them.
struct Advisories {
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

static ADVISORIES: LazyLock<Advisories> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("advisories");
    let _ = fs::remove_dir_all(&folder);
    for (database, against) in [("other", "no-such-crate"), ("linked", "httparse")] {
        let database = folder.join("databases").join(database);
        let crates = database.join("crates").join(against);
        fs::create_dir_all(&crates).unwrap();
        fs::write(
            crates.join("RUSTSEC-2000-0001.md"),
            format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2000-0001\"\npackage = \"{against}\"\ndate = \"2000-01-01\"\n[versions]\npatched = []\n```\n\n# Made up\n\nFor a test.\n"
            ),
        )
        .unwrap();
        let git = |arguments: &[&str]| {
            run(Command::new("git").arg("-C").arg(&database).args(arguments)).unwrap();
        };
        git(&["init", "--quiet", "--initial-branch", "main"]);
        git(&["add", "."]);
        let who = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
        git(&[&who[..], &["commit", "--quiet", "--message", "Made up"]].concat());
    }
    let databases = folder.join("databases").display().to_string();
    let environment = [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        (
            "GIT_CONFIG_KEY_0",
            format!("url.file://{databases}/.insteadOf"),
        ),
        (
            "GIT_CONFIG_VALUE_0",
            "https://advisories.invalid/".to_owned(),
        ),
    ];
    Advisories {
        folder,
        environment: environment
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    }
});

/// The policy, with one of these databases in place of RustSec's.
fn policy_by(database: &str) -> String {
    let policy = policy();
    let section = "\n[advisories]\n";
    assert!(policy.contains(section), "{policy}");
    let kept = ADVISORIES.folder.join("kept").join(database);
    let named = format!(
        "{section}db-path = \"{}\"\ndb-urls = [\"https://advisories.invalid/{database}\"]\n",
        kept.display()
    );
    policy.replace(section, &named)
}

#[test]
fn no_locked_version_was_yanked() {
    if !tool("cargo-deny") || !tool("git") {
        return;
    }
    assert_eq!(
        objections(root(), &policy_by("other"), &["advisories"]),
        None
    );
}

#[test]
fn the_policy_objects_to_a_version_that_was_yanked() {
    if !tool("cargo-deny") || !tool("git") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    write("src/lib.rs", "");
    write(
        "Cargo.toml",
        "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nlibc = \"=0.2.165\"\n",
    );
    write(
        "Cargo.lock",
        "version = 4\n\n\
         [[package]]\nname = \"libc\"\nversion = \"0.2.165\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
         checksum = \"fcb4d3d38eab6c5239a362fa8bae48c03baf980a6e7079f063942d563ef3533e\"\n\n\
         [[package]]\nname = \"user\"\nversion = \"0.1.0\"\ndependencies = [\n \"libc\",\n]\n",
    );
    let said = objections(folder.path(), &policy_by("other"), &["advisories"]).unwrap();
    assert!(said.contains("error[yanked]"), "{said}");
}

#[test]
fn the_policy_objects_to_a_crate_that_has_an_advisory() {
    if !tool("cargo-deny") || !tool("git") {
        return;
    }
    let said = objections(root(), &policy_by("linked"), &["advisories"]).unwrap();
    assert!(said.contains("RUSTSEC-2000-0001"), "{said}");
}
