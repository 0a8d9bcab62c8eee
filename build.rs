//! Writes the C header, under `OUT_DIR` alone, and names the shared library.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);

    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=include/cbindgen.toml");
    let mut config = cbindgen::Config::from_file(root.join("include/cbindgen.toml"))?;
    config.after_includes = Some(version_macros()?);
    cbindgen::Builder::new()
        .with_crate(&root)
        .with_config(config)
        .generate()?
        .write_to_file(out.join("fpga_associate.h"));

    // This package is the C library alone. Rust programs that have the sources in another have their
    // own allocator.
    println!("cargo::rustc-cfg=c_library");
    let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libfpga_associate.so.{major}");
    // A thread that ends after the library was unloaded would run a destructor that is gone.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}

/// The version as macros, from the one place that has it: Cargo.toml.
fn version_macros() -> Result<String, env::VarError> {
    let mut macros = format!(
        "\n/** The version of this header, as text. */\n#define FPGA_ASSOC_VERSION \"{}\"\n",
        env::var("CARGO_PKG_VERSION")?
    );
    for part in ["MAJOR", "MINOR", "PATCH"] {
        let number = env::var(format!("CARGO_PKG_VERSION_{part}"))?;
        macros.push_str(&format!("#define FPGA_ASSOC_VERSION_{part} {number}\n"));
    }
    Ok(macros)
}
