//! The packages for Python, Node.js and Java serve other systems too: what `.packaging/release` built for
//! them, with languages of theirs, in emulators.

use std::process::Command;

use support::archives::{Archives, JNA, fetched, packing};
use support::c::run;
use support::elsewhere::{Elsewhere, System};
use support::languages::{CALLBACKS, CALLS_AT_ONCE, copied, example};
use support::machines::shipped;

const LINUX: [&str; 4] = [
    "x86_64-linux-gnu",
    "aarch64-linux-gnu",
    "x86_64-linux-musl",
    "aarch64-linux-musl",
];

/// A script of the examples in Python, with the wheel that is installed there.
fn python(elsewhere: &Elsewhere, name: &str) -> Command {
    let script = copied(&elsewhere.place, &format!("python/{name}"), name);
    let mut command = elsewhere.python().unwrap();
    command.arg(elsewhere.path(&script));
    command
}

/// The command of the wheel associates, lists and takes apart.
fn use_command(elsewhere: &Elsewhere) {
    let service = &elsewhere.place.service;
    service.clear();
    let (fpga_id, ecs_id) = (&*service.fpga_ids()[0], &*service.ecs_ids()[0]);
    let (endpoint, project_id) = (service.endpoint(), service.project_id());
    let told = |arguments: &[&str]| {
        let script = elsewhere.site().join("bin/fpga-associate");
        let mut command = elsewhere.python().unwrap();
        run(command.arg(elsewhere.path(&script)).args(arguments)).unwrap()
    };
    told(&["associate", endpoint, project_id, fpga_id, ecs_id]);
    assert_eq!(service.associations(), [(fpga_id.into(), ecs_id.into())]);
    let listed = told(&["list", endpoint, project_id, "--ecs", ecs_id]);
    assert!(listed.contains(fpga_id), "{listed}");
    told(&["disassociate", endpoint, project_id, fpga_id, ecs_id]);
    assert!(service.associations().is_empty());
}

/// A script of the examples in JavaScript, with the npm package that is installed there.
fn node(elsewhere: &Elsewhere, name: &str) -> Command {
    let (from, to) = (format!("node/{name}.js"), format!("{name}.mjs"));
    let script = copied(&elsewhere.place, &from, &to);
    let mut command = elsewhere.node().unwrap();
    command.arg(elsewhere.path(&script));
    command
}

