//! Waiting for any number of sockets.

use std::io;
use std::mem;
use std::os::windows::io::{AsRawSocket, BorrowedSocket};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{self, FD_SET, SOCKET, TIMEVAL};

use crate::memory;

/// What select reads and writes: a number, and so many sockets. Windows itself has no limit, but the C
/// type has.
#[derive(Debug)]
pub struct Sockets(Vec<SOCKET>);

// The number, of 32 bits in little endian, and what is empty behind it take the place of one socket.
const _: () = assert!(
    mem::offset_of!(FD_SET, fd_array) == size_of::<SOCKET>() && cfg!(target_endian = "little")
);

impl Sockets {
    /// All of these.
    pub fn of<'a>(sockets: impl Iterator<Item = BorrowedSocket<'a>>) -> io::Result<Self> {
        let mut all = Vec::new();
        memory::push(&mut all, 0)?;
        for socket in sockets {
            memory::push(&mut all, socket.as_raw_socket() as SOCKET)?;
        }
        let count = all.len() - 1;
        if let Some(first) = all.first_mut() {
            *first = count;
        }
        Ok(Self(all))
    }

    /// Whether this one is among them.
    pub fn has(&self, socket: BorrowedSocket<'_>) -> bool {
        let wanted = socket.as_raw_socket() as SOCKET;
        match self.0.split_first() {
            Some((count, sockets)) => sockets.iter().take(*count).any(|one| *one == wanted),
            None => false,
        }
    }

    fn as_set(&mut self) -> *mut FD_SET {
        match self.0.as_mut_slice() {
            [] | [0, ..] => ptr::null_mut(),
            all => all.as_mut_ptr().cast(),
        }
    }
}

/// Waits at most this long for something to read, room to write, or a connection that can't be made;
/// leaves in the sets those of which that is true, and tells how many there are.
#[allow(unsafe_code)]
pub fn select(sets: &mut [Sockets; 3], time: Duration) -> io::Result<i32> {
    // Not earlier than told.
    let microseconds = time.subsec_nanos().div_ceil(1000);
    let time = TIMEVAL {
        tv_sec: i32::try_from(time.as_secs()).unwrap_or(i32::MAX),
        tv_usec: i32::try_from(microseconds).unwrap_or(i32::MAX),
    };
    let [reading, writing, failing] = sets.each_mut().map(Sockets::as_set);
    // SAFETY: each is NULL, or a number and at least so many sockets, as asserted above; all live for
    // the call, and what it writes is not longer than what it read.
    let count = unsafe { WinSock::select(0, reading, writing, failing, &time) };
    if count < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(count)
}
