//! Which library is loaded.

use std::ffi::{CStr, c_char};

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library that is loaded, as "1.2.3"; `FPGA_ASSOC_VERSION` is that of the
/// header.
///
/// Returns constant text that ends in NUL and is valid for ever, never NULL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_version() -> *const c_char {
    VERSION.as_ptr()
}
