//! What `cargo cinstall` installs is all that C and C++ build systems need.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use support::c::{root, run};
use support::needs;
use support::package::{
    Project, dynamic, exports, files, folders_of_the_builder_in, globals, is_optimised_as_a_whole,
    is_shared, outside, promised_exports,
};

support::tests! {
    only_the_functions_of_the_header_are_global_in_the_static_library,
    no_installed_file_names_a_folder_of_the_builder,
    these_files_are_installed_and_no_others,
    the_shared_library_is_named_kept_and_exports_as_the_plain_build_does,
    pkg_config_links_the_shared_library,
    pkg_config_links_the_static_library,
    cmake_finds_the_shared_and_the_static_library,
    cmake_refuses_a_version_that_is_not_compatible,
    meson_finds_the_shared_and_the_static_library,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Installed once, for all tests. The folder is always the same: with another cargo-c builds
/// everything again.
static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed");
    let _ = fs::remove_dir_all(&prefix);
    let packaging = root().join(".packaging");
    let flags = run(&mut outside(packaging.join("remap"))).unwrap();
    run(outside("cargo")
        .current_dir(root())
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        // How fast it is is not looked at here.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .args(["cinstall", "--locked", "--libdir=lib", "--prefix"])
        .arg(&prefix)
        .arg("--target-dir")
        // Where it would have cargo build all again that it finds there.
        .arg(prefix.with_file_name("cargo-c")))
    .unwrap();
    let library = prefix.join("lib/libfpga_associate.a");
    assert!(is_optimised_as_a_whole(&library).unwrap());
    run(outside(packaging.join("static-library")).arg(&library)).unwrap();
    prefix
});

fn prefix() -> &'static Path {
    needs::tools(&["cargo-cinstall"]);
    needs::tools(needs::BINUTILS);
    &PREFIX
}

/// A project that finds the installed library by these variables alone.
fn project(tools: &[&str]) -> Project {
    needs::tools(tools);
    let prefix = prefix();
    Project::new()
        .unwrap()
        .with("PKG_CONFIG_PATH", &prefix.join("lib/pkgconfig"))
        .with("CMAKE_PREFIX_PATH", prefix)
        .with("LD_LIBRARY_PATH", &prefix.join("lib"))
}

fn assert_versions(printed: &str) {
    assert_eq!(printed.trim(), format!("{VERSION} {VERSION} {VERSION}"));
}

fn only_the_functions_of_the_header_are_global_in_the_static_library() {
    let library = prefix().join("lib/libfpga_associate.a");
    assert_eq!(globals(&library).unwrap(), promised_exports().unwrap());
}

fn no_installed_file_names_a_folder_of_the_builder() {
    let prefix = prefix();
    // Where it was installed is what the one for pkg-config is there to say.
    for file in files(prefix).unwrap() {
        let named = folders_of_the_builder_in(&prefix.join(&file)).unwrap();
        assert!(
            named.is_empty() || file.ends_with(".pc"),
            "{file}: {named:?}"
        );
    }
}

fn these_files_are_installed_and_no_others() {
    let prefix = prefix();
    let major = VERSION.split('.').next().unwrap();
    let mut expected = [
        "include/fpga_associate.h".to_owned(),
        "lib/libfpga_associate.a".to_owned(),
        "lib/libfpga_associate.so".to_owned(),
        format!("lib/libfpga_associate.so.{major}"),
        format!("lib/libfpga_associate.so.{VERSION}"),
        "lib/pkgconfig/fpga_associate.pc".to_owned(),
        "share/cmake/fpga_associate/fpga_associateConfig.cmake".to_owned(),
        "share/cmake/fpga_associate/fpga_associateConfigVersion.cmake".to_owned(),
        "share/man/man3/fpga_associate.3".to_owned(),
    ];
    expected.sort();
    assert_eq!(files(prefix).unwrap(), expected);
    for link in [
        "lib/libfpga_associate.so".to_owned(),
        format!("lib/libfpga_associate.so.{major}"),
    ] {
        let named = fs::read_link(prefix.join(link)).unwrap();
        assert_eq!(named, Path::new(&format!("libfpga_associate.so.{VERSION}")));
    }
    assert_eq!(
        fs::read(prefix.join("include/fpga_associate.h")).unwrap(),
        fs::read(root().join("include/fpga_associate.h")).unwrap()
    );
}

fn the_shared_library_is_named_kept_and_exports_as_the_plain_build_does() {
    let prefix = prefix();
    let library = prefix.join("lib/libfpga_associate.so");
    let soname = dynamic(&library, "SONAME").unwrap();
    assert_eq!(soname.len(), 1, "{soname:?}");
    let expected = format!(
        "[libfpga_associate.so.{}]",
        VERSION.split('.').next().unwrap()
    );
    assert!(soname[0].contains(&expected), "{soname:?}");
    assert_eq!(dynamic(&library, "NODELETE").unwrap().len(), 1);
    assert_eq!(exports(&library).unwrap(), promised_exports().unwrap());
}

