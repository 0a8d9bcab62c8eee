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
    config.after_includes = Some(version_macros()? + FUNCTION_MACROS);
    cbindgen::Builder::new()
        .with_crate(&root)
        .with_config(config)
        .generate()?
        .write_to_file(out.join("fpga_associate.h"));

    // This package is the C library alone. Rust programs that have the sources in another have their
    // own allocator.
    println!("cargo::rustc-cfg=c_library");
    let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
    for argument in link_arguments(&env::var("CARGO_CFG_TARGET_OS")?, &major) {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    Ok(())
}

/// What the linker is told of the shared library. A DLL has no name in it that matters, and stays loaded
/// in another way (src/transport/system/windows/threads.rs).
fn link_arguments(system: &str, major: &str) -> Vec<String> {
    match system {
        // The same sources make the same file.
        "windows" => vec!["-Wl,--no-insert-timestamp".to_owned()],
        "macos" | "ios" => vec![format!(
            "-Wl,-install_name,@rpath/libfpga_associate.{major}.dylib"
        )],
        _ => vec![
            format!("-Wl,-soname,libfpga_associate.so.{major}"),
            // A thread that ends after the library was unloaded would run a destructor that is gone.
            "-Wl,-z,nodelete".to_owned(),
        ],
    }
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
    macros.push_str(VERSION_NUMBER);
    Ok(macros)
}

const VERSION_NUMBER: &str = "
/** The version of this header as a number that grows with it: 1.2.3 is 1002003. */
#define FPGA_ASSOC_VERSION_NUMBER \\
  (FPGA_ASSOC_VERSION_MAJOR * 1000000L + FPGA_ASSOC_VERSION_MINOR * 1000L + FPGA_ASSOC_VERSION_PATCH)
";

const FUNCTION_MACROS: &str = "
/**
 * Stands in front of every function. A program for Windows that links the static library defines
 * FPGA_ASSOC_STATIC first.
 */
#ifndef FPGA_ASSOC_API
#if defined(_WIN32) && !defined(FPGA_ASSOC_STATIC)
#define FPGA_ASSOC_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define FPGA_ASSOC_API __attribute__((visibility(\"default\")))
#else
#define FPGA_ASSOC_API
#endif
#endif

/**
 * Stands in front of functions whose status must be looked at: the compiler warns where it is not.
 * Define it as nothing to be spared that.
 */
#ifndef FPGA_ASSOC_MUST_CHECK
#if defined(__GNUC__)
#define FPGA_ASSOC_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FPGA_ASSOC_MUST_CHECK
#endif
#endif
";
