//! Release archives to pack for other languages, and programs that have nothing but such a package.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::c::{Toolchain, outside, root, run};
use super::machines::shipped;
use super::needs;
use super::package::{may_be_released, target, tmp, unpacked};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where Debian has JNA.
pub const JNA: &str = "/usr/share/java/jna.jar";

/// What the packages serve, as release archives are called.
pub const PLATFORMS: [&str; 5] = [
    "aarch64-linux-gnu",
    "aarch64-linux-musl",
    "x86_64-linux-gnu",
    "x86_64-linux-musl",
    "x86_64-windows",
];

/// An archive for each platform: this machine's own where it was built, and stand-ins with its
/// library.
pub struct Archives {
    folder: TempDir,
}

impl Archives {
    pub fn new() -> io::Result<Self> {
        Self::within(tempfile::tempdir()?)
    }

    pub fn within(folder: TempDir) -> io::Result<Self> {
        let toolchain;
        let unpacked = may_be_released().then(unpacked);
        let library = if let Some(unpacked) = unpacked {
            unpacked.join("lib/libfpga_associate.so")
        } else {
            toolchain = Toolchain::new()?;
            toolchain.library()
        };
        for platform in PLATFORMS {
            let name = format!("fpga_associate-{VERSION}-{platform}");
            let own = unpacked.filter(|unpacked| unpacked.ends_with(&name));
            let tree = folder.path().join(&name);
            if let Some(own) = own {
                run(Command::new("cp").arg("-r").arg(own).arg(&tree))?;
            } else {
                stand_in(&tree, platform, &library)?;
            }
            run(Command::new("tar")
                .current_dir(folder.path())
                .args(["--create", "--gzip", "--file"])
                .arg(format!("{name}.tar.gz"))
                .arg(&name))?;
        }
        Ok(Self { folder })
    }

    /// Those that `.packaging/release` made.
    pub fn shipped() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for platform in PLATFORMS {
            let archive = with_suffix(shipped(platform)?, ".tar.gz");
            let name = archive.file_name().unwrap_or_default();
            symlink(&archive, folder.path().join(name))?;
        }
        Ok(Self { folder })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn archive(&self, platform: &str) -> PathBuf {
        let name = format!("fpga_associate-{VERSION}-{platform}.tar.gz");
        self.folder().join(name)
    }

    /// Packs all archives with a script of `.packaging`, and returns the files that it made.
    pub fn pack(&self, script: &str) -> io::Result<Vec<PathBuf>> {
        let archives = PLATFORMS.map(|platform| self.archive(platform));
        let printed = run(packing(script).args(archives))?;
        Ok(printed.lines().map(PathBuf::from).collect())
    }
}

/// The wheel for this machine, of all.
pub fn own_wheel(wheels: &[PathBuf]) -> io::Result<&Path> {
    let own = format!("manylinux2014_{}.whl", std::env::consts::ARCH);
    let found = wheels
        .iter()
        .find(|wheel| wheel.to_string_lossy().ends_with(&own));
    Ok(found.ok_or_else(|| io::Error::other(own))?)
}

/// A folder for what a static holds, which nothing drops: always the same, and empty at first.
pub fn kept(name: &str) -> io::Result<TempDir> {
    let _ = fs::remove_dir_all(tmp().join(name));
    tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempdir_in(tmp())
}

fn with_suffix(path: PathBuf, suffix: &str) -> PathBuf {
    let mut name = path.into_os_string();
    name.push(suffix);
    name.into()
}

fn stand_in(tree: &Path, platform: &str, library: &Path) -> io::Result<()> {
    let name = if platform.ends_with("windows") {
        "bin/fpga_associate.dll".to_owned()
    } else {
        format!("lib/libfpga_associate.so.{VERSION}")
    };
    let place = tree.join(name);
    fs::create_dir_all(place.parent().unwrap_or(tree))?;
    fs::copy(library, place)?;
    fs::copy(root().join("LICENSE"), tree.join("LICENSE"))?;
    fs::write(tree.join("THIRD-PARTY-LICENSES.txt"), platform)?;
    Ok(())
}

/// A script that packs archives.
pub fn packing(script: &str) -> Command {
    outside(root().join(".packaging").join(script))
}

/// A virtual environment of its own.
pub struct Python {
    folder: TempDir,
}

impl Python {
    /// With a wheel alone, installed without an index.
    pub fn with(wheel: &Path) -> io::Result<Self> {
        Self::within(tempfile::tempdir()?, wheel)
    }

    pub fn within(folder: TempDir, wheel: &Path) -> io::Result<Self> {
        virtual_environment(folder.path())?;
        let python = Self { folder };
        run(quiet_pip(&python.program("pip"))
            .arg("--no-index")
            .arg(wheel))?;
        Ok(python)
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.path().join("bin").join(name)
    }
}

fn virtual_environment(folder: &Path) -> io::Result<String> {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder))
}

fn quiet_pip(pip: &Path) -> Command {
    let mut command = Command::new(pip);
    command.args(["install", "--quiet", "--disable-pip-version-check"]);
    command
}

/// A program of a Python package, fetched once.
pub fn fetched(package: &str, version: &str) -> PathBuf {
    needs::python_environments();
    let folder = target().join(format!("{package}-{version}"));
    let program = folder.join("bin").join(package);
    if !program.exists() {
        let installed = virtual_environment(&folder).and_then(|_| {
            run(quiet_pip(&folder.join("bin/pip")).arg(format!("{package}=={version}")))
        });
        needs::fetched(&format!("{package} from PyPI"), installed);
    }
    program
}
