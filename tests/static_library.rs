//! The released static library links into a program beside another Rust library, whichever comes
//! first, with the system's compiler and with `zig cc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::c::{outside, root, run};
use support::needs;
use support::package::{Project, globals, promised_exports, target, unpacked};

support::tests! {
    only_the_functions_of_the_header_are_global,
    it_stands_beside_another_rust_library,
    it_stands_beside_another_rust_library_with_zig,
    each_of_two_libraries_catches_its_own_panics,
}

const PROGRAMS: &str = "tests/support/programs";

/// What the libraries need of the system.
const SYSTEM: &str = "-lutil -lrt -lpthread -lm -ldl";

/// How the other library is optimised: each crate for itself, or all with its standard library.
const FORMS: [&[&str]; 2] = [&[], &["-Clto=fat", "-Ccodegen-units=1"]];

/// A project with the C program and the static library in it.
fn project(unpacked: &Path) -> Project {
    let project = Project::new().unwrap();
    for file in [
        root().join(PROGRAMS).join("beside.c"),
        unpacked.join("include/fpga_associate.h"),
        unpacked.join("lib/libfpga_associate.a"),
    ] {
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::copy(&file, project.file(name)).unwrap();
    }
    project
}

/// The other library, its function under this name.
fn other(project: &Project, function: &str, form: &[&str]) -> PathBuf {
    let source = fs::read_to_string(root().join(PROGRAMS).join("other.rs")).unwrap();
    let source = source.replace("other_sum", function);
    project.write("other.rs", &source).unwrap();
    let library = project.file("libother.a");
    run(outside("rustc")
        .args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=3"])
        .args(form)
        .arg(project.file("other.rs"))
        .arg("-o")
        .arg(&library))
    .unwrap();
    library
}

/// Links the program in both orders, runs it, and asks the service whether it associated.
fn links_and_runs(compiler: &str, more: &str) {
    let unpacked = unpacked();
    let project = project(unpacked);
    for form in FORMS {
        other(&project, "other_sum", form);
        for libraries in [
            "libfpga_associate.a libother.a",
            "libother.a libfpga_associate.a",
        ] {
            project
                .shell(&format!(
                    "{compiler} beside.c -o beside {libraries} {SYSTEM} {more}"
                ))
                .unwrap_or_else(|error| panic!("{form:?}: {error}"));
            project
                .associate_with("beside")
                .unwrap_or_else(|error| panic!("{form:?}, {libraries}: {error}"));
        }
    }
}

fn only_the_functions_of_the_header_are_global() {
    let unpacked = unpacked();
    let library = unpacked.join("lib/libfpga_associate.a");
    assert_eq!(globals(&library).unwrap(), promised_exports().unwrap());
}

fn it_stands_beside_another_rust_library() {
    links_and_runs("cc", "");
}

/// As it comes with the release's linker. Zig's own unwinder is not linked unless it is asked for.
fn it_stands_beside_another_rust_library_with_zig() {
    let python = target().join("release-tools/python/bin/python3");
    links_and_runs(&format!("{} -m ziglang cc", python.display()), "-lunwind");
}

/// What the script does with the tables of unwinding, seen on a library that is known to panic.
fn each_of_two_libraries_catches_its_own_panics() {
    needs::tools(needs::BINUTILS);
    let project = Project::new().unwrap();
    project
        .write(
            "panics.c",
            "#include <stdint.h>\n\
             uint64_t fpga_sum(uint32_t last);\n\
             uint64_t other_sum(uint32_t last);\n\
             int main(void) { return fpga_sum(10) == 55 && other_sum(10) == 55 && fpga_sum(100) == 5050 ? 0 : 1; }\n",
        )
        .unwrap();
    for own in FORMS {
        let built = other(&project, "fpga_sum", own);
        run(Command::new(root().join(".packaging/static-library"))
            .arg(built)
            .arg(project.file("libown.a")))
        .unwrap();
        assert_eq!(globals(&project.file("libown.a")).unwrap(), ["fpga_sum"]);
        for form in FORMS {
            other(&project, "other_sum", form);
            for libraries in ["libown.a libother.a", "libother.a libown.a"] {
                project
                    .shell(&format!(
                        "cc panics.c -o panics {libraries} {SYSTEM} && ./panics"
                    ))
                    .unwrap_or_else(|error| panic!("{own:?}, {form:?}, {libraries}: {error}"));
            }
        }
    }
}
