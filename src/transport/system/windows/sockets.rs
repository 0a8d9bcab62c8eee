//! What there is no safe form of: sockets that nobody inherits, and waiting for any number of them.

use std::io;
use std::mem;
use std::net::TcpStream;
use std::os::windows::io::{AsRawSocket, BorrowedSocket, FromRawSocket};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::Networking::WinSock::{
    self, ADDRESS_FAMILY, FD_SET, INVALID_SOCKET, IPPROTO_TCP, SOCK_STREAM, SOCKET, TIMEVAL,
    WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSASocketW,
};

use crate::memory;

/// A TCP socket that programs do not inherit which the host starts. It blocks.
#[allow(unsafe_code)]
pub fn new(family: ADDRESS_FAMILY) -> io::Result<TcpStream> {
    const FLAGS: u32 = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    let family = i32::from(family);
    // SAFETY: there is nothing that a pointer would have to point to.
    let socket = unsafe { WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, ptr::null(), 0, FLAGS) };
    if socket == INVALID_SOCKET {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is new, and nobody else has it.
    Ok(unsafe { TcpStream::from_raw_socket(socket as u64) })
}

/// Keeps a socket from those programs that could not be made that way.
#[allow(unsafe_code)]
pub fn keep_from_children(socket: &TcpStream) -> io::Result<()> {
    // SAFETY: the socket, which is a handle of the system, is open.
    let is_kept =
        unsafe { SetHandleInformation(socket.as_raw_socket() as HANDLE, HANDLE_FLAG_INHERIT, 0) };
    if is_kept == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// What select reads and writes: a number, and so many sockets. Windows itself has no limit, but the C
/// type has.
#[derive(Debug)]
pub struct Set(Vec<SOCKET>);

// The number, of 32 bits in little endian, and what is empty behind it take the place of one socket.
const _: () = assert!(
    mem::offset_of!(FD_SET, fd_array) == size_of::<SOCKET>() && cfg!(target_endian = "little")
);

impl Set {
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
pub fn select(sets: &mut [Set; 3], time: Duration) -> io::Result<i32> {
    // Not earlier than told.
    let microseconds = time.subsec_nanos().div_ceil(1000);
    let time = TIMEVAL {
        tv_sec: i32::try_from(time.as_secs()).unwrap_or(i32::MAX),
        tv_usec: i32::try_from(microseconds).unwrap_or(i32::MAX),
    };
    let [reading, writing, failing] = sets.each_mut().map(Set::as_set);
    // SAFETY: each is NULL, or a number and at least so many sockets, as asserted above; all live for
    // the call, and what it writes is not longer than what it read.
    let count = unsafe { WinSock::select(0, reading, writing, failing, &time) };
    if count < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(count)
}
