//! Projects of users, built with nothing but an installed library.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ecs_emulator::Emulator;

use super::abi;
use super::c::{root, run};
use super::needs;

pub use super::c::outside;

/// The functions that may be exported, and must be.
pub fn promised_exports() -> io::Result<Vec<String>> {
    let baseline = std::fs::read_to_string(root().join(abi::BASELINE))?;
    Ok(abi::functions(&abi::read(&baseline)))
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    super::c::target().unwrap()
}

/// A folder there for what outlives a program of tests.
pub fn tmp() -> PathBuf {
    target().join("tmp")
}

/// A folder with `associate.c`, `versions.cpp` and what else a user's project has.
pub struct Project {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for source in [
            "examples/associate.c",
            "tests/support/programs/versions.cpp",
        ] {
            let source = root().join(source);
            let name = source.file_name().unwrap_or_default();
            std::fs::copy(&source, folder.path().join(name))?;
        }
        Ok(Self {
            folder,
            environment: Vec::new(),
        })
    }

    /// A variable for every command and program of the project.
    pub fn with(mut self, name: &str, value: &Path) -> Self {
        self.environment
            .push((name.to_owned(), value.display().to_string()));
        self
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        std::fs::write(self.file(name), text)
    }

    /// Runs commands as a user types them, to the first that fails.
    pub fn shell(&self, commands: &str) -> io::Result<String> {
        run(self.command("sh").args(["-ec", commands]))
    }

    /// Associates two images with the program, and asks the service whether it did.
    pub fn associate_with(&self, program: &str) -> io::Result<()> {
        let service = Emulator::start()?;
        let (Some(fpga_id), Some(ecs_id)) = (service.fpga_ids().first(), service.ecs_ids().first())
        else {
            return Err(io::Error::other("the emulator has no images"));
        };
        run(self
            .command(self.file(program))
            .args([service.endpoint(), service.project_id(), fpga_id, ecs_id])
            .env("FPGA_TOKEN", service.token())
            .env("SSL_CERT_FILE", service.ca_file()))?;
        if service.associations() == [(fpga_id.to_owned(), ecs_id.to_owned())] {
            return Ok(());
        }
        Err(io::Error::other(format!("{:?}", service.associations())))
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = outside(program);
        command
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Copies what git knows of the project, as it is now, into a folder that is made.
pub fn copy_sources(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let copy = "git ls-files -z | tar --create --null --files-from - | tar --extract --directory \"$FOLDER\"";
    run(Command::new("sh")
        .current_dir(root())
        .env("FOLDER", folder)
        .args(["-ec", copy]))
    .map(drop)
}

/// Lines of `readelf -d` that have this word.
pub fn dynamic(file: &Path, word: &str) -> io::Result<Vec<String>> {
    let section = run(Command::new("readelf").arg("-dW").arg(file))?;
    let lines = section.lines().filter(|line| line.contains(word));
    Ok(lines.map(str::to_owned).collect())
}

/// Whether a program wants the shared library.
pub fn is_shared(program: &Path) -> io::Result<bool> {
    let name = format!("[libfpga_associate.so.{}]", env!("CARGO_PKG_VERSION_MAJOR"));
    Ok(dynamic(program, "NEEDED")?.concat().contains(&name))
}

/// The names that a shared library exports, sorted.
pub fn exports(library: &Path) -> io::Result<Vec<String>> {
    let symbols = run(Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(library))?;
    let mut names: Vec<_> = symbols
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

/// The names that are global in a static library, sorted.
pub fn globals(archive: &Path) -> io::Result<Vec<String>> {
    let symbols = run(Command::new("nm")
        .args(["--extern-only", "--defined-only", "--format=posix"])
        .arg(archive))?;
    let mut names: Vec<_> = symbols
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Those of the folders in which the library was built that a file names.
pub fn folders_of_the_builder_in(file: &Path) -> io::Result<Vec<String>> {
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]))?;
    let variables = ["HOME", "CARGO_HOME", "RUSTUP_HOME"].map(std::env::var);
    let folders = variables.into_iter().flatten().chain([
        sysroot,
        root().display().to_string(),
        target().display().to_string(),
    ]);
    let bytes = std::fs::read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(folders
        .map(|folder| format!("{}/", folder.trim().trim_end_matches('/')))
        .filter(|folder| folder.len() > 1 && text.contains(folder.as_str()))
        .collect())
}

/// Whether all Rust code of a static library is one object: it was optimised as a whole. Cargo
/// leaves that out without a word where something else is built beside.
pub fn is_optimised_as_a_whole(archive: &Path) -> io::Result<bool> {
    let members = run(Command::new("ar").arg("t").arg(archive))?;
    let own = members
        .lines()
        .filter(|name| name.ends_with(".rcgu.o") && !name.starts_with("compiler_builtins"));
    Ok(own.count() == 1)
}

/// All files and links under a folder, sorted.
pub fn files(folder: &Path) -> io::Result<Vec<String>> {
    let listed = run(Command::new("find")
        .current_dir(folder)
        .args([".", "!", "-type", "d", "-printf", "%P\n"]))?;
    let mut files: Vec<_> = listed.lines().map(str::to_owned).collect();
    files.sort();
    Ok(files)
}

/// Whether the release may be built: in CI always, elsewhere where somebody ran it before, because
/// it takes minutes and fetches its linker.
pub fn may_be_released() -> bool {
    std::env::var_os("CI").is_some() || target().join("release-tools/pins").exists()
}

pub fn needs_a_release() {
    needs::that(may_be_released(), ".packaging/release has not run here");
    needs::tools(needs::BINUTILS);
}

/// The release archive, built once and unpacked where nothing of the build is.
#[allow(clippy::expect_used)]
pub fn unpacked() -> &'static Path {
    static UNPACKED: LazyLock<io::Result<PathBuf>> = LazyLock::new(unpack);
    needs_a_release();
    UNPACKED.as_deref().expect("the release archive")
}

fn unpack() -> io::Result<PathBuf> {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let archive = packages("release", &[&triple])?.join("");
    let folder = tmp().join("unpacked");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    run(Command::new("tar")
        .args(["--extract", "--file", &archive, "--directory"])
        .arg(&folder))?;
    let name = Path::new(&archive).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    Ok(folder.join(name.trim_end_matches(".tar.gz")))
}

/// Runs a script of `.packaging` and returns the files that it made.
pub fn packages(script: &str, arguments: &[&str]) -> io::Result<Vec<String>> {
    let folder = tmp().join("packages");
    let printed = run(outside(root().join(".packaging").join(script))
        .args(arguments)
        .env("FPGA_ASSOC_PACKAGES", folder)
        .env("CARGO_TARGET_DIR", target()))?;
    Ok(printed.lines().map(str::to_owned).collect())
}
