//! What differs between operating systems: waiting, connecting, being woken, and noticing that the
//! process is a copy of another. No other file knows which system it is on.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::*;
