//! Windows: the host's threads, and those of this library.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CStr, c_void};
use std::hint::black_box;
use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    GetModuleHandleW, GetProcAddress,
};
use windows_sys::Win32::System::Threading::{
    CreateThread, FLS_OUT_OF_INDEXES, FlsAlloc, FlsFree, FlsGetValue, FlsSetValue, INFINITE,
    STACK_SIZE_PARAM_IS_A_RESERVATION, WaitForSingleObject,
};
use windows_sys::core::{HRESULT, PCWSTR};
use windows_sys::w;

use super::super::threads::{self, Work};

/// A thread of this library's own. Not the standard library's, whose threads end the process where
/// there is no memory for what they keep.
#[derive(Debug)]
pub struct Thread(OwnedHandle);

impl Thread {
    /// Begins a thread, with the name that debuggers show.
    #[allow(unsafe_code)]
    pub fn begin(name: &CStr, stack: usize, work: Work) -> io::Result<Self> {
        let work = Box::into_raw(Box::new(work));
        // SAFETY: the thread takes the work where it begins.
        let thread = unsafe {
            CreateThread(
                ptr::null(),
                stack,
                Some(run),
                work.cast(),
                STACK_SIZE_PARAM_IS_A_RESERVATION,
                ptr::null_mut(),
            )
        };
        if thread.is_null() {
            let error = io::Error::last_os_error();
            // SAFETY: it comes from `Box::into_raw` above, and no thread has it.
            drop(unsafe { Box::from_raw(work) });
            return Err(error);
        }
        // SAFETY: it is new, and nobody else closes it.
        let thread = unsafe { OwnedHandle::from_raw_handle(thread) };
        set_name(&thread, name);
        Ok(Self(thread))
    }

    /// Leaves it to itself.
    pub fn leave(self) {}

    /// Waits for its end.
    #[allow(unsafe_code)]
    pub fn join(self) {
        // SAFETY: the handle is open until this returns.
        unsafe {
            WaitForSingleObject(self.0.as_raw_handle(), INFINITE);
        }
    }
}

/// Where a thread begins. No panic leaves it.
#[allow(unsafe_code)]
extern "system" fn run(work: *mut c_void) -> u32 {
    // SAFETY: `Thread::begin` boxed it for this thread alone.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    threads::carry_out(*work, has_room_for_a_thread());
    0
}

/// Says what debuggers show of a thread; nothing before Windows 10 1607, and nothing of a name that is
/// too long.
#[allow(unsafe_code)]
fn set_name(thread: &OwnedHandle, name: &CStr) {
    type SetThreadDescription = unsafe extern "system" fn(HANDLE, PCWSTR) -> HRESULT;
    let mut wide = [0_u16; 32];
    let Some((_end, room)) = wide.split_last_mut() else {
        return;
    };
    for (wide, byte) in room.iter_mut().zip(name.to_bytes()) {
        *wide = u16::from(*byte);
    }
    // SAFETY: the system has the function with this type, in a module that is always loaded. The handle
    // is open, and the name ends in 0.
    unsafe {
        let module = GetModuleHandleW(w!("kernelbase.dll"));
        let function = GetProcAddress(module, c"SetThreadDescription".as_ptr().cast());
        if let Some(function) = function {
            let set: SetThreadDescription = mem::transmute(function);
            set(thread.as_raw_handle(), wide.as_ptr());
        }
    }
}

/// The threads that were here, and what is done when one of them ends. What the standard library does
/// for that needs memory, and ends the process where there is none.
#[derive(Debug)]
pub struct Visitors {
    /// One more than the system's number; 0 before it has one.
    key: AtomicU32,
    run: extern "C" fn(*mut c_void),
}

impl Visitors {
    /// Nobody has been here. The function, which can do nothing with its argument, is called at the end
    /// of each thread that was.
    pub const fn new(run: extern "C" fn(*mut c_void)) -> Self {
        Self {
            key: AtomicU32::new(0),
            run,
        }
    }

    /// Whether this thread was here before.
    #[allow(unsafe_code)]
    pub fn know_this(&self) -> bool {
        // SAFETY: the number was given and is never given back. Where the system has none left, nobody
        // is asked.
        self.key()
            .is_none_or(|key| !unsafe { FlsGetValue(key) }.is_null())
    }

    /// Lets this thread in; not where there is no memory for what each thread has, when that is first
    /// touched.
    #[allow(unsafe_code)]
    pub fn let_in(&'static self) -> bool {
        if self.know_this() {
            return true;
        }
        if !has_room_for_a_thread() {
            return false;
        }
        // SAFETY: as above.
        self.key()
            .is_none_or(|key| unsafe { FlsSetValue(key, ptr::from_ref(self).cast()) } != 0)
    }

    #[allow(unsafe_code)]
    fn key(&self) -> Option<u32> {
        let known = self.key.load(Ordering::Relaxed);
        if known != 0 {
            return Some(known - 1);
        }
        stay_loaded();
        // SAFETY: the function is part of a library that is never unloaded.
        let key = unsafe { FlsAlloc(Some(leave)) };
        if key == FLS_OUT_OF_INDEXES {
            return None;
        }
        match self
            .key
            .compare_exchange(0, key + 1, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => Some(key),
            Err(others) => {
                // SAFETY: given above, and nobody else has it.
                unsafe { FlsFree(key) };
                Some(others - 1)
            }
        }
    }
}

/// The end of a thread that was let in.
#[allow(unsafe_code)]
extern "system" fn leave(visitors: *const c_void) {
    // SAFETY: `let_in` set it, to a static.
    let visitors = unsafe { &*visitors.cast::<Visitors>() };
    (visitors.run)(ptr::null_mut());
}

/// Has the library stay where it is though the host frees it: a thread that ends afterwards would run a
/// function that is gone, and other threads may be in the middle of a call.
#[allow(unsafe_code)]
fn stay_loaded() {
    const FLAGS: u32 = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    let mut module = ptr::null_mut();
    let here: extern "system" fn(*const c_void) = leave;
    // SAFETY: the address is one of this library, and the place lives for the call.
    unsafe {
        GetModuleHandleExW(FLAGS, (here as *const c_void).cast(), &mut module);
    }
}

/// Whether there is memory for what a thread has of its own. Nothing that a thread has is touched here.
#[allow(unsafe_code)]
fn has_room_for_a_thread() -> bool {
    const ROOM: Layout = Layout::new::<[u8; 4096]>();
    // SAFETY: what is given is given back at once.
    unsafe {
        let room = black_box(System.alloc(ROOM));
        if !room.is_null() {
            System.dealloc(room, ROOM);
        }
        !room.is_null()
    }
}

/// Threads can't be cancelled here.
pub fn without_cancellation<T>(work: impl FnOnce() -> T) -> T {
    work()
}
