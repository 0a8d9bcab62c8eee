//! What differs between operating systems: waiting, connecting, being woken, threads, trusted
//! certificates, and noticing that the process is a copy of another. No other file knows which system it
//! is on.

mod certificates;
mod registers;
mod threads;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use certificates::{certificate_places, stored_certificates};
pub use registers::clear_registers;
pub use threads::{is_helper_thread, with_threads};
#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;
