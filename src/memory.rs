//! Memory that runs out.
//!
//! What is small is never refused: the C library's allocator has a reserve of its own for that, and
//! tells of it here. A call that finds so stops at its next step. What may be large, and what outlives
//! the call, is asked for, with the functions below: that never comes out of the reserve.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::TryReserveError;
use std::io;

thread_local! {
    static HAS_RUN_OUT: Cell<bool> = const { Cell::new(false) };
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
}

/// The system gave no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Notes that the system gave no memory to this thread.
pub fn note_refusal() {
    HAS_RUN_OUT.set(true);
}

/// Whether this thread asks, and is prepared for a refusal.
pub fn is_asking() -> bool {
    IS_ASKING.get()
}

/// Asks for memory.
pub fn ask<T>(ask: impl FnOnce() -> Result<T, TryReserveError>) -> Result<T, OutOfMemory> {
    IS_ASKING.set(true);
    let result = ask();
    IS_ASKING.set(false);
    Ok(result?)
}

/// Whether it has, since the work of this thread began.
pub fn has_run_out() -> bool {
    HAS_RUN_OUT.get()
}

/// An error where it has.
pub fn check() -> Result<(), OutOfMemory> {
    if has_run_out() {
        Err(OutOfMemory)
    } else {
        Ok(())
    }
}

/// An error where the system has not so many bytes to spare.
pub fn check_spare(bytes: usize) -> Result<(), OutOfMemory> {
    reserve_exact(&mut Vec::<u8>::new(), bytes)
}

/// Some work, for which nothing counts that was refused before; afterwards what was counts again.
pub fn from_now_on<T>(work: impl FnOnce() -> T) -> T {
    let before = HAS_RUN_OUT.replace(false);
    let result = work();
    HAS_RUN_OUT.set(before);
    result
}

/// Room for more items.
pub fn reserve<T>(items: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    if items.capacity() - items.len() >= more {
        return Ok(());
    }
    ask(|| items.try_reserve(more))
}

/// Room for so many more items and no others.
pub fn reserve_exact<T>(items: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    ask(|| items.try_reserve_exact(more))
}

/// Adds an item.
pub fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
    reserve(items, 1)?;
    items.push(item);
    Ok(())
}

/// Adds what is in a buffer, which is empty afterwards. Where there is nothing yet the buffer itself
/// is taken.
pub fn append(bytes: &mut Vec<u8>, more: &mut Vec<u8>) -> Result<(), OutOfMemory> {
    if bytes.is_empty() {
        std::mem::swap(bytes, more);
        return Ok(());
    }
    reserve(bytes, more.len())?;
    bytes.append(more);
    Ok(())
}

/// Adds bytes.
pub fn extend(bytes: &mut Vec<u8>, more: &[u8]) -> Result<(), OutOfMemory> {
    reserve(bytes, more.len())?;
    bytes.extend_from_slice(more);
    Ok(())
}

/// Room for so much more text and no other.
pub fn reserve_text(text: &mut String, more: usize) -> Result<(), OutOfMemory> {
    ask(|| text.try_reserve_exact(more))
}

/// Adds texts.
pub fn add(text: &mut String, more: &[&str]) -> Result<(), OutOfMemory> {
    let length = more.iter().map(|more| more.len()).sum();
    ask(|| text.try_reserve(length))?;
    for more in more {
        text.push_str(more);
    }
    Ok(())
}

/// The texts as one.
pub fn concat(texts: &[&str]) -> Result<String, OutOfMemory> {
    let mut text = String::new();
    reserve_text(&mut text, texts.iter().map(|more| more.len()).sum())?;
    add(&mut text, texts)?;
    Ok(text)
}

/// The bytes as text, where what is not UTF-8 is replaced.
pub fn lossy(bytes: &[u8]) -> Result<Cow<'_, str>, OutOfMemory> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        let mark = if chunk.invalid().is_empty() {
            ""
        } else {
            "\u{fffd}"
        };
        add(&mut text, &[chunk.valid(), mark])?;
    }
    Ok(Cow::Owned(text))
}

impl From<TryReserveError> for OutOfMemory {
    fn from(_: TryReserveError) -> Self {
        note_refusal();
        Self
    }
}

impl From<OutOfMemory> for io::Error {
    fn from(_: OutOfMemory) -> Self {
        io::ErrorKind::OutOfMemory.into()
    }
}