fn pkg_config_links_the_shared_library() {
    let project = project(&["pkg-config", "cc", "c++"]);
    assert_eq!(
        project
            .shell("pkg-config --modversion fpga_associate")
            .unwrap()
            .trim(),
        VERSION
    );
    project
        .shell("cc associate.c -o associate $(pkg-config --cflags --libs fpga_associate)")
        .unwrap();
    assert!(is_shared(&project.file("associate")).unwrap());
    project.associate_with("associate").unwrap();
    project
        .shell("c++ versions.cpp -o versions $(pkg-config --cflags --libs fpga_associate)")
        .unwrap();
    assert_versions(&project.shell("./versions").unwrap());
}

fn pkg_config_links_the_static_library() {
    let project = project(&["pkg-config", "cc", "c++"]);
    let flags = "$(pkg-config --static --cflags --libs fpga_associate | sed s/-lfpga_associate/-l:libfpga_associate.a/)";
    project
        .shell(&format!("cc associate.c -o associate {flags}"))
        .unwrap();
    assert!(!is_shared(&project.file("associate")).unwrap());
    project.associate_with("associate").unwrap();
    project
        .shell(&format!("c++ versions.cpp -o versions {flags}"))
        .unwrap();
    assert!(!is_shared(&project.file("versions")).unwrap());
    assert_versions(&project.shell("./versions").unwrap());
}

fn cmake_finds_the_shared_and_the_static_library() {
    let project = project(&["cmake", "cc", "c++"]);
    project
        .write(
            "CMakeLists.txt",
            r#"
            cmake_minimum_required(VERSION 3.16)
            project(program C CXX)
            find_package(fpga_associate 0.1 CONFIG REQUIRED)
            message("found ${fpga_associate_VERSION}")
            add_executable(associate associate.c)
            target_link_libraries(associate PRIVATE fpga_associate::fpga_associate)
            add_executable(versions versions.cpp)
            target_link_libraries(versions PRIVATE fpga_associate::fpga_associate)
            add_executable(with_static associate.c)
            target_link_libraries(with_static PRIVATE fpga_associate::fpga_associate_static)
            "#,
        )
        .unwrap();
    let told = project.shell("cmake -S . -B build 2>&1").unwrap();
    assert!(told.contains(&format!("found {VERSION}\n")), "{told}");
    project.shell("cmake --build build").unwrap();
    assert!(is_shared(&project.file("build/associate")).unwrap());
    project.associate_with("build/associate").unwrap();
    assert_versions(&project.shell("build/versions").unwrap());
    assert!(!is_shared(&project.file("build/with_static")).unwrap());
    project.associate_with("build/with_static").unwrap();
}

fn cmake_refuses_a_version_that_is_not_compatible() {
    let project = project(&["cmake"]);
    for (asked, accepted) in [
        ("0", true),
        (VERSION, true),
        (&format!("{VERSION} EXACT"), true),
        ("0...<1", true),
        ("0.999", false),
        ("0.0.1 EXACT", false),
        ("999", false),
        ("998...999", false),
    ] {
        project
            .write(
                "CMakeLists.txt",
                &format!(
                    "cmake_minimum_required(VERSION 3.19)\nproject(program C)\nfind_package(fpga_associate {asked} CONFIG REQUIRED)\n"
                ),
            )
            .unwrap();
        let outcome = project.shell("cmake -S . -B build 2>&1");
        assert_eq!(outcome.is_ok(), accepted, "{asked}: {outcome:?}");
    }
}

fn meson_finds_the_shared_and_the_static_library() {
    let project = project(&["meson", "ninja", "pkg-config", "cc", "c++"]);
    project
        .write(
            "meson.build",
            r#"
project('program', 'c', 'cpp')
library = dependency('fpga_associate')
executable('associate', 'associate.c', dependencies: library)
executable('versions', 'versions.cpp', dependencies: library)
executable('with_static', 'associate.c', dependencies: dependency('fpga_associate', static: true))
"#,
        )
        .unwrap();
    project
        .shell("meson setup build && meson compile -C build")
        .unwrap();
    assert!(is_shared(&project.file("build/associate")).unwrap());
    project.associate_with("build/associate").unwrap();
    assert_versions(&project.shell("build/versions").unwrap());
    assert!(!is_shared(&project.file("build/with_static")).unwrap());
    project.associate_with("build/with_static").unwrap();
}
