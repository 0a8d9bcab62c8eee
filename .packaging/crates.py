"""What .packaging/sbom and .packaging/licences share: the crates that are linked into the library for a target."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "fpga-associate"


def printed_by(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked(target):
    """Of each package, as (name, version), those that it depends on.

    By `cargo tree`: `cargo metadata` shows features that only tests switch on as well, and what these bring.
    """
    tree = printed_by("cargo", "tree", "--quiet", "--locked", "--package", PACKAGE, "--target", target,
                      "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}")
    dependencies, path = {}, []
    for line in tree.splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        package = (name, version)
        del path[int(depth):]
        dependencies.setdefault(package, set())
        if path:
            dependencies[path[-1]].add(package)
        path.append(package)
    return dependencies


def described(target):
    metadata = json.loads(printed_by("cargo", "metadata", "--quiet", "--locked", "--format-version", "1",
                                     "--filter-platform", target))
    return {(package["name"], package["version"]): package for package in metadata["packages"]}


def expression(description):
    """A crate's licence. A stroke is how "or" was written once."""
    return description["license"].replace("/", " OR ")


def version_of_rust():
    return re.search(r"^release: (\S+)", printed_by("rustc", "-vV"), re.MULTILINE)[1]
