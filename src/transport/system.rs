//! The system calls that std has no safe form of, each in one small function.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
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

/// A descriptor to wait for, and what came of it.
#[repr(transparent)]
pub struct Watched(libc::pollfd);

impl Watched {
    /// Nothing has come of it yet.
    pub fn new(descriptor: BorrowedFd<'_>, event: Event) -> Self {
        Self(libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: match event {
                Event::Readable => libc::POLLIN,
                Event::Writable => libc::POLLOUT,
            },
            revents: 0,
        })
    }

    /// Whether the event, or a failure, has come.
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until one of the descriptors is ready; `false` when the deadline passed first.
///
/// Signals do not end it: what interrupts the host's threads is not this library's business.
pub fn poll(watched: &mut [Watched], deadline: Deadline) -> io::Result<bool> {
    loop {
        let left = deadline.left();
        if left.is_zero() {
            return Ok(false);
        }
        match poll_once(watched, left) {
            Ok(0) => {}
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[allow(unsafe_code)]
fn poll_once(watched: &mut [Watched], time: Duration) -> io::Result<i32> {
    // Rounded up, so that the last part of a millisecond is not spent spinning.
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    let count = libc::nfds_t::try_from(watched.len()).unwrap_or(0);
    // SAFETY: the pointer and the count are of one slice, borrowed for the call; `Watched` is a
    // `pollfd` and nothing else.
    let ready = unsafe { libc::poll(watched.as_mut_ptr().cast(), count, milliseconds) };
    if ready < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(ready)
    }
}

/// A TCP socket, not blocking and not inherited by programs that the host starts, that has begun to
/// connect.
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
    above_standard_streams(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// `Address` is `sockaddr_in` or `sockaddr_in6`.
#[allow(unsafe_code)]
fn connect<Address>(socket: &OwnedFd, address: &Address) -> io::Result<()> {
    let length = libc::socklen_t::try_from(mem::size_of::<Address>()).unwrap_or(0);
    // SAFETY: the pointer and the length are of one value, borrowed for the call; its first field
    // tells its form.
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

/// Two connected sockets with which one thread wakes others.
pub fn signal_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (one, other) = UnixStream::pair()?;
    Ok((
        above_standard_streams(one.into())?.into(),
        above_standard_streams(other.into())?.into(),
    ))
}

/// The same file under a number above 2: where the host has closed its standard streams, what it
/// prints must not go to a descriptor of this library.
#[allow(unsafe_code)]
fn above_standard_streams(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    const FIRST: libc::c_int = libc::STDERR_FILENO + 1;
    if descriptor.as_raw_fd() >= FIRST {
        return Ok(descriptor);
    }
    let fd = descriptor.as_fd().as_raw_fd();
    // SAFETY: takes no pointers.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, FIRST) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just made, and that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Runs the work with all signals blocked in this thread, so that a thread started by it gets none
/// of the host's.
#[allow(unsafe_code)]
pub fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    let mut all = mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets live on this stack frame; the first is filled before it is used.
    let is_blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let result = work();
    if is_blocked {
        // SAFETY: the call that succeeded above filled `before`.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        }
    }
    result
}

/// Has the function run in every child that this process forks.
#[allow(unsafe_code)]
pub fn in_forked_child(run: unsafe extern "C" fn()) -> bool {
    // SAFETY: the function is part of a library that is never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(run)) == 0 }
}
