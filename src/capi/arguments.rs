//! What C hands over, borrowed.

use std::ffi::{CStr, c_char};

use crate::association::{Filter, Pair, Token};
use crate::error::Error;

/// The text behind a pointer; the error names the argument.
///
/// # Safety
/// The pointer is NULL or points to bytes that end in NUL and stay as they are for `'a`.
pub unsafe fn text<'a>(argument: &str, pointer: *const c_char) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise.
    let text = unsafe { c_string(argument, pointer)? };
    text.to_str().map_err(|_| not_utf_8(argument))
}

/// The bytes behind a pointer, as far as the first NUL; the error names the argument.
///
/// # Safety
/// As for [`text`].
unsafe fn c_string<'a>(argument: &str, pointer: *const c_char) -> Result<&'a CStr, Error> {
    if pointer.is_null() {
        return Err(Error::invalid_argument(argument, "is NULL"));
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    Ok(unsafe { CStr::from_ptr(pointer) })
}

/// A token that may be left out, as NULL.
///
/// # Safety
/// As for [`text`].
pub unsafe fn optional_token<'a>(pointer: *const c_char) -> Result<Option<Token<'a>>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { token(pointer) }.map(Some)
}

/// A token is long, so that its bytes are looked at once.
///
/// # Safety
/// As for [`text`].
pub unsafe fn token<'a>(pointer: *const c_char) -> Result<Token<'a>, Error> {
    // SAFETY: the caller's promise.
    let token = unsafe { c_string("token", pointer)? };
    Token::new(token.to_bytes()).map_err(|error| match token.to_str() {
        Ok(_) => error,
        Err(_) => not_utf_8("token"),
    })
}

fn not_utf_8(argument: &str) -> Error {
    Error::invalid_argument(argument, "is not UTF-8")
}

/// The longest text that is given with its length, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The bytes behind a pointer; the error names the argument.
///
/// # Safety
/// The pointer is NULL or points to so many bytes, which stay as they are for `'a`.
pub unsafe fn bytes<'a>(
    argument: &str,
    pointer: *const c_char,
    length: usize,
) -> Result<&'a [u8], Error> {
    if pointer.is_null() {
        return Err(Error::invalid_argument(argument, "is NULL"));
    }
    if length > MAX_BYTES {
        return Err(Error::invalid_argument(argument, "is over 16 MiB long"));
    }
    // SAFETY: not NULL, and not too long; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), length) })
}

/// A text that may be left out, as NULL.
///
/// # Safety
/// As for [`text`].
pub unsafe fn optional_text<'a>(
    argument: &str,
    pointer: *const c_char,
) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { text(argument, pointer) }.map(Some)
}

/// The pair that a call is about.
///
/// # Safety
/// As for [`text`], for each.
pub unsafe fn pair<'a>(
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> Result<Pair<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        Pair::new(
            text("project_id", project_id)?,
            text("fpga_id", fpga_id)?,
            text("ecs_id", ecs_id)?,
        )
    }
}

/// What a list call asks for.
///
/// # Safety
/// As for [`text`], for each.
pub unsafe fn filter<'a>(
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> Result<Filter<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        Filter::new(
            text("project_id", project_id)?,
            optional_text("fpga_id", fpga_id)?,
            optional_text("ecs_id", ecs_id)?,
        )
    }
}
