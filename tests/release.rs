//! The release archive runs on every Linux with glibc 2.17, and holds all that a user of it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::archives::PLATFORMS;
use support::c::{outside, root, run};
use support::machines::shipped;
use support::needs;
use support::package::{
    Project, copy_sources, dynamic, exports, files, folders_of_the_builder_in,
    is_optimised_as_a_whole, promised_exports, target, unpacked,
};

support::tests! {
    no_symbol_of_a_glibc_newer_than_2_17_is_needed,
    the_library_is_named_kept_and_exports_exactly_the_list,
    the_archive_has_these_files_and_no_others,
    no_file_of_the_archive_names_a_folder_of_the_builder,
    what_is_packed_is_optimised_as_a_whole_and_small,
    the_c_example_runs_with_the_unpacked_archive_by_pkg_config,
    the_c_example_runs_with_the_unpacked_archive_by_cmake,
    #[ignore = "needs archives of other systems: .ci/platforms release bytes"]
    another_folder_and_another_cargo_home_give_the_same_bytes,
    #[ignore = "takes minutes, and needs archives of other systems: .ci/platforms release all_bytes"]
    another_folder_gives_the_same_bytes_for_every_target,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn major() -> &'static str {
    VERSION.split('.').next().unwrap()
}

fn no_symbol_of_a_glibc_newer_than_2_17_is_needed() {
    let unpacked = unpacked();
    let library = unpacked.join("lib/libfpga_associate.so");
    let needed = run(Command::new("nm")
        .arg("-D")
        .arg("--undefined-only")
        .arg(&library))
    .unwrap();
    let mut versions = 0;
    for line in needed.lines() {
        let Some((_, version)) = line.split_once("@GLIBC_") else {
            // Weak: looked for at run time, not needed.
            assert!(line.trim_start().starts_with(['w', 'v']), "{line}");
            continue;
        };
        versions += 1;
        let number: Vec<u32> = version
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(number <= vec![2, 17], "{line}");
    }
    assert!(versions > 20, "{needed}");

    let libraries = dynamic(&library, "NEEDED").unwrap();
    for line in &libraries {
        let of_glibc = [
            "libc.so.6",
            "libpthread.so.0",
            "libdl.so.2",
            "libm.so.6",
            "librt.so.1",
            "ld-linux",
        ];
        assert!(of_glibc.iter().any(|name| line.contains(name)), "{line}");
    }
}

fn the_library_is_named_kept_and_exports_exactly_the_list() {
    let unpacked = unpacked();
    let library = unpacked.join("lib/libfpga_associate.so");
    let soname = dynamic(&library, "SONAME").unwrap();
    assert_eq!(soname.len(), 1, "{soname:?}");
    assert!(
        soname[0].contains(&format!("[libfpga_associate.so.{}]", major())),
        "{soname:?}"
    );
    assert_eq!(dynamic(&library, "NODELETE").unwrap().len(), 1);
    assert_eq!(exports(&library).unwrap(), promised_exports().unwrap());
}

fn the_archive_has_these_files_and_no_others() {
    let unpacked = unpacked();
    let mut expected = [
        "LICENSE".to_owned(),
        "README.md".to_owned(),
        "README.zh-CN.md".to_owned(),
        "THIRD-PARTY-LICENSES.txt".to_owned(),
        "fpga_associate.cdx.json".to_owned(),
        "include/fpga_associate.h".to_owned(),
        "lib/libfpga_associate.a".to_owned(),
        "lib/libfpga_associate.so".to_owned(),
        format!("lib/libfpga_associate.so.{}", major()),
        format!("lib/libfpga_associate.so.{VERSION}"),
        "lib/pkgconfig/fpga_associate.pc".to_owned(),
        "share/cmake/fpga_associate/fpga_associateConfig.cmake".to_owned(),
        "share/cmake/fpga_associate/fpga_associateConfigVersion.cmake".to_owned(),
        "share/man/man3/fpga_associate.3".to_owned(),
    ];
    expected.sort();
    assert_eq!(files(unpacked).unwrap(), expected);
}

fn no_file_of_the_archive_names_a_folder_of_the_builder() {
    let unpacked = unpacked();
    for file in files(unpacked).unwrap() {
        let named = folders_of_the_builder_in(&unpacked.join(&file)).unwrap();
        assert!(named.is_empty(), "{file}: {named:?}");
    }
}

