//! The system calls that std has no safe form of, each in one small function.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::Deadline;

/// What a file descriptor is waited for.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// It can be read, or has ended.
    Readable,
    /// It can be written, or has failed.
    Writable,
}

/// Waits until one of the descriptors is ready, and says which; `TimedOut` when the deadline passes first.
///
/// Signals do not end it: what interrupts the host's threads is not this library's business.
pub fn wait(watched: &[(BorrowedFd<'_>, Event)], deadline: Deadline) -> io::Result<Vec<bool>> {
    let mut entries: Vec<libc::pollfd> = watched
        .iter()
        .map(|(descriptor, event)| entry(*descriptor, *event))
        .collect();
    poll(&mut entries, deadline)?;
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
}

/// As [`wait`], for one descriptor and without a list.
pub fn wait_for(descriptor: BorrowedFd<'_>, event: Event, deadline: Deadline) -> io::Result<()> {
    poll(&mut [entry(descriptor, event)], deadline)
}

fn entry(descriptor: BorrowedFd<'_>, event: Event) -> libc::pollfd {
    libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: match event {
            Event::Readable => libc::POLLIN,
            Event::Writable => libc::POLLOUT,
        },
        revents: 0,
    }
}

fn poll(entries: &mut [libc::pollfd], deadline: Deadline) -> io::Result<()> {
    loop {
        let left = deadline.left();
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match poll_once(entries, left) {
            Ok(0) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[allow(unsafe_code)]
fn poll_once(entries: &mut [libc::pollfd], time: Duration) -> io::Result<i32> {
    // Rounded up, so that the last part of a millisecond is not spent spinning.
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or(0);
    // SAFETY: the pointer and the count are of one slice, borrowed for the call.
    let ready = unsafe { libc::poll(entries.as_mut_ptr(), count, milliseconds) };
    if ready < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(ready)
    }
}

/// A TCP socket, not blocking and not inherited by programs that the host starts, that has begun to connect.
///
/// It is connected when it becomes writable and has no error.
pub fn begin_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let socket = new_socket(family)?;
    let begun = match address {
        SocketAddr::V4(address) => connect(
            &socket,
            &libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            },
        ),
        SocketAddr::V6(address) => connect(
            &socket,
            &libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            },
        ),
    };
    match begun {
        // Interrupted means the same as in progress: the connection goes on being made.
        Err(error)
            if error.raw_os_error() != Some(libc::EINPROGRESS)
                && error.kind() != io::ErrorKind::Interrupted =>
        {
            Err(error)
        }
        _ => Ok(TcpStream::from(socket)),
    }
}

#[allow(unsafe_code)]
fn new_socket(family: i32) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::socket(family, kind, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just opened, and that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// `Address` is `sockaddr_in` or `sockaddr_in6`.
#[allow(unsafe_code)]
fn connect<Address>(socket: &OwnedFd, address: &Address) -> io::Result<()> {
    let length = libc::socklen_t::try_from(mem::size_of::<Address>()).unwrap_or(0);
    // SAFETY: the pointer and the length are of one value, borrowed for the call; its first field is the family that tells its form.
    let result = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            std::ptr::from_ref(address).cast(),
            length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
