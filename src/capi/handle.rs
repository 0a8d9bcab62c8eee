//! What C holds of this library by pointer: how it is made, borrowed and given back.
//!
//! Where C may only read, or gives back, the type of an export's argument says it: `Option<&T>` is a
//! `const T *` and `Option<Box<T>>` a `T *` that is not used again, both of which may be NULL. What C
//! may write through is below.

use std::mem::ManuallyDrop;
use std::ptr;

use super::error::fpga_assoc_error;
use super::guard::guard;
use super::last_error;
use crate::error::Error;
use crate::memory::{self, OutOfMemory};

/// What is behind a pointer that C was given; the error names the argument.
///
/// # Safety
/// The pointer is NULL, or this library made it and nobody gives it back during `'a`.
pub unsafe fn borrow<'a, T>(argument: &str, pointer: *mut T) -> Result<&'a T, Error> {
    // SAFETY: the caller's promise. Nobody has it mutably: this library alone looks behind it.
    let borrowed = unsafe { pointer.as_ref() };
    borrowed.ok_or_else(|| Error::invalid_argument(argument, "is NULL"))
}

/// Something that C will hold. Nothing that lives on may be in the allocator's reserve, so that it is
/// asked for, and refused where something that it holds was refused before.
pub fn boxed<T>(value: T) -> Result<Box<T>, OutOfMemory> {
    memory::check()?;
    let mut one = Vec::new();
    memory::reserve_exact(&mut one, 1)?;
    one.push(value);
    let one = Box::into_raw(one.into_boxed_slice());
    // SAFETY: a slice of one, of just that size, and boxed by the same allocator.
    Ok(unsafe { Box::from_raw(one.cast()) })
}

/// What C gives back. Where there is no memory to let the thread in it is left alone.
pub fn take_back<T>(thing: Option<Box<T>>) {
    let thing = ManuallyDrop::new(thing);
    guard(|| drop(ManuallyDrop::into_inner(thing))).ok();
}

/// Runs a call that makes something for C, and writes what it made to the output: once, and NULL
/// where it made nothing. Its error goes where [`last_error::deliver`] says.
///
/// # Safety
/// Both outputs are NULL or may be written to.
pub unsafe fn make<T>(
    argument: &str,
    output: *mut *mut T,
    error: *mut *mut fpga_assoc_error,
    make: impl FnOnce() -> Result<T, Error>,
) -> i32 {
    let mut made = ptr::null_mut();
    let call = || {
        if output.is_null() {
            return Err(Error::invalid_argument(argument, "is NULL"));
        }
        made = Box::into_raw(boxed(make()?)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    let status = unsafe { last_error::deliver(error, call) };
    if !output.is_null() {
        // SAFETY: the caller's promise.
        unsafe { output.write(made) };
    }
    status
}
