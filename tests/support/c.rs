//! C programs, compiled against the header and linked to the shared library that was just built.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machines::Machine;

/// A folder with the library under its installed names, for programs and for the loader.
pub struct Toolchain {
    folder: tempfile::TempDir,
    /// Where the programs are not this machine's own.
    machine: Option<&'static Machine>,
}

impl Toolchain {
    /// Builds the library with the profile of this very program, and links to it; or links to the one
    /// that is shipped for the machine that the environment names.
    pub fn new() -> io::Result<Self> {
        Self::with_profile(if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        })
    }

    /// Builds the library as it is shipped, and links to it.
    pub fn released() -> io::Result<Self> {
        Self::with_profile("release")
    }

    fn with_profile(profile: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let machine = Machine::of_environment()?;
        let library = match machine {
            None => built_library(profile)?,
            Some(machine) => machine.shipped()?.join("lib/libfpga_associate.so"),
        };
        symlink(&library, folder.path().join("libfpga_associate.so.0"))?;
        symlink(&library, folder.path().join("libfpga_associate.so"))?;
        Ok(Self { folder, machine })
    }

    /// Whether the library is built as it is shipped.
    pub const fn is_optimised(&self) -> bool {
        self.machine.is_some() || !cfg!(debug_assertions)
    }

    /// A folder for this toolchain's files, gone when it is dropped.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The shared library under the name that `dlopen` wants.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("libfpga_associate.so.0")
    }

    /// Compiles a C or C++ file with all warnings as errors, and returns the program.
    pub fn compile(&self, source: &Path, more: &[&str]) -> io::Result<PathBuf> {
        let name = source.file_stem().unwrap_or(OsStr::new("program"));
        let program = self.folder.path().join(name);
        let is_program = !more.contains(&"-shared");
        let is_cpp = source.extension() == Some(OsStr::new("cpp"));
        let mut compiler = match self.machine {
            None => Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into())),
            Some(machine) => machine.compiler()?,
        };
        run(compiler
            .arg(if is_cpp { "-std=c++17" } else { "-std=c11" })
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"])
            .arg("-I")
            .arg(root().join("include"))
            .arg(source)
            .arg("-o")
            .arg(&program)
            // A program that calls nothing of the library is not linked to it: it will dlopen it.
            .arg("-Wl,--as-needed")
            .arg("-L")
            .arg(self.folder.path())
            .arg("-lfpga_associate")
            .arg(format!("-Wl,-rpath,{}", self.folder.path().display()))
            .args(is_cpp.then_some("-lstdc++"))
            .args(match self.machine {
                Some(machine) => machine.sanitizer(is_program)?,
                None => Vec::new(),
            })
            .args(more))?;
        match self.machine {
            Some(machine) if is_program => machine.startable(program),
            _ => Ok(program),
        }
    }

    /// The variable that has a program load a library of this toolchain before all others.
    pub fn in_front(&self, library: PathBuf) -> (&'static str, OsString) {
        match self.machine {
            Some(machine) => machine.in_front(library.into()),
            None => ("LD_PRELOAD", library.into()),
        }
    }

    /// Compiles a C file of the project with the static library in it, for the machine that the
    /// environment names.
    pub fn compile_static(&self, source: &str) -> io::Result<PathBuf> {
        let machine = self
            .machine
            .ok_or_else(|| io::Error::other("no machine is named"))?;
        let shipped = machine.shipped()?;
        let program = self.folder.path().join("static");
        run(machine
            .compiler()?
            .arg("-I")
            .arg(shipped.join("include"))
            .arg(root().join(source))
            .arg(shipped.join("lib/libfpga_associate.a"))
            .args(machine.libraries)
            .arg("-o")
            .arg(&program))?;
        machine.startable(program)
    }

    /// As [`Toolchain::compile`], from a text.
    pub fn compile_text(&self, name: &str, text: &str, more: &[&str]) -> io::Result<PathBuf> {
        let source = self.folder.path().join(name).with_extension("c");
        std::fs::write(&source, format!("#define _GNU_SOURCE\n{text}\n"))?;
        self.compile(&source, more)
    }
}

/// The project's folder.
pub fn root() -> &'static Path {
    // This crate is in tests/support.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.ancestors().nth(2).unwrap_or(folder)
}

/// Runs a tool to its end; the error shows what it printed.
pub fn run(command: &mut Command) -> io::Result<String> {
    let output = command
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{command:?}: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    Err(io::Error::other(format!(
        "{command:?}: {}\n{printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// Where cargo put this very program, and puts all else.
pub fn target() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // target/debug/deps/program
    let target = program.ancestors().nth(3);
    target
        .map(Path::to_owned)
        .ok_or_else(|| io::Error::other("this program is not where cargo puts it"))
}

/// The shared library, built with a profile.
fn built_library(profile: &str) -> io::Result<PathBuf> {
    let target = target()?;
    run(outside("cargo")
        .current_dir(root())
        .args([
            "build",
            "--lib",
            "--locked",
            "--quiet",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(&target))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(folder).join("libfpga_associate.so"))
}

/// A command that builds as it would outside of a test: cargo's variables for tests would make it
/// build again.
pub fn outside(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_cargo = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if name == "OUT_DIR" || of_cargo.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}
