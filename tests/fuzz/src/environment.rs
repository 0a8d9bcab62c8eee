//! Variables of the environment that change with every input. Through `setenv` the C library would keep each value.

use std::cell::RefCell;
use std::ptr;

/// The longest value.
const ROOM: usize = 8 * 1024;

thread_local! {
    /// Those that are set, by their names.
    static SET: RefCell<Vec<(&'static str, *mut u8)>> = const { RefCell::new(Vec::new()) };
}

/// Sets a variable, as far as the first NUL byte; "" is what the library takes for unset. There must be no other
/// thread that reads the environment.
pub fn set(name: &'static str, value: &[u8]) {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    let value = &value[..value.len().min(ROOM)];
    let room = SET.with_borrow_mut(|variables| {
        if let Some((_, room)) = variables.iter().find(|(known, _)| *known == name) {
            return *room;
        }
        let room = make(name);
        variables.push((name, room));
        room
    });
    // SAFETY: it has so much room, and a NUL byte behind it.
    unsafe {
        ptr::copy_nonoverlapping(value.as_ptr(), room, value.len());
        room.add(value.len()).write(0);
    }
}

/// Where its value is, for as long as the process lives.
fn make(name: &str) -> *mut u8 {
    let mut text = format!("{name}=").into_bytes();
    let begin = text.len();
    text.resize(begin + ROOM + 1, 0);
    let text = Box::leak(text.into_boxed_slice());
    // SAFETY: it ends in NUL, and stays.
    assert_eq!(unsafe { libc::putenv(text.as_mut_ptr().cast()) }, 0);
    text[begin..].as_mut_ptr()
}

/// Has every call end when it would dial: with a proxy that can't be used.
pub fn leads_nowhere() {
    for name in [
        "no_proxy",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        set(name, b"");
    }
    set("all_proxy", b"nowhere://");
}
