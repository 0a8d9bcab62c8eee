//! Statuses in words.

use std::ffi::{CStr, c_char};

use crate::status::Status;

/// The name of a status, as "FPGA_ASSOC_TIMEOUT"; "unknown status" for a number that is none.
///
/// `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never
/// NULL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_status_name(status: i32) -> *const c_char {
    let unknown: &CStr = c"unknown status";
    Status::from_number(status)
        .map_or(unknown, Status::name)
        .as_ptr()
}

/// The likely cause of a status and what to do about it, in a sentence or two for people.
///
/// `status` may be any number. Returns constant text that ends in NUL and is valid for ever, never
/// NULL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_status_help(status: i32) -> *const c_char {
    let unknown: &CStr =
        c"This version of the library has no such status; a newer header may explain it.";
    Status::from_number(status)
        .map_or(unknown, Status::help)
        .as_ptr()
}
