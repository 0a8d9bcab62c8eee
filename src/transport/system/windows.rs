//! Windows: select, sockets that do not block, and processes that are never copied.

use std::env;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, connect, recv, wsa_startup};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6, WSAEMFILE};

use crate::memory;

mod sockets;
mod threads;

pub use threads::{Thread, Visitors, without_cancellation};

/// Names the folder of the user's own files.
pub const HOME_VARIABLE: &str = "USERPROFILE";

/// A variable of the environment, of this very name. Windows itself would find one whose letters are of
/// another case, such as `HTTP_PROXY`, which a web server sets from a request's header.
pub fn variable(name: &str) -> Option<OsString> {
    env::vars_os()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value)
}

/// Unknown: who may read a file is in its access list, where what everyone may do hangs on groups and
/// on what is denied. The folder of the user's own files is closed to others.
pub fn is_readable_by_all(_: &Metadata) -> bool {
    false
}

/// Something to wait for, and what has come of it.
#[derive(Clone, Debug)]
pub struct Watched<'a> {
    socket: BorrowedSocket<'a>,
    /// Whether reading and writing are waited for.
    wants: [bool; 2],
    /// Whether they would not block, and whether connecting has failed.
    has_come: [bool; 3],
}

fn watched<const WANTS_READ: bool, const WANTS_WRITE: bool>(socket: &TcpStream) -> Watched<'_> {
    Watched {
        socket: socket.as_socket(),
        wants: [WANTS_READ, WANTS_WRITE],
        has_come: [false; 3],
    }
}

/// Waits for something to read on the socket, or its end.
pub fn readable(socket: &TcpStream) -> Watched<'_> {
    watched::<true, false>(socket)
}

/// Waits for room to write on the socket; one that connects has it when it is connected.
pub fn writable(socket: &TcpStream) -> Watched<'_> {
    watched::<false, true>(socket)
}

/// Waits for either.
pub fn readable_or_writable(socket: &TcpStream) -> Watched<'_> {
    watched::<true, true>(socket)
}

/// Whether what was waited for has come, or a failure.
pub fn is_ready(watched: &Watched<'_>) -> bool {
    watched.has_come.contains(&true)
}

/// Whether there is room to write.
pub fn is_writable(watched: &Watched<'_>) -> bool {
    let [_, has_room, _] = watched.has_come;
    has_room
}

/// Waits until one of them is ready, at most this long; `false` when none is.
///
/// Not with `WSAPoll`, which before Windows 10 2004 (so in Windows Server 2019) does not tell that a
/// connection could not be made; select always has.
pub fn wait(watched: &mut [Watched<'_>], time: Duration) -> io::Result<bool> {
    if watched.is_empty() {
        // Which select refuses.
        thread::sleep(time);
        return Ok(false);
    }
    let those = |wanted: &dyn Fn(&Watched<'_>) -> bool| {
        let sockets = watched.iter().filter(|one| wanted(one));
        sockets::Set::of(sockets.map(|one| one.socket))
    };
    let mut sets = [
        those(&|one| matches!(one.wants, [true, _]))?,
        those(&|one| matches!(one.wants, [_, true]))?,
        // Of data out of band, which would come here too, the library knows nothing.
        those(&|one| matches!(one.wants, [_, true]))?,
    ];
    let count = sockets::select(&mut sets, time)?;
    for one in watched {
        one.has_come = sets.each_ref().map(|set| count > 0 && set.has(one.socket));
    }
    Ok(count > 0)
}

/// A TCP socket, not blocking and not inherited by programs that the host starts, that has begun to
/// connect.
///
/// It is connected when it becomes writable and has no error.
pub fn begin_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AF_INET,
        SocketAddr::V6(_) => AF_INET6,
    };
    begin_sockets()?;
    let socket = sockets::new(family)?;
    socket.set_nonblocking(true)?;
    match connect(&socket, &address) {
        // Would block means here: in progress.
        Ok(()) | Err(Errno::WOULDBLOCK | Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// What a process must do once before it makes a socket.
fn begin_sockets() -> io::Result<()> {
    static HAVE_BEGUN: AtomicBool = AtomicBool::new(false);
    if !HAVE_BEGUN.load(Ordering::Relaxed) {
        // Does nothing where another thread, or the host, was first.
        wsa_startup()?;
        HAVE_BEGUN.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Adds what is there to read to the bytes, at most so much; 0 at the end.
pub fn receive(socket: &TcpStream, most: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    memory::reserve_exact(bytes, most)?;
    let (amount, _) = recv(socket, spare_capacity(bytes), RecvFlags::empty())?;
    Ok(amount)
}

/// Whether the process has no descriptor left for another socket or file.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ERROR_TOO_MANY_OPEN_FILES: i32 = 4;
    matches!(
        error.raw_os_error(),
        Some(WSAEMFILE | ERROR_TOO_MANY_OPEN_FILES)
    )
}

/// What any number of threads wait for. Once given it stays given.
#[derive(Debug)]
pub struct Signal(TcpStream);

/// Who gives the signal.
#[derive(Debug)]
pub struct Giver(TcpStream);

/// A signal that is not given: a connection of this process with itself, because select waits for
/// sockets alone and Windows has no pairs of them. Needs two descriptors, and a third for a moment.
pub fn signal() -> io::Result<(Signal, Giver)> {
    const MOST: Duration = Duration::from_secs(5);
    let late = Instant::now() + MOST;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // Where another program has taken the port from this one, nobody comes.
    listener.set_nonblocking(true)?;
    let seen = TcpStream::connect_timeout(&listener.local_addr()?, MOST)?;
    let own = seen.local_addr()?;
    loop {
        match listener.accept() {
            // Others, who found the port by chance, are hung up on.
            Ok((_, address)) if address != own => {}
            Ok((given, _)) => {
                sockets::keep_from_children(&given)?;
                return Ok((Signal(seen), Giver(given)));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = late.saturating_duration_since(Instant::now());
                let mut coming = [Watched {
                    socket: listener.as_socket(),
                    wants: [true, false],
                    has_come: [false; 3],
                }];
                if left.is_zero() || !wait(&mut coming, left)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

impl Signal {
    /// Waits for it.
    pub fn watched(&self) -> Watched<'_> {
        readable(&self.0)
    }
}

impl Giver {
    /// Wakes everyone who waits, now and later.
    pub fn give(&self) {
        // Fails only where it was given before.
        self.0.shutdown(Shutdown::Write).ok();
    }
}

/// Opens a file for reading.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// A number that is 0 until it is set. Processes have no children that begin as copies.
pub fn zero_in_children() -> &'static AtomicU64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    &NUMBER
}
