//! What differs between operating systems: waiting, connecting, being woken, and noticing that the
//! process is a copy of another. No other file knows which system it is on.

mod registers;
#[cfg(unix)]
mod unix;

pub use registers::clear_registers;
#[cfg(unix)]
pub use unix::*;
