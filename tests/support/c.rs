//! C programs, compiled against the header and linked to the shared library that was just built.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with the library under its installed names, for programs and for the loader.
pub struct Toolchain {
    folder: tempfile::TempDir,
}

impl Toolchain {
    /// Links to the library that cargo built beside this very program.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let library = built_library()?;
        symlink(&library, folder.path().join("libfpga_associate.so.0"))?;
        symlink(&library, folder.path().join("libfpga_associate.so"))?;
        Ok(Self { folder })
    }

    /// A folder for this toolchain's files, gone when it is dropped.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The shared library under the name that `dlopen` wants.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("libfpga_associate.so.0")
    }

    /// Compiles a C file with all warnings as errors, and returns the program.
    pub fn compile(&self, source: &Path, more: &[&str]) -> io::Result<PathBuf> {
        let name = source.file_stem().unwrap_or(OsStr::new("program"));
        let program = self.folder.path().join(name);
        let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        run(Command::new(&compiler)
            .args([
                "-std=c11",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-pthread",
            ])
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
            .args(more))?;
        Ok(program)
    }

    /// As [`Toolchain::compile`], from a text.
    pub fn compile_text(&self, name: &str, text: &str, more: &[&str]) -> io::Result<PathBuf> {
        let source = self.folder.path().join(name).with_extension("c");
        std::fs::write(&source, format!("#define _GNU_SOURCE\n{text}"))?;
        self.compile(&source, more)
    }
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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

/// Cargo puts the library into `deps`, where tests are; examples are in a folder beside it.
fn built_library() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    for folder in folders {
        for place in [folder.to_owned(), folder.join("deps")] {
            let library = place.join("libfpga_associate.so");
            if library.exists() {
                return Ok(library);
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "no libfpga_associate.so beside this program",
    ))
}
