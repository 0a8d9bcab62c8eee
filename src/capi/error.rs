//! Errors by value: what C can ask about one.

use std::ffi::{CString, c_char};

use crate::error::Error;
use crate::status::Status;

/// Why a call failed. Only the library makes one; its fields are read with the functions whose
/// names begin with `fpga_assoc_error_`.
///
/// Nothing in it changes once it was handed out, so any number of threads may read it at once while
/// it is valid.
pub struct fpga_assoc_error {
    error: Error,
    message: CString,
    code: CString,
    request_id: CString,
}

impl From<Error> for fpga_assoc_error {
    fn from(error: Error) -> Self {
        // Cleaned text has no NUL byte, so that nothing is lost here.
        let text = |text: &str| CString::new(text).unwrap_or_default();
        Self {
            message: text(&error.message),
            code: text(&error.code),
            request_id: text(&error.request_id),
            error,
        }
    }
}

impl fpga_assoc_error {
    /// An error that is freed by `Box::from_raw`.
    pub fn owned(error: Error) -> *mut Self {
        Box::into_raw(Box::new(Self::from(error)))
    }
}

/// # Safety
/// The pointer is NULL or is of an error that is alive for `'a`.
unsafe fn borrow<'a>(error: *const fpga_assoc_error) -> Option<&'a fpga_assoc_error> {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }
}

/// The status of the call, the same number that the call returned; `FPGA_ASSOC_OK` for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_status(error: *const fpga_assoc_error) -> i32 {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error
        .map_or(Status::OK, |error| error.error.status)
        .number()
}

/// The HTTP status of the answer; 0 where no answer came, and for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_http_status(error: *const fpga_assoc_error) -> i32 {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(0, |error| error.error.http_status.into())
}

/// One line of text for people, as `fpga_assoc_last_error` describes it; "" for NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_message(error: *const fpga_assoc_error) -> *const c_char {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(c"", |error| &error.message).as_ptr()
}

/// The service's own code, such as "Ecs.0005"; "" where it gave none, and for NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_code(error: *const fpga_assoc_error) -> *const c_char {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(c"", |error| &error.code).as_ptr()
}

/// The service's name for this request, which its support asks for; "" where none came, and for
/// NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_request_id(
    error: *const fpga_assoc_error,
) -> *const c_char {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(c"", |error| &error.request_id).as_ptr()
}

/// How long the service asked to wait before the next call, in milliseconds; 0 where it did not
/// ask, and for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_retry_after_ms(error: *const fpga_assoc_error) -> u64 {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(0, |error| error.error.retry_after_ms)
}

/// How many times the request was tried, for a list the page that failed; 0 where an argument was
/// refused before that, and for NULL. That a kept connection was closed, and the request sent once
/// more on a new one at once, is not counted.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_attempts(error: *const fpga_assoc_error) -> u32 {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.map_or(0, |error| error.error.attempts)
}

/// Whether the service may have acted on the request although the call failed; false for NULL.
///
/// It can be true once the request had begun to go out: after a deadline that passed, a shutdown, a
/// connection that broke, an answer that can't be read, and HTTP 5xx other than 501 and 503; also
/// after a refusal that may be the echo of this call's own earlier success. Where the list call
/// could be asked it is false, as of that list call. Where it is true, find out what the service
/// did before the call is repeated. Never true for a list.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_outcome_unknown(error: *const fpga_assoc_error) -> bool {
    // SAFETY: as the header says.
    let error = unsafe { borrow(error) };
    error.is_some_and(|error| error.error.outcome_unknown)
}

/// Frees an error that an error pointer received. NULL is ignored.
///
/// Do not free what `fpga_assoc_last_error_detail` returned: that belongs to the library.
///
/// Thread-safe, as long as nobody else uses the error any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_free(error: *mut fpga_assoc_error) {
    if !error.is_null() {
        // SAFETY: `fpga_assoc_error::owned` made it, and the caller gives it back.
        drop(unsafe { Box::from_raw(error) });
    }
}
