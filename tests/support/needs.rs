//! What a test needs that not every machine has. Without it the test ends here and is shown as ignored; in CI it fails,
//! because a test that is left out there would say nothing.

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, panic};

/// How a test ends that lacks something.
pub struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.lines().next().unwrap_or_default())
    }
}

/// Whether the harness of this program knows what [`Missing`] is.
static MAY_BE_MISSING: AtomicBool = AtomicBool::new(false);

pub fn may_be_missing() {
    MAY_BE_MISSING.store(env::var_os("CI").is_none(), Ordering::Relaxed);
}

/// Ends the test where something is not so, and `otherwise` says in one line what that is. More lines are for a test
/// that fails.
pub fn that(is_so: bool, otherwise: &str) {
    if is_so {
        return;
    }
    assert!(MAY_BE_MISSING.load(Ordering::Relaxed), "{otherwise}");
    panic::resume_unwind(Box::new(Missing(otherwise.to_owned())));
}

/// The packages of Debian that bring a tool or a file, where they have another name.
const PACKAGES: &[(&str, &str)] = &[
    ("apache2", "apache2-bin"),
    ("ar", "binutils"),
    ("c++", "g++"),
    ("clang++", "clang"),
    ("curl-config", "libcurl4-openssl-dev"),
    ("danted", "dante-server"),
    ("dpkg-deb", "dpkg"),
    ("go", "golang-go"),
    ("groff", "groff-base"),
    ("javac", "openjdk-17-jdk-headless"),
    ("ld", "binutils"),
    ("man", "man-db"),
    ("mcs", "mono-mcs"),
    ("mono", "mono-runtime"),
    ("nginx", "nginx-light"),
    ("ninja", "ninja-build"),
    ("nm", "binutils"),
    ("node", "nodejs"),
    ("objcopy", "binutils"),
    ("readelf", "binutils"),
    ("socksify", "dante-client"),
    ("stunnel", "stunnel4"),
    ("unshare", "util-linux"),
    ("/usr/share/java/jna.jar", "libjna-java"),
    // Of no package.
    ("cargo-cinstall", ""),
    ("cargo-deny", ""),
];

/// What builds and reads libraries.
pub const BINUTILS: &[&str] = &["ar", "ld", "nm", "objcopy", "readelf"];

pub fn tools(names: &[&str]) {
    for name in names {
        let is_there = Command::new(name).arg("--version").output().is_ok();
        that(is_there, &missing(name));
    }
}

/// A file that a package brings.
pub fn file(path: impl AsRef<Path>) {
    let path = path.as_ref();
    that(path.exists(), &missing(&path.to_string_lossy()));
}

fn missing(name: &str) -> String {
    let package = PACKAGES.iter().find(|(tool, _)| *tool == name);
    match package.map_or(name, |(_, package)| package) {
        "" => format!("{name} is missing: .ci/run installs it"),
        package => format!("{name} is missing: apt install {package}"),
    }
}

/// What a package index has, once it was asked.
pub fn fetched<T>(what: &str, installed: io::Result<T>) {
    let error = installed.err().map(|error| error.to_string());
    let told = error.as_deref().unwrap_or_default();
    that(error.is_none(), &format!("{what} can't be fetched\n{told}"));
}

/// Python with what makes an environment of its own, which Debian has in another package.
pub fn python_environments() {
    tools(&["python3"]);
    let imports = Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output();
    let has_them = imports.is_ok_and(|imports| imports.status.success());
    that(has_them, &missing("python3-venv"));
}

/// The loopback address of IPv6.
pub fn ipv6() {
    port("[::1]:0");
}

/// An address that may be listened on.
pub fn port(address: &str) {
    let listener = TcpListener::bind(address);
    that(
        listener.is_ok(),
        &format!("no test can listen on {address}"),
    );
}
