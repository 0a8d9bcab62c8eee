//! Unix: the host's threads, and those of this library.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, ptr};

use super::super::threads::{self, Work};

/// What a thread brings upon itself. The system ends the process where these are blocked, and the host
/// may handle them.
const OWN_FAULTS: [c_int; 6] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
];

/// Runs the work with all signals blocked in this thread that come from elsewhere, so that a thread started
/// by it gets none of the host's.
#[allow(unsafe_code)]
fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    let mut all = mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets live on this stack frame; the first is filled before it is used.
    let is_blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        for signal in OWN_FAULTS {
            libc::sigdelset(all.as_mut_ptr(), signal);
        }
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

// SAFETY: the system's name of a thread, a pointer on some systems, means the same in every thread.
#[allow(unsafe_code)]
unsafe impl Send for Thread {}

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
        set_name(thread, name);
        Ok(Self(thread))
    }

    /// Leaves it to itself: at its end the system takes back what it has.
    #[allow(unsafe_code)]
    pub fn leave(self) {
        // SAFETY: it was begun, and was not joined.
        unsafe {
            libc::pthread_detach(self.0);
        }
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

/// Says what system tools show of a thread, which has not been joined.
#[allow(unsafe_code)]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_name(thread: libc::pthread_t, name: &CStr) {
    // SAFETY: the thread lives until it is joined, and the name ends in NUL.
    unsafe {
        libc::pthread_setname_np(thread, name.as_ptr());
    }
}

/// Others name the calling thread alone, or do it in another way.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_name(_: libc::pthread_t, _: &CStr) {}

/// Where a thread begins. No panic leaves it.
#[allow(unsafe_code)]
extern "C" fn run(work: *mut c_void) -> *mut c_void {
    // SAFETY: `Thread::begin` boxed it for this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    threads::carry_out(*work, has_room_for_a_thread());
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
