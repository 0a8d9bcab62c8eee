//! Other machines, whose programs run here: in an emulator of their processor, with their own C
//! library, or watched by a sanitizer. The variable FPGA_ASSOC_MACHINE names one, and then every C
//! program of the tests is one of that machine's, with the library that the release archive has for
//! it, or that `.ci/sanitizers` built.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::c::{root, run, target};

/// The variable that names one of [`MACHINES`].
const VARIABLE: &str = "FPGA_ASSOC_MACHINE";

/// A kind of machine.
pub struct Machine {
    /// Its name in `.packaging/targets`, or of a sanitizer.
    name: &'static str,
    /// What compiles for it, with options. `zig` is the one that `.packaging/rust` fetched.
    compiler: (&'static str, &'static [&'static str]),
    /// What a sanitizer needs in each program.
    runtime: Option<&'static str>,
    /// What runs its programs: a command, in which TARGET is cargo's folder and PROJECT this one. None
    /// where they run by themselves.
    runner: &'static [&'static str],
    /// What the static library needs beside the C library.
    pub libraries: &'static [&'static str],
}

/// What the static library is linked with where the C library is glibc.
const GNU: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

/// What most have.
const PLAIN: Machine = Machine {
    name: "",
    compiler: ("gcc", &[]),
    runtime: None,
    runner: &[],
    libraries: GNU,
};

const MACHINES: [Machine; 8] = [
    Machine {
        name: "x86_64-linux-gnu",
        ..PLAIN
    },
    Machine {
        name: "aarch64-linux-gnu",
        compiler: ("aarch64-linux-gnu-gcc", &[]),
        runner: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
        ..PLAIN
    },
    // Debian's compiler for musl can't link unwinding: its own library for that is glibc's.
    Machine {
        name: "x86_64-linux-musl",
        compiler: ("zig", &["cc", "-target", "x86_64-linux-musl", "-dynamic"]),
        libraries: &["-lunwind"],
        ..PLAIN
    },
    Machine {
        name: "aarch64-linux-musl",
        compiler: ("zig", &["cc", "-target", "aarch64-linux-musl", "-dynamic"]),
        // Debian's musl for that processor, from `.packaging/debian-files`.
        runner: &["qemu-aarch64", "-L", "TARGET/release-tools/arm64"],
        libraries: &["-lunwind"],
        ..PLAIN
    },
    // The other byte order.
    Machine {
        name: "s390x-linux-gnu",
        compiler: ("s390x-linux-gnu-gcc", &[]),
        runner: &["qemu-s390x", "-L", "/usr/s390x-linux-gnu"],
        ..PLAIN
    },
    // Memory that is misused or leaks, and in the program what C leaves undefined. The runtime is the
    // one of Rust's LLVM, and not the compiler's own, which is older.
    Machine {
        name: "sanitizer-address",
        compiler: (
            "gcc",
            &[
                "-g",
                "-nodefaultlibs",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=undefined",
                // Rust's runtime has nothing for it.
                "-fno-sanitize=vptr",
            ],
        ),
        runtime: Some("librustc-stable_rt.asan.a"),
        runner: &[
            "env",
            "ASAN_OPTIONS=log_path=TARGET/sanitizers/reports/report:detect_stack_use_after_return=1",
        ],
        ..PLAIN
    },
    // What two threads do without an order. A child of fork is watched too, though other threads were
    // in the middle of something.
    Machine {
        name: "sanitizer-thread",
        compiler: ("gcc", &["-g", "-nodefaultlibs", "-fsanitize=thread"]),
        runtime: Some("librustc-stable_rt.tsan.a"),
        runner: &[
            "env",
            "TSAN_OPTIONS=log_path=TARGET/sanitizers/reports/report:die_after_fork=0",
        ],
        ..PLAIN
    },
    // Memory once more, in the code that no compiler instruments: assembly, and the standard library.
    Machine {
        name: "sanitizer-memcheck",
        compiler: ("gcc", &["-g"]),
        runner: &[
            "valgrind",
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            // What is possibly lost is not: a map of Rust's is found by a pointer into its middle.
            "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect",
            "--suppressions=PROJECT/tests/support/programs/memcheck.supp",
            "--fair-sched=yes",
            "--log-file=TARGET/sanitizers/reports/report.%p",
        ],
        ..PLAIN
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

    /// What the compiler is told of a sanitizer where it links a program, and where it links a library
    /// that programs load in front of others: that is not watched, as the shell that loads it too.
    pub fn sanitizer(&self, is_program: bool) -> io::Result<Vec<String>> {
        let Some(runtime) = self.runtime else {
            return Ok(Vec::new());
        };
        if !is_program {
            return Ok(vec!["-fno-sanitize=all".to_owned()]);
        }
        // All of it, and for all to see: the library takes what it needs from the program.
        let runtime = self.shipped()?.join("lib").join(runtime);
        let whole = format!(
            "-Wl,--export-dynamic,--whole-archive,{},--no-whole-archive",
            runtime.display()
        );
        let libraries = ["-lm", "-ldl", "-lc", "-lgcc", "-lgcc_s"];
        Ok([whole]
            .into_iter()
            .chain(libraries.map(str::to_owned))
            .collect())
    }

    /// The variable that has a program load a library before all others, and nothing else do so.
    pub fn in_front(&self, library: OsString) -> (&'static str, OsString) {
        if !self.is_emulated() {
            return ("LD_PRELOAD", library);
        }
        let mut variable = OsString::from("LD_PRELOAD=");
        variable.push(library);
        ("QEMU_SET_ENV", variable)
    }

    fn is_emulated(&self) -> bool {
        self.runner
            .first()
            .is_some_and(|runner| runner.starts_with("qemu"))
    }

    /// Makes a program one that this machine can start.
    pub fn startable(&self, program: PathBuf) -> io::Result<PathBuf> {
        if self.runner.is_empty() {
            return Ok(program);
        }
        let (target, project) = (target()?, root());
        let runner = self.runner.iter().map(|word| {
            let word = word.replace("TARGET", &target.display().to_string());
            format!(
                "'{}'",
                word.replace("PROJECT", &project.display().to_string())
            )
        });
        let script = format!(
            "#!/bin/sh\nexec {} '{}' \"$@\"\n",
            runner.collect::<Vec<_>>().join(" "),
            program.display()
        );
        let mut name = OsString::from(program);
        name.push("-started");
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
