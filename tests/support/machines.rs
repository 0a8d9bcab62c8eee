//! Other machines, whose programs run here: in an emulator of their processor, or with their own C
//! library. The variable FPGA_ASSOC_MACHINE names one, and then every C program of the tests is one of
//! that machine's, with the library that the release archive has for it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::{root, run, target};

/// The variable that names one of [`MACHINES`].
const VARIABLE: &str = "FPGA_ASSOC_MACHINE";

/// A kind of machine.
pub struct Machine {
    /// Its name in `.packaging/targets`.
    name: &'static str,
    /// What compiles for it, with options. `zig` is the one that `.packaging/rust` fetched.
    compiler: (&'static str, &'static [&'static str]),
    /// What runs its programs, and the folder that it takes for the root of their libraries.
    emulator: Option<(&'static str, &'static str)>,
    /// What the static library needs beside the C library.
    pub libraries: &'static [&'static str],
}

/// What the static library is linked with where the C library is glibc.
const GNU: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

const MACHINES: [Machine; 5] = [
    Machine {
        name: "x86_64-linux-gnu",
        compiler: ("gcc", &[]),
        emulator: None,
        libraries: GNU,
    },
    Machine {
        name: "aarch64-linux-gnu",
        compiler: ("aarch64-linux-gnu-gcc", &[]),
        emulator: Some(("qemu-aarch64", "/usr/aarch64-linux-gnu")),
        libraries: GNU,
    },
    // Debian's compiler for musl can't link unwinding: its own library for that is glibc's.
    Machine {
        name: "x86_64-linux-musl",
        compiler: ("zig", &["cc", "-target", "x86_64-linux-musl", "-dynamic"]),
        emulator: None,
        libraries: &["-lunwind"],
    },
    Machine {
        name: "aarch64-linux-musl",
        compiler: ("zig", &["cc", "-target", "aarch64-linux-musl", "-dynamic"]),
        // Debian's musl for that processor, from `.packaging/debian-files`.
        emulator: Some(("qemu-aarch64", "release-tools/arm64")),
        libraries: &["-lunwind"],
    },
    // The other byte order.
    Machine {
        name: "s390x-linux-gnu",
        compiler: ("s390x-linux-gnu-gcc", &[]),
        emulator: Some(("qemu-s390x", "/usr/s390x-linux-gnu")),
        libraries: GNU,
    },
];

impl Machine {
    /// The one that the environment names; none where the programs are to be this machine's own.
    pub fn of_environment() -> io::Result<Option<&'static Self>> {
        let Some(name) = env::var_os(VARIABLE) else {
            return Ok(None);
        };
        let found = MACHINES.iter().find(|machine| name == machine.name);
        found
            .map(Some)
            .ok_or_else(|| io::Error::other(format!("{VARIABLE}: no machine {}", name.display())))
    }

    /// A command that compiles a C program for it.
    pub fn compiler(&self) -> io::Result<Command> {
        let (program, options) = self.compiler;
        let mut compiler = Command::new(program);
        if program == "zig" {
            compiler = Command::new(target()?.join("release-tools/python/bin/python"));
            compiler.args(["-m", "ziglang"]);
        }
        compiler.args(options);
        Ok(compiler)
    }

    /// The variable that has a program load a library before all others, and nothing else do so.
    pub fn in_front(&self, library: OsString) -> (&'static str, OsString) {
        if self.emulator.is_none() {
            return ("LD_PRELOAD", library);
        }
        let mut variable = OsString::from("LD_PRELOAD=");
        variable.push(library);
        ("QEMU_SET_ENV", variable)
    }

    /// Makes a program one that this machine can start.
    pub fn startable(&self, program: PathBuf) -> io::Result<PathBuf> {
        let Some((emulator, libraries)) = self.emulator else {
            return Ok(program);
        };
        let script = format!(
            "#!/bin/sh\nexec {emulator} -L '{}' '{}' \"$@\"\n",
            // A folder of the system stays what it is.
            target()?.join(libraries).display(),
            program.display()
        );
        let mut name = OsString::from(program);
        name.push("-emulated");
        let startable = PathBuf::from(name);
        let text = startable.with_extension("sh");
        fs::write(&text, script)?;
        // Another process writes it: a thread that starts a program just now would hand on a file of
        // this one, and what is open for writing can't be started.
        run(Command::new("install")
            .args(["-m", "755"])
            .arg(text)
            .arg(&startable))?;
        Ok(startable)
    }

    /// The release archive for it, as the folder that `.packaging/release` leaves.
    pub fn shipped(&self) -> io::Result<PathBuf> {
        shipped(self.name)
    }
}

/// The release archive for a target, as the folder that `.packaging/release` leaves.
pub fn shipped(target_name: &str) -> io::Result<PathBuf> {
    let given = env::var_os("FPGA_ASSOC_PACKAGES").map(|folder| root().join(folder));
    let packages = match given {
        Some(folder) => folder,
        None => target()?.join("packages"),
    };
    let version = env!("CARGO_PKG_VERSION");
    let folder = packages.join(format!("fpga_associate-{version}-{target_name}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    let needed = format!(
        "{}: missing; .packaging/release {target_name} makes it",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::NotFound, needed))
}
