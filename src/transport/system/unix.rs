//! Unix: poll(2), sockets that do not block, and memory that a child of fork does not inherit.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, connect, recv, socket_with};

use crate::memory;

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
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = above_standard_streams(socket_with(family, SocketType::STREAM, flags, None)?)?;
    match connect(&socket, &address) {
        // Interrupted means the same as in progress: the connection goes on being made.
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
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

/// Runs the work with all signals blocked in this thread, so that a thread started by it gets none
/// of the host's.
#[allow(unsafe_code)]
fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
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
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        }
    }
    result
}

/// A thread of this library's own. Not the standard library's, whose threads end the process where
/// there is no memory for what they keep.
#[derive(Debug)]
pub struct Thread(libc::pthread_t);

/// What a thread does, told whether there is memory for what it has of its own; where not, it touches
/// none of that.
type Work = Box<dyn FnOnce(bool) + Send>;

thread_local! {
    static IS_HELPER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of this library's own.
pub fn is_helper_thread() -> bool {
    IS_HELPER.get()
}

impl Thread {
    /// Begins a thread, with the name that system tools show, that gets none of the host's signals.
    #[allow(unsafe_code)]
    pub fn begin(name: &CStr, stack: usize, work: Work) -> io::Result<Self> {
        let mut attributes = mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        let mut thread = mem::MaybeUninit::<libc::pthread_t>::uninit();
        let work = Box::into_raw(Box::new(work));
        // SAFETY: the attributes are made before they are used and destroyed after; the thread takes
        // the work where it begins.
        let error = with_signals_blocked(|| unsafe {
            match libc::pthread_attr_init(attributes.as_mut_ptr()) {
                0 => {}
                error => return error,
            }
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack);
            let error =
                libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), run, work.cast());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            error
        });
        if error != 0 {
            // SAFETY: it comes from `Box::into_raw` above, and no thread has it.
            drop(unsafe { Box::from_raw(work) });
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: the call that succeeded above filled it.
        let thread = unsafe { thread.assume_init() };
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: the thread lives until it is joined, and the name ends in NUL.
        unsafe {
            libc::pthread_setname_np(thread, name.as_ptr());
        }
        Ok(Self(thread))
    }

    /// Waits for its end.
    #[allow(unsafe_code)]
    pub fn join(self) {
        // SAFETY: it was begun, and is joined once.
        unsafe {
            libc::pthread_join(self.0, ptr::null_mut());
        }
    }
}

/// Where a thread begins. No panic leaves it.
#[allow(unsafe_code)]
extern "C" fn run(work: *mut c_void) -> *mut c_void {
    // SAFETY: `Thread::begin` boxed it for this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    let has_memory = has_room_for_a_thread();
    if has_memory {
        IS_HELPER.set(true);
    }
    // A payload may panic again when it is dropped, so it is not.
    panic::catch_unwind(AssertUnwindSafe(|| work(has_memory)))
        .map_err(mem::forget)
        .ok();
    ptr::null_mut()
}

/// The threads that were here, and what is done when one of them ends. What the standard library and
/// the loader do for that need memory, and end the process where there is none.
#[derive(Debug)]
pub struct Visitors {
    /// One more than the system's number; 0 before it has one.
    key: AtomicU64,
    run: extern "C" fn(*mut c_void),
}

impl Visitors {
    /// Nobody has been here. The function, which can do nothing with its argument, is called at the end
    /// of each thread that was.
    pub const fn new(run: extern "C" fn(*mut c_void)) -> Self {
        Self {
            key: AtomicU64::new(0),
            run,
        }
    }

    /// Whether this thread was here before.
    #[allow(unsafe_code)]
    pub fn know_this(&self) -> bool {
        // SAFETY: the key was made and is never deleted. Where the system has none left, nobody is asked.
        self.key()
            .is_none_or(|key| !unsafe { libc::pthread_getspecific(key) }.is_null())
    }

    /// Lets this thread in; not where the loader would find no memory for its part of what each thread
    /// has, when that is first touched.
    #[allow(unsafe_code)]
    pub fn let_in(&self) -> bool {
        if self.know_this() {
            return true;
        }
        if !has_room_for_a_thread() {
            return false;
        }
        // SAFETY: as above. The system keeps the first keys of a thread without more memory.
        self.key().is_none_or(
            |key| unsafe { libc::pthread_setspecific(key, ptr::from_ref(self).cast()) } == 0,
        )
    }

    #[allow(unsafe_code)]
    fn key(&self) -> Option<libc::pthread_key_t> {
        let known = self.key.load(Ordering::Relaxed);
        if known != 0 {
            return libc::pthread_key_t::try_from(known - 1).ok();
        }
        let mut key = 0;
        // SAFETY: the function is part of a library that is never unloaded.
        if unsafe { libc::pthread_key_create(&mut key, Some(self.run)) } != 0 {
            return None;
        }
        let made = u64::from(key) + 1;
        match self
            .key
            .compare_exchange(0, made, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => Some(key),
            Err(others) => {
                // SAFETY: made above, and nobody else has it.
                unsafe { libc::pthread_key_delete(key) };
                libc::pthread_key_t::try_from(others - 1).ok()
            }
        }
    }
}

/// Whether the loader would find memory for what a thread of a library that was loaded late has of its
/// own. Nothing that a thread has is touched here.
#[allow(unsafe_code)]
fn has_room_for_a_thread() -> bool {
    const ROOM: usize = 4096;
    // SAFETY: what is given is given back at once.
    unsafe {
        let room = std::hint::black_box(libc::malloc(ROOM));
        libc::free(room);
        !room.is_null()
    }
}

/// Runs the work; whoever cancels this thread meanwhile does so afterwards. The C library would end
/// the process otherwise, because no frame of Rust may be left that way.
#[allow(unsafe_code)]
#[cfg(not(target_os = "android"))]
pub fn without_cancellation<T>(work: impl FnOnce() -> T) -> T {
    const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = 0;
    // SAFETY: POSIX has this function, and the place lives for the call.
    let is_disabled = unsafe { pthread_setcancelstate(DISABLE, &mut before) } == 0;
    let result = work();
    if is_disabled {
        let mut disabled = 0;
        // SAFETY: as above.
        unsafe { pthread_setcancelstate(before, &mut disabled) };
    }
    result
}

/// Android's threads can't be cancelled.
#[cfg(target_os = "android")]
pub fn without_cancellation<T>(work: impl FnOnce() -> T) -> T {
    work()
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
    const LENGTH: usize = mem::size_of::<AtomicU64>();
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