/// The npm package serves Node.js of a system as it serves that of this machine.
fn serve_node(system: System) {
    let elsewhere = Elsewhere::new(system).unwrap();
    elsewhere.install_npm_package().unwrap();
    elsewhere.place.example(|| node(&elsewhere, "main"));
    let checks = node(&elsewhere, "checks");
    let place = &elsewhere.place;
    place.checks_without(&CALLBACKS, checks, &[CALLS_AT_ONCE]);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn a_wheel_serves_python_on_aarch64() {
    let elsewhere = Elsewhere::new(System::Aarch64).unwrap();
    elsewhere.install_wheel().unwrap();
    elsewhere.place.example(|| python(&elsewhere, "main.py"));
    let interrupted = "interrupted: in time, then FPGA_ASSOC_CANCELLED";
    let checks = python(&elsewhere, "checks.py");
    let place = &elsewhere.place;
    place.checks_with_plans(checks, &[CALLS_AT_ONCE, interrupted]);
    use_command(&elsewhere);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn a_wheel_serves_python_on_windows() {
    let elsewhere = Elsewhere::new(System::Windows).unwrap();
    elsewhere.install_wheel().unwrap();
    elsewhere.place.example(|| python(&elsewhere, "main.py"));
    use_command(&elsewhere);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn the_npm_package_serves_node_on_aarch64() {
    serve_node(System::Aarch64);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn the_npm_package_serves_node_on_musl() {
    serve_node(System::Musl);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn the_npm_package_serves_node_on_aarch64_with_musl() {
    serve_node(System::Aarch64Musl);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn the_npm_package_serves_node_on_windows() {
    serve_node(System::Windows);
}

#[test]
#[ignore = "needs archives of other systems, and languages: .ci/platforms release packages"]
fn the_jar_serves_java_on_aarch64() {
    let elsewhere = Elsewhere::new(System::Aarch64).unwrap();
    let place = &elsewhere.place;
    let folder = place.folder().display();
    let classes = format!(
        "{folder}:{}:{JNA}",
        elsewhere.pack("jar").unwrap().display()
    );
    place.compile(
        Command::new("javac")
            .args(["--release", "17", "-d"])
            .arg(place.folder())
            .args(["-cp", &classes])
            .args(["Main.java", "Checks.java"].map(|name| example("java").join(name))),
    );
    let class = |name: &str| {
        let mut java = elsewhere.java().unwrap();
        java.args(["-cp", &classes, name]);
        java
    };
    place.example(|| class("Main"));
    place.checks(class("Checks"), &[CALLS_AT_ONCE]);
}

/// What `readelf` prints of the library of an archive.
fn readelf(platform: &str, option: &str) -> String {
    let library = shipped(platform).unwrap().join("lib/libfpga_associate.so");
    run(Command::new("readelf").args([option, "-W"]).arg(library)).unwrap()
}

#[test]
#[ignore = "needs archives of other systems: .ci/platforms release"]
fn the_libraries_load_where_pages_are_large_and_no_page_is_both_written_and_run() {
    for platform in LINUX {
        let headers = readelf(platform, "-l");
        // Offset, address, physical address, sizes in the file and in memory, flags, alignment.
        let of_kind = |kind| {
            let lines = headers.lines().map(str::trim_start);
            lines.filter(move |line| line.split(' ').next() == Some(kind))
        };
        let mut segments = 0;
        for line in of_kind("LOAD") {
            segments += 1;
            let alignment = line.rsplit_once("0x").unwrap().1;
            let alignment = u64::from_str_radix(alignment, 16).unwrap();
            // Servers with Kunpeng processors have pages of 64 KiB.
            let page = if platform.starts_with("aarch64") {
                0x1_0000
            } else {
                0x1000
            };
            assert!(alignment >= page, "{platform}: {line}");
            assert!(!line.contains(" RWE "), "{platform}: {line}");
        }
        assert!(segments > 1, "{platform}: {headers}");
        let stack: Vec<_> = of_kind("GNU_STACK").collect();
        assert!(
            stack.len() == 1 && stack[0].contains(" RW  "),
            "{platform}: {stack:?}"
        );
        let entries = readelf(platform, "-d");
        for word in ["TEXTREL", "RPATH", "RUNPATH"] {
            assert!(!entries.contains(word), "{platform}: {word}");
        }
    }
}

#[test]
#[ignore = "needs archives of other systems: .ci/platforms release"]
fn the_libraries_for_musl_need_its_c_library_alone() {
    for platform in LINUX.into_iter().filter(|name| name.ends_with("musl")) {
        let entries = readelf(platform, "-d");
        let needed: Vec<_> = entries
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .collect();
        assert!(
            needed.len() == 1 && needed[0].ends_with("[libc.so]"),
            "{platform}: {needed:?}"
        );
        let versions = readelf(platform, "-V");
        assert!(!versions.contains("Name: "), "{platform}: {versions}");
    }
}

#[test]
#[ignore = "needs archives of other systems, and auditwheel from PyPI: .ci/platforms release packages"]
fn wheels_for_glibc_are_what_their_tags_say() {
    let auditwheel = fetched("auditwheel", "6.8.2");
    let archives = Archives::shipped().unwrap();
    for processor in ["x86_64", "aarch64"] {
        let archive = archives.archive(&format!("{processor}-linux-gnu"));
        let wheel = run(packing("wheel").arg(archive)).unwrap();
        let told = run(Command::new(&auditwheel).arg("show").arg(wheel.trim_end())).unwrap();
        // manylinux2014 by its other name.
        let tag = format!("platform tag: \"manylinux_2_17_{processor}\"");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&tag), "{told}");
    }
}
