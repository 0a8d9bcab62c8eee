//! The memory of the shared and of the static library: the system's, with two habits.
//!
//! - What is given back is wiped, so that no token stays behind in the host's memory.
//! - Where the system refuses, what is small comes out of a reserve, and the floors are told to stop:
//!   the standard library would end the host's process. What is large is refused, to those who ask.
//!
//! build.rs says where this is compiled in: not where a Rust program links the sources, which has an
//! allocator of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, ptr};

use crate::memory;

#[global_allocator]
static MEMORY: Memory = Memory {
    small: Reserve::new(),
    large: Reserve::new(),
};

struct Memory {
    /// 4,096 pieces of 128 bytes: what a call needs until its next step, for some threads at once.
    small: Reserve<128, 64>,
    /// 256 pieces of 4 KiB, for the buffers of a handshake and of a short answer.
    large: Reserve<4096, 4>,
}

// SAFETY: the memory is the system's, or a reserve's that no other piece overlaps; nothing here
// panics.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() {
            return self.reserved(layout);
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() {
            // What was given back was wiped.
            return self.reserved(layout);
        }
        block
    }

    // It is called from everywhere.
    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let at = (block as usize).wrapping_sub(ptr::from_ref(self) as usize);
        // SAFETY: the caller gives the whole block back. What no reserve made the system did.
        unsafe {
            wipe(block, layout.size());
            if at < size_of::<Self>() {
                self.take_back(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    /// The system's own might leave a copy behind. What gets shorter may stay where it is: nobody who
    /// asks for less is refused.
    #[cold]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the block has this layout, and that the size is not 0 and
        // fits the alignment. Both blocks are as long as what is copied.
        unsafe {
            let other = Layout::from_size_align_unchecked(size, layout.align());
            let copy = self.alloc(other);
            if !copy.is_null() {
                ptr::copy_nonoverlapping(block, copy, layout.size().min(size));
                self.dealloc(block, layout);
            } else if size < layout.size() {
                wipe(block.add(size), layout.size() - size);
                self.shorten(block, layout, size);
                return block;
            }
            copy
        }
    }
}

impl Memory {
    #[cold]
    fn reserved(&self, layout: Layout) -> *mut u8 {
        memory::note_refusal();
        if memory::is_asking() {
            return ptr::null_mut();
        }
        match self.small.give(layout) {
            Some(block) => block,
            None => self.large.give(layout).unwrap_or_default(),
        }
    }

    #[cold]
    fn shorten(&self, block: *mut u8, layout: Layout, size: usize) {
        if !self.small.shorten(block, layout, size) {
            self.large.shorten(block, layout, size);
        }
    }

    #[cold]
    fn take_back(&self, block: *mut u8, layout: Layout) {
        if !self.small.take_back(block, layout) {
            self.large.take_back(block, layout);
        }
    }
}

/// Writes zeros that no optimisation takes away.
///
/// # Safety
/// So many bytes may be written.
unsafe fn wipe(block: *mut u8, length: usize) {
    /// What is longer would be written byte by byte: `rep stosb`, which takes thousands of steps where
    /// pieces take some hundred.
    const PIECE: usize = 1024;
    // SAFETY: all of it is within what the caller promised.
    unsafe {
        match length {
            // Most blocks are short: two writes that may overlap take fewer steps than a call.
            16..=32 => wipe_ends::<[u64; 2]>(block, length),
            33..=64 => wipe_ends::<[u64; 4]>(block, length),
            _ => {
                let mut done = 0;
                while length - done > PIECE {
                    block.add(done).write_bytes(0, PIECE);
                    done += PIECE;
                }
                block.add(done).write_bytes(0, length - done);
            }
        }
    }
    black_box(block);
}

/// Writes zeros at the beginning and at the end.
///
/// # Safety
/// So many bytes may be written, and a `T` is not longer; zeros are one.
unsafe fn wipe_ends<T>(block: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        block.cast::<T>().write_unaligned(mem::zeroed());
        let end = block.add(length - size_of::<T>());
        end.cast::<T>().write_unaligned(mem::zeroed());
    }
}

/// Memory that is there whatever the system says, and is not touched before it is needed: in each
/// word of `taken` a bit for every piece of 64. A block lies within the pieces of one word, so that no
/// lock is needed.
#[repr(C, align(4096))]
struct Reserve<const PIECE: usize, const WORDS: usize> {
    bytes: UnsafeCell<[[[u8; PIECE]; 64]; WORDS]>,
    taken: [AtomicU64; WORDS],
}

// SAFETY: a block belongs to who took its bits, and to nobody else until they are given back.
unsafe impl<const PIECE: usize, const WORDS: usize> Sync for Reserve<PIECE, WORDS> {}

impl<const PIECE: usize, const WORDS: usize> Reserve<PIECE, WORDS> {
    const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new([[[0; PIECE]; 64]; WORDS]),
            taken: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// A block of zeros, where there is one.
    fn give(&self, layout: Layout) -> Option<*mut u8> {
        let pieces = layout.size().div_ceil(PIECE);
        if pieces > 64 || layout.align() > PIECE {
            return None;
        }
        let first_bits = u64::MAX >> (64 - pieces);
        self.taken.iter().enumerate().find_map(|(word, taken)| {
            (0..=64 - pieces).find_map(|at| {
                let bits = first_bits << at;
                let is_free = taken.load(Ordering::Relaxed) & bits == 0;
                let is_taken = || {
                    let before = taken.fetch_or(bits, Ordering::Acquire);
                    if before & bits != 0 {
                        // Another thread was first; what was not its own is given back.
                        taken.fetch_and(!(bits & !before), Ordering::Release);
                    }
                    before & bits == 0
                };
                let start = self.bytes.get().cast::<u8>();
                (is_free && is_taken()).then(|| start.wrapping_add((word * 64 + at) * PIECE))
            })
        })
    }

    /// Whether the block is one of its own, which is free again now.
    fn take_back(&self, block: *mut u8, layout: Layout) -> bool {
        self.shorten(block, layout, 0)
    }

    /// Whether the block is one of its own, of which the rest is free again now.
    fn shorten(&self, block: *mut u8, layout: Layout, size: usize) -> bool {
        let start = self.bytes.get().cast::<u8>();
        let at = (block as usize).wrapping_sub(start as usize);
        if at >= PIECE * 64 * WORDS {
            return false;
        }
        let first = at / PIECE;
        let (kept, taken) = (size.div_ceil(PIECE), layout.size().div_ceil(PIECE));
        if taken > kept
            && let Some(word) = self.taken.get(first / 64)
        {
            let bits = (u64::MAX >> (64 - (taken - kept))) << (first % 64 + kept);
            word.fetch_and(!bits, Ordering::Release);
        }
        true
    }
}