fn what_is_packed_is_optimised_as_a_whole_and_small() {
    let unpacked = unpacked();
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let built = target().join("release-build").join(triple).join("release");
    assert!(is_optimised_as_a_whole(&built.join("libfpga_associate.a")).unwrap());
    let archive = unpacked.join("lib/libfpga_associate.a");
    let megabytes = fs::metadata(&archive).unwrap().len() as f64 / 1e6;
    assert!(megabytes <= 8.0, "{megabytes}");
}

fn the_c_example_runs_with_the_unpacked_archive_by_pkg_config() {
    let unpacked = unpacked();
    needs::tools(&["pkg-config"]);
    let project = Project::new()
        .unwrap()
        .with("PKG_CONFIG_PATH", &unpacked.join("lib/pkgconfig"))
        .with("LD_LIBRARY_PATH", &unpacked.join("lib"));
    let told = project
        .shell("pkg-config --modversion fpga_associate")
        .unwrap();
    assert_eq!(told.trim(), VERSION);
    project
        .shell("cc associate.c -o associate $(pkg-config --cflags --libs fpga_associate)")
        .unwrap();
    project.associate_with("associate").unwrap();
    project
        .shell("cc associate.c -o static $(pkg-config --static --cflags --libs fpga_associate | sed s/-lfpga_associate/-l:libfpga_associate.a/)")
        .unwrap();
    let needed = dynamic(&project.file("static"), "NEEDED").unwrap().concat();
    assert!(!needed.contains("fpga"), "{needed}");
    project.associate_with("static").unwrap();
    project
        .shell(
            "cc -static associate.c -o alone $(pkg-config --static --cflags --libs fpga_associate)",
        )
        .unwrap();
    project.associate_with("alone").unwrap();
}

fn the_c_example_runs_with_the_unpacked_archive_by_cmake() {
    let unpacked = unpacked();
    needs::tools(&["cmake"]);
    let project = Project::new().unwrap().with("CMAKE_PREFIX_PATH", unpacked);
    project
        .write(
            "CMakeLists.txt",
            "cmake_minimum_required(VERSION 3.16)\n\
             project(program C)\n\
             find_package(fpga_associate CONFIG REQUIRED)\n\
             add_executable(associate associate.c)\n\
             target_link_libraries(associate PRIVATE fpga_associate::fpga_associate)\n",
        )
        .unwrap();
    project
        .shell("cmake -S . -B build && cmake --build build")
        .unwrap();
    project.associate_with("build/associate").unwrap();
}

/// Archives of the same commit, built in another folder and with another `CARGO_HOME`.
fn built_elsewhere(elsewhere: &Path, targets: &[&str]) -> Vec<PathBuf> {
    let project = elsewhere.join("another/project");
    copy_sources(&project).unwrap();
    let date = run(Command::new("git")
        .current_dir(root())
        .args(["log", "-1", "--format=%ct"]))
    .unwrap();
    let archives = run(outside(project.join(".packaging/release"))
        .args(targets)
        .env("CARGO_HOME", elsewhere.join("home"))
        .env("CARGO_TARGET_DIR", elsewhere.join("target"))
        .env_remove("FPGA_ASSOC_PACKAGES")
        .env("SOURCE_DATE_EPOCH", date.trim()))
    .unwrap();
    archives.lines().map(PathBuf::from).collect()
}

/// As the archives that `.packaging/release` made of this very commit.
fn same_as_shipped(targets: &[&str]) {
    let elsewhere = tempfile::tempdir().unwrap();
    let archives = built_elsewhere(elsewhere.path(), targets);
    assert_eq!(archives.len(), targets.len());
    for (target, archive) in targets.iter().zip(archives) {
        let shipped = shipped(target)
            .unwrap()
            .with_file_name(archive.file_name().unwrap());
        let is_same = fs::read(shipped).unwrap() == fs::read(archive).unwrap();
        assert!(is_same, "{target}");
    }
}

fn another_folder_and_another_cargo_home_give_the_same_bytes() {
    // One whose standard library is built as well.
    same_as_shipped(&["x86_64-linux-musl"]);
}

fn another_folder_gives_the_same_bytes_for_every_target() {
    same_as_shipped(&PLATFORMS);
}
