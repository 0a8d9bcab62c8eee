"""What .packaging/wheel, .packaging/npm and .packaging/jar share: release archives, and files of fixed bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
MANIFEST = (ROOT / "Cargo.toml").read_text(encoding="utf-8")

# By what release archives are called, with the library's name for its user's loader.
PLATFORMS = {
    "x86_64-linux-gnu": "libfpga_associate.so.0",
    "aarch64-linux-gnu": "libfpga_associate.so.0",
    "x86_64-linux-musl": "libfpga_associate.so.0",
    "aarch64-linux-musl": "libfpga_associate.so.0",
    "x86_64-windows": "fpga_associate.dll",
}

# What is linked into a library, and on which terms.
LICENCES = "THIRD-PARTY-LICENSES.txt"


def fail(message: str) -> NoReturn:
    """Ends with one line."""
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def of_manifest(name: str) -> str:
    """A text of Cargo.toml."""
    found = re.search(rf'^{name} = "(.*)"$', MANIFEST, re.MULTILINE)
    return found[1] if found else fail(f"Cargo.toml has no {name}")


VERSION = of_manifest("version")
DESCRIPTION = of_manifest("description").replace("A C library that associates", "Associates")


class Archive:
    """A release archive, of which the library and the licences are read."""

    def __init__(self, path: Path) -> None:
        named = re.fullmatch(rf"fpga_associate-{re.escape(VERSION)}-(.+)\.tar\.gz", path.name)
        if named is None or named[1] not in PLATFORMS:
            platforms = ", ".join(PLATFORMS)
            fail(f"{path}: not named fpga_associate-{VERSION}-PLATFORM.tar.gz; PLATFORM is one of {platforms}")
        self.platform = named[1]
        self.folder = path.parent
        self.library_name = PLATFORMS[self.platform]
        member = f"lib/libfpga_associate.so.{VERSION}"
        if self.platform.endswith("-windows"):
            member = f"bin/{self.library_name}"
        try:
            with tarfile.open(path, "r:gz") as tar:
                names = (member, "LICENSE", LICENCES)
                files = [tar.extractfile(f"{path.name[:-len('.tar.gz')]}/{name}") for name in names]
                self.library, self.licence, self.licences = (file.read() for file in files if file is not None)
        except (OSError, tarfile.TarError, KeyError, ValueError) as error:
            fail(f"{path}: {getattr(error, 'strerror', None) or error}")


def archives() -> list[Archive]:
    """Those of the command line, or all of this version in the folder of packages; in a fixed order."""
    given = [Path(argument) for argument in sys.argv[1:]]
    if not given:
        folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "packages"
        # There may be archives of other platforms too.
        named = [folder / f"fpga_associate-{VERSION}-{platform}.tar.gz" for platform in PLATFORMS]
        given = [path for path in named if path.exists()]
        if not given:
            fail(f"no release archive of {VERSION} in {folder}; .packaging/release makes them")
    read = sorted(map(Archive, given), key=lambda archive: list(PLATFORMS).index(archive.platform))
    platforms = [archive.platform for archive in read]
    if len(set(platforms)) < len(platforms):
        fail("two archives of one platform")
    return read


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """What a tool prints; it must be there and succeed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        fail(f"{command[0]} is missing")
    except subprocess.CalledProcessError as error:
        fail(f"{' '.join(map(str, command))}\n{error.stdout}{error.stderr}")
    return done.stdout


def date() -> int:
    """The time that files are given, in seconds since 1970: that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None and (ROOT / ".git").exists():
        given = run("git", "log", "-1", "--format=%ct")
    # A zip file knows no time before 1980, and no second but every other.
    return max(int(given or 0), 315_532_800)


def write_zip(path: Path, files: list[tuple[str, bytes]]) -> None:
    """Writes files in this order, the same bytes each time."""
    moment = time.gmtime(date())[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in files:
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3  # Unix, wherever this runs: the mode is read there alone.
            entry.external_attr = (0o100755 if is_library(name) else 0o100644) << 16
            packed.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)


def is_library(name: str) -> bool:
    """Whether a name is that of a shared library."""
    return name.rpartition("/")[2] in ("libfpga_associate.so", *PLATFORMS.values())
