//! A Conan package, made from a copy of the sources, serves projects that know nothing but its name.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use support::archives::{VERSION, fetched};
use support::needs;
use support::package::{
    Project, copy_sources, exports, files, folders_of_the_builder_in, globals, is_shared,
    promised_exports,
};

support::tests! {
    cmake_finds_the_shared_library_by_its_name,
    cmake_finds_the_static_library_by_the_name_it_has_elsewhere,
    pkg_config_links_the_shared_and_the_static_library,
    a_package_has_one_library_with_the_promised_names_and_no_folder_of_the_builder,
    what_is_not_possible_is_refused_with_a_reason,
}

const CREATE: &str = "conan create .packaging/conan";
const STATIC: &str = "-o '*:shared=False'";

/// The files of this project, where no build has been; with Conan beside them.
struct Sources {
    conan: PathBuf,
    folder: PathBuf,
}

fn sources() -> &'static Sources {
    static SOURCES: OnceLock<Sources> = OnceLock::new();
    needs::tools(&["cmake", "make", "c++", "git"]);
    needs::tools(needs::BINUTILS);
    SOURCES.get_or_init(|| {
        let conan = fetched("conan", "2.34.0");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conan/a project");
        let _ = fs::remove_dir_all(&folder);
        copy_sources(&folder).unwrap();
        Sources { conan, folder }
    })
}

impl Sources {
    /// A user's project, with a cache of Conan.
    fn project(&self, cache: &Path) -> Project {
        let path = env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.conan.parent().unwrap().display());
        Project::new()
            .unwrap()
            .with("PATH", Path::new(&path))
            .with("CONAN_HOME", cache)
            .with("CARGO_TARGET_DIR", &self.folder.with_file_name("cargo"))
            // How fast it is is not looked at here.
            .with("CARGO_PROFILE_RELEASE_OPT_LEVEL", Path::new("0"))
    }

    /// Runs a command in the folder of the sources.
    fn shell(&self, user: &Project, command: &str) -> std::io::Result<String> {
        user.shell(&format!("cd '{}'\n{command}", self.folder.display()))
    }
}

/// A cache with the shared and the static library, which are built once for all tests. The folder
/// is always the same, so that cargo does not build again what is the same.
static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let sources = sources();
    let cache = sources.folder.with_file_name("a cache");
    let _ = fs::remove_dir_all(&cache);
    let user = sources.project(&cache);
    user.shell("conan profile detect").unwrap();
    sources.shell(&user, CREATE).unwrap();
    sources.shell(&user, &format!("{CREATE} {STATIC}")).unwrap();
    cache
});

fn project() -> Project {
    let project = sources().project(&CACHE);
    project
        .write(
            "conanfile.txt",
            &format!(
                "[requires]\nfpga_associate/{VERSION}\n\n[generators]\nCMakeDeps\nCMakeToolchain\n"
            ),
        )
        .unwrap();
    project
        .write(
            "CMakeLists.txt",
            "cmake_minimum_required(VERSION 3.16)\n\
             project(program C CXX)\n\
             find_package(fpga_associate 0.1 CONFIG REQUIRED)\n\
             add_executable(associate associate.c)\n\
             target_link_libraries(associate PRIVATE fpga_associate::fpga_associate)\n\
             add_executable(versions versions.cpp)\n\
             target_link_libraries(versions PRIVATE ${LIBRARY})\n",
        )
        .unwrap();
    project
}

/// Builds for a build type of the project's own: there is one package for all.
fn associates(more: &str, build_type: &str, library: &str, shared: bool) {
    let project = project();
    project
        .shell(&format!(
            "conan install . {more} -s build_type={build_type} --output-folder=build\n\
             cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE=conan_toolchain.cmake \
             -DCMAKE_BUILD_TYPE={build_type} -DLIBRARY={library}\n\
             cmake --build build"
        ))
        .unwrap();
    for program in ["build/associate", "build/versions"] {
        assert_eq!(is_shared(&project.file(program)).unwrap(), shared);
    }
    project.associate_with("build/associate").unwrap();
    let told = project.shell("build/versions").unwrap();
    assert_eq!(told.trim(), format!("{VERSION} {VERSION} {VERSION}"));
}

fn cmake_finds_the_shared_library_by_its_name() {
    associates("", "Release", "fpga_associate::fpga_associate", true);
}

fn cmake_finds_the_static_library_by_the_name_it_has_elsewhere() {
    let library = "fpga_associate::fpga_associate_static";
    associates(STATIC, "Debug", library, false);
}

/// Through `eval`, because there is a space in the cache's folder.
fn pkg_config_links_the_shared_and_the_static_library() {
    needs::tools(&["pkg-config"]);
    for (more, shared) in [("", true), (STATIC, false)] {
        let project = project();
        project
            .shell(&format!(
                "conan install . {more} --generator=PkgConfigDeps --output-folder=build\n\
                 . build/conanrun.sh\n\
                 export PKG_CONFIG_PATH=build\n\
                 flags=$(pkg-config --cflags --libs fpga_associate)\n\
                 eval \"cc associate.c -o associate $flags\"\n\
                 eval \"c++ versions.cpp -o versions $flags\"\n\
                 test \"$(./versions)\" = '{VERSION} {VERSION} {VERSION}'"
            ))
            .unwrap();
        assert_eq!(is_shared(&project.file("associate")).unwrap(), shared);
    }
}

fn a_package_has_one_library_with_the_promised_names_and_no_folder_of_the_builder() {
    let shared = format!("lib/libfpga_associate.so.{VERSION}");
    let link = shared.strip_suffix(VERSION).unwrap();
    let links = [
        link.trim_end_matches('.').to_owned(),
        format!("{link}{}", env!("CARGO_PKG_VERSION_MAJOR")),
    ];
    let archive = "lib/libfpga_associate.a".to_owned();
    for (more, library, links) in [("", &shared, &links[..]), (STATIC, &archive, &[])] {
        let project = project();
        project
            .shell(&format!("conan install . {more} --deployer=direct_deploy"))
            .unwrap();
        let package = project.file("direct_deploy/fpga_associate");
        let mut expected = [
            "conaninfo.txt",
            "conanmanifest.txt",
            "include/fpga_associate.h",
            "licenses/LICENSE",
            library,
        ]
        .map(str::to_owned)
        .to_vec();
        expected.extend_from_slice(links);
        expected.sort();
        assert_eq!(files(&package).unwrap(), expected);
        for file in expected {
            let named = folders_of_the_builder_in(&package.join(&file)).unwrap();
            assert!(named.is_empty(), "{file}: {named:?}");
        }
        let library = package.join(library);
        let names = if links.is_empty() {
            globals(&library)
        } else {
            exports(&library)
        };
        assert_eq!(names.unwrap(), promised_exports().unwrap());
    }
}

fn what_is_not_possible_is_refused_with_a_reason() {
    let sources = sources();
    let folder = tempfile::tempdir().unwrap();
    let user = sources.project(&folder.path().join("cache"));
    user.shell("conan profile detect").unwrap();
    let conan = sources.conan.display();
    for (command, reason) in [
        (format!("{CREATE} -s os=Windows"), "only for Linux"),
        (format!("{CREATE} -s arch=mips64"), "is not cross-built"),
        (
            format!(
                "PATH=/nowhere '{conan}' {}",
                CREATE.trim_start_matches("conan ")
            ),
            "cargo is missing",
        ),
    ] {
        let refused = sources.shell(&user, &command).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}
