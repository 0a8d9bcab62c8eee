//! What C hands over, borrowed.

use std::ffi::{CStr, c_char};

use crate::error::Error;

/// The text behind a pointer; the error names the argument.
///
/// # Safety
/// The pointer is NULL or points to bytes that end in NUL and stay as they are for `'a`.
pub unsafe fn text<'a>(argument: &str, pointer: *const c_char) -> Result<&'a str, Error> {
    if pointer.is_null() {
        return Err(Error::invalid_argument(argument, "is NULL"));
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|_| Error::invalid_argument(argument, "is not UTF-8"))
}
