//! A CMake project builds the library from source, with lines that a user pastes.

use support::c::root;
use support::needs;
use support::package::{Project, globals, is_optimised_as_a_whole, promised_exports, target};

support::tests! {
    fetch_content_builds_the_shared_library_with_make,
    fetch_content_builds_the_static_library_with_ninja,
}

const PASTED: &str = "\
include(FetchContent)
FetchContent_Declare(fpga_associate
  GIT_REPOSITORY ${FPGA_ASSOCIATE_REPOSITORY}
  GIT_TAG main
  SOURCE_SUBDIR .packaging/source)
FetchContent_MakeAvailable(fpga_associate)

target_link_libraries(program PRIVATE fpga_associate::fpga_associate)
";

/// The folder of this project stands for the clone, as CMake itself offers it, so that it needs no
/// commit.
fn builds_and_runs(generator: &str, library: &str) {
    needs::tools(needs::BINUTILS);
    let project = Project::new().unwrap();
    let pasted = PASTED.replace(
        "fpga_associate::fpga_associate)",
        &format!("fpga_associate::{library})"),
    );
    project
        .write(
            "CMakeLists.txt",
            &format!(
                "cmake_minimum_required(VERSION 3.18)\nproject(program C)\nadd_executable(program associate.c)\n{pasted}"
            ),
        )
        .unwrap();
    project
        .shell(&format!(
            "cmake -S . -B build -G '{generator}' -DFETCHCONTENT_SOURCE_DIR_FPGA_ASSOCIATE='{}' -DFPGA_ASSOCIATE_TARGET_DIR='{}'\n\
             cmake --build build",
            root().display(),
            target().display()
        ))
        .unwrap();
    project.associate_with("build/program").unwrap();
    let built = target().join("release/libfpga_associate.a");
    assert!(is_optimised_as_a_whole(&built).unwrap());
    let library = project.file("build/_deps/fpga_associate-build/lib/libfpga_associate.a");
    assert_eq!(globals(&library).unwrap(), promised_exports().unwrap());
}

fn fetch_content_builds_the_shared_library_with_make() {
    needs::tools(&["cmake", "make"]);
    builds_and_runs("Unix Makefiles", "fpga_associate");
}

fn fetch_content_builds_the_static_library_with_ninja() {
    needs::tools(&["cmake", "ninja"]);
    builds_and_runs("Ninja", "fpga_associate_static");
}
