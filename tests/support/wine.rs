//! Programs for Windows, which run here under Wine, against servers that do not: there a server of the
//! tests would hang at its end, because to shut a connection down does not wake the thread that reads
//! from it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use super::c::{root, run};
use super::machines::shipped;
use super::package::tmp;

pub const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Where a program has not ended, Wine or the library hangs.
const LONG: Duration = Duration::from_secs(180);

/// What Wine 8 lacks of Windows 10, and the standard library wants: random numbers under another name.
const RANDOM: &str = r#"
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)
{
    return RtlGenRandom(bytes, (ULONG)count);
}
"#;

/// How a program comes to the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// Through the import library.
    Shared,
    /// Through the one for Microsoft's linker.
    Microsofts,
    /// It has all of it.
    Static,
    /// Not at all: it loads it when it runs.
    Not,
}

/// The files of a Windows that no program has run on.
static BOOTED: LazyLock<io::Result<PathBuf>> = LazyLock::new(boot);

fn boot() -> io::Result<PathBuf> {
    let folder = tmp().join("wine");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder)?;
    // What it has to say about that is no program's. It was seen to fail once, without a word.
    let boot = || run(command("wineboot", &folder).arg("--init"));
    boot().or_else(|_| boot())?;
    for how in ["-k", "-w"] {
        command("wineserver", &folder).arg(how).status()?;
    }
    Ok(folder.join("prefix"))
}

/// A program of Wine, or one that starts it, on the Windows in a folder.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    have_it_used(&mut command, folder);
    command
}

fn have_it_used(command: &mut Command, folder: &Path) {
    command
        .env("WINEPREFIX", folder.join("prefix"))
        .env("WINEDEBUG", "-all")
        // Where its server has its socket, which it leaves behind.
        .env("TMPDIR", folder)
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY");
}

/// A Windows of its own, gone when it is dropped.
pub struct Wine {
    folder: tempfile::TempDir,
    shipped: PathBuf,
}

impl Wine {
    pub fn new() -> io::Result<Self> {
        let wine = Self {
            folder: tempfile::tempdir()?,
            shipped: shipped("x86_64-windows")?,
        };
        fs::create_dir(wine.programs())?;
        fs::copy(
            wine.shipped.join("bin/fpga_associate.dll"),
            wine.programs().join("fpga_associate.dll"),
        )?;
        let source = wine.folder.path().join("random.c");
        fs::write(&source, RANDOM)?;
        run(Command::new(COMPILER)
            .args(["-shared", "-o"])
            .arg(wine.programs().join("bcryptprimitives.dll"))
            .arg(&source)
            .arg("-ladvapi32"))?;
        // Its files are copied in a second, where making them takes ten.
        let files = BOOTED
            .as_ref()
            .map_err(|error| io::Error::other(error.to_string()))?;
        run(Command::new("cp").arg("-a").args([files, &wine.prefix()]))?;
        Ok(wine)
    }

    fn prefix(&self) -> PathBuf {
        self.folder.path().join("prefix")
    }

    /// Where programs and the DLL are.
    pub fn programs(&self) -> PathBuf {
        self.folder.path().join("programs")
    }

    /// Where CMake finds the library.
    pub fn cmake(&self) -> PathBuf {
        self.shipped.join("share/cmake/fpga_associate")
    }

    /// A folder for this test's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Compiles a C file, with all warnings as errors.
    pub fn compile(&self, source: &Path, linked: Linked) -> io::Result<PathBuf> {
        let program = self.programs().join(format!("{linked:?}.exe"));
        let mut command = Command::new(COMPILER);
        command
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(self.shipped.join("include"))
            .arg(root().join(source))
            .arg("-o")
            .arg(&program);
        let lib = self.shipped.join("lib");
        match linked {
            Linked::Shared => command.arg(lib.join("libfpga_associate.dll.a")),
            Linked::Microsofts => command.arg(lib.join("fpga_associate.lib")),
            Linked::Static => command
                .arg("-DFPGA_ASSOC_STATIC")
                .arg(lib.join("libfpga_associate.a"))
                .args(["-lntdll", "-lws2_32"]),
            Linked::Not => &mut command,
        };
        run(&mut command)?;
        Ok(program)
    }

    /// Runs a program, which must end in time.
    pub fn run(&self, program: &Path, arguments: &[&str], token: &str) -> io::Result<Output> {
        self.run_with(&[("FPGA_TOKEN", token)], program, arguments)
    }

    /// As [`Wine::run`], with variables.
    pub fn run_with(
        &self,
        variables: &[(&str, &str)],
        program: &Path,
        arguments: &[&str],
    ) -> io::Result<Output> {
        let mut child = self
            .command("wine")
            .arg(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let begun = Instant::now();
        while child.try_wait()?.is_none() {
            if begun.elapsed() > LONG {
                child.kill()?;
                let output = child.wait_with_output()?;
                return Err(io::Error::other(format!("it did not end: {output:?}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        child.wait_with_output()
    }

    fn command(&self, program: &str) -> Command {
        command(program, self.folder())
    }

    /// Makes it Windows 10, and puts what Wine lacks of that where the programs of every folder find it.
    pub fn complete(&self) -> io::Result<()> {
        run(self.command("winecfg").args(["-v", "win10"]))?;
        let system = self.prefix().join("drive_c/windows/system32");
        let name = "bcryptprimitives.dll";
        fs::copy(self.programs().join(name), system.join(name)).map(drop)
    }

    /// Has a program that starts Wine use this one.
    pub fn have_it_used(&self, command: &mut Command) {
        have_it_used(command, self.folder());
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        self.command("wineserver").arg("-k").status().ok();
    }
}

/// How a path is called there.
pub fn path(path: &Path) -> String {
    format!("Z:{}", path.display())
}
