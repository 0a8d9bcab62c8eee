"""For projects that use Conan 2: `conan create .packaging/conan`, from the project's folder. Needs cargo; for the
static library, `-o '*:shared=False'`, binutils as well."""

import os
import re

from conan import ConanFile
from conan.errors import ConanException, ConanInvalidConfiguration
from conan.tools.build import build_jobs, cross_building
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class FpgaAssociate(ConanFile):
    name = "fpga_associate"
    description = "A C library that associates Huawei Cloud FPGA images with ECS images"
    license = "Apache-2.0"
    topics = "fpga", "huawei-cloud", "c-api"
    package_type = "library"
    # No compiler and no build type: cargo makes the same release build for all of them.
    settings = "os", "arch"
    options = {"shared": [True, False]}
    default_options = {"shared": True}
    no_copy_source = True

    def set_version(self):
        cargo = load(self, os.path.join(self.recipe_folder, "..", "..", "Cargo.toml"))
        self.version = re.search('^version = "(.*)"', cargo, re.MULTILINE).group(1)

    def export_sources(self):
        # Of the tests, what cargo wants to see of a workspace and its targets before it builds any.
        for pattern in ("Cargo.*", "LICENSE", "build.rs", "include/*", "src/*", ".packaging/remap",
                        ".packaging/static-library", "tests/emulator/*", "tests/rlib/*", "tests/support/*",
                        "tests/*.rs"):
            copy(self, pattern, os.path.join(self.recipe_folder, "..", ".."), self.export_sources_folder,
                 excludes=("target", ".git"))

    def layout(self):
        self.folders.root = os.path.join("..", "..")
        self.folders.source = "."
        self.folders.build = self.folders.generators = os.path.join("target", "conan")
        # For editable packages.
        self.cpp.source.includedirs = ["include"]
        self.cpp.build.libdirs = ["lib"]

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("only for Linux; .packaging/release x86_64-windows packs it for Windows")

    def validate_build(self):
        if cross_building(self):
            raise ConanInvalidConfiguration("is not cross-built by Conan; .packaging/release packs it for other machines")

    def build(self):
        if self.run("command -v cargo", ignore_errors=True, quiet=True) != 0:
            raise ConanException("cargo is missing: install Rust, or name its folder in PATH")
        # One folder for the shared and the static library, where somebody names one, spares building twice.
        target = os.path.abspath(os.getenv("CARGO_TARGET_DIR") or "cargo")
        # Another target would be built in another folder.
        self.run("CARGO_ENCODED_RUSTFLAGS=$(.packaging/remap) env -u CARGO_BUILD_TARGET cargo build --release --locked --lib "
                 f'--jobs {build_jobs(self)} --target-dir "{target}"', cwd=self.source_folder)
        built = os.path.join(target, "release", "libfpga_associate")
        folder = os.path.join(self.build_folder, "lib")
        rmdir(self, folder)
        if self.options.shared:
            library = os.path.join(folder, "libfpga_associate.so")
            major, _ = self.version.split(".", 1)
            self.run(f'install -D -m 755 "{built}.so" "{library}.{self.version}"')
            for link in (library, f"{library}.{major}"):
                os.symlink(f"libfpga_associate.so.{self.version}", link)
        else:
            script = os.path.join(self.source_folder, ".packaging", "static-library")
            self.run(f'"{script}" "{built}.a" "{folder}/libfpga_associate.a"')

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "fpga_associate.h", os.path.join(self.source_folder, "include"),
             os.path.join(self.package_folder, "include"))
        copy(self, "*", os.path.join(self.build_folder, "lib"), os.path.join(self.package_folder, "lib"))

    def package_info(self):
        self.cpp_info.libs = ["fpga_associate"]
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread", "dl", "m", "rt", "util"]
            # Its name where it is installed from source.
            self.cpp_info.set_property("cmake_target_aliases", ["fpga_associate::fpga_associate_static"])
