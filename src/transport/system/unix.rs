//! Unix: poll(2), sockets that do not block, and memory that a child of fork does not inherit.

use std::env;
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{AddressFamily, RecvFlags, SocketType, connect, recv};
#[cfg(not(target_vendor = "apple"))]
use rustix::net::{SocketFlags, socket_with};
#[cfg(target_vendor = "apple")]
use rustix::{
    io::{FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{socket, sockopt::set_socket_nosigpipe},
};

use crate::memory;

mod threads;

pub use threads::{Thread, Visitors, without_cancellation};

/// Names the folder of the user's own files.
pub const HOME_VARIABLE: &str = "HOME";

/// A variable of the environment, of this very name.
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Whether everyone on this machine may read a file.
pub fn is_readable_by_all(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o004 != 0
}

/// Something to wait for, and what has come of it.
pub type Watched<'a> = PollFd<'a>;

/// Waits for something to read on the socket, or its end.
pub fn readable(socket: &TcpStream) -> Watched<'_> {
    PollFd::new(socket, PollFlags::IN)
}

/// Waits for room to write on the socket; one that connects has it when it is connected.
pub fn writable(socket: &TcpStream) -> Watched<'_> {
    PollFd::new(socket, PollFlags::OUT)
}

/// Waits for either.
pub fn readable_or_writable(socket: &TcpStream) -> Watched<'_> {
    PollFd::new(socket, PollFlags::IN | PollFlags::OUT)
}

/// Whether what was waited for has come, or a failure.
pub fn is_ready(watched: &Watched<'_>) -> bool {
    !watched.revents().is_empty()
}

/// Whether there is room to write. (A failure alone is not room: reading tells of it.)
pub fn is_writable(watched: &Watched<'_>) -> bool {
    watched.revents().contains(PollFlags::OUT)
}

/// Waits until one of them is ready, at most this long; `false` when none is.
pub fn wait(watched: &mut [Watched<'_>], time: Duration) -> io::Result<bool> {
    let time = Timespec::try_from(time).ok();
    Ok(poll(watched, time.as_ref())? > 0)
}

/// A TCP socket, not blocking and not inherited by programs that the host starts, that has begun to
/// connect.
///
/// It is connected when it becomes writable and has no error.
pub fn begin_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = above_standard_streams(socket_of(family)?)?;
    match connect(&socket, &address) {
        // Interrupted means the same as in progress: the connection goes on being made.
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

/// A TCP socket, not blocking and not inherited.
#[cfg(not(target_vendor = "apple"))]
fn socket_of(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?)
}

/// The same. Apple's systems have no flags for it, and a signal for who writes to a connection that is
/// closed, which would end the host.
#[cfg(target_vendor = "apple")]
fn socket_of(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// Adds what is there to read to the bytes, at most so much; 0 at the end.
pub fn receive(socket: &TcpStream, most: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    memory::reserve_exact(bytes, most)?;
    let (amount, _) = recv(socket, spare_capacity(bytes), RecvFlags::empty())?;
    Ok(amount)
}

/// Whether the process has no descriptor left for another socket or file.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

/// What any number of threads wait for. Once given it stays given.
#[derive(Debug)]
pub struct Signal(UnixStream);

/// Who gives the signal.
#[derive(Debug)]
pub struct Giver(UnixStream);

/// A signal that is not given. Needs two file descriptors.
pub fn signal() -> io::Result<(Signal, Giver)> {
    let (seen, given) = UnixStream::pair()?;
    Ok((
        Signal(above_standard_streams(seen.into())?.into()),
        Giver(above_standard_streams(given.into())?.into()),
    ))
}

impl Signal {
    /// Waits for it.
    pub fn watched(&self) -> Watched<'_> {
        PollFd::new(&self.0, PollFlags::IN)
    }
}

impl Giver {
    /// Wakes everyone who waits, now and later, though a child of fork holds a copy of this.
    pub fn give(&self) {
        // Fails only where it was given before.
        self.0.shutdown(Shutdown::Write).ok();
    }
}

/// The same file under a number above 2: where the host has closed its standard streams, what it
/// prints must not go to a descriptor of this library.
fn above_standard_streams(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    const FIRST: i32 = libc::STDERR_FILENO + 1;
    if descriptor.as_raw_fd() >= FIRST {
        return Ok(descriptor);
    }
    Ok(fcntl_dupfd_cloexec(&descriptor, FIRST)?)
}

/// Opens a file for reading. A FIFO that nobody writes to does not hold it up, and a terminal does
/// not become the process's.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// A number that is 0 until it is set, and again in each child of fork, `_Fork` and clone.
pub fn zero_in_children() -> &'static AtomicU64 {
    static WHERE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
    static WITHOUT_WIPING: AtomicU64 = AtomicU64::new(0);
    let mut number = WHERE.load(Ordering::Acquire);
    if number.is_null() {
        let made = wiped_page().unwrap_or(ptr::from_ref(&WITHOUT_WIPING).cast_mut());
        let stored =
            WHERE.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
        // Where two threads are first at once, the page of one is left unused.
        number = stored.map_or_else(|others| others, |_| made);
        in_forked_child(set_to_zero);
    }
    forever(number)
}

/// For kernels that know no memory that is wiped (Linux before 4.14), or only say that they do.
extern "C" fn set_to_zero() {
    zero_in_children().store(0, Ordering::Relaxed);
}

#[allow(unsafe_code)]
fn forever(number: *mut AtomicU64) -> &'static AtomicU64 {
    // SAFETY: of a static, or at the beginning of a page that is never unmapped.
    unsafe { &*number }
}

/// A page that the kernel fills with zeros in every child.
#[allow(unsafe_code)]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn wiped_page() -> Option<*mut AtomicU64> {
    const LENGTH: usize = size_of::<AtomicU64>();
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: new memory, which nothing else uses; it is as long as the system's pages are.
    unsafe {
        let page = libc::mmap(ptr::null_mut(), LENGTH, access, kind, -1, 0);
        if page == libc::MAP_FAILED {
            return None;
        }
        if libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, LENGTH);
            return None;
        }
        Some(page.cast())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn wiped_page() -> Option<*mut AtomicU64> {
    None
}

#[allow(unsafe_code)]
fn in_forked_child(run: unsafe extern "C" fn()) {
    // SAFETY: the function is part of a library that is never unloaded.
    unsafe {
        libc::pthread_atfork(None, None, Some(run));
    }
}
