//! The last error of each thread, for callers that were not given an error by value.

use std::cell::Cell;
use std::ffi::c_char;
use std::ptr;

use super::error::{fpga_assoc_error, fpga_assoc_error_message};
use super::guard::guard;
use crate::error::Error;
use crate::status::Status;

thread_local! {
    /// Without a destructor, so that it still works in the host's `atexit` handlers; [`CLEANUP`]
    /// frees it when a thread ends.
    static LAST: Cell<*mut fpga_assoc_error> = const { Cell::new(ptr::null_mut()) };
    static CLEANUP: Cleanup = const { Cleanup };
}

struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        replace(ptr::null_mut());
    }
}

/// Runs a call inside the guard, keeps its error for the thread, and returns its status.
pub fn keep(call: impl FnOnce() -> Result<(), Error>) -> i32 {
    match contained(call) {
        Ok(()) => {
            replace(ptr::null_mut());
            Status::OK.number()
        }
        Err(error) => {
            let status = error.status.number();
            // Fails only while the thread is being taken down; then nobody is left to free the
            // error but the end of the process.
            CLEANUP.try_with(|_| ()).ok();
            replace(fpga_assoc_error::owned(error));
            status
        }
    }
}

/// As [`keep`], but the error goes to the caller where it gave a place for it.
///
/// # Safety
/// `error` is NULL or may be written to.
pub unsafe fn deliver(
    error: *mut *mut fpga_assoc_error,
    call: impl FnOnce() -> Result<(), Error>,
) -> i32 {
    if error.is_null() {
        return keep(call);
    }
    let (status, given) = match contained(call) {
        Ok(()) => (Status::OK.number(), ptr::null_mut()),
        Err(error) => (error.status.number(), fpga_assoc_error::owned(error)),
    };
    // SAFETY: the caller's promise.
    unsafe { error.write(given) };
    status
}

fn contained<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let defect = || {
        let message = "a defect in this library was contained";
        Err(Error::new(Status::INTERNAL, message))
    };
    guard(call).unwrap_or_else(defect)
}

fn replace(new: *mut fpga_assoc_error) {
    let old = LAST.replace(new);
    if !old.is_null() {
        // SAFETY: `keep` made it, and only this thread's `LAST` held it.
        drop(unsafe { Box::from_raw(old) });
    }
}

/// The calling thread's last error, as one line of text for people.
///
/// It says which step failed, the host, the HTTP status, the service's code and message, and the
/// request id, as far as they are known: at most 1,023 bytes of UTF-8, no control characters, never
/// the token.
///
/// Returns text that ends in NUL, never NULL; "" where the thread's last call succeeded or it made
/// none. The text belongs to the library and stays valid until the same thread's next call that
/// sets it: `fpga_associate`, `fpga_disassociate`, `fpga_associations`, a setter of a
/// configuration, or a function of a client that was given no error pointer. Copy what must live
/// longer.
///
/// Thread-safe: each thread has its own. In a runtime that moves work between threads, read it
/// before anything else can run.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_last_error() -> *const c_char {
    match LAST.get() {
        error if error.is_null() => c"".as_ptr(),
        // SAFETY: what `LAST` holds is alive until this thread replaces it.
        error => unsafe { fpga_assoc_error_message(error) },
    }
}

/// The calling thread's last error with all that is known about it, for the functions whose names
/// begin with `fpga_assoc_error_`.
///
/// Returns NULL where the thread's last call succeeded or it made none. The error belongs to the
/// library (do not free it) and stays valid as long as the text of `fpga_assoc_last_error`.
///
/// Thread-safe: each thread has its own.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_last_error_detail() -> *const fpga_assoc_error {
    LAST.get()
}
