//! The last error of each thread, for callers that were not given an error by value.

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::ptr;

use super::error::{fpga_assoc_error, fpga_assoc_error_free, fpga_assoc_error_message};
use super::guard::{Stopped, VISITORS, guard};
use crate::error::{Error, Observed};
use crate::status::Status;

thread_local! {
    /// Without a destructor, so that it still works in the host's `atexit` handlers; [`forget`] frees it
    /// when a thread ends.
    static LAST: Cell<*mut fpga_assoc_error> = const { Cell::new(ptr::null_mut()) };
}

/// Frees the thread's last error.
pub extern "C" fn forget(_: *mut c_void) {
    replace(ptr::null_mut());
}

/// Runs a call inside the guard, keeps its error for the thread, and returns its status.
pub fn keep(call: impl FnOnce() -> Result<(), Error>) -> i32 {
    keep_what(&mut once(call))
}

/// A body that runs once, in a form that all exports have in common: so the code around it is there
/// once, and not for each of them.
type Body<'a> = &'a mut dyn FnMut() -> Result<(), Error>;

fn once(call: impl FnOnce() -> Result<(), Error>) -> impl FnMut() -> Result<(), Error> {
    let mut call = Some(call);
    move || call.take().map_or(Ok(()), |call| call())
}

fn keep_what(call: Body<'_>) -> i32 {
    let (status, error) = contained(call);
    if VISITORS.know_this() {
        replace(error);
    }
    status
}

/// Has the host do something that leaves the thread's last error as it is.
pub fn aside<T>(host: impl FnOnce() -> T) -> T {
    let outer = LAST.replace(ptr::null_mut());
    let result = host();
    replace(outer);
    result
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
        return keep_what(&mut once(call));
    }
    let (status, given) = contained(&mut once(call));
    // SAFETY: the caller's promise.
    unsafe { error.write(given) };
    status
}

/// The status of a call, and its error for C; NULL where it succeeded.
fn contained(call: Body<'_>) -> (i32, *mut fpga_assoc_error) {
    let error = match guard(|| call().map_err(Error::with_true_cause)) {
        Ok(Ok(())) => return (Status::OK.number(), ptr::null_mut()),
        Ok(Err(error)) => error,
        Err(Stopped::Panicked) => {
            let message = "a defect in this library was contained";
            Error::new(Status::INTERNAL, message)
        }
        Err(Stopped::OutOfMemory) => {
            let error = fpga_assoc_error::of_no_memory(false, Observed::OBSERVED_NOTHING);
            return (Status::OUT_OF_MEMORY.number(), error);
        }
    };
    let (status, given) = fpga_assoc_error::given(&error);
    (status.number(), given)
}

fn replace(new: *mut fpga_assoc_error) {
    let old = LAST.replace(new);
    if old != new {
        // SAFETY: `contained` made it, and only this thread's `LAST` held it.
        unsafe { fpga_assoc_error_free(old) };
    }
}

/// The calling thread's last error, as one line of text for people.
///
/// It says which step failed, the host, the HTTP status, the service's code and message, and the
/// request id, as far as they are known: at most 1,023 bytes of UTF-8, no control characters, never
/// the token.
///
/// Returns text that ends in NUL, never NULL; "" where the thread's last call succeeded or it made
/// none. The text belongs to the library and stays valid until the thread ends or makes its next call
/// that sets it: `fpga_associate`, `fpga_disassociate`, `fpga_associations`, a setter of a
/// configuration, a function that adds to a plan or sets how it is carried out, one that answers a
/// grant, or a function of a client that was given no error pointer. Copy what must live longer.
///
/// Thread-safe: each thread has its own. In a runtime that moves work between threads, read it
/// before anything else can run.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_last_error() -> *const c_char {
    // SAFETY: what `LAST` holds is alive until this thread replaces it.
    fpga_assoc_error_message(unsafe { fpga_assoc_last_error_detail().as_ref() })
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
    if !VISITORS.know_this() {
        return ptr::null();
    }
    LAST.get()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_panic_is_told_as_a_defect_of_the_library() {
        let status = keep(|| panic!("deliberate"));
        assert_eq!(status, Status::INTERNAL.number());
        // SAFETY: never NULL, and alive until this thread's next call.
        let told = unsafe { CStr::from_ptr(fpga_assoc_last_error()) };
        assert_eq!(told, c"a defect in this library was contained");
        assert_eq!(keep(|| Ok(())), Status::OK.number());
        assert!(fpga_assoc_last_error_detail().is_null());
    }
}
