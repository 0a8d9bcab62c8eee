//! Tests that need a process of their own start this very program again.

use std::env;
use std::ffi::OsString;
use std::process::Command;

/// A command that starts this program. Where it was built for another processor, that is the emulator
/// that cargo was told to run it in.
pub fn command() -> Command {
    let mut words = words().into_iter();
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    command
}

/// The words of that command.
pub fn words() -> Vec<OsString> {
    let processor = format!("CARGO_TARGET_{}_", env::consts::ARCH.to_uppercase());
    let runner = env::vars_os().find_map(|(name, value)| {
        let name = name.into_string().ok()?;
        (name.starts_with(&processor) && name.ends_with("_RUNNER")).then_some(value)
    });
    let runner = runner.unwrap_or_default().into_string().unwrap();
    let words = runner.split_whitespace().map(OsString::from);
    words
        .chain([env::current_exe().unwrap().into_os_string()])
        .collect()
}

/// Ends a child of fork at once; its parent learns whether all was so.
pub fn end_child(is_so: bool) -> ! {
    // SAFETY: takes a number, and does not return.
    unsafe { libc::_exit(i32::from(!is_so)) }
}

/// What a child said at its end.
pub fn was_so_in(child: libc::pid_t) -> bool {
    let mut status = -1;
    // SAFETY: the status may be written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status == 0
}
