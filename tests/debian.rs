//! The Debian packages install, serve programs without any path being named, and leave nothing
//! behind.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use support::c::run;
use support::needs;
use support::package::{Project, files, folders_of_the_builder_in, needs_a_release, packages};

support::tests! {
    no_file_of_the_packages_names_a_folder_of_the_builder,
    the_packages_are_installed_used_and_removed,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The two packages, built once.
static PACKAGES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = packages("debian", &[]).unwrap();
    assert_eq!(files.len(), 2, "{files:?}");
    files
});

/// Removed however the test ends.
struct Installed {
    packages: [String; 2],
}

impl Installed {
    fn remove(&self) -> std::io::Result<String> {
        run(Command::new("dpkg").arg("--purge").args(&self.packages))
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = self.remove();
    }
}

fn no_file_of_the_packages_names_a_folder_of_the_builder() {
    needs_a_release();
    needs::tools(&["dpkg-deb"]);
    for package in &*PACKAGES {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("dpkg-deb")
            .arg("--raw-extract")
            .arg(package)
            .arg(folder.path()))
        .unwrap();
        let files = files(folder.path()).unwrap();
        assert!(files.contains(&"DEBIAN/control".to_owned()), "{files:?}");
        // The library's own licence, and those of what is linked into it.
        let copyright = files.iter().find(|file| file.ends_with("/copyright"));
        let copyright = fs::read_to_string(folder.path().join(copyright.unwrap())).unwrap();
        for licence in ["Apache License\n", "\nText 1\n"] {
            assert!(copyright.contains(licence), "{package}: {licence}");
        }
        for file in files {
            // Links to what the other package has.
            let path = folder.path().join(&file);
            if path.exists() {
                let named = folders_of_the_builder_in(&path).unwrap();
                assert!(named.is_empty(), "{file}: {named:?}");
            }
        }
    }
}

fn the_packages_are_installed_used_and_removed() {
    let is_ci = env::var_os("CI").is_some();
    needs::that(is_ci, "packages are installed with CI=true only");
    let user = run(Command::new("id").arg("-u")).unwrap();
    assert_eq!(user.trim(), "0", "packages are installed by root");

    let installed = Installed {
        packages: [
            "libfpga-associate-dev".to_owned(),
            format!("libfpga-associate{}", VERSION.split('.').next().unwrap()),
        ],
    };
    run(Command::new("dpkg").arg("--install").args(&*PACKAGES)).unwrap();
    for package in &installed.packages {
        let told =
            run(Command::new("dpkg-query").args(["-W", "-f", "${Status} ${Version}", package]))
                .unwrap();
        assert_eq!(told, format!("install ok installed {VERSION}"));
        // What dpkg has unpacked is what was packed.
        assert_eq!(
            run(Command::new("dpkg").args(["--verify", package])).unwrap(),
            "",
            "{package}"
        );
    }
    let page = run(Command::new("dpkg-deb").arg("--contents").arg(&PACKAGES[1])).unwrap();
    assert!(
        page.contains("./usr/share/man/man3/fpga_associate.3.gz"),
        "{page}"
    );

    let project = Project::new().unwrap();
    let told = project
        .shell("pkg-config --modversion fpga_associate")
        .unwrap();
    assert_eq!(told.trim(), VERSION);
    project
        .shell("cc associate.c -o associate $(pkg-config --cflags --libs fpga_associate)")
        .unwrap();
    project.associate_with("associate").unwrap();
    project
        .shell("c++ versions.cpp -o versions $(pkg-config --cflags --libs fpga_associate)")
        .unwrap();
    let told = project.shell("./versions").unwrap();
    assert_eq!(told.trim(), format!("{VERSION} {VERSION} {VERSION}"));
    project
        .write(
            "CMakeLists.txt",
            "cmake_minimum_required(VERSION 3.16)\n\
             project(program C CXX)\n\
             find_package(fpga_associate CONFIG REQUIRED)\n\
             add_executable(versions versions.cpp)\n\
             target_link_libraries(versions PRIVATE fpga_associate::fpga_associate)\n",
        )
        .unwrap();
    project
        .shell("cmake -S . -B build && cmake --build build && build/versions")
        .unwrap();

    let listed = run(Command::new("dpkg").arg("-L").args(&installed.packages)).unwrap();
    let own: Vec<&str> = listed
        .lines()
        .filter(|path| path.contains("fpga"))
        .collect();
    assert!(own.len() >= 10, "{own:?}");
    installed.remove().unwrap();
    project
        .shell("! pkg-config --exists fpga_associate")
        .unwrap();
    assert!(project.shell("./versions").is_err());
    for path in own {
        assert!(!Path::new(path).exists(), "{path} is left");
    }
}
