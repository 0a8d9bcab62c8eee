//! What the library is made of is allowed by a policy, which objects to what it does not allow.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use support::c::{outside, root, run};
use support::needs;

support::tests! {
    every_locked_package_is_allowed_by_the_policy,
    the_policy_objects_to_licences_sources_and_crates_that_it_does_not_allow,
    no_locked_version_was_yanked,
    the_policy_objects_to_a_version_that_was_yanked,
    the_policy_objects_to_a_crate_that_has_an_advisory,
}

const POLICY: &str = ".ci/deny.toml";

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

fn every_locked_package_is_allowed_by_the_policy() {
    needs::tools(&["cargo-deny"]);
    assert_eq!(objections(root(), &policy(), &WITHOUT_ADVISORIES), None);
}

fn the_policy_objects_to_licences_sources_and_crates_that_it_does_not_allow() {
    needs::tools(&["cargo-deny"]);
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

fn no_locked_version_was_yanked() {
    needs::tools(&["cargo-deny", "git"]);
    assert_eq!(
        objections(root(), &policy_by("other"), &["advisories"]),
        None
    );
}

fn the_policy_objects_to_a_version_that_was_yanked() {
    needs::tools(&["cargo-deny", "git"]);
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

fn the_policy_objects_to_a_crate_that_has_an_advisory() {
    needs::tools(&["cargo-deny", "git"]);
    let said = objections(root(), &policy_by("linked"), &["advisories"]).unwrap();
    assert!(said.contains("RUSTSEC-2000-0001"), "{said}");
}
